"""Load exports with the real library, away from the network and from the user's cache."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import datasets


def load(folder: str | Path) -> Any:
    """Return the DatasetDict of an export's folder."""
    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset(str(folder), cache_dir=cache, keep_in_memory=True)
    return loaded
