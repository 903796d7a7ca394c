"""The policies that ship."""

from __future__ import annotations

from pathlib import Path

PACKS = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"))}


def read_pack(name: str) -> str:
    """Return the YAML of a shipped policy; raise KeyError with the names there are."""
    try:
        return PACKS[name].read_text(encoding="utf-8")
    except KeyError:
        raise KeyError(f"no policy pack {name!r}; there are {', '.join(PACKS)}") from None
