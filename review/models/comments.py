"""What people say to each other about an item, and whom they ask."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from review.models.items import ReviewItem
from webapp.accounts.models import User
from webapp.ids import uuid7


class Comment(models.Model):
    """A remark on an item; `start` and `end` are code points of the output when it is about a part of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="comments")
    cycle = models.PositiveSmallIntegerField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(start__isnull=True, end__isnull=True) | Q(start__isnull=False, end__gt=F("start")),
                name="comment_is_about_a_part_or_all",
            ),
        ]
        indexes = [models.Index(fields=["item", "created_at", "id"], name="comment_of_item")]


class Mention(models.Model):
    """A person was asked: in a comment, or, without one, by whoever escalated the item."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="mentions")
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, related_name="mentions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, help_text="When the person saw it on the item's page.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "user"], name="one_mention_of_a_person")]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="mention_of_user"),
            models.Index(fields=["user", "item"], name="mention_unread", condition=Q(read_at__isnull=True)),
        ]
