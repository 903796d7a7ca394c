"""What leads do to the slots of others."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from review import selectors, services
from review.errors import InvalidAnswer, ReviewError
from review.models import Assignment
from review.views import LEADS, REVIEWERS
from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.models import Membership
from webapp.accounts.selectors import members_of


@require_POST
@member_required(*LEADS)
def assign(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Give a slot to a member of the project."""
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        assignee = _member(request)
        services.assign(slot=found, assignee=assignee, membership=request.membership, seen=_seen(request))
    except ReviewError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Assigned to %(name)s.") % {"name": assignee.user.get_username()})
    return _back(request, found)


@require_POST
@member_required(*LEADS)
def take_back(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Put a slot back into the pool, whoever has it."""
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        services.take_back(slot=found, membership=request.membership, seen=_seen(request))
    except ReviewError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("It waits in its queue for anybody."))
    return _back(request, found)


def _member(request: MemberRequest) -> Membership:
    chosen = _uuid(request.POST.get("person", ""))
    found = members_of(request.project).filter(user=chosen, role__in=REVIEWERS).first() if chosen else None
    if found is None:
        raise InvalidAnswer(_("Choose a reviewer of this project."))
    return found


def _seen(request: MemberRequest) -> uuid.UUID | None:
    return _uuid(request.POST.get("seen", ""))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _back(request: MemberRequest, slot: Assignment) -> HttpResponse:
    if "list" in request.POST:
        return redirect("review:queues", request.project.slug)
    return redirect("review:item", request.project.slug, slot.item.public_id)
