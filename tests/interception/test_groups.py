"""Callers who come while work is done are served together, each with what is theirs."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from webapp.interception.groups import Group

CALLERS = 8


class Work:
    """Notes each round; the first one lasts until `go` is set."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.began = threading.Event()
        self.go = threading.Event()

    def __call__(self, items: list[int]) -> list[str | Exception]:
        self.rounds.append(items)
        self.began.set()
        assert self.go.wait(10)
        if -1 in items:
            raise ConnectionError
        return [ValueError(str(item)) if item == 13 else f"done {item}" for item in items]


def in_line(group: Group[int, str], count: int) -> bool:
    return len(group._waiting) == count


def ask_while_busy(group: Group[int, str], work: Work, *asked: list[int]) -> list[Future[list[str | Exception]]]:
    """Ask for 0, and for the rest while that is done; return once all are."""
    with ThreadPoolExecutor(len(asked) + 1) as pool:
        first = pool.submit(group.do, [0])
        assert work.began.wait(10)
        rest = []
        for number, items in enumerate(asked, start=1):
            rest.append(pool.submit(group.do, items))
            while not in_line(group, number):
                threading.Event().wait(0.001)
        work.go.set()
    return [first, *rest]


def test_who_comes_meanwhile_is_served_in_one_round() -> None:
    work = Work()
    group: Group[int, str] = Group(work, most=100)
    asked = ask_while_busy(group, work, *([number] for number in range(1, CALLERS)))
    assert work.rounds == [[0], list(range(1, CALLERS))]
    assert [future.result() for future in asked] == [[f"done {number}"] for number in range(CALLERS)]


def test_a_round_is_bounded_and_no_callers_items_are_torn_apart() -> None:
    work = Work()
    group: Group[int, str] = Group(work, most=4)
    ask_while_busy(group, work, [1, 2, 3], [4, 5], [6], [7, 8, 9, 10, 11])
    assert work.rounds == [[0], [1, 2, 3], [4, 5, 6], [7, 8, 9, 10, 11]]


def test_one_bad_item_is_its_own_callers_alone() -> None:
    work = Work()
    one, *rest = ask_while_busy(Group(work, most=100), work, [1, 13], [2])
    bad, good = (future.result() for future in rest)
    assert (one.result(), good) == (["done 0"], ["done 2"])
    assert bad[0] == "done 1"
    assert isinstance(bad[1], ValueError)


def test_what_breaks_a_round_goes_to_all_of_it_and_to_nobody_after() -> None:
    work = Work()
    group: Group[int, str] = Group(work, most=2)
    first, *broken, last = ask_while_busy(group, work, [1], [-1], [3])
    assert (first.result(), last.result()) == (["done 0"], ["done 3"])
    assert [type(result) for future in broken for result in future.result()] == [ConnectionError] * 2
    assert group.do([5]) == ["done 5"]


def test_alone_nobody_waits() -> None:
    work = Work()
    work.go.set()
    group: Group[int, str] = Group(work, most=2)
    assert [group.do([number]) for number in range(3)] == [["done 0"], ["done 1"], ["done 2"]]
    assert work.rounds == [[0], [1], [2]]


@pytest.mark.parametrize("size", [1, 5])
def test_more_items_than_a_round_holds_are_done_all_the_same(size: int) -> None:
    work = Work()
    work.go.set()
    group: Group[int, str] = Group(work, most=2)
    assert group.do(list(range(size))) == [f"done {number}" for number in range(size)]
