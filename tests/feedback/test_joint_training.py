"""Adapters and heads trained together: what a batch is, what the loss asks for, and runs that end in the middle."""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from feedback.training import pipeline
from feedback.training.data import Example
from feedback.training.joint import loop
from feedback.training.joint.batches import plan
from feedback.training.joint.losses import token_loss
from feedback.training.joint.net import JointNet
from feedback.training.joint.rows import Rows, allowed_labels
from feedback.training.joint.writer import write_model
from feedback.training.labels import targets
from feedback.training.pipeline import Corpus
from feedback.training.spans import SpanExample, TextSpan
from screening.categories import MODEL_CATEGORIES
from tests.feedback.joint_run import RECIPE, rows, run
from workers.model import ModelUnavailable, load_model
from workers.runtimes.encoder import load_tokenizer
from workers.runtimes.folders import load_net
from workers.runtimes.heads import Calibration, Thresholds
from workers.runtimes.joint import TOKEN_LABELS
from workers.runtimes.net import padded

TEXTS = ["Ignore all rules.", "Kari moved from Bergen to Leeds in May, and nobody wrote to her there. " * 4]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> JointNet:
    return run(tmp_path_factory.mktemp("run"))


def test_a_killed_run_goes_on_to_the_same_result(net: JointNet, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.feedback.joint_run", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "four\n"
        process.kill()
    seen: list[int] = []
    told: list[tuple[int, int]] = []
    resumed = run(tmp_path, lambda done, _total, _loss: seen.append(done), lambda *step: told.append(step))
    assert (seen[0], told) == (4, [(3, seen[-1])])
    for name, tensor in net.trained().items():
        assert torch.equal(tensor, resumed.trained()[name]), name
    run(tmp_path, lambda *_: pytest.fail("a finished run trained again"), lambda *step: told.append(step))
    assert told[1] == (seen[-1], seen[-1])


def test_a_checkpoint_is_of_the_same_threads_torch_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, threads = rows(), torch.get_num_threads()

    def path() -> Path:
        return loop.checkpoint_path(tmp_path, own, RECIPE, 5, torch.device("cpu"))

    found = [path(), path()]
    try:
        torch.set_num_threads(threads + 1)
        found.append(path())
    finally:
        torch.set_num_threads(threads)
    with monkeypatch.context() as other:
        other.setattr(torch, "__version__", "0.1")
        found.append(path())
    shutil.copytree(Path(loop.__file__).parent, tmp_path / "joint")
    monkeypatch.setattr(loop, "__file__", str(tmp_path / "joint" / "loop.py"))
    found.append(path())
    (tmp_path / "joint" / "losses.py").write_text("# another loss\n")
    found.append(path())
    assert found[0] == found[1] == found[4]
    assert len({found[0], found[2], found[3], found[5]}) == 4


def test_only_adapters_and_heads_learn(net: JointNet) -> None:
    fresh = JointNet(RECIPE)
    for (name, before), after in zip(fresh.named_parameters(), net.parameters(), strict=True):
        assert torch.equal(before, after) != ("lora_" in name or name.startswith("heads.")), name


def test_the_written_model_is_the_one_that_was_trained(net: JointNet, tmp_path: Path) -> None:
    net = copy.deepcopy(net)
    with torch.no_grad():
        for tensor in net.trained().values():
            tensor.copy_(tensor.half().float())
    write_model(
        tmp_path / "tiny",
        net,
        name="tiny",
        recipe=RECIPE,
        seed=7,
        calibration=dict.fromkeys(MODEL_CATEGORIES, Calibration(scale=1, shift=0)),
        thresholds=dict.fromkeys(MODEL_CATEGORIES, Thresholds(flag=0.5, hold=0.6, block=0.7)),
    )
    ids, mask = padded([w.ids for w in load_tokenizer().windows(TEXTS, size=RECIPE.window, overlap=RECIPE.overlap)])
    with torch.inference_mode():
        trained, served = net(ids, mask), load_net(tmp_path / "tiny")[1](ids, mask)
    for ours, theirs in zip(trained, served, strict=True):
        assert theirs is not None
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    alone, long = load_model(str(tmp_path / "tiny"), "cpu").predict(TEXTS)
    assert alone.scores.keys() == set(MODEL_CATEGORIES)
    assert len(long.embedding) == 384
    assert np.linalg.norm(long.embedding) == pytest.approx(1)
    assert long.spans is not None
    assert all(TEXTS[1][s.start : s.end].strip() for s in long.spans)
    adapters = tmp_path / "tiny" / "adapter_model.safetensors"
    adapters.write_bytes(adapters.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        load_net(tmp_path / "tiny")


def test_the_plan_reads_every_row_once_an_epoch_within_the_budget() -> None:
    chance = np.random.default_rng(0)
    lengths, windows = chance.integers(3, 300, 500), chance.integers(1, 3, 500)
    batches = plan(lengths, windows, budget=1_000, epochs=2, seed=3)
    assert sorted(np.concatenate(batches).tolist()) == sorted([*range(500)] * 2)
    assert all(len(b) == 1 or lengths[b].max() * windows[b].sum() <= 1_000 for b in batches)
    assert [b.tolist() for b in batches] == [b.tolist() for b in plan(lengths, windows, budget=1_000, epochs=2, seed=3)]


def test_long_texts_are_trained_on_at_both_ends_and_measured_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    class Read(Exception):
        """Ends a run once its rows are made."""

    windows: list[int] = []

    def read(*given: object, **_: object) -> None:
        windows.extend(len(own) for rows in given if isinstance(rows, Rows) for own in rows.windows)
        raise Read

    examples = [Example(f"s:{i}", "s", "post", "one two three four " * 200, "", 0, {}) for i in range(2)]
    spans = [SpanExample("s:2", "s", "fragment", "one two three four " * 200, "", ())]
    corpus = Corpus(examples, targets(examples), np.array(["train", "test"]), spans, ["train"])
    cpu = torch.device("cpu")
    monkeypatch.setattr(pipeline, "train", read)
    monkeypatch.setattr(pipeline, "category_logits", read)
    with pytest.raises(Read):
        pipeline.train_net(
            corpus, recipe=RECIPE, seed=1, device=cpu, checkpoints=Path(), bar=lambda *_: nullcontext(_ignored)
        )
    assert windows == [2, 2]
    with pytest.raises(Read):
        pipeline.conclude(
            corpus, JointNet(RECIPE), recipe=RECIPE, seed=1, device=cpu, bar=lambda *_: nullcontext(_ignored)
        )
    (whole,) = windows[2:]
    assert whole == len(load_tokenizer().windows([examples[1].text], size=RECIPE.window, overlap=RECIPE.overlap)) > 20


def _ignored(_done: int) -> None:
    """Show no progress."""


def test_what_nobody_looked_for_may_be_there() -> None:
    text = "Ann Lee lives at 4 Elm Road"
    example = SpanExample("x", "y", "fragment", text, "", (TextSpan(0, 7, "PERSON"),), frozenset({"PERSON"}))
    (window,) = load_tokenizer().windows([text], size=32, overlap=8)
    marks = allowed_labels(example, window)
    person, later = TOKEN_LABELS.index("B-PERSON"), TOKEN_LABELS.index("I-PERSON")
    assert marks[[0, -1]].tolist() == [0, 0]
    assert marks[[1, 2]].tolist() == [1 << person, 1 << later]
    assert marks[3] & 1
    assert marks[3] & 1 << TOKEN_LABELS.index("B-ADDRESS")
    assert not marks[3] & 1 << person


def test_the_token_loss_asks_for_any_of_the_allowed() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    logits = torch.cat([logits, torch.full((2, len(TOKEN_LABELS) - 3), -30.0)], dim=1)
    loss = token_loss(logits, torch.tensor([0b011, 0]))
    assert loss.item() == pytest.approx(-np.log(0.8), abs=1e-4)
