"""Attributes that are shown to readers, or read out to them. All others say the same in every language."""

from __future__ import annotations

SHOWN = {
    "aria-label",
    "title",
    "placeholder",
    "alt",
    "data-label",  # written beside the cells of a narrow table
    "data-sentence",  # the composed statement of reasons
    "data-found",
    "data-pass-on",  # announced
}
