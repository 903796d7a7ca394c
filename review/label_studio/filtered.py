"""Hand the items of a filtered list to Label Studio: a zip of tasks and labelling interface, sent while it is made."""

from __future__ import annotations

import json
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from review.browse.finding import matching_items
from review.errors import InvalidAnswer
from review.label_studio.config import FILE, label_config
from review.label_studio.exporting import PAGE, exportable, task_of
from review.label_studio.splitting import MAX_TASKS
from screening.categories import MODERATION_CATEGORIES
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event
from webapp.zips import NO_TIME, Sink

TASKS = "tasks.json"


@transaction.atomic
def export_items(*, membership: Membership, filters: Mapping[str, Any]) -> Iterator[bytes]:
    """Record that the items which the filters match leave, and return the pieces of their zip.

    Probes of golden items and items without an output are not among them. Raises InvalidAnswer when none match, or
    more than an import takes back.
    """
    matching = matching_items(project=membership.project, filters=filters)
    found = matching.filter(checked__content__output__isnull=False).order_by("-created_at", "-id")
    ids = list(found.values_list("id", flat=True)[: MAX_TASKS + 1])
    if not ids:
        raise InvalidAnswer(_("No item with an output matches."))
    if len(ids) > MAX_TASKS:
        raise InvalidAnswer(_("More than %(most)d items match. Narrow the filter.") % {"most": MAX_TASKS})
    record_event(
        type="review.items.exported",
        project_id=membership.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("project", membership.project_id),
        reason_codes=["format:label-studio", *(f"filter:{name}" for name in sorted(filters))],
        counts={"rows": len(ids)},
    )
    return _pieces(ids)


def _pieces(ids: Sequence[uuid.UUID]) -> Iterator[bytes]:
    places: set[str] = set()
    wholes: set[str] = set(MODERATION_CATEGORIES)
    sink = Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        with archive.open(_entry(TASKS), "w", force_zip64=True) as target:
            for start in range(0, len(ids), PAGE):
                for number, item in enumerate(exportable().filter(id__in=ids[start : start + PAGE]).order_by("id")):
                    target.write(b"[\n" if start + number == 0 else b",\n")
                    target.write(json.dumps(task_of(item, places, wholes), ensure_ascii=False).encode())
                yield sink.drain()
            target.write(b"\n]\n")
        archive.writestr(_entry(FILE), label_config(spans=places, categories=wholes))
    yield sink.drain()


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, NO_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
