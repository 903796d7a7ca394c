"""Forms for how texts are shown: a reviewer's own choice, and what a project has for all."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from review.models import ReviewerProfile, WellnessSettings
from review.models.wellness import CoverFrom, Look

_COVER = _("Show severe texts covered")
_LOOK = _("Texts look")
_NO_PROMISE = _("A matter of taste: studies did not find that it protects. Shorter exposure does.")


class ComfortForm(forms.Form):
    """A reviewer's own settings; an empty choice is the project's."""

    cover_from = forms.TypedChoiceField(
        coerce=int,
        empty_value=None,
        required=False,
        label=_COVER,
        help_text=_("First you see what was found, where and how long; a key or a button shows the words."),
    )
    toggles = forms.BooleanField(
        required=False,
        label=_("The key need not be held"),
        help_text=_("One press shows covered texts, another covers them."),
    )
    look = forms.ChoiceField(required=False, label=_LOOK, help_text=_NO_PROMISE)

    def __init__(self, *, profile: ReviewerProfile, settings: WellnessSettings, data: Any = None) -> None:
        initial = {"cover_from": profile.cover_from, "toggles": profile.toggles, "look": profile.look}
        super().__init__(data, initial=initial, label_suffix="")
        _offer(self, "cover_from", ("", _as_project(CoverFrom(settings.cover_from).label)), CoverFrom.choices)
        _offer(self, "look", ("", _as_project(Look(settings.look).label)), Look.choices)


def _offer(form: forms.Form, name: str, first: tuple[str, Any], choices: list[Any]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
    field.choices = [first, *choices]


def _as_project(label: Any) -> Any:
    return format_lazy("{} ({})", _("as the project has it"), label)


class WellnessForm(forms.Form):
    """What a project has for all its reviewers."""

    cover_from = forms.TypedChoiceField(
        coerce=int,
        choices=CoverFrom.choices,
        label=_COVER,
        help_text=_("Reviewers can choose otherwise for themselves."),
    )
    look = forms.ChoiceField(choices=Look.choices, label=_LOOK, help_text=_NO_PROMISE)

    cap_minutes = forms.IntegerField(
        min_value=0,
        max_value=24 * 60,
        label=_("Most exposure a day, in weighted minutes"),
        help_text=_(
            "A minute before a critical text counts 2, high 1, medium ½, low ¼; covered texts count nothing. Who "
            "reaches it gets nothing new until midnight UTC. Of several projects the strictest cap holds. 0: no cap."
        ),
    )
    break_after_minutes = forms.IntegerField(
        min_value=0,
        max_value=24 * 60,
        label=_("A break after minutes at work"),
        help_text=_("Time with keys, clicks or scrolling, in all projects together. 0: no breaks."),
    )
    break_minutes = forms.IntegerField(
        min_value=1,
        max_value=120,
        label=_("Minutes of a break"),
        help_text=_("Nothing new is given out meanwhile; what is on screen can be finished. Time away counts as one."),
    )

    def __init__(self, *, settings: WellnessSettings, data: Any = None) -> None:
        initial = {name: getattr(settings, name) for name in self.base_fields}
        super().__init__(data, initial=initial, label_suffix="")
