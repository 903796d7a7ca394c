"""Find text in a script that nobody can translate."""

from __future__ import annotations

import re
from collections.abc import Iterator

from babel.messages.jslexer import Token, tokenize, unquote_string

from tests.translations.extraction import FUNCTIONS

CALLS = set(FUNCTIONS) - {"_"}
LITERALS = ("string", "template_string")
#: What a template string puts in from elsewhere.
FILLED = re.compile(r"\$\{[^}]*\}")
#: Two words of prose, or a sentence of one.
PROSE = re.compile(r"[^\W\d_]{2,},? +[^\W\d_]{2,}|^[A-Z][a-z]{2,}[.…]$")
#: Selectors, markup, addresses, types and what scripts are told to be strict by are for machines.
CODE = re.compile(r"[\[\]#<>=/{}]|^\.|^use strict$|^[a-z-]+(\.[a-z-]+)+( |$)")


def bare_script_text(source: str) -> Iterator[str]:
    """Yield the literals that read like prose, are no classes, and are not handed to a function that translates."""
    tokens = [token for token in tokenize(source, jsx=False) if token.type not in ("linecomment", "multilinecomment")]
    for at, token in enumerate(tokens):
        if token.type in LITERALS and not _is_for_machines(tokens, at):
            text = FILLED.sub(" ", unquote_string(token.value) if token.type == "string" else token.value[1:-1]).strip()
            if PROSE.search(text) and not CODE.search(text):
                yield text


def _is_for_machines(tokens: list[Token], at: int) -> bool:
    """Whether the call that the literal is an argument of translates it, or it names classes."""
    if at > 1 and tokens[at - 1].value == "=" and tokens[at - 2].value.endswith("className"):
        return True
    depth = 0
    for before in reversed(range(at)):
        value = tokens[before].value
        depth += {")": 1, "(": -1}.get(value, 0)
        if depth < 0:
            return tokens[before - 1].value in CALLS
        if value in (";", "{", "}"):
            return False
    return False
