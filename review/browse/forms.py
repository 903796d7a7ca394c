"""The filters of the list of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy, pgettext_lazy

from review.models.annotations import Outcome
from review.models.appeals import AppealOutcome
from review.models.decisions import Method
from review.models.items import ItemState
from review.severity import CRITICAL, HIGH, LOW, MEDIUM, NAMES
from review.views import LEADS
from webapp.accounts.models import Membership
from webapp.interception.models import Verdict
from webapp.templatetags.terms import TERMS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ANY = ("", gettext_lazy("any"))
OPEN, WITH_LEADS, CHANGED, NO_RULE = "open", "leads", "changed", "-"
#: What is filtered by most.
FIRST = ("q", "state", "queue", "severity", "outcome")
MADE, PENDING = "made", "pending"
FOLLOWED = "followed"


def _select(label: StrOrPromise, *choices: tuple[str, StrOrPromise]) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, choices=[ANY, *choices])


class BrowseForm(forms.Form):
    """Everything may be left open; an unknown value is an error, never ignored."""

    q = forms.CharField(
        required=False, max_length=200, label=gettext_lazy("Words in the output or the messages"), strip=True
    )
    state = _select(
        gettext_lazy("State"),
        (OPEN, gettext_lazy("open")),
        (WITH_LEADS, gettext_lazy("with leads")),
        *ItemState.choices,
    )
    queue = _select(gettext_lazy("Queue"))
    severity = _select(
        gettext_lazy("Severity"), *((NAMES[number], TERMS[NAMES[number]]) for number in (CRITICAL, HIGH, MEDIUM, LOW))
    )
    outcome = _select(gettext_lazy("Decided"), *Outcome.choices, (CHANGED, gettext_lazy("anything but release")))
    method = _select(
        gettext_lazy("Decided how"), *Method.choices, (FOLLOWED, gettext_lazy("as its near-duplicates before"))
    )
    verdict = _select(gettext_lazy("Machine's verdict"), *Verdict.choices)
    rule = forms.CharField(required=False, max_length=100, label=gettext_lazy("Rule that fired"))
    category = forms.CharField(required=False, max_length=100, label=gettext_lazy("Category found"))
    application = _select(gettext_lazy("Application"))
    reviewer = _select(gettext_lazy("Answered by"))
    appeal = _select(
        gettext_lazy("Appeal"),
        (MADE, gettext_lazy("any outcome")),
        (PENDING, gettext_lazy("pending")),
        *AppealOutcome.choices,
    )
    due = _select(gettext_lazy("Due"), ("overdue", gettext_lazy("overdue")), ("hour", gettext_lazy("in the next hour")))
    skipped = forms.CharField(required=False, max_length=200, label=gettext_lazy("Skipped because"))
    time = _select(
        gettext_lazy("Time of"),
        ("raised", gettext_lazy("coming in")),
        ("decided", gettext_lazy("decision")),
        ("skipped", pgettext_lazy("time of", "skip")),
    )
    since = forms.DateTimeField(required=False, label=gettext_lazy("From (UTC)"))
    until = forms.DateTimeField(required=False, label=gettext_lazy("Until (UTC)"))

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        project = membership.project
        self._offer("queue", project.queues.order_by("name").values_list("slug", "name"))
        self._offer("application", ((str(key), name) for key, name in project.applications.values_list("id", "name")))
        if membership.role in LEADS:
            people = project.memberships.order_by("user__username").values_list("user", "user__username")
            self._offer("reviewer", ((str(key), name) for key, name in people))
        else:
            del self.fields["reviewer"]
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def _offer(self, name: str, choices: Any) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [ANY, *choices]

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FIRST]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        """Return the fields that are folded away until one of them is used."""
        return [self[name] for name in self.fields if name not in FIRST]

    @property
    def uses_more(self) -> bool:
        return any(field.value() or field.errors for field in self.more_fields)

    @property
    def filters(self) -> dict[str, Any]:
        """Return what was filled in."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class SaveForm(forms.Form):
    name = forms.CharField(max_length=100)
    query = forms.CharField(required=False, max_length=2000)
