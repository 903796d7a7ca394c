"""The form of a label schema: one thing a line, so that it works without scripts."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from review.definition import ALWAYS, HOTKEYS, OUTCOMES, Definition, RubricField
from review.forms import LinesField
from screening.categories import MODERATION_CATEGORIES

#: Letters and digits of any script first, so that a name is never mistaken for markup or for a number of a form.
_NAME = re.compile(r"\w[\w /.+&-]{0,59}")
MAX_CATEGORIES = 60
MAX_SNIPPETS = 20
MAX_SNIPPET = 300
MAX_RUBRIC = 8
MAX_POINTS = 10
_NAMES = gettext_lazy("letters, digits, blanks and / . + & - _, at most 60 of them")


class SchemaForm(forms.Form):
    """What reviewers can answer; `based_on` is the version that the lead began from."""

    categories = LinesField(
        help_text=gettext_lazy(
            "One a line. The first nine have the keys 1 to 9. Those of the guard model come with its scores."
        ),
    )
    outcomes = forms.MultipleChoiceField(
        label=gettext_lazy("Also offered"),
        required=False,
        choices=[(name, name.capitalize()) for name in OUTCOMES if name not in ALWAYS],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Besides release and block, which every schema has."),
    )
    rubric = LinesField(
        required=False,
        help_text=gettext_lazy(
            "Questions answered with a number, one a line, each with its highest one: “tone: 5”. At most 8."
        ),
    )
    rationale_snippets = LinesField(
        required=False,
        help_text=gettext_lazy("Sentences that a reviewer puts into the note with a tick, one a line. At most 20."),
    )
    hotkeys = LinesField(
        required=False,
        help_text=gettext_lazy(
            "Other keys than that: which of 1 to 9 is that of which category or sentence, one a line: “3: hate”."
        ),
    )

    def __init__(self, *, definition: Definition | None, based_on: int | None = None, data: Any = None) -> None:
        super().__init__(data)
        self.initial = {
            "categories": definition.categories if definition else list(MODERATION_CATEGORIES),
            "outcomes": [name for name in (definition.outcomes if definition else OUTCOMES) if name not in ALWAYS],
            "rubric": [str(field) for field in definition.rubric] if definition else [],
            "rationale_snippets": definition.rationale_snippets if definition else [],
            "hotkeys": [f"{key}: {name}" for key, name in definition.hotkeys.items()] if definition else [],
        }
        for name, rows in (("rubric", 3), ("rationale_snippets", 4), ("hotkeys", 3)):
            self.fields[name].widget.attrs["rows"] = rows
        if based_on is not None:
            self.fields["based_on"] = forms.IntegerField(widget=forms.HiddenInput, initial=based_on)

    @property
    def definition(self) -> Definition:
        given = self.cleaned_data
        chosen = {*ALWAYS, *given["outcomes"]}
        return Definition(
            categories=given["categories"],
            rationale_snippets=given["rationale_snippets"],
            outcomes=[name for name in OUTCOMES if name in chosen],
            rubric=given["rubric"],
            hotkeys=given["hotkeys"],
        )

    def clean_categories(self) -> list[str]:
        names: list[str] = self.cleaned_data["categories"]
        if not 1 <= len(names) <= MAX_CATEGORIES:
            raise forms.ValidationError(
                gettext("Give 1 to %(most)s categories, one a line.") % {"most": MAX_CATEGORIES}
            )
        _require_names(names)
        return names

    def clean_rubric(self) -> list[RubricField]:
        fields = [_rubric_field(line) for line in self.cleaned_data["rubric"]]
        if len(fields) > MAX_RUBRIC:
            raise forms.ValidationError(
                gettext("Leave some out: a rubric has at most %(most)s questions.") % {"most": MAX_RUBRIC}
            )
        _require_names([field.name for field in fields])
        return fields

    def clean_rationale_snippets(self) -> list[str]:
        snippets: list[str] = self.cleaned_data["rationale_snippets"]
        if len(snippets) > MAX_SNIPPETS:
            raise forms.ValidationError(
                gettext("Leave some out: there are at most %(most)s sentences.") % {"most": MAX_SNIPPETS}
            )
        if any(len(snippet) > MAX_SNIPPET for snippet in snippets):
            raise forms.ValidationError(
                gettext("Shorten the sentences to at most %(most)s characters each.") % {"most": MAX_SNIPPET}
            )
        if len(set(snippets)) < len(snippets):
            raise forms.ValidationError(gettext("Two of the sentences are the same: leave one out."))
        return snippets

    def clean_hotkeys(self) -> dict[str, str]:
        given = self.cleaned_data
        names = [*given.get("categories", []), *given.get("rationale_snippets", [])]
        chosen: dict[str, str] = {}
        for line in given["hotkeys"]:
            key, _, name = (part.strip() for part in line.partition(":"))
            if len(key) != 1 or key not in HOTKEYS or key in chosen:
                raise forms.ValidationError(gettext("Begin every line with another of the keys 1 to 9 and a colon."))
            if name not in names or name in chosen.values():
                raise forms.ValidationError(
                    gettext("“%(name)s” is none of the categories and sentences, or has a key already.")
                    % {"name": name[:60]}
                )
            chosen[key] = name
        return dict(sorted(chosen.items()))


class NewSchemaForm(SchemaForm):
    """A schema that is not there yet, and the name that it keeps."""

    name = forms.SlugField(
        max_length=100,
        help_text=gettext_lazy("Letters, digits, - and _. Versions are counted under it; it can not be changed later."),
    )
    field_order = ("name",)


def _rubric_field(line: str) -> RubricField:
    name, _, points = line.rpartition(":")
    highest = points.strip()
    if not (highest.isascii() and highest.isdigit() and len(highest) < 4 and 2 <= int(highest) <= MAX_POINTS):
        raise forms.ValidationError(
            gettext("End every line with a colon and the highest number, 2 to %(most)s, as in “tone: 5”.")
            % {"most": MAX_POINTS}
        )
    return RubricField(name.strip(), int(highest))


def _require_names(names: list[str]) -> None:
    bad = next((name for name in names if not _NAME.fullmatch(name)), None)
    if bad is not None:
        raise forms.ValidationError(
            gettext("Rename “%(name)s”: a name has %(allowed)s, and begins with a letter or a digit.")
            % {"name": bad[:60], "allowed": _NAMES}
        )
    if len(set(names)) < len(names):
        raise forms.ValidationError(gettext("Two of the names are the same: leave one out."))
