"""Why something was decided: rules as reasons, queues that want one, and the statement."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from policies.services import add_policy_version
from review.drafts import draft_of_slot
from review.errors import InvalidAnswer
from review.models import Assignment, Decision
from review.services import undo_decision
from tests.factories import POLICY, Cast
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of
from webapp.interception.selectors import answers

TEXT = "Nobody is insulted."
WITH_TEXT = POLICY.replace(
    "    detector: moderation\n", f'    detector: moderation\n    text: {TEXT}\n    examples: ["You <b>idiot</b>."]\n'
)
GERMAN = {"accept-language": "de"}
SUBMISSION = "00000000-0000-4000-8000-000000000001"
FALSE_ALARM = "False alarm: the finding is not there."


@pytest.fixture
def worded(cast: Cast) -> Cast:
    """Return the cast with a policy whose rule `moderation` has a text and an example."""
    cast.policy_version = add_policy_version(project=cast.project, document=WITH_TEXT)
    return cast


def test_the_statement_is_composed_of_the_choices(worded: Cast) -> None:
    queue_of(worded, undo_seconds=0)
    item = new_item(worded)
    reviewer = member(worded, worded.reviewer)
    done = answer(
        claim_one(worded, reviewer),
        reviewer,
        "block",
        reasons=["pii", "moderation"],
        labels={"violence": False, "harassment": True},
        snippets=[FALSE_ALARM],
        note="between us",
    )
    assert done.decision is not None
    composed = f"The output was not let out.\n{TEXT}\nRule pii of the policy.\nFound in it: harassment.\n{FALSE_ALARM}"
    assert (done.decision.statement, done.decision.statement_edited_by) == (composed, None)
    told = answers([item.checked])[0].decision
    assert told is not None
    assert told.statement == composed
    [event] = events("review.annotation.submitted")
    assert sorted(event["reason_codes"]) == ["counts:true", "rule:moderation", "rule:pii", "verdict:violates"]
    assert TEXT not in str(event)


def test_the_statement_is_english_for_whoever_reads_german(worded: Cast, client: Client) -> None:
    queue_of(worded, undo_seconds=0)
    item = new_item(worded)
    client.force_login(worded.reviewer)
    slot = claim_one(worded, member(worded, worded.reviewer))
    page = client.get(reverse("review:item", args=[worded.project.slug, item.public_id]), headers=GERMAN).text
    assert "Begründung" in page
    assert "The output was not let out." in page
    form = {"outcome": "block", "token": str(slot.lease_token), "version": str(item.version), "submission": SUBMISSION}
    client.post(reverse("review:submit", args=[worded.project.slug, slot.id]), form, headers=GERMAN)
    assert Decision.objects.get().statement == "The output was not let out."


def test_a_statement_that_was_written_says_who_wrote_it(worded: Cast, client: Client) -> None:
    item = new_item(worded)
    reviewer = member(worded, worded.reviewer)
    done = answer(claim_one(worded, reviewer), reviewer, "block", statement=" My own\r\nwords. ")
    assert done.decision is not None
    assert (done.decision.statement, done.decision.statement_edited_by) == ("My own\nwords.", worded.reviewer)
    assert "statement:edited" in events("review.annotation.submitted")[0]["reason_codes"]
    client.force_login(worded.lead)
    page = client.get(reverse("review:item", args=[worded.project.slug, item.public_id])).text
    assert "Written by reviewer, not as composed." in page


def test_what_was_posted_as_composed_is_not_edited(worded: Cast) -> None:
    new_item(worded)
    reviewer = member(worded, worded.reviewer)
    composed = f"The output was not let out.\r\n{TEXT}"
    done = answer(claim_one(worded, reviewer), reviewer, "block", reasons=["moderation"], statement=composed)
    assert not done.annotation.statement_edited


def test_answers_that_decide_together_all_have_their_say(worded: Cast) -> None:
    queue_of(worded, required_reviews=2)
    new_item(worded)
    first, second = member(worded, worded.reviewer), another(worded, "second")
    answer(claim_one(worded, first), first, "block")
    answer(claim_one(worded, second), second, "block", statement="Rude.")
    decision = Decision.objects.get()
    assert decision.statement == "The output was not let out.\n\nRude."
    assert decision.statement_edited_by == second.user


def test_unsure_has_no_statement(worded: Cast) -> None:
    new_item(worded)
    reviewer = member(worded, worded.reviewer)
    assert answer(claim_one(worded, reviewer), reviewer, "", statement="?").annotation.statement == ""


@pytest.mark.parametrize("fields", [{"reasons": ["moderation"]}, {"snippets": [FALSE_ALARM]}, {"note": "Because."}])
def test_a_queue_that_wants_a_reason_takes_any(worded: Cast, fields: dict[str, object]) -> None:
    queue_of(worded, reason_for=["block", "unsure"])
    new_item(worded)
    reviewer = member(worded, worded.reviewer)
    slot = claim_one(worded, reviewer)
    for outcome in ("block", ""):
        with pytest.raises(InvalidAnswer, match="wants a reason"):
            answer(slot, reviewer, outcome, note=" ")
    assert Assignment.objects.get(pk=slot.pk).state == "leased"
    assert answer(slot, reviewer, "block", **fields).decision is not None


def test_a_rule_of_another_policy_is_no_reason(worded: Cast) -> None:
    new_item(worded)
    reviewer = member(worded, worded.reviewer)
    with pytest.raises(InvalidAnswer, match="not in the policy"):
        answer(claim_one(worded, reviewer), reviewer, "block", reasons=["moderation", "other"])


def test_reasons_and_words_of_ones_own_come_back_when_a_decision_is_taken_back(worded: Cast) -> None:
    new_item(worded)
    reviewer = member(worded, worded.reviewer)
    done = answer(claim_one(worded, reviewer), reviewer, "block", reasons=["moderation"], statement="Mine.")
    assert done.decision is not None
    undone = undo_decision(decision=done.decision, membership=reviewer)
    assert undone.slot is not None
    draft = draft_of_slot(undone.slot)
    assert (draft.reasons, draft.statement) == (["moderation"], "Mine.")


def test_the_page_explains_the_rule_beside_its_finding_and_lists_the_policy(worded: Cast, client: Client) -> None:
    new_item(worded)
    slot = claim_one(worded, member(worded, worded.reviewer))
    client.force_login(worded.reviewer)
    response = client.get(reverse("review:item", args=[worded.project.slug, slot.item.public_id]))
    page = response.context["page"]
    assert [row.explains and row.explains.text for row in page.findings] == [None, TEXT]
    assert [(row.rule.id, row.fired) for row in page.rules] == [("moderation", True), ("pii", True)]
    assert "You &lt;b&gt;idiot&lt;/b&gt;." in response.text


def test_a_form_without_scripts_gives_reasons_too(worded: Cast, client: Client) -> None:
    queue_of(worded, reason_for=["block"])
    new_item(worded)
    slot = claim_one(worded, member(worded, worded.reviewer))
    client.force_login(worded.reviewer)
    form = {"token": str(slot.lease_token), "version": "1", "submission": str(slot.id), "outcome": "block"}
    url = reverse("review:submit", args=[worded.project.slug, slot.id])
    assert client.post(url, form).status_code == 422
    assert client.post(url, {**form, "reason": "moderation", "statement": ""}).status_code == 302
    assert Decision.objects.get().statement == f"The output was not let out.\n{TEXT}"
