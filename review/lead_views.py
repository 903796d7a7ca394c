"""Pages for leads."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from review.dashboard.figures import read_dashboard
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required


@require_GET
@never_cache
@member_required(*LEADS)
def dashboard(request: MemberRequest) -> HttpResponse:
    """Show how review goes; htmx gets the figures alone."""
    template = "review/_dashboard.html" if request.htmx else "review/dashboard.html"
    return render(request, template, {"board": read_dashboard(project=request.project)})
