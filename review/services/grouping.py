"""Put near-duplicate items together, off the way of requests: a sweep takes the items that came in since.

It also notes the language of each, which is known from then on.

An item is compared with the exemplars of its queue that share a band with it, by their texts, and joins the most
similar one or becomes an exemplar itself. The items that joined add no bands, so a flood of one text stays cheap.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from review.clusters.subjects import Subject, subject_of
from review.models import ClusterBand, ReviewItem
from review.models.items import OPEN_STATES
from review.near import THRESHOLD, blank_signature
from review.services.precedents import follow_precedents
from screening.detectors.limits import language_of
from webapp.interception.models import CheckContent

if TYPE_CHECKING:
    from datasketch import MinHash

CHUNK = 20
#: Items that one sweep takes at most, so that others get their turn with the worker.
SWEEP = 200
#: Exemplars that an item is compared with: those that share the most bands, among the newest of each band.
COMPARED = 8
NEWEST_OF_A_BAND = 50

CANDIDATES = """
SELECT found.exemplar_id
FROM unnest(%(keys)s::bigint[]) AS wanted(key)
CROSS JOIN LATERAL (
    SELECT band.exemplar_id FROM review_clusterband band
    WHERE band.queue_id = %(queue)s AND band.key = wanted.key
    ORDER BY band.exemplar_id DESC LIMIT %(newest)s) found
GROUP BY found.exemplar_id
ORDER BY count(*) DESC, found.exemplar_id
LIMIT %(compared)s
"""


def group_items(*, most: int = SWEEP) -> int:
    """Give clusters to up to `most` open items that have none, the oldest first, and return how many got one.

    Those that joined one are decided like it where the queue has precedents. Running twice, or at the same time,
    changes nothing more.
    """
    blank = blank_signature()
    done = 0
    while done < most:
        grouped = _group_chunk(blank, min(CHUNK, most - done))
        done += len(grouped)
        if not grouped:
            break
        follow_precedents(grouped)
    return done


@transaction.atomic
def _group_chunk(blank: MinHash, size: int) -> list[ReviewItem]:
    with connection.cursor() as cursor:
        # One at a time: two near-duplicates that are looked at side by side would each become an exemplar.
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('review.grouping', 0))")
        if not cursor.fetchone()[0]:
            return []
    waiting = ReviewItem.objects.real().filter(state__in=OPEN_STATES, cluster=None).order_by("id")
    items = list(waiting.only("id", "queue_id", "checked_id", "language")[:size])
    contents = CheckContent.objects.only("output", "messages").in_bulk([item.checked_id for item in items])
    now = timezone.now()
    for item in items:
        subject = subject_of(contents.get(item.checked_id))
        keys = subject.keys(blank)
        item.cluster, item.similarity = _closest(item.queue_id, keys, subject) or (item.id, 1.0)
        item.clustered_at = now
        item.language = item.language or _language(contents.get(item.checked_id))
        if item.cluster == item.id:
            ClusterBand.objects.bulk_create(
                [ClusterBand(queue_id=item.queue_id, key=number, exemplar=item) for number in set(keys)],
                ignore_conflicts=True,
            )
    # Whoever works on an item at this moment is not waited for, nor are they kept waiting: its turn comes again.
    ids = [item.id for item in items]
    free = set(
        ReviewItem.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(id__in=ids, cluster=None)
        .values_list("id", flat=True)
    )
    grouped = [item for item in items if item.id in free]
    ReviewItem.objects.bulk_update(grouped, ["cluster", "similarity", "clustered_at", "language"])
    return grouped


def _language(content: CheckContent | None) -> str:
    """Return the language of a check's output, or of what was said when there is none; "" when it is not certain."""
    if content is None:
        return ""
    return language_of(content.output or "\n".join(str(message.get("content", "")) for message in content.messages))


def _closest(queue_id: uuid.UUID, keys: Sequence[int], subject: Subject) -> tuple[uuid.UUID, float] | None:
    """Return the exemplar that is most like `subject`, and how much; None when none is like it."""
    exemplars = ReviewItem.objects.select_related("checked__content").filter(id__in=_candidates(queue_id, keys))
    likeness = {
        one.id: subject.similarity(subject_of(getattr(one.checked, "content", None)))
        for one in exemplars.order_by("id")
    }
    best = max(likeness, key=likeness.__getitem__, default=None)
    return (best, likeness[best]) if best and likeness[best] >= THRESHOLD else None


def _candidates(queue_id: uuid.UUID, keys: Sequence[int]) -> list[uuid.UUID]:
    if not keys:
        return []
    parameters: dict[str, Any] = {
        "keys": list(keys),
        "queue": queue_id,
        "newest": NEWEST_OF_A_BAND,
        "compared": COMPARED,
    }
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, parameters)
        return [exemplar for (exemplar,) in cursor.fetchall()]
