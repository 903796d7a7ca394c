"""Near-duplicate items. A cluster has the id of its first item, its exemplar, which the others are compared with."""

from __future__ import annotations

from django.db import models

from review.models.items import ReviewItem
from review.models.queues import Queue


class ClusterBand(models.Model):
    """One of the keys by which the near-duplicates of an exemplar are found in its queue."""

    pk = models.CompositePrimaryKey("queue", "key", "exemplar")
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.BigIntegerField()
    exemplar = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="+", db_index=False)
