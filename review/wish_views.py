"""Pages that decide what a reviewer is given: their own wishes, and the skills that a lead says they have."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from review.profiles import categories_of, profile_of
from review.services.profiles import save_skills, save_wishes
from review.views import LEADS, REVIEWERS
from review.wish_forms import ReviewerSkillsForm, WishesForm
from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.selectors import members_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*REVIEWERS)
def wishes(request: MemberRequest) -> HttpResponse:
    """Let a member say what they never want to get, and which languages they read."""
    posted = request.POST if request.method == "POST" else None
    profile = profile_of(request.membership)
    form = WishesForm(profile=profile, categories=categories_of(request.project), data=posted)
    if not form.is_valid():
        return render(request, "review/wishes.html", {"form": form}, status=400 if form.is_bound else 200)
    save_wishes(membership=request.membership, **form.cleaned_data)
    messages.success(request, _("Saved. It holds for what you are given from now on."))
    return redirect("review:wishes", request.project.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def skills(request: MemberRequest, user: uuid.UUID) -> HttpResponse:
    """Let a lead say what a reviewer can."""
    found = members_of(request.project).filter(user=user, role__in=REVIEWERS).first()
    if found is None:
        raise Http404("No such reviewer.")
    posted = request.POST if request.method == "POST" else None
    form = ReviewerSkillsForm(profile=profile_of(found), data=posted)
    if not form.is_valid():
        context = {"form": form, "person": found.user}
        return render(request, "review/wishes.html", context, status=400 if form.is_bound else 200)
    save_skills(reviewer=found, skills=form.cleaned_data["skills"], membership=request.membership)
    messages.success(request, _("Saved."))
    return redirect("review:skills", request.project.slug, user)
