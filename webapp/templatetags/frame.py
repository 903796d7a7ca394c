"""The navigation of a project."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import template
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import Membership

register = template.Library()

#: URL name, and what the link says. A room that is not installed has no link.
ROOMS = (
    ("review:queues", _("Review")),
    ("interception:traffic", _("Traffic")),
    ("policies:list", _("Policies")),
    ("datasets:list", _("Datasets")),
    ("audit:report", _("Compliance")),
    ("accounts:members", _("Members")),
    ("accounts:applications", _("Applications")),
    ("accounts:settings", _("Settings")),
)


class Link(NamedTuple):
    label: str | Promise
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


def _link(name: str, label: str | Promise, membership: Membership, path: str) -> Link | None:
    try:
        href = reverse(name, args=[membership.project.slug])
    except NoReverseMatch:
        return None
    roles = getattr(resolve(href).func, "member_roles", ())
    if roles and membership.role not in roles:
        return None
    return Link(label, href, path.startswith(href))
