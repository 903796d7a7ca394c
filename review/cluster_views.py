"""The pages of near-duplicates."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from review import selectors
from review.blind import is_hidden
from review.clusters.members import LEFT_OUT, members_of, tally
from review.clusters.samples import choose_samples
from review.models import ReviewItem
from review.segments import segments
from review.services.claims import record_view
from review.views import REVIEWERS
from screening.findings import OUTPUT
from webapp.accounts.access import MemberRequest, member_required


@require_GET
@never_cache
@member_required(*REVIEWERS)
def cluster(request: MemberRequest, item: str) -> HttpResponse:
    """Show what waits of the cluster of an item: how many, how they differ, the most different ones to read."""
    found = selectors.get_item(project=request.project, public_id=item)
    return render(request, "review/cluster.html", _context(request, found))


def _context(request: MemberRequest, item: ReviewItem) -> dict[str, object]:
    hidden = is_hidden(item=item, membership=request.membership)
    members = [] if hidden else members_of(item, user=request.user)
    samples = choose_samples(item, members)
    for sample in samples:
        record_view(item=sample.item, membership=request.membership)
    found = [] if hidden else item.checked.findings.all()
    return {
        "item": item,
        "members": members,
        "samples": samples,
        "left_out": [(LEFT_OUT[why], number) for why, number in tally(members).items()],
        "output": segments(item.checked.content.output or "", [one for one in found if one.target == OUTPUT]),
        "hidden": hidden,
    }
