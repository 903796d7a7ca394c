"""What the processor and the device can compute in."""

from __future__ import annotations

import os
from collections.abc import Set
from functools import cache
from pathlib import Path
from typing import Literal

import torch

Precision = Literal["fp32", "bf16", "int8"]
#: Processors with one of these compute in bf16 rather than imitate it.
_BF16 = frozenset({"avx512_bf16", "amx_bf16"})
#: These add products of eight-bit numbers in 32 bits; those without overflow sixteen.
_VNNI = frozenset({"avx512_vnni", "avx_vnni"})
#: What oneDNN leaves unused of these and of AVX2, by the value of its variable ONEDNN_MAX_CPU_ISA.
_LEFT_OUT: dict[str, Set[str]] = {
    "sse41": {"avx2"} | _VNNI | _BF16,
    "avx": {"avx2"} | _VNNI | _BF16,
    "avx2": _VNNI | _BF16,
    "avx2_vnni": {"avx512_vnni"} | _BF16,
    "avx2_vnni_2": {"avx512_vnni"} | _BF16,
    "avx512_core": _VNNI | _BF16,
    "avx512_core_vnni": _BF16,
    "avx512_core_bf16": {"amx_bf16"},
    "avx512_core_fp16": {"amx_bf16"},
}


@cache
def processor_flags() -> frozenset[str]:
    """Return what this processor says that it can do, in Linux's words, less what oneDNN is told to leave unused.

    Nothing elsewhere. Weights of eight bits in kernels that were told to do without VNNI would overflow.
    """
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return frozenset()
    flags = frozenset(next((line.split() for line in info.splitlines() if line.startswith("flags")), []))
    most = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", ""))
    return flags - _LEFT_OUT.get(most.lower(), frozenset())


def computes_bf16(device: torch.device) -> bool:
    """Return whether `device` computes in bf16; on CUDA that is also what `varlen_attn` needs: from Ampere on."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return bool(processor_flags() & _BF16)


def has_onednn() -> bool:
    """Return whether torch's oneDNN kernels are for this processor: x86 with AVX2."""
    return "avx2" in processor_flags() and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def adds_in_32_bits() -> bool:
    """Return whether products of eight-bit numbers use all eight bits."""
    return bool(processor_flags() & _VNNI)
