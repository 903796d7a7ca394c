"""The form in which reviewers choose their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review.keys import COMMANDS, NAMED, conflicts, normalised, printed


class KeyField(forms.CharField):
    """One key; empty for none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=10, **kwargs)
        self.widget.attrs |= {"class": "key-field", "autocomplete": "off", "spellcheck": "false", "data-key-field": ""}

    def prepare_value(self, value: Any) -> Any:
        return printed(value) if isinstance(value, str) else value

    def clean(self, value: Any) -> str:
        given = super().clean(value)
        try:
            return normalised(given)
        except ValueError:
            raise forms.ValidationError(
                _("Give one character that is not a digit from 1 to 9, or one of: %(names)s.")
                % {"names": ", ".join(NAMED)}
            ) from None


class KeysForm(forms.Form):
    """A field for every command; two commands can not have the same key."""

    def __init__(self, *, keys: Mapping[str, str], data: Any = None) -> None:
        super().__init__(data, initial=dict(keys), label_suffix="")
        for command in COMMANDS:
            usual = format_lazy("{} {}", gettext_lazy("usually"), printed(command.key))
            self.fields[command.name] = KeyField(label=command.does, help_text=usual)

    def clean(self) -> dict[str, Any]:
        does = {command.name: str(command.does) for command in COMMANDS}
        for key, names in conflicts(self.cleaned_data).items():
            for name in names:
                others = ", ".join(f"“{does[other]}”" for other in names if other != name)
                self.add_error(
                    name, _("%(key)s is also the key of %(others)s.") % {"key": printed(key), "others": others}
                )
        return self.cleaned_data
