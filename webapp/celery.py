"""The Celery app of the control workers: tasks that use the database (asynchronous checks, sweeps, audit, exports).

Workers that screen are another app, `workers.app`: they need Redis alone.
"""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

app = Celery("countersign-control")
#: While no control worker runs, periodic messages pile up for this long and no longer.
EXPIRES_SECONDS = 60.0


def _every(seconds: float, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": EXPIRES_SECONDS}}


def _configure() -> None:
    from django.conf import settings

    from workers.broker import celery_settings
    from workers.quiet_logs import quiet_celery

    quiet_celery()

    app.conf.update(celery_settings(settings.REDIS_URL))
    app.conf.update(
        task_default_queue="control",
        beat_schedule={
            "sweep-checks": _every(5.0, "interception.sweep_checks"),
            "collect-late-results": _every(10.0, "interception.collect_late_results"),
            "sequence-audit-log": _every(5.0, "audit.sequence"),
            "sweep-leases": _every(15.0, "review.sweep_leases"),
            "resume-datasets": _every(60.0, "feedback.resume"),
        },
    )


_configure()
app.autodiscover_tasks()
