"""The Celery app of the control workers: tasks that use the database (asynchronous checks, sweeps, audit, exports).

Workers that screen are another app, `workers.app`: they need Redis alone.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

app = Celery("countersign-control")


def _configure() -> None:
    from django.conf import settings

    from workers.broker import celery_settings

    app.conf.update(celery_settings(settings.REDIS_URL))
    app.conf.update(
        task_default_queue="control",
        beat_schedule={
            "sweep-checks": {"task": "interception.sweep_checks", "schedule": 5.0},
            "collect-late-results": {"task": "interception.collect_late_results", "schedule": 10.0},
            "sequence-audit-log": {"task": "audit.sequence", "schedule": 5.0},
            "sweep-leases": {"task": "review.sweep_leases", "schedule": 15.0},
            "resume-datasets": {"task": "feedback.resume", "schedule": 60.0},
        },
    )


_configure()
app.autodiscover_tasks()
