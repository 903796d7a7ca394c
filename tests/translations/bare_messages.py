"""Find what pages say of mistakes, and what forms ask, in Python that nobody can translate."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

#: Raised while a page is made, and shown on it as they are.
SHOWN_ERRORS = {
    "BadFile",
    "CheckpointRefused",
    "ImportStopped",
    "InvalidAnswer",
    "ItemChanged",
    "KeyUnusable",
    "LogDamaged",
    "PeriodError",
    "SettingsChanged",
    "SettingsTaken",
    "SlotLost",
    "TooLate",
    "ValidationError",
}
SHOWING = {"error", "success", "warning", "info", "add_error"}
SHOWN_BY = {"messages", "form"}
OPTIONS = {"label", "help_text", "empty_label"}
PROSE = re.compile(r"[^\W\d_]{2,},? [^\W\d_]{2,}")


def bare_messages(source: str, *, form: bool) -> Iterator[str]:
    """Yield the texts that readers are shown and that no function translates; `form`: labels of fields too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            shown = [*node.args] if _shows(node.func) else []
            shown += [option.value for option in node.keywords if form and option.arg in OPTIONS]
            yield from (text for text in map(_text, shown) if PROSE.search(text))


def _shows(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute) and called.attr in SHOWING:
        return isinstance(called.value, ast.Name) and called.value.id in SHOWN_BY
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    return name in SHOWN_ERRORS


def _text(node: ast.expr) -> str:
    """Return a literal, with "x" for what an f-string puts in; "" for anything else."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value if isinstance(part, ast.Constant) else "x" for part in parts]
    return "".join(text for text in texts if isinstance(text, str)) if texts != ["x"] else ""
