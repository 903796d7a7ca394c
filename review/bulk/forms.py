"""The form of a bulk action."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from review.models.bulk import BulkKind
from review.severity import NAMES
from review.views import REVIEWERS
from webapp.accounts.models import Membership

#: The field that says to what, for each kind.
VALUE_OF = {
    BulkKind.MOVE: "queue",
    BulkKind.SEVERITY: "severity",
    BulkKind.PRIORITY: "place",
    BulkKind.ASSIGN: "person",
}


class BulkForm(forms.Form):
    """What happens to the items, to what, and why."""

    kind = forms.ChoiceField(
        label=_("What happens to them"),
        choices=[
            (BulkKind.MOVE, _("move to a queue")),
            (BulkKind.SEVERITY, _("set the severity")),
            (BulkKind.PRIORITY, _("put first or last")),
            (BulkKind.ASSIGN, _("assign to a person")),
            (BulkKind.CANCEL, _("cancel: nobody decides them, and what is held stays held")),
        ],
        widget=forms.RadioSelect,
    )
    queue = forms.ChoiceField(required=False, label=_("Queue"))
    severity = forms.ChoiceField(required=False, label=_("Severity"))
    place = forms.ChoiceField(
        required=False, label=_("Place"), choices=[("first", _("first in the queue")), ("last", _("last in the queue"))]
    )
    person = forms.ChoiceField(required=False, label=_("Person"))
    reason = forms.CharField(
        label=_("Why?"), max_length=2000, widget=forms.Textarea({"rows": 2, "dir": "auto"}), strip=True
    )
    query = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)
    until = forms.DateTimeField(widget=forms.HiddenInput)
    counted = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        project = membership.project
        people = project.memberships.filter(role__in=REVIEWERS, user__is_active=True).order_by("user__username")
        offered = {
            "queue": project.queues.order_by("name").values_list("id", "name"),
            "severity": [(number, name) for number, name in reversed(list(enumerate(NAMES)))],
            "person": people.values_list("user", "user__username"),
        }
        for name, choices in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
            field.choices = [(str(key), label) for key, label in choices]

    def clean(self) -> dict[str, Any]:
        name = VALUE_OF.get(self.cleaned_data.get("kind", ""))
        if name and not self.cleaned_data.get(name):
            self.add_error(name, _("Choose one."))
        return self.cleaned_data

    @property
    def value(self) -> str:
        name = VALUE_OF.get(self.cleaned_data["kind"])
        return self.cleaned_data[name] if name else ""

    @property
    def value_label(self) -> str:
        """Return the chosen value as the page offers it."""
        name = VALUE_OF.get(self.cleaned_data["kind"])
        return self.label_of(name, self.value) if name else ""

    def label_of(self, name: str, value: str) -> str:
        """Return what the page calls a value of a field; "" for one that is not offered any more."""
        field = self.fields[name]
        offered: Any = field.choices if isinstance(field, forms.ChoiceField) else []
        return str(dict(offered).get(value, ""))
