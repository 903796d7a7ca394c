"""Who may see what: every page of a project begins with `member_required`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from webapp.accounts.models import Membership, Project, Role, User

P = ParamSpec("P")


class MemberRequest(HttpRequest):
    """A request of a signed-in member, inside one project."""

    user: User
    htmx: HtmxDetails
    membership: Membership
    project: Project


def member_required(
    *roles: Role,
) -> Callable[[Callable[Concatenate[MemberRequest, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Let members with one of `roles` in (any member when none is named); the view's URL has a `project` slug.

    Others who are signed in get 404, as if the project did not exist; members with another role get 403.
    """

    def decorate(view: Callable[Concatenate[MemberRequest, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def inner(request: MemberRequest, project: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            membership = membership_of(request.user, project)
            if roles and membership.role not in roles:
                raise PermissionDenied(_("Your role in this project does not include this page; ask an owner."))
            request.membership = membership
            request.project = membership.project
            return view(request, *args, **kwargs)

        # The navigation reads it, so that it offers nobody a page that would refuse them.
        inner.__dict__["member_roles"] = roles
        return inner

    return decorate


def membership_of(user: User, slug: str) -> Membership:
    """Return the user's membership in the project; raise Http404 when there is none."""
    try:
        return Membership.objects.select_related("project").get(project__slug=slug, user=user)
    except Membership.DoesNotExist:
        raise Http404("No such project.") from None
