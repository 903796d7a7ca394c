"""How fast a line moves, and for which jobs it has room: plain arithmetic on given times."""

from __future__ import annotations

import pytest

from screening.engine import Job
from screening.findings import OUTPUT, Text
from workers.lines import FIRST_SPEED, MEMORY_SECONDS, PATIENCE, SLOTS, Flight, Line, Ticket


def ticket(size: int, asked: float = 0.0) -> Ticket:
    return Ticket(1, "gpu", Job("", (Text(OUTPUT, "x" * size),), started=0.0, deadline=0.0), asked)


def landed(line: Line, *, sizes: int, start: float, end: float) -> None:
    """Send one job through an idle line."""
    one = ticket(sizes, start)
    line.join(one)
    assert line.take(start) is not None
    line.leave(one, end, read=True)


def test_an_empty_line_has_room_for_everything() -> None:
    line = Line()
    assert line.has_room(0.0)
    landed(line, sizes=10, start=0.0, end=100.0)
    assert line.has_room(0.001)


def test_a_job_that_would_not_be_read_in_time_has_no_room() -> None:
    line = Line()
    line.join(ticket(int(FIRST_SPEED)))
    assert not line.has_room(1.0)
    assert line.has_room(1.01 / PATIENCE)


def test_messages_on_their_way_are_in_front() -> None:
    line = Line()
    landed(line, sizes=100_000, start=0.0, end=10.0)
    for _ in range(SLOTS):
        line.join(ticket(100))
        assert line.take(10.0) is not None
    assert not line.has_room(10.0)
    assert line.has_room(10.1 * SLOTS / PATIENCE)


def test_a_rush_after_small_messages_has_room() -> None:
    line = Line()
    for second in range(20):
        landed(line, sizes=500, start=float(second), end=second + 0.02)
    for _ in range(40):
        line.join(ticket(500))
    # One after the other they would take 0.8 s, but they will travel together.
    assert line.has_room(0.5)


def test_what_was_answered_or_given_up_is_in_nobody_s_way() -> None:
    line = Line()
    sent, waiting = ticket(50_000), ticket(50_000)
    line.join(sent)
    line.take(0.0)
    line.join(waiting)
    assert line.size == 50_000
    line.leave(waiting, 1.0, read=False)
    line.leave(sent, 1.0, read=True)
    assert (line.size, line.flights) == (0, 0)
    assert line.has_room(0.0)


def test_the_speed_is_that_of_the_messages_together() -> None:
    line = Line()
    for second in range(100):
        first, later = ticket(1_000), ticket(1_000)
        for one in (first, later):
            line.join(one)
            assert line.take(float(second)) is not None
        # Two workers are done at nearly the same time: 2,000 characters in one second, not 1,000 in a millisecond.
        line.leave(first, second + 0.999, read=True)
        line.leave(later, second + 1.0, read=True)
    assert line.speed == pytest.approx(2_000, rel=0.3)


def test_a_worker_that_stands_still_makes_the_line_slow() -> None:
    line = Line()
    for second in range(8):
        landed(line, sizes=100, start=float(second), end=second + 1.0)
    assert line.speed < 1_000


def send(line: Line, *, size: int, at: float) -> Flight:
    line.join(ticket(size, at))
    flight = line.take(at, beyond=True)
    assert flight is not None
    return flight


def test_messages_that_land_together_do_not_look_fast() -> None:
    line, now = Line(), 0.0
    for _ in range(40):
        several = [send(line, size=1_000, at=now) for _ in range(5)]
        now += 0.5
        for flight in several:
            line.leave(flight.tickets[0], now, read=True)
            # 5,000 characters in half a second, whichever of them was counted last.
            assert line.speed < 10_000 * 1.3 or now < 2 * MEMORY_SECONDS
    assert line.speed == pytest.approx(10_000, rel=0.2)


def test_time_with_other_messages_on_their_way_counts() -> None:
    line, now = Line(), 0.0
    one = send(line, size=1_000, at=now)
    for _ in range(40):
        now += 0.5
        other = send(line, size=1_000, at=now)  # half way through the one before
        now += 0.5
        line.leave(one.tickets[0], now, read=True)
        one = other
    assert line.speed == pytest.approx(1_000, rel=0.3)


def test_what_was_given_up_makes_the_line_slow() -> None:
    line, now = Line(), 0.0
    for _ in range(40):
        landed(line, sizes=1_000, start=now, end=now + 0.1)
        now += 0.1
    several = [send(line, size=1_000, at=now) for _ in range(20)]
    for flight in several:
        line.leave(flight.tickets[0], now + 2.0, read=False)
    # All were counted at once, at their deadline.
    assert line.speed < 6_000
    line.join(ticket(10_000))
    assert not line.has_room(2.0)


def test_a_line_whose_worker_was_away_is_quick_again() -> None:
    line = Line()
    for second in range(0, 600, 2):
        one = send(line, size=1_000, at=float(second))
        line.leave(one.tickets[0], second + 2.0, read=False)
    now = 600.0
    while now < 600.0 + 2 * MEMORY_SECONDS:
        landed(line, sizes=1_000, start=now, end=now + 0.1)
        now += 0.1
    line.join(ticket(1_000, now))
    assert line.speed == pytest.approx(10_000, rel=0.25)
    assert line.has_room(1.0)


def test_texts_without_a_character_were_read_like_others() -> None:
    line, now = Line(), 0.0
    for _ in range(400):
        landed(line, sizes=0, start=now, end=now + 0.02)
        now += 0.02
    send(line, size=0, at=now)
    assert line.has_room(0.1)


def test_one_job_given_up_after_a_long_time_is_soon_forgotten() -> None:
    line, now = Line(), 0.0
    for _ in range(100):
        landed(line, sizes=500, start=now, end=now + 0.02)
        now += 0.02
    lost = send(line, size=500, at=now)
    now += 60.0
    line.leave(lost.tickets[0], now, read=False)
    for _ in range(10):
        landed(line, sizes=500, start=now, end=now + 0.02)
        now += 0.02
    send(line, size=500, at=now)
    assert line.has_room(2.0)
