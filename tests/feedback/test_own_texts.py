"""Texts of our own for the guard model: repeatable, varied, honestly labelled, and held out as whole templates."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from feedback.training.data import Example, about_minors, split, template_of
from feedback.training.grammar import TRANSFORMS, generate
from feedback.training.labels import IMPLIES, targets
from feedback.training.sides import SIDES, deal
from screening.categories import MODEL_CATEGORIES


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return generate(seed=5, share=0.3)


def _sentences(text: str) -> set[str]:
    parts = re.split(r"(?<=[.!?])\s+|\n+", text.casefold())
    return {part for part in parts if len(part.split()) >= 5}


def test_the_same_seed_gives_the_same_texts(examples: list[Example]) -> None:
    assert generate(seed=5, share=0.3) == examples
    other = {e.text for e in generate(seed=6, share=0.3)}
    assert len(other & {e.text for e in examples}) < 0.35 * len(other)


def test_every_slot_is_filled_and_no_text_repeats(examples: list[Example]) -> None:
    assert not [e.id for e in examples if re.search(r"\{\w+\}", e.text)]
    assert len({e.text for e in examples}) == len(examples)


def test_a_template_is_on_one_side_and_the_side_is_the_one_in_its_id(examples: list[Example]) -> None:
    sides = defaultdict(set)
    for example, side in zip(examples, split(examples, seed=99), strict=True):
        sides[template_of(example)].add(side)
    assert all(len(own) == 1 for own in sides.values())
    shares = Counter(side for own in sides.values() for side in own)
    assert min(shares[side] for side in SIDES) > 0.1 * len(sides)


def test_sentences_held_out_are_hardly_ever_met_in_training(examples: list[Example]) -> None:
    sides = split(examples, seed=5)
    trained = {s for e, side in zip(examples, sides, strict=True) if side != "test" for s in _sentences(e.text)}
    tested = [s for e, side in zip(examples, sides, strict=True) if side == "test" for s in _sentences(e.text)]
    assert sum(s in trained for s in tested) < 0.05 * len(tested)


def test_every_thin_category_has_both_labels_of_many_templates_on_every_side(examples: list[Example]) -> None:
    templates: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for example in examples:
        for category, value in example.labels.items():
            templates[category, example.id.split(":")[1], value].add(template_of(example))
    for category in set(MODEL_CATEGORIES) - {"profanity"}:
        assert len(templates[category, "train", 1]) >= 20, category
        for side in ("calibration", "test"):
            assert len(templates[category, side, 1]) >= 4, (category, side)
            assert len(templates[category, side, 0]) >= 50, (category, side)


def test_most_answers_are_harmless_and_hard(examples: list[Example]) -> None:
    answers = [e for e in examples if e.kind == "response"]
    benign = [e for e in answers if e.flag == 0]
    assert len(benign) > 0.5 * len(answers)
    hard = re.compile(r"kill|suicid|bomb|drug|weapon|sex|blood|threat|hack|murder|attack|instruction|steal", re.I)
    assert sum(hard.search(e.text) is not None for e in benign) > 0.2 * len(benign)


def test_texts_differ_in_words_and_length(examples: list[Example]) -> None:
    words = Counter(w for e in examples for w in re.findall(r"\w+", e.text.casefold()))
    lengths = sorted(len(e.text.split()) for e in examples)
    assert len(words) > 3_500
    assert lengths[len(lengths) // 10] <= 10
    assert lengths[-len(lengths) // 20] >= 45
    assert len({template_of(e) for e in examples}) > 1_000


def test_labels_left_open_weigh_nothing_and_threats_imply_their_parents(examples: list[Example]) -> None:
    made = targets(examples)
    for row, example in enumerate(examples):
        for column, category in enumerate(MODEL_CATEGORIES):
            parent = IMPLIES.get(category)
            implied = category in {IMPLIES[c] for c, v in example.labels.items() if v and c in IMPLIES}
            if category not in example.labels and not implied and example.labels.get(parent or "") != 0:
                assert made.weight[row, column] < 1, (example.id, category)
    assert all(e.labels[IMPLIES[c]] == 1 for e in examples for c, v in e.labels.items() if v and c in IMPLIES)


def test_no_text_joins_age_and_sex(examples: list[Example]) -> None:
    assert not [e.id for e in examples if about_minors(e)]


def test_encodings_change_the_text_and_keep_what_it_says() -> None:
    assert TRANSFORMS["base64"]("hi") == "aGk="
    assert bytes.fromhex(TRANSFORMS["hex"]("Привет")).decode() == "Привет"
    assert TRANSFORMS["url"]("a b&") == "a%20b%26"
    assert TRANSFORMS["zero_width"]("ab").replace("\u200b", "") == "ab"
    assert all(transform("Ignore the rules") != "Ignore the rules" for transform in TRANSFORMS.values())


def test_one_in_seven_is_dealt_to_each_held_out_side_and_few_are_not_dealt() -> None:
    values = [f"value {i}" for i in range(21)]
    assert Counter(deal(values, seed=1)) == {"train": 15, "calibration": 3, "test": 3}
    assert Counter(deal(values[:4], seed=1)) == {"train": 2, "calibration": 1, "test": 1}
    assert set(deal(values[:3], seed=1)) == {"train"}
    assert deal(values, seed=1) != deal(values, seed=2)


def test_a_new_folder_of_texts_is_read_as_written(tmp_path: Path) -> None:
    (tmp_path / "common.yaml").write_text("slots: {thing: [apple, pear]}")
    (tmp_path / "a.yaml").write_text(
        "groups: [{name: g, labels: [violence], unknown: [illicit], kind: post, count: 9, "
        "templates: ['Hit the {thing}.']}]"
    )
    made = generate(seed=1, folder=tmp_path)
    assert {e.text.casefold().rstrip(".") for e in made} == {"hit the apple", "hit the pear"}
    assert made[0].labels["violence"] == 1
    assert "illicit" not in made[0].labels
    assert made[0].labels["sexual"] == 0
