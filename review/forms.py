"""The forms of the pages on which leads run queues. Help texts say what a setting does and when it takes effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from review.definition import OUTCOMES
from review.models import LabelSchemaVersion, Queue
from review.selectors import schema_versions
from review.services.queues import QUEUE_SETTINGS
from webapp.accounts.models import Project

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DAY = 24 * 3600
MAX_SKIP_REASONS = 9
MAX_SKIP_REASON = 100
MAX_SKILLS = 20
MAX_SKILL = 50


class LinesField(forms.CharField):
    """A list of texts, one a line; empty lines, and blanks around, are dropped."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in super().clean(value).splitlines()]
        return [line for line in lines if line]


class SkillsField(LinesField):
    """Names of skills, in small letters, each once."""

    def clean(self, value: Any) -> Any:
        skills = list(dict.fromkeys(skill.lower() for skill in super().clean(value)))
        if len(skills) > MAX_SKILLS or any(len(skill) > MAX_SKILL for skill in skills):
            raise forms.ValidationError(
                _("Give at most %(most)s skills of at most %(length)s characters each.")
                % {"most": MAX_SKILLS, "length": MAX_SKILL}
            )
        return skills


#: The parts of the page, and the fields in each.
GROUPS = (
    (gettext_lazy("The queue"), ("name", "slug", "label_schema", "skills", "paused")),
    (
        gettext_lazy("How many people read an item"),
        ("required_reviews", "max_reviews", "consensus_threshold", "overlap_rate"),
    ),
    (gettext_lazy("Time"), ("sla_seconds", "undo_seconds", "lease_seconds", "prefetch_lease_seconds")),
    (gettext_lazy("Quality"), ("blind_rate", "qa_rate", "golden_rate", "golden_pass_mark", "golden_window")),
    (gettext_lazy("Answers"), ("skip_reasons", "reason_for", "precedents")),
)


class QueueForm(forms.Form):
    """The settings of a queue (QUEUE_SETTINGS), filled with `queue`'s or with the defaults of a new one."""

    name = forms.CharField(
        max_length=200, help_text=gettext_lazy("What reviewers read in the list and above every item.")
    )
    paused = forms.BooleanField(
        required=False,
        help_text=gettext_lazy(
            "It gives out nothing. New items still come in, and reviewers keep and submit what they have."
        ),
    )
    label_schema = forms.ModelChoiceField(
        LabelSchemaVersion.objects.none(),
        help_text=gettext_lazy(
            "What reviewers can answer. An item that is on a screen is shown again before its answer counts."
        ),
    )
    required_reviews = forms.IntegerField(
        min_value=1,
        max_value=9,
        help_text=gettext_lazy(
            "How many reviewers answer each item, unseen by each other. For items that come in from now on."
        ),
    )
    max_reviews = forms.IntegerField(
        min_value=1,
        max_value=20,
        label=gettext_lazy("Most reviews"),
        help_text=gettext_lazy(
            "While reviewers disagree, one more is asked, up to this many; then a lead decides. At once."
        ),
    )
    consensus_threshold = forms.FloatField(
        min_value=0.01,
        max_value=1,
        help_text=gettext_lazy(
            "Share of the answers that must agree: 0.6 lets two of three decide, 1 wants all. At once."
        ),
    )
    lease_seconds = forms.IntegerField(
        min_value=30,
        max_value=DAY,
        help_text=gettext_lazy(
            "How long an item on screen stays a reviewer’s without a key or a click. From the next item on."
        ),
    )
    prefetch_lease_seconds = forms.IntegerField(
        min_value=15,
        max_value=DAY,
        label=gettext_lazy("Pre-fetch seconds"),
        help_text=gettext_lazy("How long the item that waits behind the one on screen is kept for the same reviewer."),
    )
    sla_seconds = forms.IntegerField(
        min_value=60,
        max_value=90 * DAY,
        label=gettext_lazy("Due after seconds"),
        help_text=gettext_lazy(
            "When an item is overdue; of equally urgent ones the earlier due comes first. For new items."
        ),
    )
    undo_seconds = forms.IntegerField(
        min_value=0,
        max_value=600,
        label=gettext_lazy("Undo seconds"),
        help_text=gettext_lazy(
            "How long a decision can be taken back before it takes effect; 0 is not at all. For new decisions."
        ),
    )
    blind_rate = forms.FloatField(
        min_value=0,
        max_value=1,
        label=gettext_lazy("Blind share"),
        help_text=gettext_lazy(
            "Of these items reviewers see nothing that the machine found until they answered: 0.1 is one in ten. "
            "Datasets for measuring take their labels alone. For new items."
        ),
    )
    overlap_rate = forms.FloatField(
        min_value=0,
        max_value=1,
        label=gettext_lazy("Overlap share"),
        help_text=gettext_lazy(
            "These items are answered by one reviewer more than required, so that agreement can be measured."
        ),
    )
    golden_rate = forms.FloatField(
        min_value=0,
        max_value=1,
        label=gettext_lazy("Golden share"),
        help_text=gettext_lazy(
            "So many golden items come to reviewers for each item that comes in: 0.05 is one for every twenty."
        ),
    )
    golden_pass_mark = forms.FloatField(
        min_value=0,
        max_value=1,
        label=gettext_lazy("Golden pass mark"),
        help_text=gettext_lazy(
            "Whose golden answers score less on average gets nothing new of this queue until a lead lifts that."
        ),
    )
    golden_window = forms.IntegerField(
        min_value=1,
        max_value=200,
        label=gettext_lazy("Golden answers counted"),
        help_text=gettext_lazy(
            "The mark holds for this many of a reviewer’s last golden answers; before, nobody is paused."
        ),
    )
    reason_for = forms.MultipleChoiceField(
        label=gettext_lazy("Reason required for"),
        required=False,
        choices=[(name, name.capitalize()) for name in OUTCOMES],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A rule of the policy, a sentence or a note. Without one the answer is refused. At once."),
    )
    qa_rate = forms.FloatField(
        min_value=0,
        max_value=1,
        label=_("QA share"),
        help_text=_("A lead who had no part in it looks at these decisions again. For new items."),
    )
    precedents = forms.BooleanField(
        label=_("Precedents"),
        required=False,
        help_text=_(
            "What comes in later and is nearly the same as outputs that were decided at once is decided like them, "
            "until that is taken back, opened again or contested. For decisions from now on; off at once."
        ),
    )
    skip_reasons = LinesField(
        help_text=gettext_lazy(
            "One a line, at most 9: reviewers choose by number. Who skipped an item does not get it again."
        ),
    )
    skills = SkillsField(
        required=False,
        help_text=_("One a line: only who has all of them is given items of this queue. At once."),
    )

    def __init__(self, *, project: Project, queue: Queue | None = None, data: Any = None) -> None:
        filled = queue or Queue()
        plain = (name for name in QUEUE_SETTINGS if name != "label_schema")
        super().__init__(data, initial={name: getattr(filled, name) for name in plain})
        self.queue = queue
        versions = schema_versions(project=project)
        schema = self.fields["label_schema"]
        assert isinstance(schema, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        schema.queryset = versions
        schema.required = versions.exists()
        schema.empty_label = None if schema.required else gettext("default: every category of the guard model")
        self.initial["label_schema"] = queue.label_schema_id if queue else None
        self.fields["skip_reasons"].widget.attrs["rows"] = 5
        self.fields["skills"].widget.attrs["rows"] = 3
        if queue is not None:
            self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, initial=queue.version)

    @property
    def groups(self) -> list[tuple[StrOrPromise, list[forms.BoundField]]]:
        """Return the fields by the parts of the page."""
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in GROUPS]

    @property
    def settings(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in QUEUE_SETTINGS}

    def clean_skip_reasons(self) -> list[str]:
        reasons: list[str] = self.cleaned_data["skip_reasons"]
        if not 1 <= len(reasons) <= MAX_SKIP_REASONS:
            raise forms.ValidationError(gettext("Give 1 to %(most)s reasons, one a line.") % {"most": MAX_SKIP_REASONS})
        if len(set(reasons)) < len(reasons):
            raise forms.ValidationError(gettext("Two of the reasons are the same: leave one out."))
        if any(len(reason) > MAX_SKIP_REASON for reason in reasons):
            raise forms.ValidationError(
                gettext("Shorten the reasons to at most %(most)s characters each.") % {"most": MAX_SKIP_REASON}
            )
        return reasons

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        required, lease = given.get("required_reviews", 0), given.get("lease_seconds", DAY)
        if given.get("max_reviews", required) < required:
            self.add_error(
                "max_reviews",
                gettext("Give at least %(number)s, the number of required reviews.") % {"number": required},
            )
        if given.get("prefetch_lease_seconds", lease) > lease:
            self.add_error(
                "prefetch_lease_seconds",
                gettext("Give at most %(seconds)s, the lease of the item on screen.") % {"seconds": lease},
            )
        if given.get("overlap_rate") and given.get("max_reviews") == required:
            self.add_error(
                "max_reviews",
                gettext("Give at least %(number)s: a share of the items gets one review more.")
                % {"number": required + 1},
            )
        return given


class NewQueueForm(QueueForm):
    """The settings of a queue that is not there yet, and the slug that it keeps."""

    slug = forms.SlugField(
        max_length=100,
        help_text=gettext_lazy("Its name in addresses: letters, digits, - and _. It can not be changed later."),
    )
    field_order = ("name", "slug")
