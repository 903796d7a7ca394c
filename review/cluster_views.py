"""The pages of near-duplicates: read what is alike, decide it once, see what came of it."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from review import selectors
from review.blind import is_hidden
from review.clusters.members import LEFT_OUT, Member, members_of, tally
from review.clusters.samples import choose_samples
from review.drafts import Draft
from review.errors import InvalidAnswer, ReviewError
from review.models import Assignment, ClusterDecision, ReviewItem
from review.models.clusters import MemberState
from review.numbers import finding_ids
from review.page import build_page
from review.posted import read_draft, read_submission
from review.services.claims import record_view
from review.services.cluster_decisions import decide_cluster, why_alone
from review.slot_views import STATUS
from review.views import REVIEWERS
from webapp.accounts.access import MemberRequest, member_required

#: Items that the page of a decision lists of each kind.
LISTED = 100


@require_GET
@never_cache
@member_required(*REVIEWERS)
def cluster(request: MemberRequest, item: str) -> HttpResponse:
    """Show what waits of the cluster of an item: how many, how they differ, the most different ones to read."""
    found = selectors.get_item(project=request.project, public_id=item)
    slot = selectors.own_slot(item=found, user=request.user)
    return _render_cluster(request, found, slot, uncovered=request.GET.get("show") == "text")


def _render_cluster(
    request: MemberRequest,
    item: ReviewItem,
    slot: Assignment | None,
    *,
    draft: Draft | None = None,
    status: int = 200,
    uncovered: bool = False,
) -> HttpResponse:
    """Show the page. Who sends the form has seen its texts: they come back uncovered."""
    hidden = is_hidden(item=item, membership=request.membership)
    members = [] if hidden else members_of(item, user=request.user)
    samples = choose_samples(item, members)
    for sample in samples:
        record_view(item=sample.item, membership=request.membership)
    leased = slot is not None and slot.lease_token is not None
    alone = why_alone(item)
    covered = sum(member.slot is not None for member in members)
    context = {
        "page": build_page(
            item=item,
            membership=request.membership,
            slot=slot if leased else None,
            draft=draft,
            uncovered=uncovered or draft is not None,
            beside=[sample.item for sample in samples],
        ),
        "members": members,
        "samples": samples,
        # What is judged blind tells its severity nowhere, not even so.
        "gravest": max((sample.item.severity for sample in samples if not sample.item.is_blind_now), default=0),
        "left_out": _reasons(members),
        "covered": covered,
        "may_decide": leased and covered and not alone,
        "why_not": alone or _("A decision would cover none of them: each is left out."),
        "until": timezone.now().isoformat(),
        "hidden": hidden,
    }
    return render(request, "review/cluster.html", context, status=status)


def _reasons(members: list[Member]) -> list[tuple[object, int]]:
    return [(LEFT_OUT[why], number) for why, number in tally(members).items()]


def _until(text: str) -> dt.datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:  # the 30th of February
        return None


@require_POST
@never_cache
@member_required(*REVIEWERS)
def decide(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Decide an item and what waits like it; a refused answer is shown again with what was filled in."""
    found = selectors.get_slot(project=request.project, slot_id=slot)
    try:
        posted = read_submission(request.POST, finding_ids(found.item.checked), found.item.checked.content.output)
        until = _until(request.POST.get("until", ""))
        if until is None:
            raise InvalidAnswer(_("The form was incomplete. Reload the page and submit again."))
        done, decided = decide_cluster(
            slot=found,
            membership=request.membership,
            lease_token=posted.lease_token,
            item_version=posted.item_version,
            idempotency_key=posted.idempotency_key,
            answer=posted.answer,
            until=until,
        )
    except ReviewError as error:
        item = selectors.get_item(project=request.project, public_id=found.item.public_id)
        own = selectors.own_slot(item=item, user=request.user)
        draft = read_draft(request.POST, finding_ids(item.checked), error=str(error))
        return _render_cluster(request, item, own, draft=draft, status=STATUS[type(error)])
    if decided is None:
        messages.warning(request, done.message)
        return redirect("review:item", request.project.slug, found.item.public_id)
    return redirect("review:cluster-decision", request.project.slug, decided.id)


@require_GET
@never_cache
@member_required()
def cluster_decision(request: MemberRequest, cluster: uuid.UUID) -> HttpResponse:
    """Show which items a decision of near-duplicates covers, and which were left out and why."""
    decisions = ClusterDecision.objects.select_related("item", "queue", "decision", "annotation", "decided_by")
    found = decisions.filter(id=cluster, queue__project=request.project).first()
    if found is None:
        raise Http404("No such decision.")
    members = list(found.members.select_related("item").order_by("state", "item"))
    left_out = [Member(one.item, left_out=one.why) for one in members if one.state == MemberState.LEFT_OUT]
    context = {
        "cluster": found,
        "covered": [one.item for one in members if one.state != MemberState.LEFT_OUT],
        "decided": sum(one.state == MemberState.DECIDED for one in members),
        "reasons": _reasons(left_out),
        "left_out": [(one.item, LEFT_OUT[one.left_out]) for one in left_out[:LISTED]],
        "listed": LISTED,
        "followers": ReviewItem.objects.filter(decisions__precedent=found.decision_id).order_by("-id")[:LISTED],
        "own": found.decided_by_id == request.user.id,
    }
    return render(request, "review/cluster_decision.html", context)
