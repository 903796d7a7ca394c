"""How texts look to whoever looks at the page."""

from __future__ import annotations

from django import template
from django.utils import timezone

from review.rest import Meter, meter_of
from review.wellness import comfort_of

register = template.Library()


@register.simple_tag(takes_context=True)
def look(context: template.Context) -> str:
    """Return the words of the look that this member wants."""
    return comfort_of(context["request"].membership).look


@register.simple_tag(takes_context=True)
def reveals_by(context: template.Context) -> str:
    """Return whether the key shows a text while it is held, or until it is pressed again."""
    return "toggle" if comfort_of(context["request"].membership).toggles else "hold"


@register.simple_tag(takes_context=True)
def meter(context: template.Context) -> Meter:
    """Return this member's exposure of today, and when a break is due."""
    return meter_of(membership=context["request"].membership, now=timezone.now())
