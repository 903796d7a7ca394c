"""What beat sends: tasks that exist, and that do not pile up while nobody takes them."""

from __future__ import annotations

from webapp.celery import app


def test_every_periodic_message_has_a_task_and_an_end() -> None:
    app.loader.import_default_modules()
    entries = app.conf.beat_schedule.values()
    assert entries
    assert [entry["task"] for entry in entries if entry["task"] not in app.tasks] == []
    assert [entry["task"] for entry in entries if not 0 < entry["options"]["expires"] <= 60] == []
