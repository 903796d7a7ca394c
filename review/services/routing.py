"""Store routing rules. A table is never changed; a change is one more version."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from review.errors import SettingsChanged
from review.models import RoutingRule, RoutingTable
from review.routing import Rule, active_rules
from webapp.accounts.models import Membership, Project
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event


def routing_version(*, project: Project) -> int:
    """Return the version that holds; 0 when there is none yet."""
    tables = RoutingTable.objects.filter(project=project)
    return tables.aggregate(newest=Max("version"))["newest"] or 0


@transaction.atomic
def save_routing(*, project: Project, based_on: int, rules: Sequence[Rule], membership: Membership) -> int | None:
    """Let `rules` hold for what comes from now on and return their version; None when nothing is different.

    The last rule has no conditions. `based_on` is the version that the lead began from; raises SettingsChanged when
    a newer one came since.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    newest = routing_version(project=project)
    if newest != based_on:
        raise SettingsChanged(
            gettext("Another lead saved version %(number)s of the rules while you had these open.") % {"number": newest}
        )
    if active_rules(project) == list(rules):
        return None
    table = RoutingTable.objects.create(project=project, version=newest + 1, created_by=membership.user)
    RoutingRule.objects.bulk_create(
        RoutingRule(table=table, position=position, queue=rule.queue, conditions=rule.conditions.as_json())
        for position, rule in enumerate(rules, start=1)
    )
    record_event(
        type="review.routing.changed",
        project_id=project.id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("routing_table", table.id, rev=str(table.version)),
        counts={"version": table.version, "rules": len(rules)},
    )
    return table.version
