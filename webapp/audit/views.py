"""The compliance page: the figures of a period, and the files that carry them."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.models import Role
from webapp.accounts.services import user_actor
from webapp.audit.errors import AuditError
from webapp.audit.forms import DownloadForm, PeriodForm, today
from webapp.audit.report.document import build_report
from webapp.audit.report.formats import FORMATS
from webapp.audit.report.periods import Period, days_until, month_of, show_time
from webapp.audit.report.profiles import PROFILES
from webapp.audit.selectors import fresh_checkpoint
from webapp.audit.services import create_report
from webapp.waits import takes_long


@require_GET
@takes_long
@member_required(Role.OWNER, Role.COMPLIANCE)
def report(request: MemberRequest) -> HttpResponse:
    """Show a period's report."""
    form = PeriodForm(request.GET)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        found = build_report(
            project=request.project, profile=form.chosen, period=form.period, checkpoint=fresh_checkpoint()
        )
    except AuditError as error:
        return _page(request, form, trouble=error, status=503)
    return _page(request, form, report=found)


@require_POST
@takes_long
@member_required(Role.OWNER, Role.COMPLIANCE)
def download(request: MemberRequest) -> HttpResponseBase:
    """Make a report's file, record its digest, and send it."""
    form = DownloadForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    # The name goes at the end of this block; the open file lives until it is sent.
    with tempfile.TemporaryDirectory(prefix="countersign-report-") as folder:
        path = Path(folder) / "report"
        try:
            made = create_report(
                project=request.project,
                profile=form.chosen,
                period=form.period,
                format=form.cleaned_data["format"],
                actor=user_actor(request.user, request.membership.role),
                path=path,
            )
        except AuditError as error:
            return _page(request, form, trouble=error, status=503)
        response = FileResponse(
            path.open("rb"), as_attachment=True, filename=made.filename, content_type=made.content_type
        )
    response["X-Content-SHA256"] = made.sha256
    response["Cache-Control"] = "no-store"
    return response


def _page(request: MemberRequest, form: PeriodForm, *, status: int = 200, **context: object) -> HttpResponse:
    period = form.cleaned_data.get("period") if form.is_valid() else None
    context |= {
        "form": form,
        "since": show_time(period.since) if period else form.data.get("since", ""),
        "until": show_time(period.until) if period else form.data.get("until", ""),
        "presets": _presets(),
        "profiles": PROFILES.values(),
        "formats": FORMATS,
    }
    return render(request, "audit/report.html", context, status=status)


def _presets() -> list[tuple[str, str, str]]:
    day = today()
    periods: list[tuple[str, Period]] = [
        (_("This month"), month_of(day)),
        (_("Last month"), month_of(day.replace(day=1) - dt.timedelta(days=1))),
        (_("Last 7 days"), days_until(day, 7)),
        (_("Today"), days_until(day, 1)),
    ]
    return [(name, show_time(period.since), show_time(period.until)) for name, period in periods]
