"""Find Redis: REDIS_URL, else what `manage.py up` wrote down on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

NO_REDIS = "No Redis: set REDIS_URL, or start the app with `make up` on this machine."


def redis_url(environ: Mapping[str, str]) -> str:
    """Return the address of Redis; raise SystemExit with what to do when there is none."""
    if url := environ.get("REDIS_URL"):
        return url
    home = Path(environ.get("COUNTERSIGN_HOME") or Path(__file__).resolve().parent.parent / "var")
    try:
        facts: dict[str, str] = json.loads((home / "run" / "services.json").read_text())
        return facts["redis_url"]
    except (OSError, ValueError, KeyError):
        raise SystemExit(NO_REDIS) from None
