"""Forms for what a reviewer is given: what they want, and what they can."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review.forms import LinesField, SkillsField
from review.models import ReviewerProfile
from screening.detectors.limits import LANGUAGES


class WishesForm(forms.Form):
    """What a reviewer never gets, and the languages that they read."""

    opted_out = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Never give me items with findings of"),
        help_text=gettext_lazy("You need no reason. Items that wait are then given to others."),
    )
    languages = LinesField(
        required=False,
        label=gettext_lazy("Languages that I read"),
        help_text=gettext_lazy(
            "Codes such as en, de, one a line; empty for all. The language of an item is known some seconds after it "
            "came in, when it is certain; an item without one is given to anybody."
        ),
    )

    def __init__(self, *, profile: ReviewerProfile, categories: Iterable[str], data: Any = None) -> None:
        initial = {"opted_out": profile.opted_out, "languages": profile.languages}
        super().__init__(data, initial=initial)
        offered = sorted({*categories, *profile.opted_out})
        field = self.fields["opted_out"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - for the type checker
        field.choices = [(name, name) for name in offered]
        self.fields["languages"].widget.attrs["rows"] = 3

    def clean_languages(self) -> list[str]:
        codes = list(dict.fromkeys(code.lower() for code in self.cleaned_data["languages"]))
        if unknown := [code for code in codes if code not in LANGUAGES]:
            raise forms.ValidationError(_("Not a code of a language: %(codes)s.") % {"codes": ", ".join(unknown)})
        return codes


class ReviewerSkillsForm(forms.Form):
    """What a lead says that a reviewer can."""

    skills = SkillsField(
        required=False,
        label=gettext_lazy("Skills"),
        help_text=gettext_lazy(
            "One a line, as the queues name them. A queue gives items to who has all that it needs."
        ),
    )

    def __init__(self, *, profile: ReviewerProfile, data: Any = None) -> None:
        super().__init__(data, initial={"skills": profile.skills})
        self.fields["skills"].widget.attrs["rows"] = 4
