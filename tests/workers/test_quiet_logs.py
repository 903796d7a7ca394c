"""Celery's own reports of failures quote no text."""

from __future__ import annotations

import logging

import pytest
from celery import Celery
from celery.app.trace import build_tracer

from workers.quiet_logs import quiet_celery

SECRET = "zebra-umbrella"


def test_a_failed_task_leaves_its_class_and_frames(caplog: pytest.LogCaptureFixture) -> None:
    app = Celery("quiet", set_as_current=False, fixups=set())
    quiet_celery()

    @app.task(name="t")  # type: ignore[untyped-decorator]
    def fail(text: str) -> None:
        raise ValueError(f"DETAIL: Failing row contains ({text})")

    with caplog.at_level(logging.DEBUG):
        build_tracer("t", fail, app=app)("id1", (SECRET,), {}, {})
    assert "ValueError" in caplog.text
    assert "in fail" in caplog.text
    assert SECRET not in caplog.text.replace('raise ValueError(f"DETAIL', "")


def test_a_message_that_nobody_knows_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    quiet_celery()
    logger = logging.getLogger("celery.worker.consumer.consumer")
    logger.error("Received unregistered task of type %s.\nThe full contents of the message body was:\n%s", "t", SECRET)
    assert "Received unregistered task of type …." in caplog.text
    assert SECRET not in caplog.text
