"""Leads take the items of a filtered list to Label Studio."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from review.browse.forms import BrowseForm
from review.browse_views import kept_query
from review.errors import InvalidAnswer
from review.label_studio.filtered import export_items
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required


@require_POST
@member_required(*LEADS)
def export(request: MemberRequest) -> HttpResponseBase:
    """Send what the filters match; the event is stored before the first text leaves."""
    query = kept_query(QueryDict(request.POST.get("query", "")[:2000]))
    form = BrowseForm(QueryDict(query), membership=request.membership)
    try:
        if not form.is_valid():
            raise InvalidAnswer(_("One of the filters is not right."))
        pieces = export_items(membership=request.membership, filters=form.filters)
    except InvalidAnswer as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('review:browse', args=[request.project.slug])}?{query}")
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{request.project.slug}-label-studio.zip"'
    response["Cache-Control"] = "no-store"
    return response
