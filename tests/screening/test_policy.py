"""Policy documents: what is accepted, and what a writer is told."""

from __future__ import annotations

import json

import pytest

from screening.packs import PACKS, read_pack
from screening.policy import PolicyError, load_policy, parse_policy, without_deadlines
from workers.model import DEFAULT_FOLDER

GOOD = """
name: p
rules:
  - id: pii
    detector: pii
    entities: {EMAIL_ADDRESS: redact}
"""


def issues(document: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(document)
    return [str(issue) for issue in caught.value.issues]


#: What each pack takes from the model's recommendations, and from which of them.
TAKEN = {
    "support-bot": {"flag": "flag", "hold": "hold"},
    "strict": {"hold": "watch", "block": "block"},
    "observe-only": {"flag": "watch"},
}
#: Foul language alone is too little for these.
NOT_FOR_PROFANITY = {"support-bot": "hold", "strict": "block"}


@pytest.mark.parametrize("name", sorted(PACKS))
def test_packs_decide_where_the_model_that_ships_recommends_it(name: str) -> None:
    recommended = json.loads((DEFAULT_FOLDER / "config.json").read_text())["thresholds"]
    policy = parse_policy(read_pack(name))
    rules = [rule for rule in policy.rules if rule.detector in ("moderation", "prompt_injection")]
    limits = {name: limit for rule in rules for name, limit in rule.categories.items() if name in recommended}
    assert limits.keys() == recommended.keys()
    for category, limit in limits.items():
        own = {action: recommended[category][of] for action, of in TAKEN[name].items()}
        asked = {action: at for action in ("flag", "hold", "block") if (at := getattr(limit, action)) is not None}
        if category == "profanity":
            own.pop(NOT_FOR_PROFANITY.get(name, ""), None)
        assert asked == own, category


@pytest.mark.parametrize("name", sorted(PACKS))
def test_every_pack_is_valid(name: str) -> None:
    assert parse_policy(read_pack(name)).name == name


@pytest.mark.parametrize("name", sorted(PACKS))
def test_what_may_be_about_minors_waits_for_a_person_in_every_pack(name: str) -> None:
    (moderation,) = [rule for rule in parse_policy(read_pack(name)).rules if rule.detector == "moderation"]
    found = moderation.action("sexual/minors", 0.25)
    assert found is not None
    assert found[0] == "hold"


def test_same_meaning_has_the_same_hash() -> None:
    written_otherwise = (
        "# a comment\nname: p\nrules: [{detector: pii, id: pii, entities: {EMAIL_ADDRESS: {action: redact}}}]"
    )
    assert parse_policy(GOOD).sha256 == parse_policy(written_otherwise).sha256


def test_another_meaning_has_another_hash() -> None:
    assert parse_policy(GOOD).sha256 != parse_policy(GOOD.replace("redact", "mask")).sha256


def test_canonical_form_is_the_same_policy() -> None:
    policy = parse_policy(GOOD)
    assert load_policy(policy.canonical) == policy


def test_without_deadlines_drops_all_of_them() -> None:
    policy = without_deadlines(parse_policy(read_pack("strict")))
    assert policy.deadline_ms is None
    assert {rule.deadline_ms for rule in policy.rules} == {None}


#: A policy, and what is said of it.
FAULTY = (
    ("name: p\nrules:\n  - id: a\n    detector: pi\n", "line 4: rules[0].detector: there is no detector 'pi'"),
    (GOOD.replace("EMAIL_ADDRESS", "EMAIL_ADRESS"), "did you mean 'EMAIL_ADDRESS'?"),
    (GOOD.replace("redact", "remove"), "line 6: rules[0].entities.EMAIL_ADDRESS.action"),
    (
        GOOD.replace("entities", "categories").replace("redact", "{flag: 0.5}"),
        "pii is mapped by `entities`, not by `categories`",
    ),
    (GOOD.replace("redact", "{flag: 0.5}"), "EMAIL_ADDRESS.flag: Extra inputs are not permitted (`entities` say what"),
    (
        "name: p\nrules:\n  - {id: m, detector: moderation, categories: {hate: {action: hold}}}\n",
        "hate.action: Extra inputs are not permitted (`categories` have thresholds",
    ),
    (
        "name: p\nrules:\n  - {id: m, detector: length, name: x}\n",
        "name: Extra inputs are not permitted (remove",
    ),
    (GOOD.replace("    entities: {EMAIL_ADDRESS: redact}\n", ""), "says nothing of what follows"),
    (GOOD + "    on_eror: open\n", "did you mean 'on_error'?"),
    (GOOD + "    id: again\n", "this key is given twice"),
    (GOOD + "    deadline_ms: 0\n", "line 7: rules[0].deadline_ms"),
    ("name: p\nrules: []\n", "rules"),
    ("just words", "a policy is a mapping"),
    ("", "a policy is a mapping"),
    ("name: [unclosed", "not valid YAML"),
    ("name: p\nx: &a [1]\ny: *a\n", "line 3: document: aliases are not allowed"),
    ("name: p\nx: !!python/object:os.system {}\n", "rules"),
    ("name: Bad Name\nrules:\n  - {id: a, detector: length}\n", "lower-case letters"),
)


@pytest.mark.parametrize(("document", "message"), FAULTY)
def test_a_fault_is_named_with_its_place_and_a_hint(document: str, message: str) -> None:
    assert message in " | ".join(issues(document))


def test_all_faults_are_told_at_once() -> None:
    document = "name: p\nrules:\n  - {id: a, detector: nope}\n  - {id: a, detector: neither}\n"
    assert len(issues(document)) == 3


def test_thresholds_must_not_fall() -> None:
    document = "name: p\nrules:\n  - id: m\n    detector: moderation\n    categories: {hate: {flag: 0.9, hold: 0.2}}\n"
    assert issues(document) == ["line 5: rules[0].categories.hate: thresholds must not fall: flag <= hold <= block"]


def test_a_document_of_many_megabytes_is_refused_unread() -> None:
    assert "larger than" in issues("a: " + "x" * 3_000_000)[0]


def test_deep_nesting_is_refused() -> None:
    assert "nested deeper" in issues("name: p\nrules: " + "[" * 60 + "]" * 60)[0]


def test_the_severest_reached_threshold_is_the_action() -> None:
    document = "name: p\nrules: [{id: a, detector: moderation, categories: {hate: {flag: 0.3, hold: 0.5, block: 0.9}}}]"
    rule = parse_policy(document).rules[0]
    assert rule.action("hate", 0.29) is None
    assert rule.action("hate", 0.3) == ("flag", 0.3)
    assert rule.action("hate", 0.6) == ("hold", 0.5)
    assert rule.action("hate", 0.9) == ("block", 0.9)


def test_a_star_stands_for_every_other_label() -> None:
    document = GOOD.replace("{EMAIL_ADDRESS: redact}", "{EMAIL_ADDRESS: redact, '*': {action: hold, min_score: 0.5}}")
    rule = parse_policy(document).rules[0]
    assert rule.action("EMAIL_ADDRESS", 0.1) == ("redact", None)
    assert rule.action("US_SSN", 0.6) == ("hold", 0.5)
    assert rule.action("US_SSN", 0.4) is None
