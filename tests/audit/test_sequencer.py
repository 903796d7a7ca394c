"""Every committed event gets one place, in one gap-free log, whoever sequences and whenever it was committed."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections, transaction

from tests.audit.conftest import record
from webapp.audit import sequencer
from webapp.audit.merkle import leaf_hash, root_at
from webapp.audit.models import AuditEvent, AuditLeaf, AuditNode, AuditPending
from webapp.audit.sequencer import log_size, read_frontier, read_node, sequence_log


@pytest.mark.django_db
def test_events_get_gap_free_places_in_order_of_their_ids() -> None:
    events = record(5)
    assert sequence_log(wait=True) == 5
    leaves = AuditLeaf.objects.order_by("index")
    assert [(leaf.index, leaf.event_id) for leaf in leaves] == [(n, event.id) for n, event in enumerate(events)]
    assert [bytes(leaf.sha256) for leaf in leaves] == [leaf_hash(bytes(event.envelope)) for event in events]
    assert not AuditPending.objects.exists()


@pytest.mark.django_db
def test_nothing_to_do_changes_nothing() -> None:
    record(3)
    sequence_log(wait=True)
    assert sequence_log(wait=True) == 0
    assert log_size() == 3


@pytest.mark.django_db
def test_batches_build_the_same_tree_as_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 4)
    record(11)
    assert sequence_log(wait=True) == 11
    assert AuditNode.objects.count() == 8  # 5 pairs, 2 fours, 1 eight
    assert read_frontier(11).root() == root_at(11, read_node)


@pytest.mark.django_db
def test_a_run_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 4)
    record(11)
    assert sequence_log(wait=True, max_batches=2) == 8
    assert sequence_log(wait=True) == 3


@pytest.mark.django_db
def test_bulk_insertion_queues_every_event() -> None:
    events = [AuditEvent(**{f.attname: getattr(e, f.attname) for f in e._meta.fields}) for e in record(2)]
    for event in events:
        event.id = event.id.__class__(int=event.id.int + 1)
    AuditEvent.objects.bulk_create(events)
    assert AuditPending.objects.count() == 4


@pytest.mark.django_db
def test_a_run_takes_few_queries(django_assert_max_num_queries: pytest.FixtureRequest) -> None:
    record(500)
    sequence_log(wait=True)
    record(500)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        sequence_log(wait=True)


@pytest.mark.django_db(transaction=True)
def test_an_event_committed_late_still_gets_in() -> None:
    started, finish = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with transaction.atomic():
            record()
            started.set()
            finish.wait(10)
        connections.close_all()

    writer = threading.Thread(target=slow_writer)
    writer.start()
    started.wait(10)
    newer = record(3)
    assert sequence_log(wait=True) == 3
    finish.set()
    writer.join()
    assert sequence_log(wait=True) == 1
    late = AuditLeaf.objects.get(index=3)
    assert late.event_id < newer[0].id


@pytest.mark.django_db(transaction=True)
def test_two_sequencers_at_once_append_each_event_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 7)
    events = record(100)
    appended: list[int] = []

    def run() -> None:
        appended.append(sequence_log(wait=True))
        connections.close_all()

    runs = [threading.Thread(target=run) for _ in range(3)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    appended.append(sequence_log(wait=True))
    assert sum(appended) == 100
    assert list(AuditLeaf.objects.order_by("index").values_list("index", flat=True)) == list(range(100))
    assert set(AuditLeaf.objects.values_list("event_id", flat=True)) == {event.id for event in events}


@pytest.mark.django_db(transaction=True)
def test_a_second_sequencer_that_does_not_wait_leaves_at_once() -> None:
    record()
    results: list[int] = []

    def run() -> None:
        results.append(sequence_log(wait=False))
        connections.close_all()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [sequencer.LOG_LOCK])
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert results == [0]
    assert sequence_log(wait=False) == 1
