"""How every Celery app of Countersign talks to Redis."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from screening.models_file import ModelsFileError, configured_models

QUEUES = {"cpu": "screen.cpu", "gpu": "screen.gpu", "llm": "screen.llm"}
CONTROL = "control"
#: Asynchronous checks have a queue and processes of their own: a flood of them holds up nothing else.
CONCLUDE = "conclude"
#: No queue: the name by which the clock of the periodic tasks says that it lives.
BEAT = "beat"
SOCKET_TIMEOUT = 5.0
#: A message of the control queues whose worker died comes back after this many seconds; their tasks are safe to run
#: twice. One of the screening queues does not: checks are over by then, or are sent again by the sweeper.
VISIBILITY_TIMEOUT = 120


def needed_queues(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the screening queues that need a worker here: that of guard LLMs only when the models file has some."""
    try:
        llms = bool(configured_models(environ).guard_llms)
    except ModelsFileError:
        llms = False
    return [name for queue, name in QUEUES.items() if queue != "llm" or llms]


def celery_settings(redis_url: str, *, socket_timeout: float = SOCKET_TIMEOUT) -> dict[str, Any]:
    """Return the settings that web, control and screening processes share; `socket_timeout` in seconds."""
    return {
        "broker_url": redis_url,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "socket_timeout": socket_timeout,
            "socket_connect_timeout": socket_timeout,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }
