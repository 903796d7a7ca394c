"""Recompute the whole log from the bytes of its envelopes, and compare it with every stored and signed statement."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import rfc8785

from webapp.audit.errors import AuditError, NoteError
from webapp.audit.keys import recall, verifier_key
from webapp.audit.merkle import Frontier, Node, leaf_hash
from webapp.audit.models import AuditCheckpoint, AuditEvent, AuditPending
from webapp.audit.notes import Checkpoint, VerifierKey, open_checkpoint
from webapp.audit.sequencer import requeue_missing, sequence_log
from webapp.audit.streams import LoggedEvent, all_leaves, all_nodes, snapshot, stream

#: More than these are counted and not listed.
MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where (a leaf, event, node or checkpoint), and what that means."""

    where: str
    what: str


@dataclass
class Result:
    """What was checked and what was found; `problems` lists the first MAX_PROBLEMS of `problem_count`."""

    events: int = 0
    nodes: int = 0
    checkpoints: int = 0
    signed: int = 0
    root: str = ""
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problem_count

    def add(self, where: str, what: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(where, what))

    def as_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


def verify_log() -> Result:
    """Append what waits, then check leaves, nodes, roots, signatures, gaps and envelopes in one pass."""
    result = Result()
    requeue_missing()
    try:
        sequence_log(wait=True)
    except AuditError as error:
        result.add("log", str(error))
    with snapshot():
        _verify(result)
    return result


def _verify(result: Result) -> None:
    key = _key(result)
    frontier = Frontier()
    nodes = all_nodes()
    checkpoints = AuditCheckpoint.objects.order_by("size").iterator()
    due = next(checkpoints, None)
    remembered = _remembered(key, result)
    for leaf in all_leaves():
        if leaf.index != frontier.size:
            result.add(f"leaf {frontier.size}", "is missing: leaves were removed or renumbered; the rest was not read")
            break
        sha256 = _check_leaf(leaf, result)
        _check_nodes(frontier.append(sha256), nodes, result)
        while due is not None and due.size <= frontier.size:
            _check_checkpoint(due, frontier, key, result)
            due = next(checkpoints, None)
        if remembered is not None and remembered.size == frontier.size and remembered.root != frontier.root():
            result.add(
                "checkpoint file", f"states another root at {remembered.size} events: the log was changed or forked"
            )
    for level, index, _ in nodes:
        result.add(f"node {index} of level {level}", "belongs to no leaves: leaves were removed, or a node added")
    result.events, result.root = frontier.size, frontier.root().hex()
    _check_ends(due, remembered, result)


def _key(result: Result) -> VerifierKey | None:
    try:
        return verifier_key()
    except AuditError as error:
        if AuditCheckpoint.objects.exists():
            result.add("key", f"signatures can not be checked: {error}")
        return None


def _remembered(key: VerifierKey | None, result: Result) -> Checkpoint | None:
    note = recall()
    if note is None or key is None:
        return None
    try:
        return open_checkpoint(note, key)
    except NoteError as error:
        result.add("checkpoint file", f"is not a checkpoint of this key: {error}")
        return None


def _check_leaf(leaf: LoggedEvent, result: Result) -> bytes:
    """Return the leaf's hash, recomputed when its event is there, so that each problem shows once."""
    if leaf.envelope is None:
        result.add(f"leaf {leaf.index}", f"its event {leaf.event_id} is gone: the row was deleted")
        return leaf.sha256
    sha256 = leaf_hash(leaf.envelope)
    if sha256 != leaf.sha256:
        result.add(f"leaf {leaf.index}", f"event {leaf.event_id} is not what was logged: its envelope or place changed")
    for what in _envelope_faults(leaf.envelope, leaf):
        result.add(f"leaf {leaf.index}", f"event {leaf.event_id}: {what}")
    return sha256


def _envelope_faults(data: bytes, leaf: LoggedEvent) -> Iterator[str]:
    try:
        envelope = json.loads(data, parse_float=_no_float, parse_constant=_no_float)
        canonical = _is_canonical(envelope, data)
    except (ValueError, rfc8785.CanonicalizationError, RecursionError):
        yield "its envelope is not JSON, or has a float"
        return
    if not canonical or not isinstance(envelope, dict):
        yield "its envelope is not canonical JSON (RFC 8785)"
    else:
        yield from _column_faults(envelope, leaf)


def _is_canonical(envelope: Any, data: bytes) -> bool:
    # Without floats the two agree but for the order of keys beyond U+FFFF, and json is thirty times as fast.
    quick = json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return quick.encode() == data or rfc8785.dumps(envelope) == data


def _no_float(text: str) -> float:
    raise ValueError("a float")


def _column_faults(envelope: dict[str, Any], leaf: LoggedEvent) -> Iterator[str]:
    """Yield the columns that reports select by and that do not say what the signed envelope says."""
    project = str(leaf.project_id) if leaf.project_id else None
    if envelope.get("id") != str(leaf.event_id):
        yield "its envelope has another id"
    if envelope.get("project") != project:
        yield "the project column is not the envelope's"
    if envelope.get("type") != leaf.type:
        yield "the type column is not the envelope's"
    try:
        same = dt.datetime.fromisoformat(envelope["ts"]) == leaf.ts
    except (KeyError, TypeError, ValueError):
        same = False
    if not same:
        yield "the ts column is not the envelope's"


def _check_nodes(done: list[Node], stored: Iterator[Node], result: Result) -> None:
    for node in done:
        result.nodes += 1
        if (found := next(stored, None)) != node:
            what = "is missing" if found is None or found[:2] != node[:2] else "is not the hash of its leaves"
            result.add(f"node {node[1]} of level {node[0]}", what)


def _check_checkpoint(row: AuditCheckpoint, frontier: Frontier, key: VerifierKey | None, result: Result) -> None:
    where = f"checkpoint {row.size}"
    result.checkpoints += 1
    if row.size != frontier.size:
        result.add(where, "is out of order")
        return
    result.signed = row.size
    root = frontier.root()
    if bytes(row.root) != root:
        result.add(where, "its root is not the log's: events before it were changed, removed, added or reordered")
    if key is None:
        return
    try:
        checkpoint = open_checkpoint(row.note, key)
    except NoteError as error:
        result.add(where, f"its note does not verify: {error}")
        return
    if (checkpoint.size, checkpoint.root) != (row.size, root):
        result.add(where, "what was signed is not this log: events before it were changed, removed, added or reordered")


def _check_ends(due: AuditCheckpoint | None, remembered: Checkpoint | None, result: Result) -> None:
    if due is not None:
        result.add(f"checkpoint {due.size}", f"was signed, but the log has {result.events} events: the end was removed")
    if remembered is not None and remembered.size > result.events:
        what = f"{remembered.size} events were signed, but the log has {result.events}: an older backup was restored"
        result.add("checkpoint file", what)
    for (event_id,) in stream(
        "SELECT e.id FROM audit_auditevent e WHERE NOT EXISTS (SELECT FROM audit_auditleaf l WHERE l.event_id = e.id)"
        " AND NOT EXISTS (SELECT FROM audit_auditpending p WHERE p.event_id = e.id)"
    ):
        result.add(f"event {event_id}", "is neither in the log nor waiting for its place: its leaf was removed")
    waiting = AuditPending.objects.values("event_id")
    gone = waiting.exclude(event_id__in=AuditEvent.objects.values("id"))
    for entry in gone.iterator():
        result.add(f"event {entry['event_id']}", "waited for its place and is gone: the row was deleted")
