"""Policies on pages: who may read, who may write, and that a fault stores nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from policies.models import Policy, PolicyVersion
from tests.factories import POLICY, Cast, make_cast
from webapp.accounts.models import User
from webapp.audit.models import AuditEvent


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


PAGES = ["", "_new/", "support-bot/", "support-bot/new/", "support-bot/1/"]


@pytest.mark.parametrize("page", PAGES)
def test_an_outsider_sees_nothing(cast: Cast, page: str) -> None:
    assert signed_in(cast.outsider).get(f"/p/acme/policies/{page}").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_who_is_not_signed_in_is_asked_to(cast: Cast, page: str) -> None:
    response = Client().get(f"/p/acme/policies/{page}")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("page", ["", "support-bot/", "support-bot/1/"])
def test_every_member_may_read(cast: Cast, page: str) -> None:
    for user in (cast.owner, cast.lead, cast.reviewer, cast.compliance):
        assert signed_in(user).get(f"/p/acme/policies/{page}").status_code == 200


@pytest.mark.parametrize("page", ["_new/", "support-bot/new/"])
def test_only_owners_and_leads_may_write(cast: Cast, page: str) -> None:
    for user in (cast.reviewer, cast.compliance):
        client = signed_in(user)
        assert client.get(f"/p/acme/policies/{page}").status_code == 403
        assert client.post(f"/p/acme/policies/{page}", {"document": POLICY}).status_code == 403
        assert client.post("/p/acme/policies/support-bot/1/activate/").status_code == 403
    assert PolicyVersion.objects.filter(policy__project=cast.project).count() == 1


def test_a_policy_may_be_called_new(cast: Cast) -> None:
    client = signed_in(cast.lead)
    client.post("/p/acme/policies/_new/", {"document": POLICY.replace("name: support-bot", "name: new")})
    page = client.get("/p/acme/policies/new/")
    assert (page.status_code, page.resolver_match.url_name) == (200, "detail")


def test_a_version_is_stored_and_then_activated(cast: Cast) -> None:
    client = signed_in(cast.lead)
    client.post("/p/acme/policies/support-bot/new/", {"document": POLICY.replace("0.95", "0.99")})
    policy = Policy.objects.get(project=cast.project)
    assert policy.active_version == cast.policy_version
    client.post("/p/acme/policies/support-bot/2/activate/")
    policy.refresh_from_db()
    assert policy.active_version is not None
    assert (policy.active_version.version, policy.active_version.created_by) == (2, cast.lead)
    assert AuditEvent.objects.filter(project_id=cast.project.id, type="policy.activated").count() == 2


def test_a_faulty_document_stores_nothing_and_names_the_line(cast: Cast) -> None:
    response = signed_in(cast.owner).post(
        "/p/acme/policies/support-bot/new/", {"document": POLICY.replace("harassment", "harasment")}
    )
    assert response.status_code == 422
    assert "did you mean &#x27;harassment&#x27;?" in response.content.decode()
    assert "Line 8" in response.content.decode()
    assert PolicyVersion.objects.filter(policy__project=cast.project).count() == 1


def test_a_fault_is_told_in_the_writer_s_language_and_a_library_s_words_in_its_own(cast: Cast) -> None:
    client, path = signed_in(cast.owner), "/p/acme/policies/support-bot/new/"
    document = POLICY.replace("harassment", "harasment")
    german = client.post(path, {"document": document}, HTTP_ACCEPT_LANGUAGE="de").content.decode()
    assert "Zeile 8" in german
    assert "moderation findet nichts, das &#x27;harasment&#x27; heißt" in german
    assert "(meinten Sie &#x27;harassment&#x27;?)" in german
    broken = client.post(path, {"document": "name: [unclosed"}, HTTP_ACCEPT_LANGUAGE="de").content.decode()
    assert "kein gültiges YAML: " in broken


def test_the_same_document_again_is_no_new_version(cast: Cast) -> None:
    signed_in(cast.owner).post("/p/acme/policies/_new/", {"document": f"# a comment\n{POLICY}"})
    assert PolicyVersion.objects.filter(policy__project=cast.project).count() == 1


def test_another_projects_policy_is_not_found(cast: Cast) -> None:
    assert signed_in(cast.outsider).get("/p/other/policies/support-bot/").status_code == 404
    assert signed_in(cast.outsider).post("/p/other/policies/support-bot/1/activate/").status_code == 404


def test_a_pack_is_offered_as_a_start(cast: Cast) -> None:
    response = signed_in(cast.owner).get("/p/acme/policies/_new/?pack=strict")
    assert "name: strict" in response.content.decode()
