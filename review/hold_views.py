"""What reviewers do to items that they keep for later. Scripts get JSON, plain forms are redirected."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from review import selectors, services
from review.errors import ReviewError
from review.posted import read_token
from review.slot_views import note_effort, panels, passed_on, refused, wants_json
from review.views import REVIEWERS
from webapp.accounts.access import MemberRequest, member_required

#: For how long the console offers to go on with what was just held.
SECONDS_OFFERED = 10


@require_POST
@member_required(*REVIEWERS)
def hold(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Keep an item for its holder, and go on with another."""
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        reason = request.POST.get("reason", "").strip()
        services.hold(slot=found, membership=request.membership, lease_token=read_token(request.POST), reason=reason)
    except ReviewError as error:
        return refused(request, found, error)
    note_effort(request, found)
    if not wants_json(request):
        return passed_on(request, found)
    url = reverse("review:resume", args=[request.project.slug, found.id])
    undo = {"url": url, "seconds": SECONDS_OFFERED, "outcome": "held"}
    return JsonResponse({"status": "accepted", "message": "", "undo": undo})


@require_POST
@never_cache
@member_required(*REVIEWERS)
def resume(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Go on with an item that the member holds."""
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        resumed = services.resume(slot=found, membership=request.membership)
    except ReviewError as error:
        return refused(request, found, error)
    if wants_json(request):
        return JsonResponse({"status": "resumed", "message": "", "html": panels(request, resumed)})
    return redirect("review:item", request.project.slug, found.item.public_id)
