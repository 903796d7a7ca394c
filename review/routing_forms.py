"""The forms of the routing page: a row a rule, and the queue for everything else."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from review.models import Queue
from review.routing import TRIGGERS, Conditions, Rule
from review.severity import OR_GRAVER
from webapp.interception.models import Verdict
from webapp.templatetags.terms import TERMS

MAX_RULES = 50
MAX_WORDS = 30
MAX_WORD = 100


class WordsField(forms.CharField):
    """Words with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        words = [word.strip() for word in re.split(r"[,\n]", super().clean(value))]
        words = list(dict.fromkeys(word for word in words if word))
        if len(words) > MAX_WORDS or any(len(word) > MAX_WORD for word in words):
            raise forms.ValidationError(
                gettext("Give at most %(words)s words of at most %(characters)s characters each.")
                % {"words": MAX_WORDS, "characters": MAX_WORD}
            )
        return words


class RuleForm(forms.Form):
    """One rule. A row in which nothing is filled in is left out."""

    queue = forms.ChoiceField(label=gettext_lazy("To the queue"))
    triggers = forms.MultipleChoiceField(
        label=gettext_lazy("Raised as"),
        required=False,
        choices=[(name, TERMS.get(name, name)) for name in TRIGGERS],
        widget=forms.CheckboxSelectMultiple,
    )
    verdicts = forms.MultipleChoiceField(
        label=gettext_lazy("Verdict of the machine"),
        required=False,
        choices=Verdict.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    min_severity = forms.ChoiceField(
        label=gettext_lazy("Severity"),
        required=False,
        choices=[("", gettext_lazy("any")), *OR_GRAVER.items()],
    )
    applications = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    categories = WordsField(
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Of any finding, with commas: self-harm, EMAIL_ADDRESS."),
    )
    rules = WordsField(
        required=False,
        max_length=2000,
        label=gettext_lazy("Policy rules"),
        help_text=gettext_lazy("Ids of rules that found something."),
    )
    languages = WordsField(
        required=False,
        max_length=500,
        help_text=gettext_lazy("Codes such as es, pt; known where a language rule of the policy did not expect it."),
    )

    def __init__(self, *args: Any, queues: list[Queue], applications: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queues = {queue.slug: queue for queue in queues}
        _set_choices(self.fields["queue"], [("", gettext("choose a queue")), *((q.slug, q.name) for q in queues)])
        _set_choices(self.fields["applications"], applications)

    @property
    def rule(self) -> Rule:
        given = self.cleaned_data
        lists = ("triggers", "verdicts", "applications", "categories", "rules", "languages")
        conditions = Conditions(
            min_severity=int(given["min_severity"] or 0), **{name: tuple(given[name]) for name in lists}
        )
        return Rule(conditions, self._queues[given["queue"]])

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        asked = any(value for name, value in given.items() if name not in ("queue", "ORDER", "DELETE"))
        if given.get("queue") and not asked and not self.errors:
            raise forms.ValidationError(
                gettext("Give it a condition: without one, the rules below it would never be asked.")
            )
        return given


class DefaultForm(forms.Form):
    """The last rule, which has no conditions, and the version that the lead began from."""

    default = forms.ChoiceField(label=gettext_lazy("Everything else goes to"))
    based_on = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, queues: list[Queue], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._queues = {queue.slug: queue for queue in queues}
        _set_choices(self.fields["default"], [(queue.slug, queue.name) for queue in queues])

    @property
    def rule(self) -> Rule:
        return Rule(Conditions(), self._queues[self.cleaned_data["default"]])


RuleFormSet = forms.formset_factory(
    RuleForm, extra=0, can_order=True, can_delete=True, max_num=MAX_RULES, validate_max=True, absolute_max=MAX_RULES + 5
)


def _set_choices(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
    field.choices = choices
