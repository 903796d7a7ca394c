"""Which processes run, and what their environment says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from webapp.local import process_table
from webapp.local.process_table import processes


def environments(tmp_path: Path, env: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    return {process.name: process.env or {} for process in processes(env=env, port=0, run=tmp_path)}


def test_screeners_keep_the_memory_of_a_batch_and_the_others_give_theirs_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    table = environments(tmp_path, {})
    assert table["screen-gpu"]["MALLOC_MMAP_THRESHOLD_"] == str(32 * 1024 * 1024)
    assert int(table["screen-gpu"]["MALLOC_TRIM_THRESHOLD_"]) > 128 * 1024 * 1024
    assert table["web"]["MALLOC_MMAP_THRESHOLD_"] == str(128 * 1024)
    assert "MALLOC_TRIM_THRESHOLD_" not in table["web"]


def test_what_the_operator_sets_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    table = environments(tmp_path, {"MALLOC_MMAP_THRESHOLD_": "65536"})
    assert {table[name]["MALLOC_MMAP_THRESHOLD_"] for name in ("screen-gpu", "web")} == {"65536"}


def workers(table: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [name for name in table if name.startswith("screen-gpu")]


def test_each_gpu_has_a_worker_unless_the_model_is_to_run_on_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_table, "computing_gpus", lambda: ["0", "1"])
    table = environments(tmp_path, {})
    assert [table[f"screen-gpu-{number}"]["CUDA_VISIBLE_DEVICES"] for number in range(2)] == ["0", "1"]
    assert workers(environments(tmp_path, {"COUNTERSIGN_DEVICE": "cpu"})) == ["screen-gpu"]


def test_gpus_that_torch_does_not_see_have_no_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A worker for each would read on the processor, all cores each.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-none-such,GPU-nor-this")
    assert workers(environments(tmp_path, {})) == ["screen-gpu"]


@pytest.mark.gpu
def test_gpus_on_which_torch_computes_have_workers(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    assert len([name for name in workers(environments(tmp_path, {})) if name != "screen-gpu"]) > 0
