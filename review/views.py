"""Pages of the console."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from review import selectors, services
from review.blind import is_hidden
from review.comments import mark_read, mentions_of, unread_mentions
from review.drafts import Draft
from review.errors import InvalidAnswer, SlotLost
from review.exposure import own_exposure
from review.golden import golden_of, open_pauses
from review.holds import kept_slots
from review.models import Assignment, Queue, ReviewItem
from review.numbers import finding_ids
from review.own import own_figures
from review.page import build_page, redaction_of
from review.posted import read_draft
from review.profiles import missing_skills
from review.qa import corrections_of, errors_of
from review.rest import due_rest
from review.services.claims import record_view
from review.services.exposure import note_shown
from review.suggestions import taken_over
from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.models import Role, User
from webapp.accounts.selectors import members_of

PAUSED = gettext_lazy("A lead paused this queue: it gives out nothing new until it goes on.")
LEADS = (Role.OWNER, Role.LEAD)
REVIEWERS = (Role.OWNER, Role.LEAD, Role.REVIEWER)


@require_GET
@never_cache
@member_required()
def queues(request: MemberRequest) -> HttpResponse:
    leads = request.membership.role in LEADS
    overview = selectors.queue_overview(
        project=request.project,
        user=request.user,
        probes=not leads,
        blind_apart=request.membership.role == Role.REVIEWER,
    )
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    context = {
        "queues": overview,
        "may_review": request.membership.role in REVIEWERS,
        "may_lead": request.membership.role in LEADS,
        "today": selectors.answered_since(project=request.project, user=request.user, since=today),
        "undoable": selectors.newest_undoable(project=request.project, user=request.user),
        "unread": unread_mentions(project=request.project, user=request.user),
        "kept": kept_slots(membership=request.membership),
    }
    pauses = open_pauses(request.project)
    context |= {"pauses": pauses} if leads else {"own_pauses": pauses.filter(reviewer=request.user)}
    return render(request, "review/queues.html", context)


@require_GET
@never_cache
@member_required(*REVIEWERS)
def mine(request: MemberRequest) -> HttpResponse:
    """Show this member's own figures, and what they answered lately."""
    return render_own(request, request.user)


def render_own(request: MemberRequest, person: User) -> HttpResponse:
    context: dict[str, object] = {
        "person": person,
        "figures": own_figures(project=request.project, user=person, probes=person == request.user),
        "answers": selectors.recent_answers(project=request.project, user=person),
        "errors": errors_of(project=request.project, user=person),
        "corrections": corrections_of(project=request.project, user=person),
    }
    # A figure that moved with every golden answer would tell which one it was: reviewers see it once they are paused.
    paused = open_pauses(request.project).filter(reviewer=person)
    if (request.membership.role in LEADS and person != request.user) or paused:
        context |= {"golden": golden_of(project=request.project, user=person), "own_pauses": paused}
    if person == request.user:
        context["own_exposure"] = own_exposure(user=person)
    if request.membership.role in LEADS:
        context["people"] = members_of(request.project).filter(role__in=REVIEWERS).exclude(user=person)
    if person == request.user:
        context["mentions"] = mentions_of(project=request.project, user=person)
    return render(request, "review/mine.html", context)


@require_POST
@member_required(*REVIEWERS)
def work(request: MemberRequest, queue: str) -> HttpResponse:
    """Claim the next items of a queue and go to the first."""
    return go_on(request, selectors.get_queue(project=request.project, slug=queue))


def go_on(request: MemberRequest, queue: Queue) -> HttpResponse:
    """Redirect to the item that the member works on next, or to the queues when there is none."""
    slots = services.claim_items(queue=queue, membership=request.membership)
    if slots:
        return redirect("review:item", request.project.slug, slots[0].item.public_id)
    if due_rest(membership=request.membership, now=timezone.now()):
        return redirect("review:rest", request.project.slug)
    reason = PAUSED if queue.paused else gettext("Nothing is waiting for you in this queue.")
    if open_pauses(request.project).filter(reviewer=request.user, queue=queue).exists():
        reason = gettext("You are paused in this queue: a lead has to let you go on.")
    if missing := missing_skills(queue=queue, membership=request.membership):
        reason = gettext("This queue needs skills that you do not have: %(skills)s.") % {"skills": ", ".join(missing)}
    messages.info(request, reason)
    return redirect("review:queues", request.project.slug)


@require_GET
@never_cache
@member_required()
def item(request: MemberRequest, item: str) -> HttpResponse:
    """Show an item: to work on when it is reserved for this member, else to read."""
    found = selectors.get_item(project=request.project, public_id=item)
    slot = _working_slot(request, found)
    if slot is None:
        record_view(item=found, membership=request.membership)
    draft = taken_over(slot, request.membership, request.GET["take"]) if slot and "take" in request.GET else None
    return render_item(request, found, slot, draft=draft, uncovered=request.GET.get("show") == "text")


def _working_slot(request: MemberRequest, item: ReviewItem) -> Assignment | None:
    if request.membership.role not in REVIEWERS:
        return None
    slot = selectors.own_slot(item=item, user=request.user)
    if slot is None or slot.lease_token is None:
        return None
    slot.item = item
    try:
        slot.lease_expires_at = services.show(slot=slot, user=request.user, lease_token=slot.lease_token)
    except SlotLost:
        return None
    services.mark_opened(slot=slot, membership=request.membership)
    return slot


def render_item(
    request: MemberRequest,
    item: ReviewItem,
    slot: Assignment | None,
    *,
    draft: Draft | None = None,
    status: int = 200,
    uncovered: bool = False,
) -> HttpResponse:
    """Show an item. Who sends a form from a page without scripts has seen its texts: they come back uncovered."""
    mark_read(item=item, membership=request.membership)
    seen = uncovered or draft is not None
    page = build_page(item=item, membership=request.membership, slot=slot, draft=draft, uncovered=seen)
    if slot is not None and slot.lease_token is not None and page.cover is None:
        note_shown(slot=slot, membership=request.membership, lease=slot.lease_token)
    return render(request, "review/item.html", {"page": page, **frame_facts(request, item.queue)}, status=status)


def frame_facts(request: MemberRequest, queue: Queue) -> dict[str, object]:
    """Return what the strip above the panels shows."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "queue": queue,
        "waiting": selectors.waiting_in(queue=queue),
        "today": selectors.answered_since(project=request.project, user=request.user, since=today),
        "undoable": selectors.newest_undoable(project=request.project, user=request.user),
        "may_lead": request.membership.role in LEADS,
        "sees_names": request.membership.role in (Role.OWNER, Role.LEAD, Role.COMPLIANCE),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*REVIEWERS)
def redacted(request: MemberRequest, item: str) -> HttpResponse:
    """Return the output as plain text without its findings; posted, as the form of the item page has them now."""
    found = selectors.get_item(project=request.project, public_id=item)
    if selectors.own_slot(item=found, user=request.user) is None:
        raise Http404("Not reserved for you.")
    if is_hidden(item=found, membership=request.membership):
        raise Http404("What the machine found is not shown before the answer.")
    try:
        text = redaction_of(found, read_draft(request.POST, finding_ids(found.checked), error=""))
    except InvalidAnswer as error:
        return HttpResponse(str(error), content_type="text/plain; charset=utf-8", status=422)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
