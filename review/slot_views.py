"""What reviewers do to the slots they hold. Scripts get JSON, plain forms are redirected to the next item."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from review import selectors, services
from review.blind import is_hidden
from review.comments import mark_read
from review.covers import is_covered
from review.errors import InvalidAnswer, ItemChanged, ReviewError, SlotLost, TooLate
from review.models import Assignment
from review.numbers import finding_ids
from review.page import build_page
from review.posted import UNSURE, read_ask, read_draft, read_effort, read_submission, read_token
from review.rest import due_rest
from review.services.exposure import note_shown, record_exposure
from review.services.submission import Submitted
from review.views import REVIEWERS, go_on, render_item
from webapp.accounts.access import MemberRequest, member_required

STATUS = {InvalidAnswer: 422, ItemChanged: 409, SlotLost: 409, TooLate: 409}
NAMES = {InvalidAnswer: "invalid", ItemChanged: "changed", SlotLost: "lost", TooLate: "late"}


def wants_json(request: MemberRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def refusal(error: ReviewError) -> JsonResponse:
    return JsonResponse({"status": NAMES[type(error)], "message": str(error)}, status=STATUS[type(error)])


@require_POST
@never_cache
@member_required(*REVIEWERS)
def submit(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Take in an answer; a refused one is shown again with all that was filled in."""
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        posted = read_submission(request.POST, finding_ids(found.item.checked), found.item.checked.content.output)
        done = services.submit_annotation(
            slot=found,
            membership=request.membership,
            lease_token=posted.lease_token,
            item_version=posted.item_version,
            idempotency_key=posted.idempotency_key,
            answer=posted.answer,
        )
    except ReviewError as error:
        return refusal(error) if wants_json(request) else _show_again(request, found, error)
    if wants_json(request):
        status = "accepted" if done.annotation.counts else "kept"
        undo = _undo_offer(request, done)
        return JsonResponse({"status": status, "message": done.message, "undo": undo})
    if done.message:
        messages.warning(request, done.message)
    return go_on(request, found.queue)


def _undo_offer(request: MemberRequest, done: Submitted) -> dict[str, object] | None:
    seconds = done.decision.seconds_to_undo() if done.decision else 0.0
    if done.decision is None or not seconds:
        return None
    url = reverse("review:undo", args=[request.project.slug, done.decision.id])
    return {"url": url, "seconds": seconds, "outcome": done.annotation.outcome or UNSURE}


def _show_again(request: MemberRequest, slot: Assignment, error: ReviewError) -> HttpResponse:
    item = selectors.get_item(project=request.project, public_id=slot.item.public_id)
    own = selectors.own_slot(item=item, user=request.user)
    draft = read_draft(request.POST, finding_ids(item.checked), error=str(error))
    return render_item(request, item, own, draft=draft, status=STATUS[type(error)])


@require_POST
@never_cache
@member_required(*REVIEWERS)
def ahead(request: MemberRequest, queue: str) -> HttpResponse:
    """Note that slot `shown` is on screen, claim up to two, and return the panels of the one that waits behind it."""
    found = selectors.get_queue(project=request.project, slug=queue)
    answer: dict[str, object] = {"lease_seconds": None, "html": None, "waiting": None, "paused": found.paused}
    shown = _note_shown(request)
    if shown is not None:
        answer["lease_seconds"] = found.lease_seconds
    slots = services.claim_items(queue=found, membership=request.membership)
    following = next((slot for slot in slots if str(slot.id) != request.POST.get("shown")), None)
    if following is not None:
        answer["html"] = panels(request, following)
    answer["waiting"] = selectors.waiting_in(queue=found)
    if due_rest(membership=request.membership, now=timezone.now()):
        answer["rest_url"] = reverse("review:rest", args=[request.project.slug])
    answer["meter"] = render_to_string("review/_meter.html", request=request)
    return JsonResponse(answer)


def _note_shown(request: MemberRequest) -> Assignment | None:
    if not request.POST.get("shown"):
        return None
    try:
        shown = selectors.get_slot(project=request.project, slot_id=uuid.UUID(request.POST["shown"]))
        services.show(slot=shown, user=request.user, lease_token=read_token(request.POST))
    except (ValueError, ReviewError):
        return None
    mark_read(item=shown.item, membership=request.membership)
    hidden = is_hidden(item=shown.item, membership=request.membership)
    if not is_covered(item=shown.item, membership=request.membership, blind=hidden):
        note_shown(slot=shown, membership=request.membership, lease=read_token(request.POST))
    return shown


def panels(request: MemberRequest, slot: Assignment) -> str:
    item = selectors.get_items(ids=[slot.item_id])[slot.item_id]
    slot.item = item
    services.mark_opened(slot=slot, membership=request.membership)
    page = build_page(item=item, membership=request.membership, slot=slot)
    return render_to_string("review/_stage.html", {"page": page, "queue": item.queue}, request=request)


@require_POST
@member_required(*REVIEWERS)
def beat(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Extend a lease because its holder is at work, and count what they see; who is leaving extends nothing."""
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        _take_beat(request, found, read_token(request.POST))
    except ReviewError as error:
        return refusal(error)
    queue = found.queue
    return JsonResponse({"status": "extended", "lease_seconds": queue.lease_seconds, "paused": queue.paused})


def _take_beat(request: MemberRequest, slot: Assignment, token: uuid.UUID) -> None:
    if "leaving" not in request.POST:
        services.heartbeat(slot=slot, user=request.user, lease_token=token)
    elif (slot.lease_owner_id, slot.lease_token) != (request.user.id, token):
        return
    effort = read_effort(request.POST)
    if "revealed" in request.POST:
        note_shown(slot=slot, membership=request.membership, lease=token, gravest=effort.gravest)
    if effort.active_ms is not None:
        record_exposure(slot=slot, membership=request.membership, lease=token, effort=effort, ends=False)


@require_POST
@member_required(*REVIEWERS)
def skip(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        reason = request.POST.get("reason", "")
        services.skip(slot=found, membership=request.membership, lease_token=read_token(request.POST), reason=reason)
    except ReviewError as error:
        return refused(request, found, error)
    note_effort(request, found)
    return passed_on(request, found)


@require_POST
@member_required(*REVIEWERS)
def escalate(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        services.escalate(
            slot=found,
            membership=request.membership,
            lease_token=read_token(request.POST),
            note=request.POST.get("note", "").strip(),
            ask=read_ask(request.POST),
        )
    except ReviewError as error:
        return refused(request, found, error)
    note_effort(request, found)
    return passed_on(request, found)


@require_POST
@member_required(*REVIEWERS)
def release(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Stop working: give back this slot and whatever waits behind it."""
    found = selectors.get_slot(project=request.project, slot_id=slot)
    if found.lease_owner_id == request.user.id:
        note_effort(request, found)
    services.release_all(queue=found.queue, user=request.user)
    return redirect("review:queues", request.project.slug)


def note_effort(request: MemberRequest, slot: Assignment) -> None:
    """Count what the member saw of an item that they passed on."""
    if slot.lease_token is not None:
        effort = read_effort(request.POST)
        record_exposure(slot=slot, membership=request.membership, lease=slot.lease_token, effort=effort)


def passed_on(request: MemberRequest, slot: Assignment) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"status": "accepted", "message": ""})
    return go_on(request, slot.queue)


def refused(request: MemberRequest, slot: Assignment, error: ReviewError) -> HttpResponse:
    if wants_json(request):
        return refusal(error)
    messages.error(request, str(error))
    return redirect(reverse("review:item", args=[request.project.slug, slot.item.public_id]))


@require_POST
@never_cache
@member_required(*REVIEWERS)
def undo(request: MemberRequest, decision: uuid.UUID) -> HttpResponse:
    """Take a decision back and return to its item, which waits as it was left; 409 when it took effect already."""
    found = selectors.get_decision(project=request.project, user=request.user, decision_id=decision)
    try:
        undone = services.undo_decision(decision=found, membership=request.membership)
    except ReviewError as error:
        if wants_json(request):
            return refusal(error)
        messages.error(request, str(error))
        item = selectors.get_item(project=request.project, public_id=found.item.public_id)
        return render_item(request, item, None, status=STATUS[type(error)])
    if wants_json(request):
        html = panels(request, undone.slot) if undone.slot else None
        return JsonResponse({"status": "undone", "message": undone.message, "html": html})
    if undone.message:
        messages.warning(request, undone.message)
    if undone.qa_slot is not None:
        return redirect("review:qa-item", request.project.slug, undone.qa_slot.id)
    return redirect("review:item", request.project.slug, undone.item.public_id)
