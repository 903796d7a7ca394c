"""Modules that compute without Python: one call, during which other threads have Python's lock.

Between any two operators of a module in Python its thread waits for the lock whenever another thread has it: with two
lanes, at nearly every one.

What TorchScript reads is a part of Python. It reads no names of a file: numbers are attributes, or defaults.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import TypeVar, cast

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)


def without_python(module: Net) -> Net:
    """Return `module`, which serves on a CPU, as a script; as it is from Python 3.14 on.

    The script is one piece, with the module's numbers in it, so that nothing is looked up on the way. torch calls
    TorchScript deprecated, and says of Python 3.14 that it may break there; the version of torch is pinned. Whatever
    calls the script does so within `as_written`.
    """
    if sys.version_info >= (3, 14):
        return module
    # Without the other ways of computing that torch knows: bits are to stay.
    return cast(Net, torch.jit.freeze(torch.jit.script(module), optimize_numerics=False))


def as_written() -> AbstractContextManager[None]:
    """Run scripts as they are written: nobody is to wait while torch looks for something faster, shape by shape."""
    found: AbstractContextManager[None] = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
    return found
