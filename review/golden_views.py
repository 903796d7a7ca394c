"""Pages on which leads make golden items, retire them, and let paused reviewers go on."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from review import selectors, services
from review.errors import InvalidAnswer
from review.golden import golden_items, open_pauses, reversed_items
from review.golden_forms import GoldenForm
from review.models import GoldenItem, ReviewerPause
from review.services.claims import record_view
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required

PAGE = 100


@require_GET
@never_cache
@member_required(*LEADS)
def golden(request: MemberRequest) -> HttpResponse:
    """List the golden items in use, and who is paused."""
    context = {
        "golden_items": Paginator(golden_items(request.project), PAGE).get_page(request.GET.get("page")),
        "reversed_items": reversed_items(request.project),
        "pauses": open_pauses(request.project),
    }
    return render(request, "review/golden.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def golden_new(request: MemberRequest, item: str) -> HttpResponse:
    """Write down the right answer to a decided item."""
    found = selectors.get_item(project=request.project, public_id=item)
    posted = request.POST if request.method == "POST" else None
    form = GoldenForm(posted, item=found)
    if posted is None:
        record_view(item=found, membership=request.membership)
    elif form.is_valid():
        try:
            services.make_golden(item=found, membership=request.membership, **form.answer())
        except InvalidAnswer as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("Reviewers of this queue get it among other items from now on."))
            return redirect("review:golden", request.project.slug)
    context = {"form": form, "item": found, "output": found.checked.content.output}
    return render(request, "review/golden_form.html", context, status=400 if form.errors else 200)


@require_POST
@member_required(*LEADS)
def golden_retire(request: MemberRequest, golden: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(GoldenItem, project=request.project, id=golden)
    services.retire_golden(golden=found, membership=request.membership)
    messages.success(request, gettext("Retired: nobody gets it any more."))
    return redirect("review:golden", request.project.slug)


@require_POST
@member_required(*LEADS)
def pause_lift(request: MemberRequest, pause: int) -> HttpResponse:
    found = get_object_or_404(ReviewerPause, queue__project=request.project, id=pause)
    services.lift_pause(pause=found, membership=request.membership)
    messages.success(request, gettext("They get items of this queue again."))
    return redirect("review:golden", request.project.slug)
