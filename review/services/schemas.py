"""Store versions of label schemas. None is ever changed: what it was used for stays readable."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from review.definition import Definition, read_definition
from review.errors import SettingsChanged, SettingsTaken
from review.models import LabelSchema, LabelSchemaVersion
from webapp.accounts.models import Membership, Project
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event


@transaction.atomic
def create_schema(*, project: Project, name: str, definition: Definition, membership: Membership) -> LabelSchemaVersion:
    """Make a label schema with its version 1; raise SettingsTaken."""
    try:
        with transaction.atomic():
            schema = LabelSchema.objects.create(project=project, name=name)
    except IntegrityError:
        raise SettingsTaken(gettext("This project has a label schema of that name. Choose another one.")) from None
    return _store(schema, 1, definition, membership)


@transaction.atomic
def add_schema_version(
    *, schema: LabelSchema, based_on: int, definition: Definition, membership: Membership
) -> LabelSchemaVersion | None:
    """Store `definition` as the newest version and return it; None when it is what the newest one says already.

    `based_on` is the version that the lead began from; raises SettingsChanged when a newer one came since.
    """
    LabelSchema.objects.select_for_update(no_key=True).get(pk=schema.pk)
    newest = schema.versions.order_by("-version")[0]
    if newest.version != based_on:
        raise SettingsChanged(
            gettext("Another lead stored version %(newest)s while you had version %(open)s open.")
            % {"newest": newest.version, "open": based_on}
        )
    if read_definition(newest.definition) == definition:
        return None
    return _store(schema, newest.version + 1, definition, membership)


def _store(schema: LabelSchema, number: int, definition: Definition, membership: Membership) -> LabelSchemaVersion:
    version = LabelSchemaVersion.objects.create(schema=schema, version=number, definition=definition.as_json())
    record_event(
        type="review.schema.version.created",
        project_id=schema.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("label_schema_version", version.id, rev=str(number)),
        counts={
            "version": number,
            "categories": len(definition.categories),
            "rationale_snippets": len(definition.rationale_snippets),
            "outcomes": len(definition.outcomes),
            "rubric": len(definition.rubric),
            "hotkeys": len(definition.hotkeys),
        },
    )
    return version
