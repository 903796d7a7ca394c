"""Give events their places in the log: one sequencer at a time, gap-free indexes, nothing left out."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from webapp.audit.errors import LogDamaged
from webapp.audit.merkle import Frontier, leaf_hash
from webapp.audit.models import AuditEvent, AuditLeaf, AuditNode, AuditPending

#: Advisory lock of the log's writer. Any number will do; locks belong to one database.
LOG_LOCK = 0x61756469746C6F67
BATCH = 1000


def sequence_log(*, wait: bool, max_batches: int | None = None) -> int:
    """Append every committed event that is not in the log yet, and return how many were.

    With `wait` unset, return 0 when another sequencer is at work. Raises LogDamaged.
    """
    total = batches = 0
    while max_batches is None or batches < max_batches:
        appended = _append_batch(wait=wait)
        total, batches = total + appended, batches + 1
        if appended < BATCH:
            break
    return total


@transaction.atomic(durable=True)
def _append_batch(*, wait: bool) -> int:
    if not lock_log(wait=wait):
        return 0
    pending = list(AuditPending.objects.order_by("event_id").values_list("event_id", flat=True)[:BATCH])
    if not pending:
        return 0
    events = AuditEvent.objects.filter(id__in=pending).order_by("id").values_list("id", "envelope")
    frontier = read_frontier(log_size())
    leaves: list[AuditLeaf] = []
    nodes: list[AuditNode] = []
    for event_id, envelope in events:
        sha256 = leaf_hash(bytes(envelope))
        leaves.append(AuditLeaf(index=frontier.size, event_id=event_id, sha256=sha256))
        nodes += [AuditNode(level=level, index=index, sha256=sha) for level, index, sha in frontier.append(sha256)]
    AuditLeaf.objects.bulk_create(leaves)
    AuditNode.objects.bulk_create(nodes)
    # Entries whose event is gone stay, for `audit verify` to report.
    AuditPending.objects.filter(event_id__in=[leaf.event_id for leaf in leaves]).delete()
    return len(leaves)


@transaction.atomic
def requeue_missing() -> int:
    """Put events that are neither in the log nor waiting on the work list; return how many. Reads the whole log."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditpending (event_id) SELECT e.id FROM audit_auditevent e"
            " WHERE NOT EXISTS (SELECT FROM audit_auditleaf l WHERE l.event_id = e.id) ON CONFLICT DO NOTHING"
        )
        return int(cursor.rowcount)


def lock_log(*, wait: bool) -> bool:
    """Become the log's only writer until the transaction ends; return False when another is and `wait` is unset."""
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOG_LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOG_LOCK])
        row = cursor.fetchone()
    return bool(row and row[0])


def log_size() -> int:
    last = AuditLeaf.objects.order_by("-index").values_list("index", flat=True).first()
    return 0 if last is None else last + 1


def read_node(level: int, index: int) -> bytes:
    """Return a stored hash; raise LogDamaged when it is missing (a `merkle.NodeReader`)."""
    try:
        if level == 0:
            return bytes(AuditLeaf.objects.values_list("sha256", flat=True).get(index=index))
        return bytes(AuditNode.objects.values_list("sha256", flat=True).get(level=level, index=index))
    except (AuditLeaf.DoesNotExist, AuditNode.DoesNotExist):
        raise LogDamaged(
            _("node %(number)s of level %(level)s of the audit log is missing: run manage.py audit verify")
            % {"number": index, "level": level}
        ) from None


def read_frontier(size: int) -> Frontier:
    """Return the right edge of the log at `size` leaves, in at most two queries; raise LogDamaged."""
    places = Frontier.places(size)
    wanted = Q()
    for level, index in places:
        if level:
            wanted |= Q(level=level, index=index)
    found = {(n.level, n.index): bytes(n.sha256) for n in AuditNode.objects.filter(wanted)} if wanted else {}
    if size & 1:
        found[0, size - 1] = read_node(0, size - 1)
    if len(found) != len(places):
        raise LogDamaged(
            _("the edge of the audit log at size %(size)s is incomplete: run manage.py audit verify") % {"size": size}
        )
    return Frontier(size, [found[place] for place in places])
