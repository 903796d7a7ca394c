"""Of the sign-in library only signing in and out and a new password are there, and nothing sends mail."""

from __future__ import annotations

import io

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.accounts.test_sign_in import envelopes, sign_in
from tests.factories import Cast

CHANGE = "/accounts/password/change/"
NEW = "a-new-long-phrase-42"


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


@pytest.mark.parametrize(
    "path",
    ["password/reset/", "password/set/", "email/", "signup/", "confirm-email/", "reauthenticate/", "login/code/", ""],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_pages_that_would_send_mail_are_not_there(cast: Cast, client: Client, path: str, signed_in: bool) -> None:
    if signed_in:
        client.force_login(cast.owner)
    assert client.get(f"/accounts/{path}").status_code == 404
    assert client.post(f"/accounts/{path}", {"email": "ann@example.com"}).status_code == 404


def test_the_sign_in_page_is_open_to_everybody(db: None, client: Client) -> None:
    assert client.get(reverse("account_login")).status_code == 200


def test_a_person_changes_their_password_and_stays_signed_in(
    cast: Cast, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.force_login(cast.reviewer)
    assert f'href="{CHANGE}"' in client.get(reverse("home"), follow=True).content.decode()
    page = client.get(reverse("account_change_password"))
    assert (page.status_code, page.templates[0].name) == (200, "account/password_change.html")
    form = {"oldpassword": "reviewer-pass-phrase", "password1": NEW, "password2": NEW}
    done = client.post(CHANGE, form, follow=True)
    assert done.status_code == 200
    assert "Password successfully changed" in done.content.decode()
    assert sign_in(Client(), "reviewer", NEW) == 302
    assert sign_in(Client(), "reviewer", "reviewer-pass-phrase") == 200
    assert "Subject:" not in "".join(capsys.readouterr())
    (event,) = envelopes("password.changed")
    assert event["project"] == str(cast.project.id)
    assert event["actor"] == {"kind": "user", "ref": str(cast.reviewer.id), "role": "reviewer", "auth": "session"}


@pytest.mark.parametrize(
    "wrong",
    [{"oldpassword": "guess"}, {"password2": "another-long-phrase"}, {"password1": "short", "password2": "short"}],
)
def test_a_refused_change_says_why_and_changes_nothing(cast: Cast, client: Client, wrong: dict[str, str]) -> None:
    client.force_login(cast.reviewer)
    form = {"oldpassword": "reviewer-pass-phrase", "password1": NEW, "password2": NEW} | wrong
    assert "errorlist" in client.post(CHANGE, form).content.decode()
    assert sign_in(Client(), "reviewer", "reviewer-pass-phrase") == 302


def test_a_new_password_given_on_the_server_is_in_the_audit_log(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)
    call_command("changepassword", "reviewer", stdout=io.StringIO())
    assert sign_in(Client(), "reviewer", NEW) == 302
    (event,) = envelopes("password.changed")
    assert event["actor"] == {"kind": "system", "ref": "countersign", "role": "", "auth": "local"}
    assert event["object"] == {"kind": "user", "id": str(cast.reviewer.id), "rev": ""}


def test_the_password_page_is_for_who_is_signed_in(db: None, client: Client) -> None:
    assert client.get(CHANGE)["Location"].startswith(reverse("account_login"))


def test_an_account_that_is_switched_off_is_told_so(cast: Cast, client: Client) -> None:
    cast.reviewer.is_active = False
    cast.reviewer.save()
    form = {"login": "reviewer", "password": "reviewer-pass-phrase"}
    response = client.post(reverse("account_login"), form, follow=True)
    assert "switched off" in response.content.decode()
    assert "_auth_user_id" not in client.session
