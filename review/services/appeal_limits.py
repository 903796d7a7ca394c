"""How many appeals may be made: each takes a person's time. Counted in PostgreSQL, so that it holds without Redis."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from review.errors import TooManyAppeals
from review.models import Appeal
from webapp.accounts.models import Application

PER_APPLICATION = 300
PER_END_USER = 20
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def require_room(application: Application, end_user: str) -> None:
    """Raise TooManyAppeals when the application made PER_APPLICATION in an hour, or for an end user PER_END_USER in a
    day.

    Others of the application wait from here on until the transaction ends: two at once would both find the last room.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"appeals:{application.id}"])
    now = timezone.now()
    made = Appeal.objects.filter(project_id=application.project_id, application=application)
    if _reached(made.filter(created_at__gt=now - HOUR), PER_APPLICATION):
        raise TooManyAppeals(f"The application made {PER_APPLICATION} appeals in the last hour.", retry_after=600)
    theirs = made.filter(created_at__gt=now - DAY, text__end_user=end_user)
    if end_user and _reached(theirs, PER_END_USER):
        raise TooManyAppeals(f"This end user made {PER_END_USER} appeals in the last day.", retry_after=3600)


def _reached(made: QuerySet[Appeal], limit: int) -> bool:
    return made.order_by("-created_at")[limit - 1 : limit].exists()
