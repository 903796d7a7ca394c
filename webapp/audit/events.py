"""The closed registry of event types; docs/reference/audit.md lists them."""

from __future__ import annotations

EVENT_TYPES: dict[str, str] = {
    "project.created": "A project was created.",
    "project.settings.changed": "A setting of a project was changed.",
    "member.role.set": "A person was given a role.",
    "member.removed": "A person lost access to a project.",
    "application.created": "An application was registered.",
    "key.created": "An API key was made.",
    "key.revoked": "An API key was revoked.",
    "signin.succeeded": "A person signed in.",
    "signin.failed": "A sign-in was refused.",
    "password.changed": "A person changed their password, or was given a new one on the server.",
    "policy.version.created": "A policy version was stored.",
    "policy.activated": "A policy version became the active one.",
    "check.accepted": "An asynchronous check was taken in; its verdict follows.",
    "check.concluded": "A check got its verdict.",
    "check.late_result": "A rule finished after the verdict and its findings were attached.",
    "review.queue.created": "A lead made a review queue.",
    "review.queue.changed": "A lead changed a review queue.",
    "review.schema.version.created": "A lead stored a version of a label schema.",
    "review.item.created": "A check was put in front of people.",
    "review.annotation.submitted": "A reviewer answered.",
    "review.item.skipped": "A reviewer skipped an item.",
    "review.item.escalated": "An item was escalated.",
    "review.decision.recorded": "An item was decided.",
    "content.viewed": "A person opened the texts of a check.",
    "dataset.version.created": "A dataset version was frozen.",
    "export.created": "A dataset version was exported.",
    "export.downloaded": "An export was downloaded.",
    "report.created": "A compliance report was made.",
}
