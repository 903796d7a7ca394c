"""The navigation of a project."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import template
from django.urls import NoReverseMatch, reverse

from webapp.accounts.models import Membership, Role

register = template.Library()

EVERYONE = tuple(Role)
#: URL name, what the link says, and who sees it. A room that is not installed has no link.
ROOMS: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("review:queues", "Review", EVERYONE),
    ("interception:traffic", "Traffic", EVERYONE),
    ("policies:list", "Policies", EVERYONE),
    ("datasets:list", "Datasets", EVERYONE),
    ("audit:report", "Compliance", (Role.OWNER, Role.COMPLIANCE)),
    ("accounts:members", "Members", (Role.OWNER,)),
    ("accounts:applications", "Applications", (Role.OWNER,)),
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
    links = [_link(name, label, membership, path) for name, label, roles in ROOMS if membership.role in roles]
    return {"links": [link for link in links if link is not None]}


def _link(name: str, label: str, membership: Membership, path: str) -> Link | None:
    try:
        href = reverse(name, args=[membership.project.slug])
    except NoReverseMatch:
        return None
    return Link(label, href, path.startswith(href))
