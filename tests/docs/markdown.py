"""Read our Markdown: fenced blocks in order, headings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from webapp.local.process_table import PROJECT

DOCS = PROJECT / "docs"
TOP_PAGES = [PROJECT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_HEADING = re.compile(r"^#+ (.+)$", re.M)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Part:
    """A heading or a fenced block. `kind`: "heading", or the block's language; `line` counts from 1."""

    kind: str
    text: str
    line: int


def all_pages() -> list[Path]:
    return [*TOP_PAGES, *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def parts(page: Path) -> list[Part]:
    """Return the headings and fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = [
        *((match.start(), Part(match[1] or "text", match[2], _line(text, match))) for match in _FENCE.finditer(text)),
        *((match.start(), Part("heading", match[1], _line(text, match))) for match in _headings(text)),
    ]
    return [part for _, part in sorted(found, key=lambda entry: entry[0])]


def blocks(page: Path, kind: str) -> list[str]:
    return [part.text for part in parts(page) if part.kind == kind]


def prose(page: Path) -> str:
    """Return the page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Return where the page's links and pictures lead within the repository, as written."""
    return [link for link in _LINK.findall(prose(page)) if not re.match(r"https?:|mailto:", link)]


def anchors(page: Path) -> set[str]:
    """Return the fragments of a page's headings as code hosts make them."""
    return {
        re.sub(r"[^\w\- ]", "", part.text.lower()).replace(" ", "-") for part in parts(page) if part.kind == "heading"
    }


def first_cells(page: Path) -> set[str]:
    """Return what stands between backticks in the first cells of the page's tables."""
    rows = re.findall(r"^\|([^|]*)\|", prose(page), flags=re.M)
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


def _headings(text: str) -> Iterator[re.Match[str]]:
    fenced = [match.span() for match in _FENCE.finditer(text)]
    for match in _HEADING.finditer(text):
        if not any(start <= match.start() < end for start, end in fenced):
            yield match


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1
