"""Pages on which leads look at decisions again."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from review import selectors, services
from review.errors import InvalidAnswer, SlotLost
from review.models import Assignment, Decision, QAReview
from review.models.annotations import Outcome
from review.models.items import SlotState
from review.models.qa import ErrorSeverity
from review.page import ItemPage, build_page
from review.peers import compare
from review.qa import errors_by_queue, qa_slot
from review.rest import due_rest
from review.services.claims import mark_opened
from review.services.exposure import note_shown
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required

AGAIN, HOLDS = "again", "holds"


class JudgementForm(forms.Form):
    """What a lead says of a decision."""

    outcome = forms.ChoiceField(choices=Outcome.choices, label=_("What was right"), widget=forms.RadioSelect)
    severity = forms.ChoiceField(
        required=False,
        label=_("Error"),
        choices=[("", _("none: I agree")), *ErrorSeverity.choices],
        widget=forms.RadioSelect,
        help_text=_("Major: something went out that should not have, or the other way round."),
    )
    note = forms.CharField(
        required=False,
        max_length=2000,
        label=_("What was wrong"),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text=_("Whoever decided reads it, without your name."),
    )
    correction = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    then = forms.ChoiceField(
        label=_("If another outcome was right"),
        choices=[(HOLDS, _("mine holds from now on")), (AGAIN, _("others decide again"))],
        initial=HOLDS,
        widget=forms.RadioSelect,
    )
    token = forms.UUIDField(widget=forms.HiddenInput)

    def judgement(self) -> services.Judgement:
        given = self.cleaned_data
        return services.Judgement(
            outcome=given["outcome"],
            severity=given["severity"],
            note=given["note"],
            again=given["then"] == AGAIN,
            correction=given["correction"] or None,
        )


@require_GET
@never_cache
@member_required(*LEADS)
def qa(request: MemberRequest) -> HttpResponse:
    """Show how often decisions had errors, by queue, and what waits to be looked at."""
    context = {"rows": errors_by_queue(request.project), "undoable": _undoable(request)}
    return render(request, "review/qa.html", context)


def _undoable(request: MemberRequest) -> Decision | None:
    return selectors.newest_undoable(project=request.project, user=request.user)


@require_POST
@member_required(*LEADS)
def qa_next(request: MemberRequest) -> HttpResponse:
    """Go to the next decision to look at."""
    return _go_on(request)


def _go_on(request: MemberRequest) -> HttpResponse:
    slot = services.claim_qa(membership=request.membership)
    if slot is None and due_rest(membership=request.membership, now=timezone.now()):
        return redirect("review:rest", request.project.slug)
    if slot is None:
        messages.info(request, gettext("There is no decision for you to look at."))
        return redirect("review:qa", request.project.slug)
    return redirect("review:qa-item", request.project.slug, slot.id)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def qa_item(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Look at one decision, and agree or correct it."""
    found = qa_slot(project=request.project, user=request.user, slot_id=slot)
    if found is None:
        raise Http404("Not yours to look at.")
    if request.method == "POST":
        return _take_in(request, found)
    if found.state == SlotState.SUBMITTED:
        return redirect("review:qa", request.project.slug)
    return _page(request, found, None)


def _take_in(request: MemberRequest, slot: Assignment) -> HttpResponse:
    form = JudgementForm(request.POST)
    if not form.is_valid():
        return _page(request, slot, form, status=400)
    try:
        review = services.submit_qa(
            slot=slot,
            membership=request.membership,
            lease_token=form.cleaned_data["token"],
            judgement=form.judgement(),
        )
    except InvalidAnswer as error:
        form.add_error(None, str(error))
        return _page(request, slot, form, status=422)
    except SlotLost as error:
        messages.error(request, str(error))
        return redirect("review:qa", request.project.slug)
    messages.success(request, _said(review))
    return _go_on(request)


def _said(review: QAReview) -> str:
    if review.agrees:
        return gettext("Noted: you agree.")
    if review.outcome == review.decision.outcome and review.item.cycle == review.decision.cycle:
        return gettext("Noted: an error beside the outcome. The decision holds.")
    return gettext("Noted, and the decision holds no more.")


def _page(request: MemberRequest, slot: Assignment, form: JudgementForm | None, *, status: int = 200) -> HttpResponse:
    item = selectors.get_items(ids=[slot.item_id])[slot.item_id]
    # Who sends the form has seen its texts: they come back uncovered.
    uncovered = request.method == "POST" or request.GET.get("show") == "text"
    page = build_page(item=item, membership=request.membership, slot=None, uncovered=uncovered)
    if page.decision is None:
        messages.info(request, gettext("This item was opened again meanwhile."))
        return redirect("review:qa", request.project.slug)
    if status == 200 and slot.lease_token is not None:
        slot.item = item
        mark_opened(slot=slot, membership=request.membership)
        if page.cover is None:
            note_shown(slot=slot, membership=request.membership, lease=slot.lease_token)
    answers = [answer for answer in page.answers if answer.cycle == item.cycle]
    initial = {"outcome": page.decision.outcome, "token": slot.lease_token}
    context = {
        "page": replace(page, answers=[], thread=replace(page.thread, anonymous=True)),
        "comparison": compare(answers, output=page.output),
        "slot": slot,
        "form": form or JudgementForm(initial=initial),
        "edited": _edited(page, form),
        "undoable": _undoable(request),
    }
    return render(request, "review/qa_item.html", context, status=status)


def _edited(page: ItemPage, form: JudgementForm | None) -> str | None:
    """Return what the editor begins with: what was sent, else the text that replaced the output, else the output."""
    if form is not None and form.data.get("correction"):
        return str(form.data["correction"])
    replaced = page.decision is not None and page.decision.outcome == Outcome.REPLACE and page.release is not None
    return page.release.output if replaced and page.release else page.output


@require_POST
@member_required(*LEADS)
def qa_release(request: MemberRequest, slot: uuid.UUID) -> HttpResponse:
    """Leave a decision to other leads."""
    found = qa_slot(project=request.project, user=request.user, slot_id=slot)
    if found is None:
        raise Http404("Not yours to look at.")
    services.release_qa(slot=found, membership=request.membership)
    return redirect("review:qa", request.project.slug)
