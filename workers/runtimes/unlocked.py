"""Modules that compute without Python: one call, during which other threads have Python's lock.

Between any two operators of a module in Python its thread waits for the lock whenever another thread has it. With two
lanes that took a quarter of their time, and with short texts nearly all that a second lane brings.
"""

from __future__ import annotations

import sys
import warnings
from typing import TypeVar, cast

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)


def without_python(module: Net) -> Net:
    """Return `module`, on a CPU and in the form that TorchScript reads, as a script; as it is from Python 3.14 on.

    torch calls TorchScript deprecated, and says of Python 3.14 that it may break there; the version of torch is pinned.
    """
    if sys.version_info >= (3, 14):
        return module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return cast(Net, torch.jit.script(module))
