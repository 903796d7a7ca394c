"""Everything that changes a review, each in one transaction with its audit event.

Locks are always taken in this order: the reviewer's advisory lock, the item, its slots. Claims and the sweep, which
start from slots, never wait for a lock. An appeal begins with its check and the lock of its application's appeals.
"""

from review.services.appeals import AppealRequest, make_appeal
from review.services.assigning import assign, sweep_assigned, take_back
from review.services.claims import claim_items, heartbeat, mark_opened, release_all, release_slot, show, sweep_leases
from review.services.decisions import decide
from review.services.escalation import escalate, skip
from review.services.golden import lift_pause, make_golden, retire_golden
from review.services.holding import hold, resume, sweep_holds
from review.services.probes import sweep_probes
from review.services.qa import Judgement, claim_qa, release_qa, submit_qa
from review.services.queues import change_queue, create_queue
from review.services.raising import ensure_default_queue, raise_item
from review.services.reopening import reopen
from review.services.routing import save_routing
from review.services.schemas import add_schema_version, create_schema
from review.services.submission import Answer, Submitted, submit_annotation
from review.services.undo import Undone, sweep_effects, undo_decision

__all__ = [
    "Answer",
    "AppealRequest",
    "Judgement",
    "Submitted",
    "Undone",
    "add_schema_version",
    "assign",
    "change_queue",
    "claim_items",
    "claim_qa",
    "create_queue",
    "create_schema",
    "decide",
    "ensure_default_queue",
    "escalate",
    "heartbeat",
    "hold",
    "lift_pause",
    "make_appeal",
    "make_golden",
    "mark_opened",
    "raise_item",
    "release_all",
    "release_qa",
    "release_slot",
    "reopen",
    "resume",
    "retire_golden",
    "save_routing",
    "show",
    "skip",
    "submit_annotation",
    "submit_qa",
    "sweep_assigned",
    "sweep_effects",
    "sweep_holds",
    "sweep_leases",
    "sweep_probes",
    "take_back",
    "undo_decision",
]
