"""Who may open and do what in the console."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from review.models import Annotation, Assignment
from review.numbers import number_findings
from tests.factories import Cast
from tests.review.working import answer, claim_one, events, member, new_item
from webapp.interception.models import Finding

EVERYONE = {"owner", "lead", "reviewer", "compliance"}
REVIEWERS = EVERYONE - {"compliance"}
LEADS = {"owner", "lead"}
PAGES = {
    "queues": ("GET", EVERYONE),
    "item": ("GET", EVERYONE),
    "bulk-new": ("GET", LEADS),
    "bulk-action": ("GET", LEADS),
    "bulk-undo": ("POST", LEADS),
    "cluster": ("GET", REVIEWERS),
    "cluster-decide": ("POST", REVIEWERS),
    "cluster-decision": ("GET", EVERYONE),
    "dashboard": ("GET", LEADS),
    "agreement": ("GET", LEADS),
    "agreement-file": ("GET", LEADS),
    "reviewer": ("GET", LEADS),
    "comment": ("POST", REVIEWERS),
    "reopen": ("POST", LEADS),
    "browse": ("GET", EVERYONE),
    "items-export": ("POST", LEADS),
    "imports": ("GET", LEADS),
    "import": ("GET", LEADS),
    "import-start": ("POST", LEADS),
    "import-discard": ("POST", LEADS),
    "filter-save": ("POST", EVERYONE),
    "filter-delete": ("POST", EVERYONE),
    "mine": ("GET", REVIEWERS),
    "keys": ("GET", REVIEWERS),
    "comfort": ("GET", REVIEWERS),
    "wellness": ("GET", LEADS),
    "rest": ("GET", REVIEWERS),
    "wishes": ("GET", REVIEWERS),
    "skills": ("GET", LEADS),
    "redacted": ("GET", REVIEWERS),
    "work": ("POST", REVIEWERS),
    "ahead": ("POST", REVIEWERS),
    "submit": ("POST", REVIEWERS),
    "heartbeat": ("POST", REVIEWERS),
    "skip": ("POST", REVIEWERS),
    "escalate": ("POST", REVIEWERS),
    "assign": ("POST", LEADS),
    "take-back": ("POST", LEADS),
    "hold": ("POST", REVIEWERS),
    "resume": ("POST", REVIEWERS),
    "release": ("POST", REVIEWERS),
    "undo": ("POST", REVIEWERS),
    "queue-new": ("GET", LEADS),
    "queue-edit": ("GET", LEADS),
    "schemas": ("GET", LEADS),
    "routing": ("GET", LEADS),
    "schema-new": ("GET", LEADS),
    "schema-edit": ("GET", LEADS),
    "golden": ("GET", LEADS),
    "qa": ("GET", LEADS),
    "qa-next": ("POST", LEADS),
    "qa-item": ("GET", LEADS),
    "qa-release": ("POST", LEADS),
    "golden-new": ("GET", LEADS),
    "golden-retire": ("POST", LEADS),
    "pause-lift": ("POST", LEADS),
}
#: Pages of a project as a whole, which everybody has in their own.
OF_NO_ITEM = (
    "bulk-new",
    "items-export",
    "imports",
    "queues",
    "dashboard",
    "agreement",
    "agreement-file",
    "browse",
    "filter-save",
    "mine",
    "keys",
    "comfort",
    "wellness",
    "rest",
    "wishes",
    "queue-new",
    "routing",
    "schemas",
    "schema-new",
    "golden",
    "qa",
    "qa-next",
)


@pytest.fixture
def urls(cast: Cast) -> dict[str, str]:
    """Return the addresses of all pages for an item that the reviewer holds."""
    reviewer = member(cast, cast.reviewer)
    new_item(cast)
    decided = answer(claim_one(cast, reviewer), reviewer).decision
    assert decided is not None
    item = new_item(cast)
    slot = claim_one(cast, reviewer)
    arguments: dict[str, list[object]] = {"queues": [], "dashboard": [], "mine": [], "item": [item.public_id]}
    arguments |= {
        "keys": [],
        "comfort": [],
        "rest": [],
        "wishes": [],
        "skills": [cast.reviewer.id],
        "wellness": [],
        "redacted": [item.public_id],
        "work": ["default"],
        "ahead": ["default"],
    }
    arguments |= {"cluster": [item.public_id], "bulk-new": []}
    arguments |= {"queue-new": [], "queue-edit": ["default"], "undo": [decided.id]}
    arguments |= {"schemas": [], "routing": [], "schema-new": [], "schema-edit": ["default"]}
    arguments |= {"agreement": [], "agreement-file": ["csv"]}
    arguments |= {"qa": [], "qa-next": []}
    arguments |= {"items-export": [], "imports": []}
    arguments |= {"golden": [], "golden-new": [item.public_id], "pause-lift": [0]}
    arguments |= {"reviewer": [cast.reviewer.id]}
    arguments |= {
        "reopen": [item.public_id],
        "comment": [item.public_id],
        "browse": [],
        "filter-save": [],
        "filter-delete": [0],
    }
    return {
        name: reverse(f"review:{name}", args=[cast.project.slug, *arguments.get(name, [slot.id])]) for name in PAGES
    }


def test_every_page_is_listed_here() -> None:
    from review.urls import urlpatterns

    assert {pattern.name for pattern in urlpatterns} == set(PAGES)


def test_an_outsider_gets_404_everywhere(cast: Cast, client: Client, urls: dict[str, str]) -> None:
    client.force_login(cast.outsider)
    assert {name: client.generic(PAGES[name][0], url).status_code for name, url in urls.items()} == dict.fromkeys(
        PAGES, 404
    )


def test_an_outsider_can_not_reach_an_item_through_their_own_project(
    cast: Cast, client: Client, urls: dict[str, str]
) -> None:
    client.force_login(cast.outsider)
    for name, url in urls.items():
        if name not in OF_NO_ITEM:
            moved = url.replace(f"/p/{cast.project.slug}/", f"/p/{cast.other_project.slug}/")
            assert client.generic(PAGES[name][0], moved).status_code == 404, name


def test_somebody_not_signed_in_is_sent_to_sign_in(client: Client, urls: dict[str, str]) -> None:
    for name, url in urls.items():
        response = client.generic(PAGES[name][0], url)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("role", sorted(EVERYONE))
def test_roles_open_what_is_theirs(cast: Cast, client: Client, urls: dict[str, str], role: str) -> None:
    client.force_login(getattr(cast, role))
    for name, url in urls.items():
        refused = client.generic(PAGES[name][0], url).status_code == 403
        assert refused == (role not in PAGES[name][1]), name


def test_reading_an_item_is_recorded_for_whoever_reads(cast: Cast, client: Client, urls: dict[str, str]) -> None:
    client.force_login(cast.compliance)
    page = client.get(urls["item"])
    assert "Not yours to decide now" in page.text
    [event] = events("content.viewed")
    assert event["actor"]["role"] == "compliance"


def test_the_holder_s_view_is_recorded_once(cast: Cast, client: Client, urls: dict[str, str]) -> None:
    client.force_login(cast.reviewer)
    for _ in range(2):
        assert "Submit and next" in client.get(urls["item"]).text
    client.post(urls["ahead"])
    assert len(events("content.viewed")) == 1


def test_only_the_holder_sees_the_redaction(cast: Cast, client: Client, urls: dict[str, str]) -> None:
    client.force_login(cast.lead)
    assert client.get(urls["redacted"]).status_code == 404
    client.force_login(cast.reviewer)
    assert client.get(urls["redacted"]).text == "You can reach Ann at [EMAIL_ADDRESS], idiot."


@pytest.mark.parametrize("finding", ["9" * 500, "\u00b2", "-1", "1,,x", "\0"])
def test_a_redaction_without_what_is_no_finding_is_the_whole_one(
    cast: Cast, client: Client, urls: dict[str, str], finding: str
) -> None:
    client.force_login(cast.reviewer)
    response = client.post(urls["redacted"], {f"finding-{finding}": "drop"})
    assert (response.status_code, response.text) == (200, "You can reach Ann at [EMAIL_ADDRESS], idiot.")


def test_a_dropped_finding_stays_in_the_redaction(cast: Cast, client: Client, urls: dict[str, str]) -> None:
    client.force_login(cast.reviewer)
    found = Finding.objects.filter(category="EMAIL_ADDRESS").latest("id")
    number = number_findings(found.checked.findings.all())[found.id]
    assert "ann@example.com" in client.post(urls["redacted"], {"finding-0": "drop", f"finding-{number}": "drop"}).text


@pytest.mark.parametrize("note", ["", "x" * 2_001, "nul\0"])
def test_an_escalation_with_a_note_that_can_not_be_kept_is_refused(
    cast: Cast, client: Client, urls: dict[str, str], note: str
) -> None:
    client.force_login(cast.reviewer)
    slot = Assignment.objects.get(lease_owner=cast.reviewer, state="leased")
    form = {"token": str(slot.lease_token), "note": note}
    response = client.post(urls["escalate"], form, headers={"accept": "application/json"})
    assert (response.status_code, response.json()["status"]) == (422, "invalid")
    assert client.post(urls["escalate"], form).status_code == 302
    slot.refresh_from_db()
    assert slot.state == "leased"
    assert slot.item.state == "in_review"


def test_a_form_without_csrf_token_changes_nothing(cast: Cast, urls: dict[str, str]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.reviewer)
    assert strict.post(urls["submit"]).status_code == 403
    assert strict.post(urls["undo"]).status_code == 403
    assert Annotation.objects.get().undone_at is None
