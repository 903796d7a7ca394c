from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import Project, Role


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)

    @property
    def chosen(self) -> Role:
        return Role(self.cleaned_data["role"])


class MemberForm(RoleForm):
    #: As it would be stored: full-width letters and the like have become plain ones before they are judged.
    username = UsernameField(max_length=150, validators=[UnicodeUsernameValidator()])


class ApplicationForm(forms.Form):
    name = forms.CharField(max_length=200)


class SettingsForm(forms.Form):
    name = forms.CharField(max_length=200)
    default_policy = forms.ChoiceField(required=False)
    random_review_rate = forms.FloatField(min_value=0, max_value=1)
    requests_per_minute = forms.IntegerField(min_value=1, max_value=10_000_000)

    def __init__(self, project: Project, data: Any = None) -> None:
        super().__init__(data, initial={name: getattr(project, name) for name in self.base_fields})
        # The room of policies lies above this one; only their names are needed here.
        names = project.policies.order_by("name").values_list("name", flat=True)
        field = self.fields["default_policy"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [("", _("none: every check names its policy")), *((name, name) for name in names)]
