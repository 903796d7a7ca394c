"""What the keys of the console do, and which key a reviewer gave to what.

A key is a letter or another single character, in lower case, "Space", or a function key that browsers leave alone. A
command without a key ("") is still there as a control.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMED = ("Space", "F1", "F2", "F3", "F4", "F6", "F7", "F8", "F9", "F10")
#: Categories have the digits, in the order of the label schema.
RESERVED = frozenset(string.digits) - {"0"}


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a key does: the name by which the console's script knows it, and its key unless changed."""

    name: str
    key: str
    does: str | Promise


COMMANDS = (
    Command("release", "a", _("release; again submits")),
    Command("redact", "r", _("redact and release; again submits")),
    Command("block", "b", _("block; again submits")),
    Command("unsure", "u", _("unsure; again submits")),
    Command("edit", "e", _("edit the output")),
    Command("skip", "s", _("skip")),
    Command("escalate", "x", _("escalate to the leads")),
    Command("hold", "h", _("hold for later")),
    Command("alike", "g", _("near-duplicates: read them, decide once")),
    Command("findings", "F2", _("go through the findings, and leave them")),
    Command("keep", "Space", _("keep or drop the finding")),
    Command("retype", "t", _("among the findings: change the type of the mark")),
    Command("start_back", "[", _("move its start, one character earlier")),
    Command("start_on", "]", _("move its start, one character later")),
    Command("end_back", "{", _("move its end, one character earlier")),
    Command("end_on", "}", _("move its end, one character later")),
    Command("mark", "n", _("mark what is selected; among the findings also a text you type")),
    Command("left", ",", _("of two outputs the left one is better; again: slightly")),
    Command("right", ".", _("of two outputs the right one is better; again: slightly")),
    Command("tie", "=", _("both outputs are as good")),
    Command("policy", "/", _("search the policy, and choose a rule as the reason")),
    Command("reveal", "m", _("show covered text, as long as it is held")),
    Command("pause", "p", _("blank the screen and pause")),
    Command("note", "w", _("write a note")),
    Command("comment", "c", _("comment, on the marked words if there are any")),
    Command("undo", "z", _("take the last decision back, while its time runs")),
    Command("help", "?", _("show the keys")),
)
_NAMES = {command.name for command in COMMANDS}


def normalised(text: str) -> str:
    """Return the key that a person means by `text`, "" for none; raise ValueError when it can not be one."""
    text = text.strip()
    for name in NAMED:
        if text.lower() == name.lower():
            return name
    key = text.lower()
    if key and (len(key) > 1 or not key.isprintable() or key in RESERVED):
        raise ValueError(key)
    return key


def key_map(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the key of every command: what was `chosen`, else its own unless that was chosen for another one."""
    given = {name: key for name, key in chosen.items() if name in _NAMES}
    taken = set(given.values()) - {""}
    return {command.name: given.get(command.name, "" if command.key in taken else command.key) for command in COMMANDS}


def conflicts(keys: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the commands of each key that more than one has."""
    used = Counter(key for key in keys.values() if key)
    return {key: [name for name, its in keys.items() if its == key] for key, times in used.items() if times > 1}


def printed(key: str) -> str:
    """Return a key as keyboards and controls have it."""
    return key.upper() if len(key) == 1 else key
