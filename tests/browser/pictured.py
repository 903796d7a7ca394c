"""What the pictures of the docs show: a demo project in which a team has worked, through the API and the services."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from policies.models import PolicyVersion
from policies.services import add_policy_version
from review.models import Assignment, Queue, ReviewItem, TaskImport
from review.models.items import SlotState
from review.selectors import get_item
from review.services import claim_items, claim_qa, make_golden, show, sweep_effects
from review.services.grouping import group_items
from review.services.task_imports import open_import
from tests.factories import Cast
from tests.review.test_clusters import LETTER
from tests.review.working import another, answer, claim_one, effects_now, member, queue_of
from webapp.accounts.models import Application, Membership, Project, User
from webapp.local.demo import APPLICATION, SLUG
from webapp.local.ready import post

#: What two people answered, and what they said of the category `harassment`.
ANSWERS = (
    ("Ask Ann at ann@example.com, she handles refunds.", "redact", "redact", False),
    ("Only an idiot would return a kettle after a month.", "block", "block", True),
    ("Your order left our store yesterday.", "release", "release", False),
    ("Write to ann@example.com or come to the outlet.", "redact", "redact", False),
    ("Stop asking, nobody here has time for you.", "block", "replace", True),
    ("A tent like this one weighs four kilos.", "release", "release", False),
    ("What a clown you are!", "block", "block", True),
    ("Her own address is ann@example.com, do not pass it on.", "redact", "block", False),
)
#: Holds what is decided together: samples are answered one by one.
PARCELS = """
name: parcels
deadline_ms: 60000
rules:
  - id: parcel-scams
    detector: phrases
    options: {lists: {parcels: {terms: [proof of who you are]}}}
    entities: {parcels: hold}
    text: Nobody is asked for papers in a letter that did not come from us.
    examples: [Bring a passport to collect your parcel.]
"""
ACTIVE_MS = 14_000
CORRECTION = "I am sorry. Let me look into it."
TASKS = [{"data": {"text": f"The shop in {city} opens at nine."}} for city in ("Lyon", "Porto", "Ghent")]


def work(facts: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Let the team work, and return more pages: by the name of the picture, whose page it is, and where.

    Raises SystemExit in a project that has items already: who gets which would be anybody's guess.
    """
    cast = _demo_cast(facts)
    if ReviewItem.objects.filter(project=cast.project).exists():
        raise SystemExit("The demo project has items already. Start the app in an empty data folder.")
    rate, cast.project.random_review_rate = cast.project.random_review_rate, 1.0
    cast.project.save(update_fields=["random_review_rate"])
    port = urlsplit(facts["url"]).port or 80
    disputed = _answer_twice(cast, port)
    again = _decide_what_is_looked_at_again(cast, port)
    queue = queue_of(cast, required_reviews=1, max_reviews=3, qa_rate=0.0)
    alike = _near_duplicates(cast, port, queue)
    cast.project.random_review_rate = rate
    cast.project.save(update_fields=["random_review_rate"])
    return {
        "adjudication": ("lead", f"review/items/{disputed.public_id}/"),
        "qa": ("owner", f"review/qa/{again.id}/"),
        "cluster": ("owner", f"review/items/{alike.public_id}/cluster/"),
        "import": ("lead", f"review/imports/{_import(cast, queue).id}/"),
    }


def _demo_cast(facts: dict[str, Any]) -> Cast:
    """Return the people of the demo project, by the names that the tests have for them."""
    project = Project.objects.get(slug=SLUG)
    people = {role: User.objects.get(username=person["username"]) for role, person in facts["users"].items()}
    versions = PolicyVersion.objects.filter(policy__project=project, policy__name=project.default_policy)
    return Cast(
        project=project,
        outsider=people["owner"],
        other_project=project,
        application=Application.objects.get(project=project, name=APPLICATION),
        policy_version=versions.latest("version"),
        api_key=facts["api_key"],
        **people,
    )


def _send(cast: Cast, port: int, output: str, **more: str) -> ReviewItem:
    body = {"messages": [{"role": "user", "content": "Can I still send it back?"}], "output": output} | more
    status, told, _ = post(port, "/v1/checks", body, cast.api_key)
    if status != 200 or not told["review"]:
        raise SystemExit(f"A check for the pictures did not come to review: {told}")
    return get_item(project=cast.project, public_id=told["review"]["id"])


def _answer_twice(cast: Cast, port: int) -> ReviewItem:
    """Let two people answer everything; return what they differ on last, which a lead has on screen."""
    queue_of(cast, required_reviews=2, max_reviews=2)
    one, two, lead = member(cast, cast.reviewer), another(cast, "maya"), member(cast, cast.lead)
    for output, first, second, harassing in ANSWERS:
        item = _send(cast, port, output)
        _answer(cast, one, first, harassing)
        _answer(cast, two, second, harassing)
        if (output, first, second, harassing) == ANSWERS[-1]:
            break
        if first != second:
            _answer(cast, lead, second, harassing)
        else:
            make_golden(item=item, membership=lead, outcome=first, labels={}, spans=[], note="A clear case.")
    _put_on_screen(claim_one(cast, lead), lead)
    return item


def _answer(cast: Cast, who: Membership, outcome: str, harassing: bool) -> None:
    """Answer what is due first, for good."""
    fields: dict[str, Any] = {"correction": CORRECTION} if outcome == "replace" else {}
    slot = claim_one(cast, who)
    _put_on_screen(slot, who)
    done = answer(slot, who, outcome, labels={"harassment": harassing}, active_ms=ACTIVE_MS, **fields)
    if done.decision is not None:
        effects_now(done.decision)
        sweep_effects()


def _decide_what_is_looked_at_again(cast: Cast, port: int) -> Assignment:
    queue_of(cast, required_reviews=1, qa_rate=1.0)
    _send(cast, port, "Call Ann on +1 415 555 0123, you fool.")
    _answer(cast, member(cast, cast.reviewer), "release", harassing=False)
    slot = claim_qa(membership=member(cast, cast.owner))
    if slot is None:
        raise SystemExit("The decision for the picture went to somebody else.")
    return slot


def _near_duplicates(cast: Cast, port: int, queue: Queue) -> ReviewItem:
    add_policy_version(project=cast.project, document=PARCELS)
    for number, name in enumerate(("Ann", "Bartholomew", "Cy", "Dora", "Eli")):
        _send(cast, port, LETTER.format(name=name, number=4711 + number), policy="parcels")
    group_items()
    owner = member(cast, cast.owner)
    [slot] = claim_items(queue=queue, membership=owner, k=1)
    # What the console shows comes in after these, and goes before them.
    Assignment.objects.filter(queue=queue, state=SlotState.OPEN).update(priority=-1)
    _put_on_screen(slot, owner)
    return slot.item


def _put_on_screen(slot: Assignment, who: Membership) -> None:
    assert slot.lease_token is not None
    show(slot=slot, user=who.user, lease_token=slot.lease_token)


def _import(cast: Cast, queue: Queue) -> TaskImport:
    return open_import(
        membership=member(cast, cast.lead),
        queue=queue,
        application=cast.application,
        policy="",
        text_key="text",
        raw=json.dumps(TASKS).encode(),
    )
