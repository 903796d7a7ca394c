"""Grounding: which sentences claim something, what is compared, and when there is nothing to compare with."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from screening.detectors.grounding import (
    MAX_CLAIMS,
    MAX_CONTEXT_ENDS,
    TOO_LONG,
    Grounding,
    GroundingOptions,
    claims_of,
)
from screening.detectors.sentences import sentences
from screening.detectors.served import Ask, NoModels, Reply, Unread
from screening.detectors.support import content_words, features, most_shared, unsupported
from screening.engine import Engine, Job
from screening.findings import Deadline, DeadlineExceeded, JobResult, Text
from screening.policy import parse_policy
from tests.screening.test_engine import ScriptedModel
from workers.served import ServedModels

RULE = "{id: grounded, detector: grounding, OPTIONS categories: {unsupported: {flag: 0.5}}}"
CONTEXT = ("The shop in Graz opens at 9 and closes at 18. Refunds take ten days.", "Water damage is not covered.")


class Words(NoModels):
    """Compares sentences by their words, and answers as a judge."""

    def __init__(self, answer: str = "Yes") -> None:
        self.answer = answer
        self.compared: list[tuple[list[str], list[str]]] = []
        self.bodies: list[Mapping[str, Any]] = []

    def compare(self, left: Sequence[str], right: Sequence[str], deadline: Deadline) -> Future[list[list[float]]]:
        self.compared.append((list(left), list(right)))
        future: Future[list[list[float]]] = Future()
        future.set_result([[self.near(content_words(one), content_words(other)) for other in right] for one in left])
        return future

    def near(self, one: set[str], other: set[str]) -> float:
        return len(one & other) / max(1, len(one | other))

    def chat(self, name: str, body: Mapping[str, Any], deadline: Deadline) -> Future[Reply]:
        self.bodies.append(body)
        future: Future[Reply] = Future()
        future.set_result(Reply(self.answer))
        return future


def run(output: str, models: NoModels, *, options: str = "", context: Sequence[str] = CONTEXT) -> JobResult:
    policy = parse_policy(f"name: p\nrules:\n  - {RULE.replace('OPTIONS', options)}\n")
    now = time.time()
    texts = (Text("output", output), Text("messages.0", "When does the shop open?"))
    job = Job(policy.canonical, texts, started=now, deadline=now + 30, context=tuple(context))
    (result,) = Engine(ScriptedModel, models).run([job], policy.rules[0].queue)
    return result


def flagged(result: JobResult, output: str) -> list[str]:
    (rule,) = result.rules
    assert rule.unscanned == ""
    assert {finding.category for finding in rule.findings} <= {"unsupported"}
    return [output[finding.start : finding.end] for finding in rule.findings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Ana Lima paid 3.50 euros. She left.", ["Dr. Ana Lima paid 3.50 euros.", "She left."]),
        ("It opens at 9 a.m. on Monday.\nSee J. R. Tolkien.", ["It opens at 9 a.m. on Monday.", "See J. R. Tolkien."]),
        ("- First point\n- Second point.\n\n3. Third", ["First point", "Second point.", "Third"]),
        ('He said "No." Then left.', ['He said "No."', "Then left."]),
        ("🙂 Fine. 我们九点开门。欢迎！", ["🙂 Fine.", "我们九点开门。", "欢迎！"]),
        ("Wait... what", ["Wait...", "what"]),
        ("...\n---\n", []),
        ("", []),
    ],
)
def test_sentences_are_found_with_their_places(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_a_long_text_without_ends_takes_no_longer_than_its_length() -> None:
    assert len(list(sentences("a.b " * 200_000))) == 1
    assert len(list(sentences("- " * 200_000))) == 0
    assert len(list(sentences("e.g. " * 200_000))) == 1
    assert len(list(sentences("1. " * 200_000))) > 0
    assert len(list(sentences("a" + "." * 500_000 + "b"))) == 1
    assert len(list(sentences("a" + "?'" * 200_000 + "b"))) == 1


def test_questions_courtesies_and_fragments_claim_nothing() -> None:
    output = "Sure! Let me know if you need more. What else is there to see? Yes. The shop opens at 9."
    assert [output[start:end] for start, end in claims_of(output)] == ["The shop opens at 9."]


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("Of course, the warranty covers water damage.", True),
        ("Certainly the warranty covers water damage.", True),
        ("I'm sorry, but refunds take ninety days.", True),
        ("Here is the rule: refunds take ninety days.", True),
        ("I'm sorry to hear that your parcel is late.", False),
        ("Sure, I'd be happy to help with that!", False),
        ("I hope this helps, and please let me know if anything is missing.", False),
        ("Here are the opening hours that you asked for:", False),
        ("保修期为十年，涵盖水渍损坏。", True),
        ("修理は十日かかります。", True),
        ("谢谢。", False),
    ],
)
def test_a_courtesy_hides_no_claim_and_every_script_claims(sentence: str, claims: bool) -> None:
    assert bool(claims_of(sentence)) is claims


@pytest.mark.parametrize(
    ("claim", "evidence", "feature"),
    [
        ("It opens at 10.", "It opens at 9.", "numbers"),
        ("Refunds take 11 days.", "Refunds take ten days.", "numbers"),
        ("The shop in Linz opens.", "The shop in Graz opens.", "names"),
        ("Damage is covered.", "Damage is not covered.", "negation"),
        ("The shop closes at nine.", "The shop opens at nine.", "opposites"),
        ("Parking costs nothing.", "The shop opens at nine.", "uncovered"),
    ],
)
def test_each_difference_makes_a_claim_less_supported(claim: str, evidence: str, feature: str) -> None:
    from screening.detectors.support import FEATURES

    same = dict(zip(FEATURES, features(evidence, [(evidence, 1.0)]), strict=True))
    found = dict(zip(FEATURES, features(claim, [(evidence, 1.0)]), strict=True))
    assert same[feature] == 0
    assert found[feature] > 0
    assert unsupported(claim, [(evidence, 1.0)]) > unsupported(evidence, [(evidence, 1.0)])


def test_a_number_written_out_is_the_number() -> None:
    assert features("Refunds take 10 days.", [("Refunds take ten days.", 1.0)])[2] == 0
    assert features("It cost 1,500 euros.", [("It cost 1500 euros.", 1.0)])[2] == 0


def test_sentences_that_nothing_supports_are_flagged_with_their_places() -> None:
    output = "The shop in Graz opens at 9. 🙂 Refunds take forty days. The shop in Linz has free parking and a café."
    assert flagged(run(output, Words()), output) == [
        "🙂 Refunds take forty days.", "The shop in Linz has free parking and a café.",
    ]  # fmt: skip


def test_the_encoder_of_the_worker_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_DEVICE", "cpu")
    models = ServedModels()
    output = "You can visit the shop in Graz from 9 to 18. Money is returned after ten days. The owner is Tom Baker."
    try:
        assert flagged(run(output, models), output) == ["The owner is Tom Baker."]  # type: ignore[arg-type]
    finally:
        models.close()


def test_an_output_without_context_is_unscanned_unless_it_claims_nothing() -> None:
    for context in ((), ("", "  \n")):
        (rule,) = run("The shop opens at 9.", Words(), context=context).rules
        assert rule.unscanned == "no context"
    assert flagged(run("Hello! Is that all?", Words(), context=()), "") == []


def test_more_sentences_than_can_be_compared_are_unscanned() -> None:
    (rule,) = run("The shop opens at 9. " * (MAX_CLAIMS + 1), Words()).rules
    assert rule.unscanned == "too many sentences"


def test_of_much_context_what_shares_words_is_compared() -> None:
    models = Words()
    context = [" ".join(f"Item number {n} is red or blue." for n in range(2_000)), CONTEXT[0]]
    assert flagged(run("The shop in Graz opens at 9.", models, context=context), "") == []
    ((_, units),) = models.compared
    assert len(units) == 300
    assert any("Graz" in unit for unit in units)


class Still(NoModels):
    """Finds everything equally near."""

    def compare(self, left: Sequence[str], right: Sequence[str], deadline: Deadline) -> Future[list[list[float]]]:
        future: Future[list[list[float]]] = Future()
        future.set_result([[0.5] * len(right)] * len(left))
        return future


MANY_CLAIMS = "\n".join(f"The fact number {n} is entirely correct today." for n in range(MAX_CLAIMS))


def test_much_context_takes_no_time_from_what_is_screened_beside_it() -> None:
    grounding, other = (
        parse_policy(f"name: p\nrules:\n  - {rule}\n").canonical
        for rule in (RULE.replace("OPTIONS", ""), "{id: m, detector: moderation, categories: {hate: {block: 0.5}}}")
    )
    for lines in (MAX_CONTEXT_ENDS, 30_000):
        now = time.time()
        context = ("\n".join(f"w{n} x{n}" for n in range(lines)),)
        jobs = [
            Job(grounding, (Text("output", MANY_CLAIMS),), started=now, deadline=now + 1, context=context),
            Job(other, (Text("output", "hate"),), started=now, deadline=now + 1),
        ]
        grounded, moderated = Engine(ScriptedModel, Still()).run(jobs, "gpu")
        assert [rule.unscanned for rule in moderated.rules] == [""]
        assert [finding.category for finding in moderated.rules[0].findings] == ["hate"]
        assert [rule.unscanned for rule in grounded.rules] == ["" if lines == MAX_CONTEXT_ENDS else TOO_LONG]


@pytest.mark.parametrize("piece", ["hi! ", "Mr. ", "1. ", "a\n"])
def test_an_output_of_endless_ends_is_unscanned_and_not_read_to_its_end(piece: str) -> None:
    (rule,) = run(piece * 100_000, Still()).rules
    assert rule.unscanned == TOO_LONG


def test_a_rule_that_is_late_leaves_those_asked_with_it_alone() -> None:
    texts = (Text("output", "The shop opens at 9."),)
    late, timely = (
        Ask(texts, texts, ("a b.\n" * 10_000,), frozenset("*"), Deadline(at)) for at in (time.time(), float("inf"))
    )
    answers = Grounding(GroundingOptions()).ask([late, timely], Still())
    with pytest.raises(Unread, match="deadline"):
        answers[0]()
    assert len(answers[1]().hits["output"]) == 1


def test_each_claim_that_is_read_against_long_sentences_heeds_the_deadline() -> None:
    texts = (Text("output", MANY_CLAIMS),)
    context = ("\n".join("Fact number correct words " * 700 + str(n) for n in range(50)),)
    ask = Ask(texts, texts, context, frozenset("*"), Deadline.after_ms(400))
    (answer,) = Grounding(GroundingOptions()).ask([ask], Still())
    with pytest.raises((DeadlineExceeded, Unread)):
        answer()
    assert ask.deadline.remaining() > -0.5


def test_the_words_shared_with_all_claims_at_once_are_those_shared_with_each() -> None:
    randomly = random.Random(3)
    for _ in range(200):
        claims = [
            set(randomly.choices("abcdefghij", k=randomly.randrange(12))) for _ in range(randomly.randrange(1, 9))
        ]
        unit = set(randomly.choices("abcdefghijkl", k=randomly.randrange(12)))
        assert most_shared(claims)(unit) == max(len(claim & unit) for claim in claims)
