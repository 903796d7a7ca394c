"""The form of a dataset: its names, and which items it takes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from feedback.filters import Filters
from feedback.selectors import CATEGORIES
from review.models.annotations import Assistance, Outcome
from webapp.accounts.models import Project


class _Choices(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple


class FilterForm(forms.Form):
    """Which items; everything may be left open."""

    since = forms.DateField(required=False, label=_("Decided from"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label=_("to"), widget=forms.DateInput(attrs={"type": "date"}))
    outcomes = _Choices(required=False, label=_("Outcome"), choices=Outcome.choices)
    queues = _Choices(required=False, label=_("Queue"))
    assistance = _Choices(required=False, label=_("What the reviewer saw"), choices=Assistance.choices)
    golden = forms.BooleanField(required=False, label=_("Also items that golden ones were made of"))
    categories = _Choices(required=False, label=_("Confirmed category"), choices=[(c, c) for c in CATEGORIES])

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        queues = self.fields["queues"]
        if isinstance(queues, forms.MultipleChoiceField):
            queues.choices = list(project.queues.order_by("name").values_list("slug", "name"))

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day is before the first."))

    def filters(self) -> Filters:
        data = self.cleaned_data
        return Filters(
            since=data["since"],
            until=data["until"],
            outcomes=tuple(data["outcomes"]),
            categories=tuple(data["categories"]),
            assistance=tuple(data["assistance"]),
            queues=tuple(data["queues"]),
            golden=data["golden"],
        )


class DatasetForm(FilterForm):
    name = forms.CharField(max_length=200, label=_("Name"))
    slug = forms.SlugField(
        required=False,
        max_length=100,
        label=_("Short name"),
        help_text=_("For commands and files; made of the name if empty."),
    )
    purpose = forms.CharField(
        required=False,
        max_length=200,
        label=_("Purpose"),
        help_text=_("What the data may be used for; stands in every record."),
    )
    licence = forms.CharField(
        required=False,
        max_length=100,
        label=_("Licence"),
        help_text=_("Stands in every record."),
    )

    def clean(self) -> None:
        super().clean()
        slug = self.cleaned_data.get("slug") or slugify(self.cleaned_data.get("name", ""))
        if not slug and "slug" not in self.errors and "name" not in self.errors:
            self.add_error("slug", _("The name has no letters a-z to make a short name of; write one."))
        self.cleaned_data["slug"] = slug[:100]
