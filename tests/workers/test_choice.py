"""What is chosen for a device or a processor, without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from workers.model import DEFAULT_FOLDER
from workers.runtimes import choice, int8, packed, processor
from workers.runtimes.choice import choose_runtime
from workers.runtimes.encoder import load_tokenizer
from workers.runtimes.errors import ModelUnavailable
from workers.runtimes.folders import load_net
from workers.runtimes.processor import computes_bf16, has_onednn
from workers.runtimes.tuples import Outputs

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


LACKING = RuntimeError("no kernel image is available for execution on the device")


class Tokenizer:
    def windows(self, texts: object, *, size: int, overlap: int) -> list[Any]:
        return []


class Config:
    version = "stand-in@000000000000"
    window, overlap = 256, 32
    scaling = np.ones(12, dtype=np.float32), np.zeros(12, dtype=np.float32)


class Net:
    ranges = {"a layer": None}


class WithoutRanges:
    ranges: dict[str, None] = {}


class Small:
    small = True


def choose(
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    *,
    capability: tuple[int, int] | None = None,
    flags: str = "",
    fails: str = "",
    error: Exception = LACKING,
    net: type = Net,
) -> list[str]:
    """Return the precisions that are tried on a device of that capability, or a processor, where one may fail."""
    tried: list[str] = []

    class Runtime:
        name = "fake"

        def __init__(self, net: object, *, device: torch.device, precision: str) -> None:
            tried.append(precision)
            if precision == fails:
                raise error

        def launch(self, rows: object) -> Any:
            return list

    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(processor, "processor_flags", lambda: frozenset(flags.split()))
    monkeypatch.setattr(choice, "PackedRuntime", Runtime)
    monkeypatch.setattr(choice, "_plain", lambda net, rows: [])
    monkeypatch.setattr(choice, "_compare", lambda config, got, reference: Small())
    device = CPU if capability is None else CUDA
    choose_runtime(net(), Config(), Tokenizer(), device, wanted)  # type: ignore[arg-type]  # stand-ins
    return tried


def test_cuda_computes_in_bf16_where_the_device_does_and_else_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(monkeypatch, "auto", capability=(9, 0)) == ["bf16"]
    assert choose(monkeypatch, "auto", capability=(7, 5)) == ["fp32"]


def test_a_processor_computes_in_the_fastest_that_it_has_and_the_model_is_made_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert choose(monkeypatch, "auto", flags="avx2 avx512_vnni avx512_bf16") == ["int8"]
    assert choose(monkeypatch, "auto", flags="avx2 avx512_vnni avx512_bf16", fails="int8") == ["int8", "bf16"]
    assert choose(monkeypatch, "auto", flags="avx2 avx512_vnni avx512_bf16", net=WithoutRanges) == ["bf16"]
    assert choose(monkeypatch, "auto", flags="sse4_2 avx2") == ["int8"]
    assert choose(monkeypatch, "auto", flags="sse4_2 avx2", net=WithoutRanges) == ["fp32"]
    assert choose(monkeypatch, "auto", flags="sse4_2") == ["fp32"]


@pytest.mark.parametrize(
    ("variable", "most", "left_out"),
    [
        ("ONEDNN_MAX_CPU_ISA", "AVX", {"avx2", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16"}),
        ("DNNL_MAX_CPU_ISA", "avx2", {"avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16"}),
        ("ONEDNN_MAX_CPU_ISA", "AVX2_VNNI", {"avx512_vnni", "avx512_bf16", "amx_bf16"}),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI", {"avx512_bf16", "amx_bf16"}),
        ("ONEDNN_MAX_CPU_ISA", "ALL", set()),
    ],
)
def test_what_onednn_is_told_to_leave_unused_does_not_count(
    monkeypatch: pytest.MonkeyPatch, variable: str, most: str, left_out: set[str]
) -> None:
    flags = {"avx2", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16"}
    info = f"processor: 0\nflags\t\t: {' '.join(sorted(flags))}\n"
    monkeypatch.setattr(Path, "read_text", lambda path: info)
    monkeypatch.setenv(variable, most)
    assert flags - processor.processor_flags.__wrapped__() == left_out


def test_a_precision_that_fails_is_not_taken_unless_it_was_insisted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(monkeypatch, "auto", capability=(9, 0), fails="bf16") == ["bf16", "fp32"]
    with pytest.raises(RuntimeError, match="no kernel"):
        choose(monkeypatch, "bf16", capability=(9, 0), fails="bf16")


def test_memory_that_is_short_for_now_takes_no_precision_away(monkeypatch: pytest.MonkeyPatch) -> None:
    short = torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(torch.OutOfMemoryError):
        choose(monkeypatch, "auto", capability=(9, 0), fails="bf16", error=short)


def test_eight_bits_on_cuda_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelUnavailable, match="int8"):
        choose(monkeypatch, "int8", capability=(9, 0))


def test_eight_bits_of_a_model_without_ranges_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelUnavailable, match=r"ranges\.safetensors"):
        choose(monkeypatch, "int8", flags="avx2", net=WithoutRanges)


@pytest.mark.skipif(not has_onednn(), reason="no eight bits on this processor")
@pytest.mark.parametrize(("steps", "halves"), [(63, False)] + [(127, True)] * computes_bf16(CPU))
def test_the_shipped_model_keeps_its_answers_in_eight_bits_and_in_seven(
    monkeypatch: pytest.MonkeyPatch, steps: int, halves: bool
) -> None:
    monkeypatch.setattr(int8, "_WEIGHT_STEPS", steps)
    monkeypatch.setattr(packed, "computes_bf16", lambda device: halves)
    config, net = load_net(DEFAULT_FOLDER)
    assert choose_runtime(net, config, load_tokenizer(), CPU, "auto").name == "packed int8 on cpu"


def outputs(first: float = 0.0, all_others: float = 0.0, relabelled: int = 0) -> list[Outputs]:
    """Return what is read of ten texts of ten word pieces; logits of 0 are scores of a half."""
    logits, labels = torch.full((10, 12), all_others), torch.zeros(10, 10, dtype=torch.long)
    logits[0, 0] = first
    labels.view(-1)[:relabelled] = 1
    return [Outputs(*of) for of in zip(logits, torch.nn.functional.one_hot(labels, 4).float(), strict=True)]


@pytest.mark.parametrize(
    ("got", "taken"),
    [
        pytest.param(outputs(), True, id="the same"),
        pytest.param(outputs(first=0.19, all_others=0.015, relabelled=1), True, id="a little of everything"),
        pytest.param(outputs(first=0.21), False, id="one score"),
        pytest.param(outputs(all_others=0.021), False, id="all scores"),
        pytest.param(outputs(relabelled=2), False, id="labels"),
    ],
)
def test_a_precision_that_changes_the_answers_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, got: list[Outputs], taken: bool
) -> None:
    class Runtime:
        def __init__(self, net: object, *, device: torch.device, precision: str) -> None:
            self.name = precision

        def launch(self, rows: object) -> Any:
            return lambda: got

    monkeypatch.setattr(processor, "processor_flags", lambda: frozenset({"avx2"}))
    monkeypatch.setattr(choice, "PackedRuntime", Runtime)
    monkeypatch.setattr(choice, "_plain", lambda net, rows: outputs())
    chosen = choose_runtime(Net(), Config(), Tokenizer(), CPU, "auto")  # type: ignore[arg-type]  # stand-ins
    assert chosen.name == ("int8" if taken else "fp32")
