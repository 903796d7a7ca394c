"""What a process that serves does once, when everything is loaded."""

from __future__ import annotations

import gc

#: New objects, less those that are gone, after which Python looks for garbage among the young ones; 700 by default.
YOUNG = 20_000


def settle() -> None:
    """Have the garbage collector leave alone what was loaded, and come less often.

    What a check leaves behind is freed by reference counts; what the collector looks through, again and again, are the
    hundreds of thousands of objects of modules, models and settings, which stay.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
