"""What the processor and the device can compute in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import torch

Precision = Literal["fp32", "bf16", "int8"]
#: Processors with one of these compute in bf16 rather than imitate it.
_BF16 = frozenset({"avx512_bf16", "amx_bf16"})
#: These add products of eight-bit numbers in 32 bits; those without overflow sixteen.
_VNNI = frozenset({"avx512_vnni", "avx_vnni"})


@cache
def processor_flags() -> frozenset[str]:
    """Return what this processor says that it can do, in Linux's words; nothing elsewhere."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return frozenset()
    return frozenset(next((line.split() for line in info.splitlines() if line.startswith("flags")), []))


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
