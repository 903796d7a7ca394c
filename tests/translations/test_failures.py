"""Why work in the background failed, in the reader's language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from feedback import services
from feedback.errors import ExportFailed
from feedback.filters import Filters
from feedback.models import Dataset, Export
from feedback.services import create_dataset, fill_export, fill_version, freeze_version, open_export, open_version
from review.errors import BadFile
from review.label_studio.reading import read_tasks
from review.models import TaskImport
from review.services.raising import ensure_default_queue
from review.services.task_imports import sweep_imports
from screening.sentences import joined, say
from tests.factories import Cast, make_cast
from tests.feedback.deciding import decide_one
from tests.review.test_label_studio import BAD_FILES
from webapp.sentences import as_parts, from_parts, said


@pytest.fixture
def cast(db: None, settings: Settings, tmp_path: Path) -> Cast:
    settings.HOME = tmp_path / "home"
    return make_cast()


@pytest.fixture
def lead(cast: Cast, client: Client) -> Client:
    client.force_login(cast.lead)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    return client


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    decide_one(cast, "block", "a", number=1)
    return create_dataset(project=cast.project, slug="blocked", name="Blocked", filters=Filters())


def page(client: Client, dataset: Dataset) -> str:
    return client.get(f"/p/acme/datasets/{dataset.id}/1/").content.decode()


def test_a_failed_export_says_why_in_german(lead: Client, dataset: Dataset) -> None:
    made = open_export(version=freeze_version(dataset=dataset), format="openai-chat-sft", created_by=None)
    with pytest.raises(ExportFailed, match="No record of this version"):
        fill_export(made)
    assert "Kein Eintrag dieser Version passt zum Format: nichts ging aus (1)." in page(lead, dataset)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (OSError(28, "No space left on device"), "Die Dateien konnten nicht geschrieben werden: No space left"),
        (ValueError("a text"), "Es ist mit ValueError gescheitert; das Protokoll des Arbeitsprozesses sagt, wo."),
    ],
)
def test_a_failed_freeze_says_why_in_german(
    lead: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, error: Exception, shown: str
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(services, "freeze", fail)
    with pytest.raises(type(error)):
        fill_version(open_version(dataset=dataset, created_by=None))
    assert shown in page(lead, dataset)


def test_what_failed_before_is_shown_as_it_was_stored(lead: Client, dataset: Dataset) -> None:
    version = freeze_version(dataset=dataset)
    Export.objects.create(version=version, format="pii-spans", state="failed", error="100 % of it, as it was said.")
    assert "100 % of it, as it was said." in page(lead, dataset)


def test_an_import_that_stopped_says_why_in_german(cast: Cast, lead: Client) -> None:
    ensure_default_queue(project=cast.project)
    file = SimpleUploadedFile("tasks.json", json.dumps([{"text": "The shop opens at nine."}]).encode())
    form = {"queue": "default", "application": str(cast.application.id), "text_key": "text", "file": file}
    lead.post("/p/acme/review/imports/", form)
    TaskImport.objects.update(policy="gone", state="running")
    sweep_imports()
    found = TaskImport.objects.get()
    assert found.error.startswith("Task 1: The project has no active policy of that name.")
    shown = lead.get(f"/p/acme/review/imports/{found.id}/").content.decode()
    assert "Aufgabe 1: Das Projekt hat keine aktive Richtlinie dieses Namens. Richtlinien dieses Projekts:" in shown


@pytest.mark.parametrize("raw", [raw for raw, _ in BAD_FILES])
def test_why_a_file_is_refused_is_said_in_german(raw: bytes) -> None:
    with pytest.raises(BadFile) as refused:
        read_tasks(raw)
    english = str(refused.value)
    with translation.override("de"):
        assert str(refused.value) != english


def test_a_stored_sentence_is_said_as_the_one_that_was_stored() -> None:
    sentence = joined([say("line %(line)s: ", line=3), say("%(what)s is not JSON", what=say("The file"))], "")
    stored = json.loads(json.dumps(as_parts(sentence)))
    with translation.override("de"):
        assert from_parts(str(sentence), stored) == said(sentence) == "Zeile 3: Die Datei is not JSON"
    assert from_parts("", stored) == "line 3: The file is not JSON"
