"""A project in which every page has something to show, markup in its names, and the address of every page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from feedback.filters import Filters
from feedback.services import create_dataset, fill_export, freeze_version, open_export
from review.models import ReviewItem, TaskImport
from review.models.bulk import BulkKind
from review.models.search import SavedFilter
from review.services import AppealRequest, claim_qa, escalate, hold, make_appeal, make_golden, sweep_effects
from review.services.task_imports import open_import
from tests.browser.payloads import NAME
from tests.factories import Cast
from tests.review.test_agreement_pages import answered
from tests.review.test_bulk import run as run_bulk
from tests.review.test_cluster_decisions import decide as decide_cluster
from tests.review.test_clusters import letter
from tests.review.working import another, answer, claim_one, effects_now, member, new_item, queue_of
from webapp.accounts.models import Membership, User
from webapp.accounts.services import create_api_key

#: Answered with a file, a part of a page, or nothing that a person reads.
NO_PAGES = {
    "datasets:preview",
    "datasets:version_state",
    "datasets:export_state",
    "datasets:download",
    "review:agreement-file",
    "review:redacted",
    "healthz",
    "readyz",
    "script-texts",
}
#: Answered to programs.
API = ("v1/", "openai/")


@dataclass(frozen=True)
class Page:
    name: str
    path: str
    reader: User | None


def make_world(cast: Cast) -> list[Page]:
    """Fill the project and return every page with somebody who may read it; None: who is not signed in."""
    _name_by_markup(cast)
    _answered_twice(cast)
    queue = queue_of(cast, qa_rate=1.0)
    decided = _decided(cast)
    queue.qa_rate = 0
    queue.save()
    again = claim_qa(membership=member(cast, cast.owner))
    assert again is not None
    _decided(cast, output="Ann lives at 12 Mill Lane, idiot.")  # for the dataset: golden items are not in it
    cluster = decide_cluster(cast, _letters(cast)[0])
    contested = _decided(cast, output="Call me on +44 20 7946 0958.")
    make_appeal(
        check=contested.checked, application=cast.application, wanted=AppealRequest(reason=f"It is our number. {NAME}")
    )
    lead = member(cast, cast.lead)
    make_golden(item=decided, membership=lead, outcome="block", labels={}, spans=[], note=NAME)
    reviewer = member(cast, cast.reviewer)
    _passed_on(cast)
    for number in range(3):
        new_item(cast, output=f"Write to ann{number}@example.com. {'A long line of text. ' * number}")
    new_item(cast, review="random", flagged=False, verdict="allow", findings=[], output="Fine.")
    SavedFilter.objects.create(project=cast.project, user=cast.lead, name=NAME, query="state=decided")
    create_api_key(application=cast.application)
    bulk = run_bulk(cast, BulkKind.SEVERITY, 3)
    held = claim_one(cast, reviewer)
    _open_import(cast, lead)
    dataset = create_dataset(project=cast.project, slug="first", name=NAME, filters=Filters(), purpose="Tests")
    version = freeze_version(dataset=dataset, created_by=cast.owner)
    fill_export(open_export(version=version, format="huggingface", created_by=cast.owner))
    return list(_pages(cast, held.item, decided, cluster.id, again.id, bulk.id, [dataset.id, version.version]))


def _name_by_markup(cast: Cast) -> None:
    for named in (cast.project, cast.application, queue_of(cast)):
        named.name = NAME
        named.save(update_fields=["name"])
    cast.reviewer.username = NAME
    cast.reviewer.save(update_fields=["username"])


def _letters(cast: Cast) -> list[ReviewItem]:
    return [letter(cast, name) for name in ("Ann", "Bob", "Cy")]


def _answered_twice(cast: Cast) -> None:
    """Let two people agree on outcomes and places, so that their agreement can be shown."""
    queue = queue_of(cast)
    before = {"required_reviews": queue.required_reviews, "max_reviews": queue.max_reviews}
    queue_of(cast, required_reviews=2, max_reviews=3)
    one, two = member(cast, cast.reviewer), another(cast, "second")
    for outcome in ("release", "redact", "block"):
        answered(cast, (one, outcome), (two, outcome), labels={"violence": True})
    queue_of(cast, **before)


def _decided(cast: Cast, **check: Any) -> ReviewItem:
    lead = member(cast, cast.lead)
    new_item(cast, **check)
    slot = claim_one(cast, lead)
    done = answer(slot, lead, "block")
    assert done.decision is not None
    effects_now(done.decision)
    sweep_effects()
    return ReviewItem.objects.get(pk=slot.item_id)


def _open_import(cast: Cast, lead: Membership) -> None:
    """Look at a file of which something is left out."""
    task = {"data": {"text": "The shop opens at nine."}, "predictions": [{"result": [{"type": "rating"}]}]}
    open_import(
        membership=lead,
        queue=queue_of(cast),
        application=cast.application,
        policy="",
        text_key="text",
        raw=json.dumps([task]).encode(),
    )


def _passed_on(cast: Cast) -> None:
    """Let the reviewer hold an item, and hand one to the leads."""
    reviewer = member(cast, cast.reviewer)
    for number in range(2):
        new_item(cast, output=f"Passed on: {number}, idiot.")
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    escalate(slot=slot, membership=reviewer, lease_token=slot.lease_token, note="Is this an insult?")
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    hold(slot=slot, membership=reviewer, lease_token=slot.lease_token, reason="For a native speaker")


def _pages(
    cast: Cast,
    held: ReviewItem,
    decided: ReviewItem,
    cluster: uuid.UUID,
    again: uuid.UUID,
    bulk: uuid.UUID,
    version: list[object],
) -> Iterator[Page]:
    """Yield every page; what has none here must refuse GET."""
    lead, owner, reviewer, compliance = cast.lead, cast.owner, cast.reviewer, cast.compliance
    policy = cast.policy_version.policy.name
    readers: dict[str, tuple[User | None, list[object]]] = {
        "home": (reviewer, []),
        "account_login": (None, []),
        "account_logout": (reviewer, []),
        "account_change_password": (reviewer, []),
        "language": (reviewer, []),
        "api-docs": (None, []),
        "accounts:members": (owner, ["acme"]),
        "accounts:applications": (owner, ["acme"]),
        "accounts:settings": (owner, ["acme"]),
        "audit:report": (compliance, ["acme"]),
        "interception:traffic": (compliance, ["acme"]),
        "interception:check": (compliance, ["acme", decided.checked.public_id]),
        "policies:list": (owner, ["acme"]),
        "policies:new": (owner, ["acme"]),
        "policies:detail": (owner, ["acme", policy]),
        "policies:new_version": (owner, ["acme", policy]),
        "policies:version": (owner, ["acme", policy, 1]),
        "datasets:list": (lead, ["acme"]),
        "datasets:new": (lead, ["acme"]),
        "datasets:detail": (lead, ["acme", version[0]]),
        "datasets:version": (lead, ["acme", *version]),
        "datasets:sample": (lead, ["acme", *version]),
        "review:queues": (lead, ["acme"]),
        "review:agreement": (lead, ["acme"]),
        "review:dashboard": (lead, ["acme"]),
        "review:reviewer": (lead, ["acme", reviewer.id]),
        "review:mine": (reviewer, ["acme"]),
        "review:keys": (reviewer, ["acme"]),
        "review:comfort": (reviewer, ["acme"]),
        "review:wishes": (reviewer, ["acme"]),
        "review:skills": (lead, ["acme", reviewer.id]),
        "review:wellness": (lead, ["acme"]),
        "review:rest": (reviewer, ["acme"]),
        "review:bulk-new": (lead, ["acme"]),
        "review:bulk-action": (lead, ["acme", bulk]),
        "review:routing": (lead, ["acme"]),
        "review:schemas": (lead, ["acme"]),
        "review:schema-new": (lead, ["acme"]),
        "review:schema-edit": (lead, ["acme", "default"]),
        "review:queue-new": (lead, ["acme"]),
        "review:queue-edit": (lead, ["acme", "default"]),
        "review:browse": (lead, ["acme"]),
        "review:imports": (lead, ["acme"]),
        "review:import": (lead, ["acme", TaskImport.objects.get().id]),
        "review:qa": (lead, ["acme"]),
        "review:qa-item": (cast.owner, ["acme", again]),
        "review:golden": (lead, ["acme"]),
        "review:item": (reviewer, ["acme", held.public_id]),
        "review:cluster": (reviewer, ["acme", held.public_id]),
        "review:golden-new": (lead, ["acme", decided.public_id]),
        "review:cluster-decision": (reviewer, ["acme", cluster]),
    }
    for name, (reader, arguments) in readers.items():
        yield Page(name, reverse(name, args=arguments), reader)
    # The same address shows a reviewer their work, and others what came of it.
    yield Page("review:item", reverse("review:item", args=["acme", decided.public_id]), lead)
    yield Page("review:queues", reverse("review:queues", args=["acme"]), reviewer)


def uncovered(pages: list[Page], client: Client) -> list[str]:
    """Return the names of the addresses that answer GET, and are neither among `pages` nor in NO_PAGES."""
    known = {page.name for page in pages} | NO_PAGES
    others = [(name, pattern) for name, pattern in _patterns(get_resolver()) if name not in known]
    return [name for name, pattern in others if client.get(_some_address(name, pattern)).status_code != 405]


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name}", pattern
        elif not str(pattern.pattern).startswith(API):
            yield from _patterns(pattern, f"{pattern.namespace}:" if pattern.namespace else prefix)


def _some_address(name: str, pattern: URLPattern) -> str:
    values: dict[str, object] = {"UUIDConverter": uuid.UUID(int=0), "IntConverter": 1}
    arguments = {key: values.get(type(kind).__name__, "x") for key, kind in pattern.pattern.converters.items()}
    return reverse(name, kwargs={"project": "acme", **arguments})
