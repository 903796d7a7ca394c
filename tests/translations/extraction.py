"""Find what is to be translated: in Python, in templates, in scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.template import Engine, Template
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).resolve().parents[2]
ENGINE = "guardrails/screening"
ROOMS = ("webapp", "review", "feedback", "guardrails/policies", ENGINE)
FUNCTIONS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "say": None,
    "to_say": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
#: Also what is said in the middle of a template string of JavaScript.
OPTIONS = {"parse_template_string": True}
#: A literal among the arguments of a tag: {% include "x" with title=_("Split") %}.
IN_TAGS = re.compile(r"""\b_\((["'])(.+?)\1\)""")

#: One text, or singular and plural; where it is; the context, or "".
Found = tuple[str | tuple[str, str], str, str]


def pages() -> Catalog:
    """Return the texts of Python and templates (the domain "django")."""
    return _catalog([*_python(), *_templates()])


def scripts() -> Catalog:
    """Return the texts of scripts (the domain "djangojs")."""
    return _catalog(_from_source("javascript", sorted((ROOT / "webapp" / "static" / "js").rglob("*.js"))))


def _catalog(found: Iterator[Found] | list[Found]) -> Catalog:
    catalog = Catalog(fuzzy=False)
    for text, place, context in sorted(found, key=lambda one: (one[1], str(one[0]), one[2])):
        catalog.add(text, locations=[(place, 0)], context=context or None)
    return catalog


def _python() -> Iterator[Found]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    yield from _from_source("python", [path for path in sorted(files) if "migrations" not in path.parts])


def _from_source(method: str, files: list[Path]) -> Iterator[Found]:
    for path in files:
        source = BytesIO(path.read_bytes())
        # "_" is in almost every file, as a name of what nobody needs: only calls with a literal are extracted.
        for _line, text, _comments, context in extract(method, source, keywords=FUNCTIONS, options=OPTIONS):
            message = (text[0], text[1]) if isinstance(text, tuple) else text
            yield message, path.relative_to(ROOT).as_posix(), context or ""


def _templates() -> Iterator[Found]:
    engine = Engine.get_default()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        place = path.relative_to(ROOT).as_posix()
        source = path.read_text()
        for text, context in _of_template(engine.from_string(source)):
            yield text, place, context
        for match in IN_TAGS.finditer(source):
            yield _doubled(match[2]), place, ""


def _of_template(template: Template) -> Iterator[tuple[str | tuple[str, str], str]]:
    for node in template.nodelist.get_nodes_by_type(Node):
        if isinstance(node, TranslateNode):
            literal = getattr(node.filter_expression.var, "literal", None)
            if literal is not None:
                yield _doubled(str(literal)), _context(node)
        elif isinstance(node, BlockTranslateNode):
            singular, _names = node.render_token_list(node.singular)
            plural, _names = node.render_token_list(node.plural) if node.plural else ("", [])
            yield (singular, plural) if plural else singular, _context(node)


def _doubled(literal: str) -> str:
    """Return a literal of a template as Django looks it up."""
    return literal.replace("%", "%%")


def _context(node: TranslateNode | BlockTranslateNode) -> str:
    return str(node.message_context.var) if node.message_context else ""
