"""Find what pages say of mistakes, and what forms ask, in Python that nobody can translate."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

#: Raised or returned while a page is made, or stored to be shown on one.
SHOWN_ERRORS = {
    "BadFile",
    "CheckpointRefused",
    "DatasetError",
    "ExportFailed",
    "ImportStopped",
    "InvalidAnswer",
    "ItemChanged",
    "KeyUnusable",
    "LogDamaged",
    "NothingDecided",
    "PeriodError",
    "SettingsChanged",
    "SettingsTaken",
    "Skip",
    "SlotLost",
    "TooLate",
    "ValidationError",
    "VersionChanged",
    "WorkersBusy",
}
SHOWING = {"error", "success", "warning", "info", "add_error"}
SHOWN_BY = {"messages", "form"}
#: Raised in the engine's options and policies, whose writers read what they say.
ENGINE_ERRORS = {"Fault", "Issue", "PatternError", "ValueError"}
OPTIONS = {"label", "help_text", "empty_label"}
PROSE = re.compile(r"[^\W\d_]{2,},? [^\W\d_]{2,}")


def bare_messages(source: str, *, form: bool = False, engine: bool = False) -> Iterator[str]:
    """Yield the texts that readers are shown and that no function translates.

    `form`: labels of fields too; `engine`: it is the engine, which says what is wrong with a policy.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            shown = [*node.args] if _shows(node.func, ENGINE_ERRORS if engine else SHOWN_ERRORS) else []
            shown += [option.value for option in node.keywords if form and option.arg in OPTIONS]
            yield from (text for text in map(_text, shown) if PROSE.search(text))


def _shows(called: ast.expr, errors: set[str]) -> bool:
    if isinstance(called, ast.Attribute) and called.attr in SHOWING:
        return isinstance(called.value, ast.Name) and called.value.id in SHOWN_BY
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    return name in errors


def _text(node: ast.expr) -> str:
    """Return a literal, with "x" for what an f-string puts in; "" for anything else."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value if isinstance(part, ast.Constant) else "x" for part in parts]
    return "".join(text for text in texts if isinstance(text, str)) if texts != ["x"] else ""
