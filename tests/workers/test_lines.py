"""How fast a line moves, and for which jobs it has room: plain arithmetic on given times."""

from __future__ import annotations

import pytest

from screening.engine import Job
from screening.findings import OUTPUT, Text
from workers.lines import FIRST_SPEED, PATIENCE, Line, Ticket


def ticket(size: int, asked: float = 0.0) -> Ticket:
    return Ticket(1, "gpu", Job("", (Text(OUTPUT, "x" * size),), started=0.0, deadline=0.0), asked)


def landed(line: Line, *, sizes: int, start: float, end: float) -> None:
    """Send one job through an idle line."""
    one = ticket(sizes, start)
    line.join(one)
    assert line.take(start) is not None
    line.leave(one, end)


def test_an_empty_line_has_room_for_everything() -> None:
    line = Line()
    assert line.has_room(0.0)
    landed(line, sizes=10, start=0.0, end=100.0)
    assert line.has_room(0.001)


def test_a_job_that_would_not_be_read_in_time_has_no_room() -> None:
    line = Line()
    size = int(FIRST_SPEED)
    line.join(ticket(size))
    assert line.load == size
    assert not line.has_room(1.0)
    assert line.has_room(1.01 / PATIENCE)
    # On its way, it is still in front.
    assert line.take(0.0) is not None
    assert not line.has_room(1.0)


def test_what_was_answered_or_given_up_is_in_nobody_s_way() -> None:
    line = Line()
    sent, waiting = ticket(50_000), ticket(50_000)
    line.join(sent)
    line.take(0.0)
    line.join(waiting)
    line.leave(waiting, 1.0)
    line.leave(sent, 1.0)
    assert line.load == 0


def test_the_speed_is_that_of_the_messages_together() -> None:
    line = Line()
    for second in range(100):
        first, later = ticket(1_000), ticket(1_000)
        for one in (first, later):
            line.join(one)
            assert line.take(float(second)) is not None
        # Two workers are done at nearly the same time: 2,000 characters in one second, not 1,000 in a millisecond.
        line.leave(first, second + 0.999)
        line.leave(later, second + 1.0)
    assert line.speed == pytest.approx(2_000, rel=0.3)


def test_a_worker_that_stands_still_makes_the_line_slow() -> None:
    line = Line()
    for second in range(8):
        landed(line, sizes=100, start=float(second), end=second + 1.0)
    assert line.speed < 1_000
