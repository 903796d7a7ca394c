"""Tasks of the control workers."""

from __future__ import annotations

from celery import shared_task

from review.services import (
    assigning,
    bulk,
    claims,
    cluster_decisions,
    grouping,
    holding,
    probes,
    task_imports,
    undo,
)


@shared_task(name="review.sweep_leases", queue="control", ignore_result=True)
def sweep_leases() -> int:
    """Open slots whose leases ran out; running twice changes nothing more."""
    return claims.sweep_leases()


@shared_task(name="review.sweep_effects", queue="control", ignore_result=True)
def sweep_effects() -> int:
    """Let decisions take effect that nobody took back; running twice changes nothing more."""
    return undo.sweep_effects()


@shared_task(name="review.sweep_holds", queue="control", ignore_result=True)
def sweep_holds() -> int:
    """Put slots back that were kept for somebody long enough; running twice changes nothing more."""
    return holding.sweep_holds() + assigning.sweep_assigned()


@shared_task(name="review.group_items", queue="control", ignore_result=True)
def group_items() -> int:
    """Put near-duplicates that came in together; running twice changes nothing more."""
    return grouping.group_items()


@shared_task(name="review.sweep_clusters", queue="control", ignore_result=True)
def sweep_clusters() -> int:
    """Decide near-duplicates whose common decision can not be taken back any more; running twice changes nothing."""
    return cluster_decisions.sweep_clusters()


@shared_task(name="review.sweep_probes", queue="control", ignore_result=True)
def sweep_probes() -> int:
    """Settle what waits for leads of golden items; running twice changes nothing more."""
    return probes.sweep_probes()


@shared_task(name="review.sweep_bulk", queue="control", ignore_result=True)
def sweep_bulk() -> int:
    """Go on with what leads do to many items; running twice changes nothing more."""
    return bulk.sweep_bulk()


@shared_task(name="review.sweep_imports", queue="control", ignore_result=True)
def sweep_imports() -> int:
    """Go on with files of tasks that leads bring in; running twice changes nothing more."""
    return task_imports.sweep_imports()
