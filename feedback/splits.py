"""Which split a group belongs to: by keyed hash the first time, by the ledger for ever after."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from feedback.groups import Groups
from feedback.keys import keyed
from feedback.models import Split, SplitLedger

#: Out of 100.
SHARES = {Split.TRAIN: 80, Split.VALIDATION: 10, Split.TEST: 10}
#: When a group joins what was apart: what was seen in training can not become test data, the other way costs a row.
STRICTEST = (Split.TEST, Split.VALIDATION, Split.TRAIN)
CHUNK = 5_000


@dataclass(slots=True)
class Assigned:
    """The split of every group (by its root), and of every key that the ledger knows already."""

    of_root: dict[int, str] = field(default_factory=dict)
    of_key: dict[bytes, str] = field(default_factory=dict)

    def misplaced(self, root: int, keys: Iterable[bytes]) -> bool:
        """Whether an item was in another split before its group grew; it must then be left out."""
        return any(self.of_key.get(key, self.of_root[root]) != self.of_root[root] for key in keys)


def split_of(salt: bytes, root_key: bytes) -> Split:
    """Return the split of a new group: the same for the same installation, project and first member."""
    draw = int.from_bytes(keyed(salt, root_key.hex())[:8], "big")
    below = 0
    for split, share in SHARES.items():
        below += share
        # Integer arithmetic: 2**64 · share would lose bits as a float.
        if draw * 100 < below * 2**64:
            return split
    raise AssertionError("shares add up to 100")


def assign(*, project_id: uuid.UUID, groups: Groups, root_keys: Mapping[int, bytes], salt: bytes) -> Assigned:
    """Give each group its split. The project's row is locked by the caller if the result is to be recorded."""
    result = Assigned(of_key=_known(project_id, groups))
    claims: dict[int, set[str]] = {}
    for key, split in result.of_key.items():
        claims.setdefault(groups.root(groups.keys()[key]), set()).add(split)
    for root, key in root_keys.items():
        known = claims.get(root)
        result.of_root[root] = next(s for s in STRICTEST if s in known) if known else split_of(salt, key)
    return result


def record(*, project_id: uuid.UUID, groups: Groups, assigned: Assigned) -> None:
    """Write the keys that are new into the ledger; call it in the transaction that holds the project's row."""
    new = (
        SplitLedger(project_id=project_id, group_key=key.hex(), split=assigned.of_root[groups.root(number)])
        for key, number in groups.keys().items()
        if key not in assigned.of_key
    )
    while chunk := list(islice(new, CHUNK)):
        SplitLedger.objects.bulk_create(chunk)


def _known(project_id: uuid.UUID, groups: Groups) -> dict[bytes, str]:
    keys = iter(groups.keys())
    known: dict[bytes, str] = {}
    while chunk := list(islice(keys, CHUNK)):
        rows = SplitLedger.objects.filter(project_id=project_id, group_key__in=[key.hex() for key in chunk])
        known.update((bytes.fromhex(key), split) for key, split in rows.values_list("group_key", "split"))
    return known
