"""Read YAML into plain data and remember the line of every value.

Refused: aliases (they can grow without bound when expanded), duplicate keys, tags other than the plain ones, more than
256 KiB.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

from screening.sentences import NOTHING, Sentence, say

MAX_SIZE = 256 * 1024
MAX_DEPTH = 40

Path = tuple[str | int, ...]
_ISSUE = "%(place)s%(path)s: %(message)s%(hint)s"
_HINT = " (%(hint)s)"


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault of a document. `line` counts from 1; 0 when the document has no lines (JSON)."""

    path: str
    line: int
    message: Sentence
    hint: Sentence

    @classmethod
    def at(cls, path: Path, lines: dict[Path, int], message: Sentence, hint: Sentence = NOTHING) -> Issue:
        """Make an issue for a value, with the line of the value or of the nearest one that encloses it."""
        known = path
        while known and known not in lines:
            known = known[:-1]
        dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        return cls(path=dotted, line=lines.get(known, 0), message=message, hint=hint)

    @property
    def sentence(self) -> Sentence:
        """The whole of it on one line."""
        place = say("line %(line)s: ", line=self.line) if self.line else ""
        path = self.path or say("document")
        hint = Sentence(f" ({self.hint})", _HINT, {"hint": self.hint}) if self.hint else ""
        values = {"place": place, "path": path, "message": self.message, "hint": hint}
        return Sentence(_ISSUE % values, _ISSUE, values)

    def __str__(self) -> str:
        return str(self.sentence)


class PolicyError(ValueError):
    """The document is not a policy."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(str(issue) for issue in issues))
        self.issues = issues


def did_you_mean(word: str, known: Iterable[str]) -> Sentence:
    """Return a hint naming the nearest of `known`, NOTHING when none is near."""
    near = get_close_matches(word, list(known), n=1)
    return say("did you mean %(known)s?", known=repr(near[0])) if near else NOTHING


A_POLICY = (say("a policy is a mapping with `name` and `rules`"), say("see docs/reference/policy.md"))


def read_yaml(source: str, expected: tuple[Sentence, Sentence] = A_POLICY) -> tuple[Any, dict[Path, int]]:
    """Return the data of a YAML document and the line of every path in it.

    `expected`: message and hint for a document that is no mapping. Raises PolicyError.
    """
    if len(source.encode(errors="surrogatepass")) > MAX_SIZE:
        message = say("the document is larger than %(most)s KiB", most=MAX_SIZE // 1024)
        raise PolicyError([Issue("", 0, message, say("split it"))])
    loader = yaml.SafeLoader(source)
    try:
        _refuse_aliases(source)
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        data = _plain(loader, node, (), lines) if node is not None else None
    except yaml.YAMLError as error:
        raise PolicyError([_syntax(error)]) from None
    finally:
        loader.dispose()
    if not isinstance(data, dict):
        raise PolicyError([Issue("", 1, *expected)])
    return data, lines


def _refuse_aliases(source: str) -> None:
    for event in yaml.parse(source, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise PolicyError([Issue("", line, say("aliases are not allowed"), say("write the value out"))])


def _plain(loader: yaml.SafeLoader, node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if len(path) > MAX_DEPTH:
        message = say("nested deeper than %(most)s", most=MAX_DEPTH)
        raise PolicyError([Issue.at(path, lines, message, say("flatten it"))])
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, child, (*path, index), lines) for index, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines)
    if node.tag not in _SCALARS:
        message = say("the tag %(tag)s is not allowed", tag=node.tag)
        raise PolicyError([Issue.at(path, lines, message, say("use plain values"))])
    return loader.construct_object(node)


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        # The key as written: YAML 1.1 would read the field name `on` as true.
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
        if not key:
            raise PolicyError([Issue.at(path, lines, say("keys are plain words"), say("quote the key"))])
        if key in result:
            lines[(*path, key)] = key_node.start_mark.line + 1
            raise PolicyError([Issue.at((*path, key), lines, say("this key is given twice"), say("remove one"))])
        result[key] = _plain(loader, value_node, (*path, key), lines)
        lines[(*path, key)] = key_node.start_mark.line + 1
    return result


_SCALARS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")}


def _syntax(error: yaml.YAMLError) -> Issue:
    mark = getattr(error, "problem_mark", None)
    # The library's own words.
    problem = getattr(error, "problem", None) or type(error).__name__
    message = say("not valid YAML: %(problem)s", problem=problem)
    return Issue("", mark.line + 1 if mark else 1, message, say("check indentation, colons and quotes"))
