from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.audit.report.formats import FORMATS
from webapp.audit.report.periods import Period, PeriodError, month_of, parse_period
from webapp.audit.report.profiles import PROFILES, Profile

DEFAULT_PROFILE = "activity"


class PeriodForm(forms.Form):
    """Which report, for which days; what is left out is the current month."""

    profile = forms.CharField(required=False, max_length=40)
    since = forms.CharField(required=False, max_length=40)
    until = forms.CharField(required=False, max_length=40)

    def clean_profile(self) -> Profile:
        try:
            return PROFILES[self.cleaned_data["profile"] or DEFAULT_PROFILE]
        except KeyError:
            raise forms.ValidationError(_("There is no such report.")) from None

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since", ""), self.cleaned_data.get("until", "")
        if bool(since) != bool(until):
            raise forms.ValidationError(_("A period has a first day and a day it ends before."))
        try:
            self.cleaned_data["period"] = parse_period(since, until) if since else month_of(today())
        except PeriodError as error:
            raise forms.ValidationError(str(error)) from None

    @property
    def period(self) -> Period:
        period: Period = self.cleaned_data["period"]
        return period

    @property
    def chosen(self) -> Profile:
        profile: Profile = self.cleaned_data["profile"]
        return profile


class DownloadForm(PeriodForm):
    format = forms.ChoiceField(choices=[(name, name) for name in FORMATS])


def today() -> dt.date:
    return timezone.now().astimezone(dt.UTC).date()
