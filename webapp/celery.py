"""The Celery app of the control workers: tasks that use the database (asynchronous checks, sweeps, audit, exports).

Workers that screen are another app, `workers.app`: they need Redis alone.
"""

import os
from typing import Any

import redis
from celery import Celery
from celery.signals import worker_init, worker_ready

from workers.alive import is_connected, keep_alive_keys
from workers.broker import CONCLUDE, CONTROL, SOCKET_TIMEOUT, celery_settings
from workers.channel import ControlChannel, use_channel
from workers.client import PATIENCE
from workers.quiet_logs import quiet_celery
from workers.reconnecting import SteadyAMQP
from workers.roster import Worker
from workers.services_file import redis_url
from workers.settled import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

app = Celery("countersign-control", amqp=SteadyAMQP)
#: While no control worker runs, periodic messages pile up for this long and no longer.
EXPIRES_SECONDS = 60.0


def _every(seconds: float, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": EXPIRES_SECONDS}}


def _configure() -> None:
    from django.conf import settings

    quiet_celery()
    app.conf.update(celery_settings(settings.REDIS_URL))
    app.conf.update(
        task_default_queue=CONTROL,
        beat_scheduler="webapp.beat:Scheduler",
        task_routes={"interception.conclude_check": {"queue": CONCLUDE}},
        beat_schedule={
            "sweep-checks": _every(5.0, "interception.sweep_checks"),
            "collect-late-results": _every(10.0, "interception.collect_late_results"),
            "sequence-audit-log": _every(5.0, "audit.sequence"),
            "sweep-leases": _every(15.0, "review.sweep_leases"),
            "sweep-holds": _every(15.0, "review.sweep_holds"),
            "sweep-probes": _every(30.0, "review.sweep_probes"),
            "sweep-effects": _every(5.0, "review.sweep_effects"),
            "sweep-clusters": _every(5.0, "review.sweep_clusters"),
            "sweep-bulk": _every(2.0, "review.sweep_bulk"),
            "sweep-imports": _every(2.0, "review.sweep_imports"),
            "group-items": _every(2.0, "review.group_items"),
            "resume-datasets": _every(60.0, "feedback.resume"),
        },
    )


def give_up_soon() -> None:
    """Have what this process sends not wait for a Redis that is away, as requests wait for it; call it before it sends.

    For web processes alone: workers are to come back to Redis however long it was away.
    """
    # `retry=False` of Celery is of the message; kombu tries the connection again all the same.
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, **PATIENCE, "max_retries": 0}
    app.conf.task_publish_retry = False  # else kombu keeps the policy of the first message that is tried again for all


@worker_init.connect
def _before_it_connects(**_: Any) -> None:
    redis_url(os.environ)  # without one Celery would look for a broker of another kind, for ever
    use_channel(ControlChannel)


@worker_ready.connect
def _say_that_it_lives(sender: Any, **_: Any) -> None:
    settle()
    connection = redis.Redis.from_url(app.conf.broker_url, socket_timeout=SOCKET_TIMEOUT, health_check_interval=10)
    worker = Worker(sender.hostname, tuple(app.amqp.queues.consume_from))
    keep_alive_keys(connection, lambda: worker, lambda: is_connected(sender))


_configure()
app.autodiscover_tasks()
