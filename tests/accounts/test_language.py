"""Which language a person reads, and what stays English whatever they chose."""

from __future__ import annotations

import json

from django.test import Client
from django.urls import reverse

from tests.factories import Cast
from webapp.audit.models import AuditEvent

GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.8"}


def choose(client: Client, language: str, **headers: str) -> str:
    answer = client.post(reverse("language"), {"language": language}, follow=True, **headers)  # type: ignore[arg-type]
    return answer.content.decode()


def test_pages_are_in_english_unless_somebody_asks_otherwise(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    answer = client.get("/")
    assert '<html lang="en" dir="ltr">' in answer.content.decode()
    assert "Projects" in answer.content.decode()
    assert answer["Content-Language"] == "en"


def test_what_the_browser_asks_for_counts_before_anybody_chose(cast: Cast, client: Client) -> None:
    answer = client.get(reverse("account_login"), **GERMAN)  # type: ignore[arg-type]
    assert '<html lang="de" dir="ltr">' in answer.content.decode()
    assert "Anmelden" in answer.content.decode()
    assert answer["Content-Language"] == "de"
    assert "Accept-Language" in answer["Vary"]


def test_what_a_person_chose_wins_over_the_browser_and_lasts(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    assert "Gespeichert." in choose(client, "de", HTTP_ACCEPT_LANGUAGE="en")
    client.logout()
    client.force_login(cast.owner)
    assert "Ihre Rolle: Inhaber" in client.get("/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "Saved." in choose(client, "", HTTP_ACCEPT_LANGUAGE="en")
    assert "Ihre Rolle: Inhaber" in client.get("/", **GERMAN).content.decode()  # type: ignore[arg-type]


def test_a_language_that_there_is_not_is_refused(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    assert client.post(reverse("language"), {"language": "tlh"}).status_code == 400
    cast.owner.refresh_from_db()
    assert cast.owner.language == ""


def test_a_language_that_is_gone_falls_back_to_what_the_browser_asks_for(cast: Cast, client: Client) -> None:
    cast.owner.language = "tlh"
    cast.owner.save(update_fields=["language"])
    client.force_login(cast.owner)
    assert client.get("/", **GERMAN)["Content-Language"] == "de"  # type: ignore[arg-type]


def test_only_who_is_signed_in_chooses(client: Client, db: None) -> None:
    answer = client.get(reverse("language"))
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("account_login"))


def test_the_api_answers_everybody_in_english(cast: Cast, client: Client) -> None:
    answer = client.get("/v1/checks/chk_nothing", HTTP_AUTHORIZATION=f"Bearer {cast.api_key}", **GERMAN)  # type: ignore[arg-type]
    assert answer.status_code == 404
    assert answer.json()["title"] == "Not found"
    assert 'lang="en"' in client.get("/v1/docs", **GERMAN).content.decode()  # type: ignore[arg-type]


def test_the_audit_log_is_in_english(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    choose(client, "de")
    client.post(
        reverse("accounts:settings", args=["acme"]),
        {"name": "Acme", "default_policy": "", "random_review_rate": "0.25", "requests_per_minute": "10"},
    )
    event = json.loads(bytes(AuditEvent.objects.get(type="project.settings.changed").envelope))
    assert "field:random_review_rate" in event["reason_codes"]


def test_numbers_in_a_german_form_are_those_that_the_browser_sends_back(cast: Cast, client: Client) -> None:
    cast.project.random_review_rate = 0.25
    cast.project.save(update_fields=["random_review_rate"])
    client.force_login(cast.owner)
    choose(client, "de")
    page = client.get(reverse("accounts:settings", args=["acme"])).content.decode()
    assert 'step="any" value="0.25"' in page
    assert 'lang="de"' in page


def test_scripts_speak_the_language_of_the_page(client: Client, db: None) -> None:
    page = client.get(reverse("account_login"), **GERMAN).content.decode()  # type: ignore[arg-type]
    assert '<script src="/texts/de.js" defer>' in page
    script = client.get("/texts/de.js", HTTP_ACCEPT_LANGUAGE="en")
    assert script["Content-Type"].startswith("text/javascript")
    assert "Erneut versuchen" in json.dumps(script.content.decode(), ensure_ascii=False)
    assert "/texts/" not in client.get(reverse("account_login")).content.decode()
    assert client.get("/texts/tlh.js").status_code == 404
