"""What is too large is answered with the limit, and with what to do, in the reader's language."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from webapp.uploads import MIB

pytestmark = pytest.mark.django_db
PAGE = "/accounts/language/"


def send(data: dict[str, Any], **headers: str) -> HttpResponse:
    """Send a form as a browser would."""
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/login/")
    token = client.cookies["csrftoken"].value
    return client.post(PAGE, {"csrfmiddlewaretoken": token, **data}, headers=headers)  # type: ignore[return-value]


def files(number: int, size: int = 1) -> dict[str, Any]:
    return {f"file{n}": ContentFile(b"x" * size, "a.bin") for n in range(number)}


@pytest.mark.parametrize(
    ("data", "german", "english"),
    [
        (
            files(1, 2 * MIB),
            "Die Datei ist größer als 1 MiB. Teilen Sie sie",
            "The file is larger than 1 MiB. Divide it",
        ),
        ({"note": "x" * (5 * MIB)}, "Was Sie ausgefüllt haben, ist größer als 4 MiB.", "larger than 4 MiB. Go back"),
        ({"item": list(range(1_001))}, "Das Formular hat mehr als 1000 Felder.", "more than 1000 fields. Go back"),
        (files(101), "Das sind mehr als 100 Dateien.", "These are more than 100 files. Go back"),
    ],
)
def test_a_page_says_the_limit_and_what_to_do(
    settings: Settings, data: dict[str, Any], german: str, english: str
) -> None:
    settings.UPLOAD_MAX_SIZE = MIB if "file0" in data else settings.UPLOAD_MAX_SIZE
    for language, said in (("de", german), ("en", english)):
        for file in data.values():
            if isinstance(file, ContentFile):
                file.seek(0)
        answered = send(data, accept_language=language)
        page = answered.content.decode()
        assert answered.status_code == 413
        assert said in page
        assert f'<html lang="{language}">' in page
        assert "/static/css/base.css" in page


def test_a_script_gets_a_problem_in_the_reader_s_language() -> None:
    answered = send({"note": "x" * (5 * MIB)}, accept="application/json", accept_language="de")
    assert (answered.status_code, answered["Content-Type"]) == (413, "application/problem+json")
    assert answered.json()["detail"] == "Was Sie ausgefüllt haben, ist größer als 4 MiB."  # type: ignore[attr-defined]


def test_what_can_not_be_read_at_all_gets_a_page_too(client: Client) -> None:
    answered = client.post(
        "/accounts/login/", b"--", content_type="multipart/form-data", headers={"accept-language": "de"}
    )
    assert answered.status_code == 400
    assert "Die Anfrage ist nicht zu lesen" in answered.content.decode()
