"""Pages for leads."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from review.dashboard.figures import read_dashboard
from review.views import LEADS, REVIEWERS, render_own
from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.selectors import members_of


@require_GET
@never_cache
@member_required(*LEADS)
def dashboard(request: MemberRequest) -> HttpResponse:
    """Show how review goes; htmx gets the figures alone."""
    template = "review/_dashboard.html" if request.htmx else "review/dashboard.html"
    return render(request, template, {"board": read_dashboard(project=request.project)})


@require_GET
@never_cache
@member_required(*LEADS)
def reviewer(request: MemberRequest, user: uuid.UUID) -> HttpResponse:
    """Show a lead what one reviewer sees of themselves."""
    found = members_of(request.project).filter(user=user, role__in=REVIEWERS).first()
    if found is None:
        raise Http404("No such reviewer.")
    return render_own(request, found.user)
