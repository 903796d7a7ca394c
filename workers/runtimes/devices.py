"""Which devices torch computes on. `python -m workers.runtimes.devices` prints the numbers of its GPUs, one a line."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from functools import cache

import torch

from workers.runtimes.errors import ModelUnavailable

log = logging.getLogger(__name__)

_KNOWN = re.compile(r"cpu|cuda(:\d{1,3})?")


def resolve_device(name: str) -> torch.device:
    """Return the torch device for "auto" (the first GPU that computes, else CPU), "cpu", "cuda" or "cuda:N".

    Raise ModelUnavailable for another name, a GPU that torch does not see, or one that it sees and cannot compute on.
    """
    if name == "auto":
        return torch.device(next((f"cuda:{number}" for number in computing_gpus()), "cpu"))
    if _KNOWN.fullmatch(name) is None:
        raise ModelUnavailable(f"There is no device {name!r}. Say auto, cpu, cuda or cuda:N.")
    if name.startswith("cuda") and not _seen():
        raise ModelUnavailable(f"The device {name} was asked for, but torch sees no CUDA device. Use auto or cpu.")
    device = torch.device(name)
    if device.type == "cuda":
        number = device.index or 0
        if number >= _seen():
            raise ModelUnavailable(
                f"The device {name} was asked for, but torch sees {_seen()}, from cuda:0 on. Use auto."
            )
        if (reason := _refusal(number)) is not None:
            raise ModelUnavailable(f"The device {name} was asked for, but does not compute: {reason}. Use auto or cpu.")
    return device


def computing_gpus() -> Iterator[int]:
    """Yield the numbers of the GPUs on which this build of torch computes.

    What is found stays true for this process: a GPU that worked and then fails must say so where it fails, and not be
    left for the CPU.
    """
    return (number for number in range(_seen()) if _refusal(number) is None)


@cache
def _seen() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


@cache
def _refusal(number: int) -> str | None:
    """Return, and log, why a GPU does not compute: it is older than this build's kernels, or its driver refuses it."""
    try:
        torch.ones(1, device=f"cuda:{number}").add_(1.0).item()
    except torch.OutOfMemoryError:
        return None  # It computes when there is room.
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        log.warning("cuda:%d does not compute: %s", number, reason)
        return reason
    return None


if __name__ == "__main__":
    sys.stdout.writelines(f"{number}\n" for number in computing_gpus())
