"""The page on how far reviewers agree, and its files; for leads, because pairs of reviewers are named."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from review.agreement.figures import Measure, read_agreement
from review.agreement.files import FORMATS
from review.agreement.plot import dots
from review.agreement.reading import Choice
from review.models import Queue
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.models import Project
from webapp.audit.report.periods import days_until
from webapp.waits import takes_long

DAYS = 30
MOST_DAYS = 366


class AgreementForm(forms.Form):
    """Days in UTC, both included; what is left out is the last DAYS days and all queues."""

    since = forms.DateField(required=False, label=gettext_lazy("From"))
    until = forms.DateField(required=False, label=gettext_lazy("Until"))
    queue = forms.ModelChoiceField(
        Queue.objects.none(),
        to_field_name="slug",
        required=False,
        label=gettext_lazy("Queue"),
        empty_label=gettext_lazy("all"),
    )
    blind = forms.BooleanField(required=False, label=gettext_lazy("Blind answers only"))

    def __init__(self, *args: object, project: Project, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they are
        self.project = project
        queues = self.fields["queue"]
        assert isinstance(queues, forms.ModelChoiceField)  # noqa: S101 - declared above
        queues.queryset = Queue.objects.filter(project=project).order_by("name")
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")

    def clean(self) -> None:
        last = self.cleaned_data.get("until") or timezone.now().astimezone(dt.UTC).date()
        first = self.cleaned_data.get("since") or last - dt.timedelta(days=DAYS - 1)
        days = (last - first).days + 1
        if not 0 < days <= MOST_DAYS:
            raise forms.ValidationError(gettext("A period has its first day first, and at most 366 days."))
        period = days_until(last, days)
        blind = self.cleaned_data.get("blind", False)
        self.cleaned_data |= {"since": first, "until": last}
        self.choice = Choice(self.project, period.since, period.until, blind)


@require_GET
@never_cache
@takes_long
@member_required(*LEADS)
def agreement(request: MemberRequest) -> HttpResponse:
    """Show the figures of a period as tables and plots."""
    form = AgreementForm(request.GET, project=request.project)
    if not form.is_valid():
        return render(request, "review/agreement.html", {"form": form}, status=422)
    found = read_agreement(form.choice, form.cleaned_data["queue"])
    shown = AgreementForm(form.cleaned_data | {"queue": request.GET.get("queue", "")}, project=request.project)
    title = gettext("Krippendorff's alpha with its interval of 95 %")
    context = {
        "form": shown,
        "sections": [
            (one, dots([(_shown(m), m.alpha) for m in one.measures], title=f"{title}: {one.queue.name}"))
            for one in found
        ],
        "query": urlencode({name: request.GET[name] for name in form.fields if request.GET.get(name)}),
        "formats": FORMATS,
    }
    return render(request, "review/agreement.html", context)


def _shown(measure: Measure) -> str:
    return {"outcome": gettext("outcome"), "verdict": gettext("verdict")}.get(measure.kind, measure.name)


@require_GET
@never_cache
@takes_long
@member_required(*LEADS)
def agreement_file(request: MemberRequest, format: str) -> HttpResponse:
    """Send the figures of a period as a file."""
    if format not in FORMATS:
        raise Http404("No such format.")
    form = AgreementForm(request.GET, project=request.project)
    if not form.is_valid():
        return render(request, "review/agreement.html", {"form": form}, status=422)
    content_type, write = FORMATS[format]
    text = write(form.choice, read_agreement(form.choice, form.cleaned_data["queue"]))
    response = HttpResponse(text, content_type=content_type)
    days = f"{form.cleaned_data['since']:%Y-%m-%d}-{form.cleaned_data['until']:%Y-%m-%d}"
    name = f"{request.project.slug}-agreement-{days}.{format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
