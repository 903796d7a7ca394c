"""The right answer to an item, as a lead writes it down."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from review.definition import read_definition
from review.models import Annotation, ReviewItem, SpanAnnotation
from review.models.annotations import Outcome
from review.scoring import Place
from review.selectors import answers_of
from review.texts import is_output_span

_SAID = {"yes": True, "no": False}
MAX_QUOTE = 60


class GoldenForm(forms.Form):
    """Filled in with what was decided; the answers that decided speak for categories and places."""

    outcome = forms.ChoiceField(label=_("What should happen to the output"))
    spans = forms.MultipleChoiceField(
        required=False,
        label=_("Places to find"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Ticked ones should be kept or marked, by label and at least half of the place. None: not scored."),
    )
    note = forms.CharField(
        required=False,
        max_length=2000,
        label=_("Why this is right"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For leads; reviewers do not see it."),
    )

    def __init__(self, *args: Any, item: ReviewItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        schema = read_definition(item.queue.label_schema.definition)
        decision = item.decisions.standing().order_by("-cycle").first()
        decided = decision.outcome if decision else ""
        answers = [a for a in answers_of(item=item) if a.cycle == item.cycle and a.outcome == decided]
        self._places = _places(item, answers)
        output = item.checked.content.output or ""
        choice, spans = self.fields["outcome"], self.fields["spans"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101 - for the type checker
        assert isinstance(spans, forms.MultipleChoiceField)  # noqa: S101 - for the type checker
        choice.choices = [pair for pair in Outcome.choices if pair[0] in schema.outcomes]
        choice.initial = decided
        spans.choices = [
            (_key(place), f"{place[2]}: {output[place[0] : place[1]][:MAX_QUOTE]}") for place in self._places
        ]
        spans.initial = [_key(place) for place in self._places if decided == Outcome.REDACT]
        if not self._places:
            del self.fields["spans"]
        labels = {name: said for answer in answers for name, said in answer.labels.items()}
        self.categories = schema.categories
        for name in schema.categories:
            self.fields[f"label-{name}"] = forms.ChoiceField(
                required=False,
                label=name,
                choices=[("", _("not scored")), ("yes", _("yes")), ("no", _("no"))],
                initial={True: "yes", False: "no", None: ""}[labels.get(name)],
            )

    def answer(self) -> dict[str, Any]:
        """Return outcome, labels, spans and note, as `services.make_golden` takes them."""
        given = {name: self.cleaned_data[f"label-{name}"] for name in self.categories}
        ticked = set(self.cleaned_data.get("spans", ()))
        return {
            "outcome": self.cleaned_data["outcome"],
            "labels": {name: _SAID[said] for name, said in given.items() if said},
            "spans": [place for place in self._places if _key(place) in ticked],
            "note": self.cleaned_data["note"],
        }


def _places(item: ReviewItem, answers: list[Annotation]) -> list[Place]:
    """Return the places of the output that the machine found or that those answers marked."""
    found = {
        (finding.start or 0, finding.end or 0, finding.category)
        for finding in item.checked.findings.all()
        if is_output_span(finding)
    }
    marked = {
        (span.start, span.end, span.label)
        for answer in answers
        for span in answer.spans.all()
        if span.change != SpanAnnotation.Change.REMOVED
    }
    return sorted(found | marked)


def _key(place: Place) -> str:
    return f"{place[0]}-{place[1]}-{place[2]}"
