"""The navigation of a project."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import template
from django.urls import NoReverseMatch, resolve, reverse

from webapp.accounts.models import Membership

register = template.Library()

#: URL name, and what the link says. A room that is not installed has no link.
ROOMS = (
    ("review:queues", "Review"),
    ("interception:traffic", "Traffic"),
    ("policies:list", "Policies"),
    ("datasets:list", "Datasets"),
    ("audit:report", "Compliance"),
    ("accounts:members", "Members"),
    ("accounts:applications", "Applications"),
    ("accounts:settings", "Settings"),
)


class Link(NamedTuple):
    label: str
    href: str
    current: bool


@register.inclusion_tag("_nav.html", takes_context=True)
def project_nav(context: template.Context) -> dict[str, Any]:
    """Return the links to the rooms of the project that the member's role allows."""
    membership: Membership | None = context.get("membership")
    if membership is None:
        return {"links": []}
    path = context["request"].path
    links = [_link(name, label, membership, path) for name, label in ROOMS]
    return {"links": [link for link in links if link is not None]}


def _link(name: str, label: str, membership: Membership, path: str) -> Link | None:
    try:
        href = reverse(name, args=[membership.project.slug])
    except NoReverseMatch:
        return None
    roles = getattr(resolve(href).func, "member_roles", ())
    if roles and membership.role not in roles:
        return None
    return Link(label, href, path.startswith(href))
