"""Print the keys that hold for whoever looks at the page."""

from __future__ import annotations

import json

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString

from review.keys import COMMANDS, key_map, printed
from review.profiles import profile_of

register = template.Library()


def _keys(context: template.Context) -> dict[str, str]:
    return key_map(profile_of(context["request"].membership).keys)


@register.simple_tag(takes_context=True)
def key(context: template.Context, command: str) -> SafeString | str:
    """Return the key of a command as an element; nothing when it has none."""
    its = _keys(context)[command]
    return format_html('<kbd class="js-only">{}</kbd>', printed(its)) if its else ""


@register.simple_tag(takes_context=True)
def key_of(context: template.Context, command: str) -> str:
    """Return the key of a command for a script."""
    return _keys(context)[command]


@register.simple_tag(takes_context=True)
def keys_json(context: template.Context) -> str:
    """Return the keys of all commands for the console's script."""
    return json.dumps(_keys(context))


@register.simple_tag(takes_context=True)
def key_list(context: template.Context) -> list[tuple[str, str | Promise]]:
    """Return every command's printed key and what it does, in order."""
    keys = _keys(context)
    return [(printed(keys[command.name]), command.does) for command in COMMANDS]
