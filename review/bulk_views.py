"""Leads change all the items that a filter matches: choose, confirm, watch, undo."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from review.browse.forms import BrowseForm
from review.browse_views import kept_query
from review.bulk.forms import VALUE_OF, BulkForm
from review.bulk.words import WHY
from review.errors import InvalidAnswer
from review.models import BulkAction
from review.models.bulk import BulkKind, BulkState, ChangeState
from review.services.bulk import MOST, count_changeable, start_bulk, undo_bulk
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required

#: Actions that the page lists.
RECENT = 20


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def bulk_new(request: MemberRequest) -> HttpResponse:
    """Say what happens to the open items that a filter matches; a second step shows the count and confirms it."""
    if request.method != "POST":
        return _ask(request, None, kept_query(request.GET))
    form = BulkForm(request.POST, membership=request.membership)
    if not form.is_valid():
        return _ask(request, form, kept_query(QueryDict(request.POST.get("query", "")[:2000])), status=422)
    query = kept_query(QueryDict(form.cleaned_data["query"]))
    filters = _filters(request, query)
    if filters is None:
        return _ask(request, form, query, status=422)
    if "confirmed" not in request.POST:
        return _confirm(request, form, filters)
    try:
        action = start_bulk(
            membership=request.membership,
            kind=BulkKind(form.cleaned_data["kind"]),
            value=form.value,
            reason=form.cleaned_data["reason"],
            filters=filters,
            query=query,
            until=form.cleaned_data["until"],
            counted=form.cleaned_data["counted"],
        )
    except InvalidAnswer as error:
        messages.error(request, str(error))
        return _confirm(request, form, filters, status=409)
    return redirect("review:bulk-action", request.project.slug, action.id)


def _filters(request: MemberRequest, query: str) -> dict[str, Any] | None:
    found = BrowseForm(QueryDict(query), membership=request.membership)
    return found.filters if found.is_valid() else None


def _ask(request: MemberRequest, form: BulkForm | None, query: str, *, status: int = 200) -> HttpResponse:
    until, filters = timezone.now(), _filters(request, query)
    counted = 0 if filters is None else count_changeable(project=request.project, filters=filters, until=until)
    start = {"query": query, "until": until.isoformat(), "counted": counted, "place": "first"}
    context = {
        "form": form or BulkForm(initial=start, membership=request.membership),
        "query": query,
        "counted": counted,
        "most": MOST,
        "too_many": counted > MOST,
        "wrong": filters is None,
        "recent": BulkAction.objects.filter(project=request.project).order_by("-created_at")[:RECENT],
    }
    return render(request, "review/bulk_new.html", context, status=status)


def _confirm(request: MemberRequest, form: BulkForm, filters: dict[str, Any], *, status: int = 200) -> HttpResponse:
    until = timezone.now()
    counted = count_changeable(project=request.project, filters=filters, until=until)
    hidden = {name: request.POST.get(name, "") for name in ("kind", "queue", "severity", "place", "person")}
    hidden |= {"query": form.cleaned_data["query"], "reason": form.cleaned_data["reason"]}
    context = {
        "hidden": {**hidden, "until": until.isoformat(), "counted": counted},
        "kind": form.label_of("kind", form.cleaned_data["kind"]),
        "value": form.value_label,
        "reason": form.cleaned_data["reason"],
        "query": form.cleaned_data["query"],
        "counted": counted,
        "most": MOST,
        "too_many": counted > MOST,
    }
    return render(request, "review/bulk_confirm.html", context, status=status)


@require_GET
@never_cache
@member_required(*LEADS)
def bulk_action(request: MemberRequest, action: uuid.UUID) -> HttpResponse:
    """Show how far an action is, and what it left as it was."""
    found = _get(request, action)
    changes = Counter(found.changes.values_list("state", "why"))
    by_state: Counter[str] = Counter()
    for (state, _why), number in changes.items():
        by_state[state] += number
    context = {
        "action": found,
        "at_work": found.state in (BulkState.RUNNING, BulkState.UNDOING),
        "states": {str(state): by_state[state] for state in ChangeState},
        "left": [(WHY[why], number) for (_state, why), number in sorted(changes.items()) if why],
        "kind": BulkForm(membership=request.membership).label_of("kind", found.kind),
        "value": _value_label(request, found),
    }
    template = "review/_bulk_action.html" if request.htmx else "review/bulk_action.html"
    return render(request, template, context)


def _value_label(request: MemberRequest, action: BulkAction) -> str:
    name = VALUE_OF.get(BulkKind(action.kind))
    return BulkForm(membership=request.membership).label_of(name, action.value) if name else ""


def _get(request: MemberRequest, action: uuid.UUID) -> BulkAction:
    actions = BulkAction.objects.select_related("created_by", "undone_by").filter(project=request.project)
    found = actions.filter(id=action).first()
    if found is None:
        raise Http404("No such action.")
    return found


@require_POST
@member_required(*LEADS)
def bulk_undo(request: MemberRequest, action: uuid.UUID) -> HttpResponse:
    """Take an action back where nothing else changed since."""
    found = _get(request, action)
    undo_bulk(action=found, membership=request.membership)
    messages.success(request, _("It is being taken back, where nothing else changed since."))
    return redirect("review:bulk-action", request.project.slug, found.id)
