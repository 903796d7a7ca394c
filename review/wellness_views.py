"""Pages about exposure and breaks."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from review.exposure import exposure_of_all, in_hand
from review.rest import due_rest
from review.services.profiles import save_wellness
from review.views import LEADS, REVIEWERS
from review.wellness import wellness_of
from review.wellness_forms import WellnessForm
from webapp.accounts.access import MemberRequest, member_required


@require_GET
@never_cache
@member_required(*REVIEWERS)
def rest(request: MemberRequest) -> HttpResponse:
    """Tell a member why they get nothing new, until when, and what they can still finish."""
    due = due_rest(membership=request.membership, now=timezone.now())
    held = in_hand(project=request.project, user=request.user)
    return render(request, "review/rest.html", {"rest": due, "in_hand": held})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def wellness(request: MemberRequest) -> HttpResponse:
    """Let a lead set how the project goes easy on its reviewers."""
    posted = request.POST if request.method == "POST" else None
    form = WellnessForm(settings=wellness_of(request.project), data=posted)
    if not form.is_valid():
        context = {"form": form, "of_project": True, "exposure": exposure_of_all(project=request.project)}
        return render(request, "review/comfort.html", context, status=400 if form.is_bound else 200)
    save_wellness(membership=request.membership, settings=form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("review:wellness", request.project.slug)
