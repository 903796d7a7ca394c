"""How a worker loads its guard model, and what it does when that fails."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable

from screening.detectors.base import GuardModel
from workers.model import ModelUnavailable, serve_model

log = logging.getLogger(__name__)

RETRY_MODEL_SECONDS = 5.0


def patient_loader() -> Callable[[], GuardModel]:
    """Return a model loader that does not read broken files again for every message.

    It ends this process when a GPU that has served fails: after such an error CUDA works again only in a new one.
    """
    last: tuple[float, Exception] | None = None
    served = False

    def load() -> GuardModel:
        nonlocal last, served
        if last is not None and time.monotonic() - last[0] < RETRY_MODEL_SECONDS:
            # Without the frames of those who were told before, which would pile up.
            raise last[1].with_traceback(None)
        try:
            model = serve_model(
                os.environ.get("COUNTERSIGN_GUARD_MODEL", ""),
                os.environ.get("COUNTERSIGN_DEVICE", "auto"),
                os.environ.get("COUNTERSIGN_PRECISION", "auto"),
                os.environ.get("COUNTERSIGN_LANES", "auto"),
            )
        except Exception as error:
            # What is ours says what to do and quotes no text; others say their class where they are caught.
            if isinstance(error, ModelUnavailable) and (last is None or str(last[1]) != str(error)):
                log.error("the guard model cannot be used: %s", error)
            last = (time.monotonic(), error)
            if served and _is_of_device(error):
                log.critical("the GPU no longer works in this process, which ends: %s", type(error).__name__)
                os.kill(os.getpid(), signal.SIGTERM)
            raise
        served, last = True, None
        return model

    return load


def _is_of_device(error: Exception) -> bool:
    from torch import AcceleratorError

    return isinstance(error, AcceleratorError)
