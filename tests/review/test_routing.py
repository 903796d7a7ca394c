"""Routing rules say which checks go to which queue; leads try them out before they hold."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from review.models import Queue, ReviewItem, RoutingRule, RoutingTable
from review.routing import Conditions, Facts, Rule, active_rules, first_met
from review.services import claim_items, ensure_default_queue, raise_item, save_routing
from review.try_out import try_out
from tests.factories import Cast, make_check
from tests.review.working import answer, events, member, new_item

FACTS = Facts("held", "hold", "app", 2, frozenset({"harassment", "EMAIL_ADDRESS"}), frozenset({"moderation"}), "es")


def queue(cast: Cast, slug: str) -> Queue:
    schema = ensure_default_queue(project=cast.project).label_schema
    return Queue.objects.get_or_create(
        project=cast.project, slug=slug, defaults={"name": slug.title(), "label_schema": schema}
    )[0]


def save(cast: Cast, *rules: Rule, based_on: int = 0) -> int | None:
    last = Rule(Conditions(), queue(cast, "default"))
    return save_routing(
        project=cast.project, based_on=based_on, rules=[*rules, last], membership=member(cast, cast.lead)
    )


def url(cast: Cast) -> str:
    return reverse("review:routing", args=[cast.project.slug])


def form(*rows: dict[str, Any], default: str = "default", based_on: int = 0, do: str = "save") -> dict[str, Any]:
    """Return what the routing page sends for `rows`."""
    sent = {"rule-TOTAL_FORMS": len(rows), "rule-INITIAL_FORMS": 0, "default": default, "based_on": based_on, "do": do}
    return sent | {f"rule-{n}-{name}": value for n, row in enumerate(rows) for name, value in row.items()}


@pytest.mark.parametrize(
    ("conditions", "met"),
    [
        (Conditions(), True),
        (Conditions(triggers=("held", "late")), True),
        (Conditions(triggers=("sampled",)), False),
        (Conditions(verdicts=("hold",)), True),
        (Conditions(verdicts=("block",)), False),
        (Conditions(applications=("app",)), True),
        (Conditions(applications=("other",)), False),
        (Conditions(min_severity=2), True),
        (Conditions(min_severity=3), False),
        (Conditions(categories=("EMAIL_ADDRESS", "spam")), True),
        (Conditions(categories=("spam",)), False),
        (Conditions(rules=("moderation",)), True),
        (Conditions(rules=("pii",)), False),
        (Conditions(languages=("es",)), True),
        (Conditions(languages=("en",)), False),
        (Conditions(triggers=("held",), categories=("spam",)), False),
    ],
)
def test_conditions_hold_together_and_of_words_one_is_enough(conditions: Conditions, met: bool) -> None:
    assert conditions.met_by(FACTS) is met
    assert Conditions.read(conditions.as_json()) == conditions


def test_the_first_rule_that_matches_wins(cast: Cast) -> None:
    held, severe, rest = (queue(cast, slug) for slug in ("held", "severe", "default"))
    rules = [Rule(Conditions(min_severity=2), severe), Rule(Conditions(triggers=("held",)), held)]
    assert first_met(rules, FACTS) == 0
    assert first_met([*reversed(rules), Rule(Conditions(), rest)], FACTS) == 0
    assert first_met([Rule(Conditions(languages=("de",)), held)], FACTS) is None


def test_checks_go_where_the_newest_rules_say(cast: Cast) -> None:
    save(cast, Rule(Conditions(verdicts=("allow",)), queue(cast, "first")))
    save(cast, Rule(Conditions(triggers=("held",)), queue(cast, "second")), based_on=1)
    assert new_item(cast).queue.slug == "second"
    assert new_item(cast, review="sampled", verdict="allow", findings=[]).queue.slug == "default"


def test_the_language_is_that_which_the_policy_did_not_expect(cast: Cast) -> None:
    save(cast, Rule(Conditions(languages=("es",)), queue(cast, "spanish")))
    found = {"rule": "lang", "detector": "language", "category": "unexpected_language", "score": 0.9, "action": "flag"}
    assert new_item(cast, findings=[found | {"detail": "es"}]).queue.slug == "spanish"
    assert new_item(cast, findings=[found | {"detail": "pt"}]).queue.slug == "default"


def test_a_second_trigger_joins_the_open_item_in_its_queue(cast: Cast) -> None:
    save(cast, Rule(Conditions(triggers=("late",)), queue(cast, "late")))
    item = new_item(cast)
    again = raise_item(check=item.checked, kind="late")
    assert (again.id, again.queue.slug) == (item.id, "default")
    assert ReviewItem.objects.count() == 1


def test_after_the_decision_a_late_trigger_is_routed_anew(cast: Cast) -> None:
    save(cast, Rule(Conditions(triggers=("late",)), queue(cast, "late")))
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    [slot] = claim_items(queue=queue(cast, "default"), membership=reviewer, k=1)
    answer(slot, reviewer)
    assert raise_item(check=item.checked, kind="late").queue.slug == "late"


def test_rules_are_read_with_one_query_however_many(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    save(cast, *(Rule(Conditions(rules=(f"r{n}",)), queue(cast, f"q{n}")) for n in range(10)))
    with django_assert_num_queries(1):
        assert len(active_rules(cast.project)) == 11


def test_a_draft_is_counted_against_the_rules_that_hold_and_saves_nothing(cast: Cast, client: Client) -> None:
    queue(cast, "severe")
    for _ in range(3):
        new_item(cast)
    new_item(cast, review="sampled", verdict="allow", findings=[])
    client.force_login(cast.lead)
    page = client.post(url(cast), form({"queue": "severe", "triggers": ["held"]}, do="try"))
    result = page.context["result"]
    assert (result.total, result.moved, result.caught) == (4, 3, [3, 1])
    assert [(row.queue.slug, row.now, row.draft) for row in result.queues] == [("default", 4, 1), ("severe", 0, 3)]
    assert "<b>3</b> would go to another queue" in page.text
    assert not RoutingTable.objects.exists()
    assert not events("review.routing.changed")


def test_items_of_other_projects_are_not_counted(cast: Cast) -> None:
    other = ensure_default_queue(project=cast.other_project)
    new_item(cast)
    rules = [Rule(Conditions(), other)]
    assert try_out(project=cast.other_project, now=rules, draft=rules).total == 0


def test_trying_out_takes_as_many_queries_for_many_items(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        new_item(cast)
    rules = [Rule(Conditions(min_severity=4), queue(cast, "severe")), Rule(Conditions(), queue(cast, "default"))]
    with django_assert_num_queries(3):
        try_out(project=cast.project, now=rules[-1:], draft=rules)


def test_a_lead_saves_rules_in_the_order_of_their_numbers(cast: Cast, client: Client) -> None:
    queue(cast, "a"), queue(cast, "b")
    client.force_login(cast.lead)
    rows = (
        {"queue": "a", "ORDER": 2, "categories": "self-harm, violence,, self-harm", "min_severity": "3"},
        {"queue": "b", "ORDER": 1, "applications": [str(cast.application.id)], "languages": "es"},
        {"queue": "", "ORDER": ""},
        {"queue": "a", "ORDER": 3, "DELETE": "on"},
    )
    page = client.post(url(cast), form(*rows), follow=True)
    assert "Version 1 of the rules holds" in page.text
    stored = [(rule.queue.slug, rule.conditions) for rule in RoutingRule.objects.select_related("queue")]
    assert stored == [
        ("b", {"applications": [str(cast.application.id)], "languages": ["es"]}),
        ("a", {"min_severity": 3, "categories": ["self-harm", "violence"]}),
        ("default", {}),
    ]
    [event] = events("review.routing.changed")
    assert (event["counts"], event["actor"]["ref"]) == ({"rules": 3, "version": 1}, str(cast.lead.id))
    assert "from assistant, language es" in page.text
    assert "category self-harm or violence, severity high or graver" in page.text


def test_the_form_shows_what_holds_and_saving_it_changes_nothing(cast: Cast, client: Client) -> None:
    conditions = Conditions(("held",), ("hold",), (str(cast.application.id),), 2, ("hate",), ("moderation",), ("es",))
    save(cast, Rule(conditions, queue(cast, "a")))
    client.force_login(cast.lead)
    shown = client.get(url(cast)).context["page"]
    fields = [*shown.rules.management_form, *(field for row in shown.rules for field in row), *shown.default]
    sent = {field.html_name: field.value() for field in fields if field.value() is not None}
    page = client.post(url(cast), sent | {"rule-0-categories": "hate"}, follow=True)
    assert "Nothing was different" in page.text
    assert RoutingTable.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"queue": "a"}, "Give it a condition"),
        ({"queue": "", "languages": "es"}, "This field is required."),
        ({"queue": "elsewhere", "languages": "es"}, "Select a valid choice"),
        ({"queue": "a", "triggers": ["never"]}, "Select a valid choice"),
        ({"queue": "a", "min_severity": "9"}, "Select a valid choice"),
        ({"queue": "a", "applications": ["x"]}, "Select a valid choice"),
        ({"queue": "a", "categories": "x" * 101}, "at most 30 words"),
        ({"queue": "a", "categories": "nul\0"}, "Null characters"),
    ],
)
def test_a_rule_that_can_not_be_is_refused_with_what_to_do(
    cast: Cast, client: Client, row: dict[str, Any], says: str
) -> None:
    queue(cast, "a")
    Queue.objects.create(
        project=cast.other_project,
        slug="elsewhere",
        name="Elsewhere",
        label_schema=ensure_default_queue(project=cast.other_project).label_schema,
    )
    client.force_login(cast.lead)
    page = client.post(url(cast), form(row))
    assert page.status_code == 400
    assert says in page.text
    assert not RoutingTable.objects.exists()


@pytest.mark.parametrize("total", ["", "x", "9" * 5000, "60"])
def test_a_broken_form_is_refused(cast: Cast, client: Client, total: str) -> None:
    queue(cast, "a")
    client.force_login(cast.lead)
    for do in ("save", "try"):
        assert client.post(url(cast), form(do=do) | {"rule-TOTAL_FORMS": total}).status_code == 400
    assert client.post(url(cast), form(do="add") | {"rule-TOTAL_FORMS": total}).status_code == 200


def test_one_more_row_keeps_what_was_filled_in(cast: Cast, client: Client) -> None:
    queue(cast, "a")
    client.force_login(cast.lead)
    page = client.post(url(cast), form({"queue": "a", "languages": "es"}, do="add"))
    rows = page.context["page"].rules
    assert [row["languages"].value() for row in rows] == ["es", None]
    assert not RoutingTable.objects.exists()


def test_the_second_of_two_leads_is_told(cast: Cast, client: Client) -> None:
    save(cast, Rule(Conditions(languages=("es",)), queue(cast, "spanish")))
    queue(cast, "a")
    client.force_login(cast.owner)
    row = {"queue": "a", "languages": "de"}
    page = client.post(url(cast), form(row))
    assert page.status_code == 409
    assert "Another lead saved version 1" in page.text
    assert "language es" in page.text
    assert client.post(url(cast), form(row, based_on=1)).status_code == 302
    assert active_rules(cast.project)[0].queue.slug == "a"


def test_a_project_without_queues_is_told_to_make_one(cast: Cast, client: Client) -> None:
    client.force_login(cast.lead)
    assert "Rules need queues to lead to." in client.get(url(cast)).text


def test_rules_of_another_project_do_not_hold_here(cast: Cast) -> None:
    save(cast, Rule(Conditions(triggers=("held",)), queue(cast, "a")))
    assert active_rules(cast.other_project) == []
    assert make_check(cast).review_items.get().queue.slug == "a"
