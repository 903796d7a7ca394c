"""Files of tasks that leads bring in from elsewhere."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy

from review.models.queues import Queue
from webapp.accounts.models import Application, Project, User
from webapp.ids import uuid7
from webapp.sentences import from_parts


class ImportState(models.TextChoices):
    LOOKED_AT = "looked_at", pgettext_lazy("import", "not started")
    RUNNING = "running", pgettext_lazy("import", "at work")
    DONE = "done", pgettext_lazy("import", "done")
    FAILED = "failed", pgettext_lazy("import", "stopped")


class TaskImport(models.Model):
    """One file. Its tasks are its batches, which go as they are imported; what remains are counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="task_imports")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="+")
    policy = models.CharField(max_length=100, blank=True, help_text="Empty: the project's default.")
    text_key = models.CharField(max_length=100)
    preview = models.JSONField(default=dict, help_text="See review.label_studio.preview.")
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.LOOKED_AT)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0, help_text="New checks.")
    again = models.PositiveIntegerField(default=0, help_text="Tasks whose check was here.")
    labels = models.PositiveIntegerField(default=0)
    answers = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=list, help_text="[number of the task, reason, how often]")
    error = models.CharField(max_length=300, blank=True, help_text="Why it stopped; quotes no text.")
    error_parts = models.JSONField(null=True, help_text="What `error` is made of, for other languages than English.")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, help_text="Theirs, when they started it.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="import_of_project"),
            models.Index(
                fields=["created_at"], name="import_at_work", condition=models.Q(state__in=["looked_at", "running"])
            ),
        ]

    @property
    def failure(self) -> str:
        """Why it stopped, in the reader's language."""
        return from_parts(self.error, self.error_parts)

    @property
    def is_running(self) -> bool:
        return self.state == ImportState.RUNNING


class TaskBatch(models.Model):
    """Tasks that are imported together, as they stood in the file."""

    task_import = models.ForeignKey(TaskImport, on_delete=models.CASCADE, related_name="batches")
    first = models.PositiveIntegerField(help_text="Number of the first task, from 1.")
    tasks = models.BinaryField(help_text="A JSON array.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task_import", "first"], name="one_batch_from_a_task_on")]
