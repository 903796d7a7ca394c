"""The form that takes a file of tasks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from policies.selectors import policy_names
from review.label_studio.reading import MAX_BYTES
from review.label_studio.tasks import TEXT
from webapp.accounts.models import Project


class ImportForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("JSON as Label Studio exports it (not JSON-MIN), at most 64 MiB and 10,000 tasks."),
        widget=forms.FileInput({"accept": ".json,application/json"}),
    )
    queue = forms.ChoiceField(
        label=gettext_lazy("Queue"), help_text=gettext_lazy("All tasks come to it, whatever the policy says of them.")
    )
    application = forms.ChoiceField(
        label=gettext_lazy("Application"), help_text=gettext_lazy("Whose outputs the texts count as.")
    )
    policy = forms.ChoiceField(
        required=False, label=gettext_lazy("Policy"), help_text=gettext_lazy("The one that screens them.")
    )
    text_key = forms.CharField(
        max_length=100,
        initial=TEXT,
        label=gettext_lazy("Key of the text"),
        help_text=gettext_lazy("Of the output in the data of a task: what <Text value> names in the configuration."),
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("queue", project.queues.order_by("name").values_list("slug", "name"))
        self._offer("application", ((str(key), name) for key, name in project.applications.values_list("id", "name")))
        names = policy_names(project)
        self._offer("policy", [("", _("the project's default")), *((name, name) for name in names)])

    def _offer(self, name: str, choices: Any) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(choices)

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if file.size is None or file.size > MAX_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(most)s MiB. Import it in parts.") % {"most": MAX_BYTES // 1024 // 1024}
            )
        return file
