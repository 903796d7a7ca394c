"""Comments on items. Scripts get the thread as HTML in JSON, plain forms are redirected to the item."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from review import selectors
from review.blind import is_hidden
from review.comments import thread_of
from review.covers import HIDES, is_covered
from review.errors import InvalidAnswer
from review.models import ReviewItem
from review.posted import read_ask
from review.services.comments import Commented, add_comment
from review.slot_views import refusal, wants_json
from review.views import REVIEWERS
from webapp.accounts.access import MemberRequest, member_required


@require_POST
@never_cache
@member_required(*REVIEWERS)
def comment(request: MemberRequest, item: str) -> HttpResponse:
    """Store a comment on an item, and show the thread again."""
    found = selectors.get_item(project=request.project, public_id=item)
    try:
        done = _store(request, found)
    except InvalidAnswer as error:
        if wants_json(request):
            return refusal(error)
        messages.error(request, str(error))
        return redirect("review:item", request.project.slug, found.public_id)
    if wants_json(request):
        thread = thread_of(item=found, membership=request.membership)
        blind = is_hidden(item=found, membership=request.membership)
        covered = is_covered(item=found, membership=request.membership, blind=blind)
        context = {"thread": thread, "hides": HIDES if covered else ""}
        html = render_to_string("review/_comments.html", context, request=request)
        return JsonResponse({"status": "accepted", "message": done.message, "html": html, "key": str(thread.key)})
    messages.success(request, done.message or _("The comment is saved."))
    return redirect("review:item", request.project.slug, found.public_id)


def _store(request: MemberRequest, item: ReviewItem) -> Commented:
    post = request.POST
    near = post.get("near", "")
    try:
        key = uuid.UUID(post.get("comment", ""))
    except ValueError:
        raise InvalidAnswer(_("The form was incomplete. Reload the page and try again.")) from None
    return add_comment(
        item=item,
        membership=request.membership,
        key=key,
        text=post.get("text", ""),
        quote=post.get("quote", ""),
        near=int(near) if near.isascii() and near.isdigit() and len(near) < 10 else 0,
        ask=read_ask(post),
    )
