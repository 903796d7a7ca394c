"""The compliance page shows a period's figures and sends its files."""

from __future__ import annotations

import hashlib
import io
import json

import pypdf
import pytest
from django.test import Client
from django.urls import reverse

from tests.audit.activity import COUNTS, make_month
from tests.audit.conftest import tamper
from tests.factories import Cast, make_cast
from webapp.audit import counters
from webapp.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
OCTOBER = {"since": "2026-10-01", "until": "2026-11-01"}


@pytest.fixture
def cast(quick_passwords: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    cast = make_cast()
    make_month(cast.project, cast.reviewer)
    monkeypatch.setattr(counters, "_counters", [lambda project, since, until: COUNTS])
    return cast


def test_the_page_shows_reconciliation_tables_and_charts(cast: Cast, client: Client) -> None:
    client.force_login(cast.compliance)
    page = client.get(reverse("audit:report", args=["acme"]), OCTOBER).content.decode()
    assert "124 intercepted = 93 allowed" in page
    assert "The figures agree" in page
    assert page.count('<svg xmlns="http://www.w3.org/2000/svg" class="chart"') == 2
    assert "style=" not in page


def test_a_mismatch_is_an_alert(cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "_counters", [lambda project, since, until: {**COUNTS, "block": 0}])
    client.force_login(cast.compliance)
    page = client.get(reverse("audit:report", args=["acme"]), OCTOBER).content.decode()
    assert "Mismatch" in page
    assert "blocked: 4 by the log, 0 by the database" in page


def test_without_a_period_it_is_this_month(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    response = client.get(reverse("audit:report", args=["acme"]))
    assert response.status_code == 200
    assert "The period is not over" in response.content.decode()


@pytest.mark.parametrize("format", ["pdf", "csv", "json"])
def test_a_download_is_a_file_whose_digest_is_recorded(cast: Cast, client: Client, format: str) -> None:
    client.force_login(cast.compliance)
    response = client.post(reverse("audit:download", args=["acme"]), {**OCTOBER, "format": format})
    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert response["Content-Disposition"] == f'attachment; filename="acme-activity-2026-10-01-2026-11-01.{format}"'
    envelope = json.loads(bytes(AuditEvent.objects.get(type="report.created").envelope))
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" in envelope["reason_codes"]
    assert envelope["actor"]["ref"] == str(cast.compliance.id)
    if format == "pdf":
        assert len(pypdf.PdfReader(io.BytesIO(content)).pages) >= 2


@pytest.mark.parametrize(
    "query",
    [
        {"since": "soon", "until": "2026-11-01"},
        {"since": "2026-11-01", "until": "2026-10-01"},
        {"since": "2026-11-01"},
        {"since": "0001-01-01T00:00:00+14:00", "until": "2026-11-01"},
        {"profile": "nonsense"},
    ],
)
def test_what_is_no_period_is_said(cast: Cast, client: Client, query: dict[str, str]) -> None:
    client.force_login(cast.owner)
    response = client.get(reverse("audit:report", args=["acme"]), query)
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()
    assert client.post(reverse("audit:download", args=["acme"]), {**query, "format": "csv"}).status_code == 400


def test_a_damaged_log_makes_no_figures(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    client.get(reverse("audit:report", args=["acme"]), OCTOBER)
    tamper("UPDATE audit_auditevent SET envelope = envelope || ' '::bytea WHERE type = 'export.created'")
    response = client.get(reverse("audit:report", args=["acme"]), OCTOBER)
    assert response.status_code == 503
    assert "manage.py audit verify" in response.content.decode()


def test_the_page_speaks_the_readers_language_and_the_files_english(cast: Cast, client: Client) -> None:
    cast.compliance.language = "de"
    cast.compliance.save(update_fields=["language"])
    client.force_login(cast.compliance)
    page = client.get(reverse("audit:report", args=["acme"]), OCTOBER).content.decode()
    assert "124 erfasst = 93 durchgelassen" in page
    assert "Urteile nach Version der Richtlinie" in page
    response = client.post(reverse("audit:download", args=["acme"]), {**OCTOBER, "format": "json"})
    report = json.loads(b"".join(response.streaming_content))["report"]  # type: ignore[attr-defined]
    assert report["title"] == "Activity report"
    assert report["reconciliation"]["equation"].startswith("124 intercepted = 93 allowed")
    assert {section["title"] for section in report["sections"]} >= {"Verdicts by policy version", "Reports made"}
