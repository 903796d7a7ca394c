"""Keep texts out of the logs of Celery, whose reports of failures quote exceptions and message bodies."""

from __future__ import annotations

import logging
import re
import traceback

_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[rsd]")


def quiet_trace(error: BaseException) -> str:
    """Return where an exception came from, without its message: messages of databases and parsers quote texts."""
    return "".join(traceback.format_tb(error.__traceback__))


class _FailedTask(logging.Filter):
    """Leave of a failed task its name, its id, the exception's class and the frames."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(record.args, dict) and "exc" in record.args:
            kind = type(error).__name__ if error else "an exception"
            record.args = {**record.args, "exc": kind, "traceback": "", "args": "", "kwargs": ""}
        if error is not None:
            record.exc_info, record.exc_text = None, f"{quiet_trace(error)}{type(error).__name__}"
        return True


class _BadMessage(logging.Filter):
    """Leave of a report on a message only its first line, without what it quotes."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING and "body" in str(record.msg).lower():
            record.msg = _PLACEHOLDER.sub("…", str(record.msg).strip().partition("\n")[0])
            record.args, record.exc_info = (), None
        return True


def quiet_celery() -> None:
    """Install the filters; both Celery apps call it, once more changes nothing."""
    for name, kind in {"celery.app.trace": _FailedTask, "celery.worker.consumer.consumer": _BadMessage}.items():
        logger = logging.getLogger(name)
        if not any(isinstance(known, kind) for known in logger.filters):
            logger.addFilter(kind())
