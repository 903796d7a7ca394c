"""How jobs travel: several callers in one message, each answer to its own, late ones kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import redis

from screening.findings import JobResult, RuleResult
from screening.policy import parse_policy
from tests.silent_redis import DeafRedis, SilentRedis
from tests.workers.by_hand import POLICY, Worker, job
from workers import lines
from workers.broker import QUEUES
from workers.client import NO_BROKER, NO_WORKER, PATIENCE_SECONDS, Overloaded, ScreenClient, Screening
from workers.lines import MAX_TEXTS, SLOTS
from workers.messages import REPLY, Reply, alive_key

OTHER = parse_policy('{name: q, rules: [{id: secrets, detector: secrets, entities: {"*": hold}}]}').canonical

POLICY_ON_THE_WIRE = json.dumps(POLICY)


@pytest.fixture
def worker(redis_url: str) -> Iterator[Worker]:
    with redis.Redis.from_url(redis_url.removesuffix("/0") + "/6", socket_timeout=20) as broker:
        broker.flushdb()
        yield Worker(broker)
        broker.flushdb()


@pytest.fixture
def client(redis_url: str, worker: Worker) -> Iterator[ScreenClient]:
    client = ScreenClient(redis_url.removesuffix("/0") + "/6")
    yield client
    client.close()


Ask = Callable[..., Future[list[Screening]]]


@pytest.fixture
def ask(client: ScreenClient) -> Iterator[Ask]:
    """Return a function that screens texts in a thread; it returns once they stand in line or are sent."""
    waits: list[threading.Event] = []
    with ThreadPoolExecutor(100) as pool:

        def ask(*texts: str, policy: str = POLICY, seconds: float = 60.0) -> Future[list[Screening]]:
            asked, finished = threading.Event(), threading.Event()
            waits.append(finished)

            def wait() -> list[Screening]:
                try:
                    call = client.start([job(text, policy, seconds) for text in texts], lambda _: finished.set())
                finally:
                    asked.set()
                finished.wait(max(0.0, call.due - time.time()))
                return client.finish(call)

            future = pool.submit(wait)
            asked.wait(10)
            return future

        yield ask
        for finished in waits:
            finished.set()  # what a test left without an answer is given up


def model(asked: Future[list[Screening]]) -> list[str]:
    return [screening.results["cpu"].model for screening in asked.result(10)]


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def fill_the_slots(ask: Ask, worker: Worker) -> list[Future[list[Screening]]]:
    """Send as many messages as may be on their way, and leave them in the queue."""
    first = [ask(f"first {number}") for number in range(SLOTS)]
    assert worker.waiting() == SLOTS
    return first


def test_what_waits_goes_out_as_one_message_when_a_slot_frees(ask: Ask, worker: Worker) -> None:
    first = fill_the_slots(ask, worker)
    rest = [ask(f"text {number}") for number in range(20)]
    assert worker.waiting() == SLOTS
    worker.answer(worker.take()[0])
    assert model(first[0]) == ["first 0"]
    until(lambda: worker.waiting() == SLOTS)
    worker.answer(worker.take()[0])
    batch, _ = worker.take()
    assert [job.texts[0].text for job in batch.jobs] == [f"text {number}" for number in range(20)]
    worker.answer(batch)
    assert [model(asked) for asked in rest] == [[f"text {number}"] for number in range(20)]


def test_a_connection_that_broke_meanwhile_is_replaced(ask: Ask, worker: Worker) -> None:
    for text in ("before", "after"):
        asked = ask(text)
        worker.answer(worker.take()[0])
        assert model(asked) == [text]
        worker.broker.client_kill_filter(_type="normal", skipme=True)


def test_each_caller_gets_its_own_results_whatever_the_order(ask: Ask, worker: Worker) -> None:
    fill_the_slots(ask, worker)
    one, two = ask("a", "b"), ask("c")
    for _ in range(SLOTS):
        worker.answer(worker.take()[0])
    batch, _ = worker.take()
    worker.answer(batch, batch.ids[:0:-1])  # in part, and backwards
    assert model(two) == ["c"]
    worker.answer(batch, batch.ids[:1])
    assert model(one) == ["a", "b"]


def test_a_policy_travels_once_a_message(ask: Ask, worker: Worker) -> None:
    fill_the_slots(ask, worker)
    for number in range(12):
        ask(f"text {number}", policy=POLICY if number % 2 else OTHER)
    for _ in range(SLOTS):
        worker.answer(worker.take()[0])
    batch, wire = worker.take()
    assert [job.policy for job in batch.jobs] == [OTHER, POLICY] * 6
    assert (wire.count(POLICY_ON_THE_WIRE), wire.count("policies")) == (1, 1)
    worker.answer(batch)


def test_a_message_is_bounded(ask: Ask, worker: Worker) -> None:
    fill_the_slots(ask, worker)
    several = ask(*["x"] * (MAX_TEXTS + 5))
    for _ in range(SLOTS):
        worker.answer(worker.take()[0])
    sizes = []
    for _ in range(2):
        batch, _ = worker.take()
        sizes.append(len(batch.jobs))
        worker.answer(batch)
    assert sizes == [MAX_TEXTS, 5]
    assert len(model(several)) == MAX_TEXTS + 5


def test_a_slow_worker_gets_smaller_messages(ask: Ask, worker: Worker) -> None:
    asked = [ask("x" * 1000, seconds=0.3) for _ in range(SLOTS)]
    for one in asked:
        assert one.result(10)[0].missing == {"cpu": "deadline"}
    worker.broker.delete(QUEUES["cpu"])
    fill_the_slots(ask, worker)
    ask(*["x" * 1000] * 10)
    worker.answer(worker.take()[0])
    worker.take()
    batch, _ = worker.take()
    assert len(batch.jobs) < 10


def test_a_message_that_was_lost_with_its_worker_holds_nobody_up(ask: Ask, worker: Worker) -> None:
    fill_the_slots(ask, worker)
    lost = [worker.take() for _ in range(SLOTS)]
    assert len(lost) == SLOTS
    later = ask("later")
    worker.answer(worker.take()[0])
    assert model(later) == ["later"]


def test_a_worker_whose_word_goes_missing_is_asked_on_for_a_while(
    ask: Ask, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.client.STATE_SECONDS", 0.0)
    alive = ask("alive")
    worker.answer(worker.take()[0])
    assert model(alive) == ["alive"]
    # As after a leap of the clock or a restart of Redis: gone, until the worker says again that it lives.
    worker.broker.delete(alive_key(QUEUES["cpu"]))
    missing = ask("missing")
    worker.answer(worker.take()[0])
    assert model(missing) == ["missing"]
    monkeypatch.setattr("workers.client.MISSING_SECONDS", 0.0)
    (screening,) = ask("gone").result(10)
    assert (screening.missing, worker.waiting()) == ({"cpu": NO_WORKER}, 0)


def test_late_results_are_kept_for_who_asks_by_the_key(ask: Ask, client: ScreenClient, worker: Worker) -> None:
    (screening,) = ask("late", seconds=0.05).result(10)
    assert (screening.results, screening.missing) == ({}, {"cpu": "deadline"})
    assert client.late_results([screening.reply_key]) == {}
    worker.answer(worker.take()[0])

    def found() -> list[tuple[str, str]]:
        late = client.late_results([screening.reply_key]).get(screening.reply_key, {})
        return [(queue, result.model) for queue, result in late.items()]

    until(lambda: found() == [("cpu", "late")])
    # Read meanwhile, with the answers that somebody waits for.
    other = ask("other")
    worker.answer(worker.take()[0])
    assert model(other) == ["other"]
    until(lambda: found() == [("cpu", "late")])


def test_of_a_message_that_was_there_twice_what_was_scanned_counts(client: ScreenClient, worker: Worker) -> None:
    key = "countersign:replies:gone#7"
    scanned, unscanned = (RuleResult("secrets", unscanned=why) for why in ("", "deadline"))
    for one in (unscanned, scanned, unscanned):
        worker.broker.rpush("countersign:replies:gone", REPLY.dump_json(Reply("cpu", (7,), (JobResult((one,)),))))
    worker.broker.rpush("countersign:replies:gone", b'{"rules": [], "scores": null}')  # of another version
    assert client.late_results([key]) == {key: {"cpu": JobResult((scanned,))}}
    worker.broker.delete("countersign:replies:gone")


def test_nothing_late_is_due_of_what_was_never_sent(ask: Ask, worker: Worker) -> None:
    fill_the_slots(ask, worker)
    (screening,) = ask("never sent", seconds=0.5).result(10)
    assert (screening.missing, screening.reply_key) == ({"cpu": "deadline"}, "")
    worker.answer(worker.take()[0])
    worker.answer(worker.take()[0])
    assert worker.waiting() == 0


def test_a_reply_that_can_not_be_read_stops_nothing(ask: Ask, worker: Worker) -> None:
    first = ask("first")
    batch, _ = worker.take()
    worker.broker.rpush(batch.reply_to, b"{", b'{"queue": "cpu", "ids": [1, 2], "results": []}')
    worker.answer(batch)
    assert model(first) == ["first"]


def test_a_full_line_refuses(ask: Ask, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_IN_LINE", 3)
    fill_the_slots(ask, worker)
    waiting = ask("1", "2", "3")
    with pytest.raises(Overloaded):
        ask("4").result(10)
    worker.answer(worker.take()[0])
    worker.answer(worker.take()[0])
    worker.answer(worker.take()[0])
    assert model(waiting) == ["1", "2", "3"]


def test_a_job_without_room_costs_the_others_of_its_call_nothing(
    ask: Ask, client: ScreenClient, worker: Worker
) -> None:
    fill_the_slots(ask, worker)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.screen_each, [job("a"), job("hurried", seconds=0.02), job("b")])
        for _ in range(SLOTS):
            worker.answer(worker.take()[0])
        worker.answer(worker.take()[0])  # what is left travels together
        first, refused, last = asked.result(10)
    assert isinstance(first, Screening)
    assert isinstance(last, Screening)
    assert isinstance(refused, Overloaded)
    assert [one.results["cpu"].model for one in (first, last)] == ["a", "b"]
    assert worker.waiting() == 0


def test_a_redis_that_says_nothing_is_waited_for_once(silent_redis: SilentRedis) -> None:
    client = ScreenClient(silent_redis.url)
    try:
        for _ in range(3):
            (screening,) = client.screen([job("a text")])
            assert screening.missing == {"cpu": NO_BROKER}
        assert silent_redis.callers() == 1
    finally:
        client.close()


def test_a_redis_that_can_not_be_reached_is_waited_for_once_and_not_for_long(deaf_redis: DeafRedis) -> None:
    client = ScreenClient(deaf_redis.url)
    try:
        start = time.monotonic()
        for _ in range(3):
            (screening,) = client.screen([job("a text")])
            assert screening.missing == {"cpu": NO_BROKER}
        assert time.monotonic() - start < 3 * PATIENCE_SECONDS
    finally:
        client.close()
