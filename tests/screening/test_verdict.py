"""Verdicts: the severest action wins, and a rule without a result is never passed."""

from __future__ import annotations

import pytest

from screening.findings import Action, Finding, RuleResult
from screening.policy import Policy, parse_policy
from screening.verdict import conclude

TEXT = "call 555 0100 now"


def policy(on_error: str = "hold") -> Policy:
    return parse_policy(
        f"name: p\nrules:\n  - {{id: a, detector: pii, entities: {{'*': redact}}, on_error: {on_error}}}\n"
        "  - {id: b, detector: length, entities: {'*': hold}, options: {max_characters: 9}, on_error: open}\n"
    )


def finding(action: Action, start: int | None = 5, end: int | None = 13, target: str = "output") -> Finding:
    return Finding("a", "pii", "PHONE_NUMBER", 1.0, None, action, target, start, end, "1")


def results(*findings: Finding) -> list[RuleResult]:
    return [RuleResult("a", tuple(findings)), RuleResult("b")]


@pytest.mark.parametrize(
    ("action", "verdict", "flagged", "output"),
    [
        ("observe", "allow", False, TEXT),
        ("flag", "allow", True, TEXT),
        ("redact", "redact", False, "call [PHONE_NUMBER] now"),
        ("mask", "redact", False, "call *** **** now"),
        ("hold", "hold", True, None),
        ("block", "block", True, None),
    ],
)
def test_what_follows_from_an_action(action: Action, verdict: str, flagged: bool, output: str | None) -> None:
    conclusion = conclude(policy(), TEXT, results(finding(action)), b"")
    assert (conclusion.verdict, conclusion.flagged, conclusion.output) == (verdict, flagged, output)


def test_the_severest_of_several_wins() -> None:
    conclusion = conclude(policy(), TEXT, results(finding("redact"), finding("block"), finding("flag")), b"")
    assert conclusion.verdict == "block"
    assert conclusion.output is None


@pytest.mark.parametrize(("on_error", "verdict"), [("open", "allow"), ("hold", "hold"), ("block", "block")])
def test_the_fail_mode_decides_for_a_rule_that_did_not_finish(on_error: str, verdict: str) -> None:
    conclusion = conclude(policy(on_error), TEXT, [RuleResult("a", unscanned="deadline"), RuleResult("b")], b"")
    assert conclusion.verdict == verdict
    assert conclusion.unscanned == (("a", "deadline"),)


def test_a_rule_without_any_result_is_unscanned() -> None:
    conclusion = conclude(policy(), TEXT, [RuleResult("b")], b"")
    assert conclusion.verdict == "hold"
    assert conclusion.unscanned == (("a", "no result"),)


def test_redaction_without_a_place_holds() -> None:
    assert conclude(policy(), TEXT, results(finding("redact", None, None)), b"").verdict == "hold"


def test_redaction_asked_for_a_message_changes_no_output() -> None:
    conclusion = conclude(policy(), TEXT, results(finding("redact", target="messages.0")), b"")
    assert (conclusion.verdict, conclusion.output) == ("allow", TEXT)


def test_nothing_to_show_when_only_messages_were_screened() -> None:
    assert conclude(policy(), None, results(), b"").output is None
