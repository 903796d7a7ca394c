"""Classifiers of the models file: what they say, of long texts too, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from screening.detectors.served import ModelMissing
from screening.findings import Deadline
from screening.models_file import SETTING
from tests.workers.small_models import models_file, sequence_classifier, token_classifier, tokenizer
from workers.classifiers import ModelUnavailable, load_classifier
from workers.runtimes.classifier import TransformersClassifier

SEQUENCE_LABELS = ("neutral", "toxic", "threat", "insult")
TOKEN_LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-MISC")
WORDS = {"ana": "B-PER", "lima": "I-PER", "bob": "B-PER", "paris": "B-LOC", "art": "B-MISC", "##deco": "B-MISC"}
LONG = " ".join(f"word{n} and then" for n in range(300))

Load = Callable[..., TransformersClassifier]


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sequence_classifier(tmp_path_factory.mktemp("sequence"), SEQUENCE_LABELS)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = {word: label for word, label in WORDS.items() if not word.startswith("##")}
    return token_classifier(tmp_path_factory.mktemp("tokens"), TOKEN_LABELS, words)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    def load(folder: Path, **fields: Any) -> TransformersClassifier:
        entry = {"path": str(folder), "task": "sequence", "device": "cpu", "labels": {"toxic": "harassment"}, **fields}
        monkeypatch.setenv(SETTING, str(models_file(tmp_path / "models.yaml", classifiers={"mine": entry})))
        loaded = load_classifier("mine")
        assert isinstance(loaded, TransformersClassifier)
        return loaded

    return load


def reference(folder: Path, text: str) -> torch.Tensor:
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits: torch.Tensor = model(**tokenizer()(text, return_tensors="pt")).logits[0]
    return logits


def test_scores_are_those_of_the_model_under_our_names(sequence: Path, load: Load) -> None:
    labels = {"toxic": "harassment", "insult": "harassment", "threat": "violence"}
    logits = reference(sequence, "What a fine day.")
    (softmax,) = load(sequence, labels=labels).predict(["What a fine day."])
    expected = logits.softmax(-1).tolist()
    assert softmax.scores == pytest.approx({"harassment": expected[1] + expected[3], "violence": expected[2]}, abs=1e-5)
    (sigmoid,) = load(sequence, labels=labels, activation="sigmoid").predict(["What a fine day."])
    each = logits.sigmoid().tolist()
    assert sigmoid.scores == pytest.approx({"harassment": max(each[1], each[3]), "violence": each[2]}, abs=1e-5)


def test_a_text_scores_the_same_alone_and_in_a_batch(sequence: Path, load: Load) -> None:
    model = load(sequence, max_length=32, overlap=8)
    texts = ["short", LONG, "", "\ud800 lone", "a few words more than that", "ﬁne 🙂"]
    together = model.predict(texts)
    for text, prediction in zip(texts, together, strict=True):
        assert model.predict([text])[0].scores == pytest.approx(prediction.scores, abs=1e-4)


def test_a_long_text_has_the_score_of_its_highest_window(sequence: Path, load: Load) -> None:
    model = load(sequence, max_length=32, overlap=8)
    ids = tokenizer()(LONG, add_special_tokens=False, return_offsets_mapping=True)
    pieces = [ids["offset_mapping"][first : first + 30] for first in range(0, len(ids["input_ids"]) - 8, 22)]
    alone = model.predict([LONG[piece[0][0] : piece[-1][1]] for piece in pieces])
    assert len(pieces) > 10
    highest = max(each.scores["harassment"] for each in alone)
    assert model.predict([LONG])[0].scores["harassment"] == pytest.approx(highest, abs=1e-4)


def test_spans_are_entities_in_code_points(tokens: Path, load: Load) -> None:
    model = load(tokens, task="token", labels={"PER": "PERSON", "B-LOC": "LOCATION"})
    text = "🙂 Ana Lima, Bob; Paris and art: Ana Bob"
    (prediction,) = model.predict([text])
    found = [(span.label, text[span.start : span.end]) for span in prediction.spans or ()]
    # "Ana Lima, Bob" ends where a comma stands; "Ana Bob" is two people, by the labels that begin.
    assert found == [
        ("PERSON", "Ana Lima"), ("PERSON", "Bob"), ("LOCATION", "Paris"), ("PERSON", "Ana"), ("PERSON", "Bob"),
    ]  # fmt: skip
    assert all(0.5 < span.score <= 1 for span in prediction.spans or ())
    assert prediction.scores == {}


def test_spans_are_the_same_whatever_the_windows(tokens: Path, load: Load) -> None:
    text = f"{LONG} Ana Lima {LONG} Paris {LONG} Bob"
    labels = {"PER": "PERSON", "LOC": "LOCATION"}
    short = load(tokens, task="token", labels=labels, max_length=24, overlap=6).predict(["x", text])[1].spans
    long = load(tokens, task="token", labels=labels, max_length=512, overlap=256).predict([text])[0].spans
    assert [text[span.start : span.end] for span in short or ()] == ["Ana Lima", "Paris", "Bob"]
    assert short == pytest.approx(long)


def test_a_word_is_judged_as_a_whole(tokens: Path, load: Load) -> None:
    model = load(tokens, task="token", labels={"PER": "PERSON"})
    text = "anaconda Ana"
    assert [(s.start, s.end) for s in model.predict([text])[0].spans or ()][-1:] == [(9, 12)]


def test_the_version_is_the_hash_of_the_weights(sequence: Path, load: Load, tmp_path: Path) -> None:
    same = Path(shutil.copytree(sequence, tmp_path / "same"))
    other = sequence_classifier(tmp_path / "other", SEQUENCE_LABELS, seed=1)
    assert load(same).version == load(sequence).version
    assert load(other).version != load(sequence).version
    assert load(sequence).version.startswith("mine@")


def test_a_text_past_its_deadline_is_unscanned_and_the_others_keep_theirs(sequence: Path, load: Load) -> None:
    model = load(sequence, max_length=32, overlap=8)
    late, good = model.predict([LONG, "short"], deadlines=[Deadline(0.0), Deadline()])
    assert (late.unscanned, late.scores) == ("deadline", {})
    assert not good.unscanned
    assert good.scores == pytest.approx(model.predict(["short"])[0].scores, abs=1e-4)


def test_a_model_of_the_hub_comes_from_the_cache_at_its_revision(
    sequence: Path, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = "0123456789abcdef0123456789abcdef01234567"
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    hub = {"path": "", "hub": "acme/toxic", "revision": revision}
    with pytest.raises(ModelUnavailable, match=f"hf download acme/toxic --revision {revision}"):
        load(sequence, **hub)
    shutil.copytree(sequence, cache / "models--acme--toxic" / "snapshots" / revision)
    assert load(sequence, **hub).version == "mine@0123456789ab"


def test_a_name_that_is_not_there_is_missing(sequence: Path, load: Load) -> None:
    load(sequence)
    with pytest.raises(ModelMissing):
        load_classifier("yours")


def test_what_cannot_be_used_is_refused_with_a_reason(sequence: Path, load: Load, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"no label toxicity; it has insult"):
        load(sequence, labels={"toxicity": "harassment"})
    with pytest.raises(ModelUnavailable, match="512 tokens at most"):
        load(sequence, max_length=513)
    with pytest.raises(ModelUnavailable, match="no trained head"):
        load(sequence, task="token", labels={"toxic": "PERSON"})
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelUnavailable, match=r"no \.safetensors file"):
        load(tmp_path / "empty")
    one = sequence_classifier(tmp_path / "one", ["toxic"])
    with pytest.raises(ModelUnavailable, match="activation: sigmoid"):
        load(one)
    assert 0 <= load(one, activation="sigmoid").predict(["fine"])[0].scores["harassment"] <= 1


def test_what_is_wrong_with_a_folder_is_told(sequence: Path, load: Load, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="away is no folder on this host"):
        load(tmp_path / "away")
    for number, name in enumerate(("config.json", "tokenizer.json")):
        folder = Path(shutil.copytree(sequence, tmp_path / str(number)))
        (folder / name).unlink()
        with pytest.raises(ModelUnavailable, match=f"has no {name}"):
            load(folder)
    folder = Path(shutil.copytree(sequence, tmp_path / "damaged"))
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelUnavailable, match=r"SafetensorError: .+"):
        load(folder)


def test_weights_that_could_carry_code_are_refused(sequence: Path, load: Load, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sequence, tmp_path / "pickled"))
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match="does not load"):
        load(folder)


def test_code_of_a_model_is_never_run(sequence: Path, load: Load, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sequence, tmp_path / "remote"))
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "theirs", "auto_map": {"AutoConfig": "theirs.Config", "AutoModel": "theirs.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    marker = tmp_path / "ran"
    (folder / "theirs.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    with pytest.raises(ModelUnavailable, match="does not load"):
        load(folder)
    assert not marker.exists()


@pytest.mark.gpu
def test_scores_on_cuda_are_those_on_the_cpu(sequence: Path, load: Load) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    texts = ["short", LONG, "a few words more than that"]
    there = load(sequence, device="cuda").predict(texts)
    here = load(sequence).predict(texts)
    for ours, theirs in zip(there, here, strict=True):
        assert ours.scores == pytest.approx(theirs.scores, abs=1e-3)
