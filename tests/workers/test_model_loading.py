"""A guard model that cannot be loaded says so, and the next attempt starts afresh."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from screening.categories import MODEL_CATEGORIES
from tests.workers.small_models import sequence_classifier
from workers.model import DEFAULT_FOLDER, ModelUnavailable, load_model, serve_model
from workers.runtimes.encoder import Encoder, carrier_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_FOLDER, tmp_path / "heads"))


def _change(folder: Path, **fields: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | fields))


@pytest.mark.parametrize("name", ["config.json", "heads.safetensors", "ranges.safetensors"])
def test_a_missing_file_is_named_and_its_return_heals(folder: Path, name: str) -> None:
    (folder / name).rename(folder / "away")
    with pytest.raises(ModelUnavailable, match=name):
        load_model(str(folder), "cpu")
    (folder / "away").rename(folder / name)
    assert load_model(str(folder), "cpu").predict(["fine now"])


@pytest.mark.parametrize("name", ["heads.safetensors", "ranges.safetensors"])
def test_a_damaged_file_is_refused_and_the_next_load_works(folder: Path, name: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] + b"\xff" + whole[1001:])
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        load_model(str(folder), "cpu")
    path.write_bytes(whole)
    assert load_model(str(folder), "cpu").predict(["fine now"])


def test_a_model_without_ranges_is_read_in_another_precision(folder: Path) -> None:
    _change(folder, ranges_sha256=None)
    assert load_model(str(folder), "cpu").predict(["fine now"])
    with pytest.raises(ModelUnavailable, match=r"no ranges\.safetensors"):
        serve_model(str(folder), "cpu", "int8")


def test_ranges_of_another_model_are_refused(folder: Path) -> None:
    data = save({"encoder.some.layer": torch.zeros(3, 384)})
    (folder / "ranges.safetensors").write_bytes(data)
    _change(folder, ranges_sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(ModelUnavailable, match="does not fit"):
        load_model(str(folder), "cpu")


def test_a_config_that_is_none_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelUnavailable, match="not a heads config"):
        load_model(str(folder), "cpu")


def test_heads_of_another_encoder_are_refused(folder: Path) -> None:
    _change(folder, encoder_sha256="0" * 64)
    with pytest.raises(ModelUnavailable, match="another encoder"):
        load_model(str(folder), "cpu")


def test_heads_for_other_categories_are_refused(folder: Path) -> None:
    _change(folder, categories=[*MODEL_CATEGORIES[:-1], "spam"])
    with pytest.raises(ModelUnavailable, match="categories"):
        load_model(str(folder), "cpu")


def test_heads_that_do_not_fit_their_config_are_refused(folder: Path) -> None:
    _change(folder, hidden=7)
    with pytest.raises(ModelUnavailable, match="does not fit"):
        load_model(str(folder), "cpu")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_an_encoder_file_that_is_not_upstreams_is_refused(tmp_path: Path, name: str) -> None:
    for file in ("model.safetensors", "tokenizer.json"):
        (tmp_path / file).symlink_to(carrier_folder() / file)
    (tmp_path / name).unlink()
    with pytest.raises(ModelUnavailable, match=name):
        Encoder(device="cpu", folder=tmp_path)
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        Encoder(device="cpu", folder=tmp_path)


def test_a_folder_of_another_form_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="name it in the models file"):
        load_model(str(sequence_classifier(tmp_path / "theirs", ["good", "bad"])))


def test_a_worker_that_serves_the_fake_warns_of_it(caplog: pytest.LogCaptureFixture) -> None:
    assert serve_model("fake").version == "fake"
    assert "COUNTERSIGN_GUARD_MODEL is fake" in caplog.text


def test_the_fake_needs_no_torch_and_scores_every_category() -> None:
    code = (
        "import sys; from workers.model import load_model; m = load_model('fake');"
        "print(m.version, len(m.predict(['x'])[0].scores), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["fake", str(len(MODEL_CATEGORIES)), "False"]
