"""Pages outside any project."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.accounts.access import MemberRequest


@require_GET
@login_required
def home(request: MemberRequest) -> HttpResponse:
    """List the projects of the signed-in person."""
    memberships = request.user.memberships.select_related("project").order_by("project__name")
    return render(request, "home.html", {"memberships": memberships})
