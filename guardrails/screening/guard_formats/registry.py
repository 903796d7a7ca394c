"""The formats by the names that the models file uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from screening.guard_formats import chat, granite_guardian, llama_guard, qwen3guard, shieldgemma
from screening.guard_formats.base import Call, GuardFormat

FORMATS: dict[str, GuardFormat] = {
    "llama_guard": llama_guard,
    "qwen3guard": qwen3guard,
    "granite_guardian": granite_guardian,
    "shieldgemma": shieldgemma,
    "chat": chat,
}

#: Those that can tell whether documents support a sentence.
GROUNDING: dict[str, Callable[[str, Sequence[str]], Call]] = {
    "chat": chat.grounding_call,
    "granite_guardian": granite_guardian.grounding_call,
}
