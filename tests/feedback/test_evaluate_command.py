"""`manage.py evaluate` on the model that ships, beside another model and the baseline."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from feedback.evaluation import held_out, scoring
from feedback.evaluation.held_out import HELD_OUT, TRAINING, folder_rows
from feedback.evaluation.rows import DataError
from feedback.training import span_sides
from feedback.training.grammar import generate
from feedback.training.pii_grammar import generate_spans
from screening.categories import MODEL_CATEGORIES
from workers.model import DEFAULT_FOLDER

RUDE = ["you are a filthy idiot", "shut up, you pathetic idiot", "what a worthless idiot you are, I hate you"]
KIND = ["the train to Leeds leaves at ten", "thank you for the lovely dinner", "here is the recipe you asked for"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write a few posts with labels."""
    path = tmp_path / "rows.jsonl"
    texts = [(f"{text} ({i})", int(text in RUDE)) for i in range(4) for text in RUDE + KIND]
    rows = [
        {"text": text, "labels": {"harassment": rude}, "flag": rude, "source": "ab"[i % 2]}
        for i, (text, rude) in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _evaluate(model: str, *data: Path, **options: object) -> tuple[str, str]:
    printed, progress = StringIO(), StringIO()
    call_command("evaluate", model, *data, stdout=printed, stderr=progress, **({"device": "cpu"} | options))
    return printed.getvalue(), progress.getvalue()


def test_two_models_and_the_baseline_are_measured_side_by_side(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed, progress = _evaluate("default", data, compare="fake", baseline=[data], out=out)
    assert "24 of the texts are also among the training rows" in progress
    for heading in ("## Categories", "## fake less default", "## False alarms on benign texts", "## Slices"):
        assert heading in printed
    report = json.loads((out / "report.json").read_text())
    ours, fake, baseline = report["models"]
    assert [one["name"] for one in (ours, fake, baseline)] == ["default", "fake", "TF-IDF + LR"]
    assert ours["version"].startswith("minilm-")
    found = {one["category"]: one for one in ours["overall"]["categories"]}["harassment"]
    assert (found["known"], found["positive"]) == (24, 12)
    assert found["figures"]["ap"]["value"] > 0.95
    assert fake["overall"]["categories"][0]["figures"]["auroc"]["value"] == 0.5
    assert report["gains"]["harassment"]["value"] < 0
    assert {part["value"] for part in ours["slices"]} == {"a", "b"}
    assert (out / "report.md").read_text() == printed
    names = {"average_precision.svg", "precision_recall.svg", "reliability.svg"}
    assert names <= {path.name for path in out.iterdir()}
    assert all((out / name).read_text().rstrip().endswith("</svg>") for name in names)
    assert not any(text in (out / "report.json").read_text() + printed for text in RUDE + KIND)


def test_spans_of_texts_without_any_and_of_other_labels_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    line = '{"text": "Ann Lee lives in Leeds", "spans": %s}\n{"text": "fine", "spans": []}\n'
    path.write_text(line % "[]")
    printed, progress = _evaluate("default", path)
    assert re.search(r"\| PERSON +\| default \| 2 +\| 0 +\| 1 +\| 0\.000 ", printed)
    assert "does not find" not in progress
    path.write_text(line % '[{"start": 0, "end": 7, "label": "PER"}]')
    _, progress = _evaluate("default", path)
    assert "default does not find 'PER' (did you mean 'PERSON'?)" in progress


def test_texts_that_come_twice_are_counted_on_standard_error(data: Path) -> None:
    assert "24 of the 48 texts are copies of others" in _evaluate("fake", data, data)[1]
    assert "copies" not in _evaluate("fake", data)[1]
    data.write_text(
        '{"text": "An  apple", "spans": []}\n{"text": "an apple", "flag": 0}\n{"text": "an Apple", "flag": 0}\n'
    )
    assert "1 of the 3 texts are copies" in _evaluate("fake", data)[1], "one file may hold labels, another spans"


def test_what_the_baseline_cannot_be_fitted_for_is_named_with_the_reason(data: Path, tmp_path: Path) -> None:
    training = tmp_path / "training.jsonl"
    training.write_text('{"text": "you idiot", "labels": {"harassment": 1}}\n{"text": "you too", "spans": []}\n')
    printed, said = _evaluate("fake", data, baseline=[training])
    assert "fitted on 2 rows" in printed
    assert "it has no figures for harassment (only 1)." in said
    training.write_text('{"text": "you idiot", "spans": []}\n{"text": "you too", "spans": []}\n')
    assert "it has no figures for harassment (in no row)." in _evaluate("fake", data, baseline=[training])[1]
    assert "no figures" not in _evaluate("fake", data, baseline=[data])[1]


def test_the_same_run_writes_the_same_bytes(data: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        _evaluate("fake", data, out=tmp_path / name, baseline=[data])
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_sample_is_drawn_by_the_seed(data: Path, tmp_path: Path) -> None:
    first, again, other = (_evaluate("fake", data, sample=10, seed=seed)[0] for seed in (1, 1, 2))
    assert first == again != other
    assert "| fake  | fake    | 10 " in first


def test_a_report_says_what_it_is_of(data: Path, tmp_path: Path) -> None:
    def head(name: str, **options: object) -> dict[str, object]:
        _evaluate("fake", data, out=tmp_path / name, **options)
        content = json.loads((tmp_path / name / "report.json").read_text())
        return {key: value for key, value in content.items() if key not in ("models", "gains")}

    first, again, sample = head("one"), head("two"), head("three", sample=10, baseline=[data])
    assert first == again
    assert first == {
        "data": [str(data)], "data_sha256": first["data_sha256"], "sample": None,
        "baseline": [], "baseline_sha256": None, "seed": 7,
    }  # fmt: skip
    assert (sample["sample"], sample["baseline"]) == (10, [str(data)])
    assert first["data_sha256"] == sample["baseline_sha256"] != sample["data_sha256"]
    data.write_text(data.read_text().replace('"harassment": 1', '"harassment": 0', 1))
    assert head("four")["data_sha256"] != first["data_sha256"]


def test_plots_can_be_png(data: Path, tmp_path: Path) -> None:
    _evaluate("fake", data, out=tmp_path, plots="png")
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_measured_is_a_clear_error(data: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no-such-model cannot be measured.*COUNTERSIGN_MODELS is not set"):
        _evaluate("no-such-model", data)
    with pytest.raises(CommandError, match=r"cannot be read: No such file"):
        _evaluate("fake", tmp_path / "none.jsonl")
    with pytest.raises(CommandError, match="no data folder"):
        _evaluate("fake", tmp_path)
    with pytest.raises(CommandError, match="--sample must be 1 or more"):
        _evaluate("fake", data, sample=-1)
    with pytest.raises(CommandError, match="--seed must be 0 or more"):
        _evaluate("fake", data, seed=-1)
    with pytest.raises(CommandError, match=r"no device 'gpu'\. Say auto, cpu, cuda"):
        _evaluate("fake", data, device="gpu")
    with pytest.raises(CommandError, match="no device 'mps'"):
        _evaluate("fake", data, device="mps")
    data.write_text(data.read_text() + '{"text": "x"}\n')
    with pytest.raises(CommandError, match="line 25"):
        _evaluate("fake", data)


def test_no_model_reads_before_the_rest_is_known_to_be_right(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "score", None)
    unlike, one = tmp_path / "unlike.jsonl", tmp_path / "one.jsonl"
    unlike.write_text('{"text": "alpha beta", "labels": {"hate": 1}}\n{"text": "gamma", "labels": {"hate": 0}}\n')
    one.write_text('{"text": "alpha beta", "labels": {"hate": 1}}\n')
    with pytest.raises(CommandError, match="no-such-model cannot be measured"):
        _evaluate("fake", data, compare="no-such-model")
    with pytest.raises(CommandError, match="cannot be read"):
        _evaluate("fake", data, baseline=[tmp_path / "none.jsonl"])
    with pytest.raises(CommandError, match="cannot be fitted on 2 rows of which no two share a word"):
        _evaluate("fake", data, baseline=[unlike])
    with pytest.raises(CommandError, match="cannot be fitted on one row"):
        _evaluate("fake", data, baseline=[one])
    with pytest.raises(CommandError, match=r"rows\.jsonl cannot be written to"):
        _evaluate("fake", data, out=data)


def test_the_tables_are_printed_even_if_the_files_cannot_be_written(data: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    printed = StringIO()
    with pytest.raises(CommandError, match=r"cannot be written to: .*The tables above are whole"):
        call_command("evaluate", "fake", data, out=tmp_path / "out", device="cpu", stdout=printed, stderr=StringIO())
    assert "## Categories" in printed.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a small data folder, beside which fewer of our own texts stand."""
    monkeypatch.setattr(held_out, "generate", partial(generate, share=0.1))
    monkeypatch.setattr(span_sides, "generate_spans", partial(generate_spans, share=0.05))
    rows = [
        {"id": f"r{i}", "source": "davidson", "kind": "post", "text": f"row number {i} about {i * 7} things", "flag": 0,
         "labels": {"hate": 0}, "licence": "CC0-1.0"}
        for i in range(60)
    ]  # fmt: skip
    with gzip.open(tmp_path / "moderation_train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def test_of_a_data_folder_only_held_out_texts_are_taken(folder: Path) -> None:
    held = folder_rows(folder, HELD_OUT, seed=7)
    trained = {row.text for row in folder_rows(folder, TRAINING, seed=7)}
    assert trained
    assert trained.isdisjoint(row.text for row in held)
    sources = [row.slices["source"] for row in held]
    assert 0 < sources.count("davidson") < 30
    ours = [row for row in held if row.slices["source"].startswith("synthetic/") and row.spans is None]
    assert {"synthetic/answers", "synthetic/pii-documents (spans)"} <= set(sources)
    assert {c for row in ours for c, v in row.labels.items() if v} >= set(MODEL_CATEGORIES) - {"profanity"}
    assert all(row.spans is not None for row in held if row.slices["source"].endswith("(spans)"))
    (folder / "pii_train.jsonl.gz").write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(DataError, match="line 1"):
        folder_rows(folder, HELD_OUT, seed=8)


def test_no_model_is_measured_on_a_folder_split_by_another_seed_than_its_own(folder: Path, data: Path) -> None:
    trained = folder / "trained"
    shutil.copytree(DEFAULT_FOLDER, trained)
    config = json.loads((trained / "config.json").read_text()) | {"seed": 3}
    (trained / "config.json").write_text(json.dumps(config))
    with pytest.raises(CommandError, match=r"trained was trained with seed 3: .* Use --seed 3\."):
        _evaluate("fake", folder, compare=str(trained), sample=2)
    assert "| trained " in _evaluate(str(trained), folder, sample=2, seed=3)[0]
    assert "| trained " in _evaluate(str(trained), data, sample=2)[0], "a file of rows has no split"
