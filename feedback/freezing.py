"""Freeze a version: members chosen, records written, digest taken."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction

from feedback.filters import Filters
from feedback.jobs import Run
from feedback.keys import project_key
from feedback.membership import Plan, plan
from feedback.models import DatasetRow, DatasetVersion, Split
from feedback.records import Place, canonical, record_of
from feedback.selectors import PAGE, decided_items, items_by_id
from webapp.accounts.models import User
from webapp.accounts.services import SYSTEM, user_actor
from webapp.audit.log import Actor, EventObject, record_event
from webapp.audit.merkle import Frontier, leaf_hash


@dataclass(slots=True)
class Tally:
    """What was written so far."""

    root: Frontier = field(default_factory=Frontier)
    splits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Split.values, 0))

    def add(self, row: DatasetRow) -> None:
        self.root.append(leaf_hash(bytes.fromhex(row.sha256)))
        self.splits[row.split] += 1


def freeze(run: Run[DatasetVersion]) -> DatasetVersion:
    """Write the rows of a claimed version and finish it with its audit event in one transaction.

    Rows are written a page at a time, so that no transaction stays open for long; nobody reads a version before it is
    done. Raises RunLost.
    """
    version = run.job
    dataset = version.dataset
    # A run before this one may have died halfway.
    version.members.all()._raw_delete(using="default")
    items = decided_items(
        project=dataset.project, filters=Filters.from_json(version.filters), before=version.created_at
    )
    chosen = plan(project=dataset.project, items=items, progress=run.progress, keep=True)
    tally = Tally()
    for rows in _pages_of_rows(version, chosen):
        DatasetRow.objects.bulk_create(rows)
        for row in rows:
            tally.add(row)
        run.progress(len(chosen.members) + tally.root.size, 2 * len(chosen.members))
    with transaction.atomic():
        run.finish(
            digest=tally.root.root().hex(),
            rows=tally.root.size,
            split_counts=tally.splits,
            leakage=chosen.leakage,
        )
        _record_frozen(version)
    return version


def _pages_of_rows(version: DatasetVersion, chosen: Plan) -> Iterator[list[DatasetRow]]:
    key = project_key(version.dataset.project_id, "annotator")
    index = 0
    for start in range(0, len(chosen.members), PAGE):
        page = chosen.members[start : start + PAGE]
        items = items_by_id(project=version.dataset.project, ids=[item_id for item_id, _ in page])
        rows = []
        for item_id, place in page:
            # Reopened or erased since the plan was made: then it is not decided any more, and stays out.
            if (item := items.get(item_id)) is None:
                continue
            record = record_of(item, place=place, dataset=version.dataset, pseudonym_key=key)
            rows.append(_row(version, index, place, canonical(record), item_id=item.id))
            index += 1
        yield rows


def _row(version: DatasetVersion, index: int, place: Place, record: str, *, item_id: uuid.UUID) -> DatasetRow:
    return DatasetRow(
        version=version,
        index=index,
        item_id=item_id,
        group_key=place.group,
        split=place.split,
        record=record,
        sha256=hashlib.sha256(record.encode()).hexdigest(),
    )


def _record_frozen(version: DatasetVersion) -> None:
    record_event(
        type="dataset.version.created",
        project_id=version.dataset.project_id,
        actor=actor_of(version.created_by),
        object=EventObject("dataset_version", version.id, rev=version.digest),
        counts={"rows": version.rows, **version.split_counts, **version.leakage},
    )


def actor_of(user: User | None) -> Actor:
    """Return the audit actor of who asked for the work, which may be a command."""
    return user_actor(user) if user else SYSTEM
