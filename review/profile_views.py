"""Pages on which reviewers set things for themselves."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from review.key_forms import KeysForm
from review.keys import key_map
from review.profiles import profile_of
from review.services.profiles import save_comfort, save_keys
from review.views import REVIEWERS
from review.wellness import wellness_of
from review.wellness_forms import ComfortForm
from webapp.accounts.access import MemberRequest, member_required


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*REVIEWERS)
def keys(request: MemberRequest) -> HttpResponse:
    """Let a member choose the keys of the console, or go back to the usual ones."""
    if request.method != "POST":
        form = KeysForm(keys=key_map(profile_of(request.membership).keys))
        return render(request, "review/keys.html", {"form": form})
    if "reset" in request.POST:
        save_keys(membership=request.membership, keys={})
        messages.success(request, _("The usual keys are back."))
        return redirect("review:keys", request.project.slug)
    form = KeysForm(keys={}, data=request.POST)
    if not form.is_valid():
        return render(request, "review/keys.html", {"form": form}, status=400)
    save_keys(membership=request.membership, keys=form.cleaned_data)
    messages.success(request, _("Saved. The keys hold from the next item on."))
    return redirect("review:keys", request.project.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*REVIEWERS)
def comfort(request: MemberRequest) -> HttpResponse:
    """Let a member choose how texts are shown to them."""
    profile, settings = profile_of(request.membership), wellness_of(request.project)
    form = ComfortForm(profile=profile, settings=settings, data=request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "review/comfort.html", {"form": form}, status=400 if form.is_bound else 200)
    save_comfort(membership=request.membership, settings=form.cleaned_data)
    messages.success(request, _("Saved. It holds from the next item on."))
    return redirect("review:comfort", request.project.slug)
