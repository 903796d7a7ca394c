"""Leads who change a queue at the same moment, and while reviewers work in it; each on a connection of their own."""

from __future__ import annotations

import pytest

from review.errors import ItemChanged, SettingsChanged
from review.models import Annotation, LabelSchemaVersion, Queue, RoutingTable
from review.routing import Conditions, Rule
from review.services import change_queue, claim_items, save_routing
from tests.factories import make_cast
from tests.review.working import another, answer, events, member, new_item, queue_of
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_leads_who_save_at_the_same_moment_one_does_and_the_others_are_told() -> None:
    cast = make_cast()
    queue = queue_of(cast)
    lead = member(cast, cast.lead)

    def save(number: int) -> int:
        try:
            change_queue(queue=queue, version=1, settings={"sla_seconds": 100 + number}, membership=lead)
        except SettingsChanged:
            return 0
        return 100 + number

    saved = [seconds for seconds in at_once(save, times=6) if seconds]
    stored = Queue.objects.get()
    assert (saved, stored.version) == ([stored.sla_seconds], 2)
    assert len(events("review.queue.changed")) == 1


def test_of_leads_who_save_rules_at_the_same_moment_one_does() -> None:
    cast = make_cast()
    queue = queue_of(cast)
    lead = member(cast, cast.lead)

    def save(number: int) -> bool:
        rules = [Rule(Conditions(languages=(f"l{number}",)), queue), Rule(Conditions(), queue)]
        try:
            save_routing(project=cast.project, based_on=0, rules=rules, membership=lead)
        except SettingsChanged:
            return False
        return True

    assert sum(at_once(save, times=6)) == 1
    assert RoutingTable.objects.get().rules.count() == 2


def test_reviewers_lose_nothing_while_a_lead_moves_their_queue_to_and_fro() -> None:
    cast = make_cast()
    queue = queue_of(cast)
    first = queue.label_schema
    second = LabelSchemaVersion.objects.create(schema=first.schema, version=2, definition=first.definition)
    people = [another(cast, f"r{number}") for number in range(3)]
    lead = member(cast, cast.lead)
    for _ in range(30):
        new_item(cast)

    def work(number: int) -> int:
        if number == len(people):
            for version in range(1, 21):
                schema = second if version % 2 else first
                change_queue(queue=queue, version=version, settings={"label_schema": schema}, membership=lead)
            return 0
        done = 0
        while slots := claim_items(queue=queue, membership=people[number], k=1):
            try:
                answer(slots[0], people[number], outcome="")  # one more slot: a row that refers to the queue
            except ItemChanged:
                continue  # it is still theirs: the next claim shows it again, with its new version
            done += 1
        return done

    done = sum(at_once(work, times=len(people) + 1))
    assert Annotation.objects.filter(counts=True).count() == done >= 30
    assert Queue.objects.get().version == 21
