"""The list of items, the filters that people keep, and what leads do to a decided item."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from review import selectors, services
from review.browse.finding import find_items
from review.browse.forms import BrowseForm, SaveForm
from review.errors import InvalidAnswer
from review.models import SavedFilter
from review.views import LEADS, REVIEWERS
from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.models import Role

MOST_FILTERS = 50


@require_GET
@never_cache
@member_required()
def browse(request: MemberRequest) -> HttpResponse:
    """List items, without their texts; only leads may ask for those that a person answered."""
    form = BrowseForm(request.GET, membership=request.membership)
    valid = form.is_valid()
    filters = form.filters if valid else {}
    after = request.GET.get("after", "")
    reviewers = request.membership.role == Role.REVIEWER
    items, more = (
        find_items(project=request.project, filters=filters, after=after, reviewers=reviewers) if valid else ([], False)
    )
    kept = kept_query(request.GET)
    context = {
        "form": form,
        "may_review": request.membership.role in REVIEWERS,
        "may_lead": request.membership.role in LEADS,
        "items": items,
        "filtered": bool(filters) or not valid,
        "kept": kept,
        "older": f"?{kept}&{urlencode({'after': items[-1].public_id})}" if more else "",
        "paged": bool(after),
        "saved": SavedFilter.objects.filter(project=request.project, user=request.user).order_by("name"),
    }
    return render(request, "review/browse.html", context, status=200 if valid else 422)


def kept_query(query: QueryDict) -> str:
    """Return the filters of an address in a fixed order, without empty ones and without the page."""
    kept = {name: query[name] for name in BrowseForm.base_fields if query.get(name)}
    return urlencode(kept)


@require_POST
@member_required()
def save(request: MemberRequest) -> HttpResponse:
    """Keep a filter for this person; one of the same name is replaced."""
    form = SaveForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("A filter needs a name of at most 100 characters."))
        return redirect("review:browse", request.project.slug)
    kept = kept_query(QueryDict(form.cleaned_data["query"]))
    own = SavedFilter.objects.filter(project=request.project, user=request.user)
    if own.exclude(name=form.cleaned_data["name"]).count() >= MOST_FILTERS:
        messages.error(request, gettext("You have %(most)s filters: delete one first.") % {"most": MOST_FILTERS})
        return redirect(f"{reverse('review:browse', args=[request.project.slug])}?{kept}")
    SavedFilter.objects.update_or_create(
        project=request.project, user=request.user, name=form.cleaned_data["name"], defaults={"query": kept}
    )
    messages.success(request, gettext("The filter is saved. Only you see it."))
    return redirect(f"{reverse('review:browse', args=[request.project.slug])}?{kept}")


@require_POST
@member_required()
def forget(request: MemberRequest, saved: int) -> HttpResponse:
    """Delete one of this person's filters."""
    deleted, _ = SavedFilter.objects.filter(project=request.project, user=request.user, id=saved).delete()
    if not deleted:
        raise Http404("No such filter of yours.")
    return redirect("review:browse", request.project.slug)


@require_POST
@member_required(*LEADS)
def reopen(request: MemberRequest, item: str) -> HttpResponse:
    """Put a decided item before people again."""
    found = selectors.get_item(project=request.project, public_id=item)
    try:
        services.reopen(item=found, membership=request.membership, reason=request.POST.get("reason", "").strip())
    except InvalidAnswer as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("It waits again. Until it is decided anew, the decision so far holds."))
    return redirect("review:item", request.project.slug, found.public_id)
