"""The pages on datasets, for owners and leads of the project alone."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from feedback.exporters.registry import EXPORTERS
from feedback.filters import Filters
from feedback.models import Dataset, DatasetVersion, Export
from feedback.services import create_dataset, fill_export, fill_version, freeze_version, open_export, open_version
from tests.factories import Cast
from tests.feedback.deciding import a_mixture, decide_one
from webapp.accounts.models import User
from webapp.audit.models import AuditEvent


@pytest.fixture
def version(cast: Cast) -> DatasetVersion:
    a_mixture(cast)
    dataset = create_dataset(project=cast.project, slug="first", name="First", filters=Filters())
    return freeze_version(dataset=dataset, created_by=cast.owner)


@pytest.fixture
def made(version: DatasetVersion) -> Export:
    return fill_export(open_export(version=version, format="trl-preference", created_by=None))


@pytest.fixture
def as_lead(cast: Cast, client: Client) -> Client:
    client.force_login(cast.lead)
    return client


def urls(project: str, version: DatasetVersion, made: Export) -> list[tuple[str, str]]:
    """Return method and address of every page."""
    of_dataset = {"project": project, "dataset_id": version.dataset_id}
    of_version = {**of_dataset, "number": version.version}
    of_format = {**of_version, "format": "trl-preference"}
    return [
        ("get", reverse("datasets:list", args=[project])),
        ("get", reverse("datasets:new", args=[project])),
        ("get", reverse("datasets:preview", args=[project])),
        ("get", reverse("datasets:detail", kwargs=of_dataset)),
        ("post", reverse("datasets:freeze", kwargs=of_dataset)),
        ("get", reverse("datasets:version", kwargs=of_version)),
        ("get", reverse("datasets:version_state", kwargs=of_version)),
        ("get", reverse("datasets:sample", kwargs=of_version)),
        ("post", reverse("datasets:export", kwargs=of_format)),
        ("get", reverse("datasets:export_state", kwargs=of_format)),
        ("get", reverse("datasets:download", kwargs={"project": project, "export_id": made.id})),
    ]


def statuses(client: Client, user: User, pages: list[tuple[str, str]]) -> list[int]:
    client.force_login(user)
    return [getattr(client, method)(url).status_code for method, url in pages]


def test_only_owners_and_leads_see_datasets(cast: Cast, client: Client, version: DatasetVersion, made: Export) -> None:
    pages = urls("acme", version, made)

    assert set(statuses(client, cast.outsider, pages)) == {404}
    assert set(statuses(client, cast.reviewer, pages)) == {403}
    assert set(statuses(client, cast.compliance, pages)) == {403}
    assert set(statuses(client, cast.owner, pages)) == {200, 302}
    client.logout()
    assert {client.get(url).status_code for method, url in pages if method == "get"} == {302}


def test_datasets_of_another_project_do_not_exist(
    cast: Cast, client: Client, version: DatasetVersion, made: Export
) -> None:
    elsewhere = urls("other", version, made)[3:]  # the first three show the project's own

    assert set(statuses(client, cast.outsider, elsewhere)) == {404}


def test_what_does_not_exist_is_404(as_lead: Client, version: DatasetVersion) -> None:
    for path in (f"{uuid.uuid4()}/", f"{version.dataset_id}/9/", f"{version.dataset_id}/1/exports/xml/state/"):
        assert as_lead.get(f"/p/acme/datasets/{path}").status_code == 404
    assert as_lead.post(f"/p/acme/datasets/{version.dataset_id}/1/exports/xml/").status_code == 404


def test_a_dataset_is_made_of_a_form(as_lead: Client, version: DatasetVersion) -> None:
    form = {"name": "Violent ones", "outcomes": ["block", "redact"], "since": "2020-01-31", "purpose": "training"}

    response = as_lead.post("/p/acme/datasets/new/", form, follow=True)

    made = Dataset.objects.get(slug="violent-ones")
    assert made.filters == {"since": "2020-01-31", "outcomes": ["block", "redact"]}
    assert made.purpose == "training"
    assert "<b>6</b> decided items" in response.content.decode()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "First"}, "has a dataset &#x27;first&#x27; already"),
        ({"name": "日本"}, "no letters a-z"),
        ({"name": ""}, "This field is required"),
        ({"name": "x", "since": "2024-02-02", "until": "2024-02-01"}, "The last day is before the first"),
        ({"name": "x", "outcomes": ["burn"]}, "burn is not one of the available choices"),
    ],
)
def test_a_faulty_form_says_what_is_wrong(
    as_lead: Client, version: DatasetVersion, form: dict[str, Any], said: str
) -> None:
    response = as_lead.post("/p/acme/datasets/new/", form)

    assert response.status_code == 422
    assert said in response.content.decode()
    assert Dataset.objects.count() == 1


def test_the_preview_counts_by_outcome_category_and_split(as_lead: Client, version: DatasetVersion) -> None:
    page = as_lead.get("/p/acme/datasets/new/preview/", {"outcomes": ["block"]}).content.decode()

    for counted in ("<b>3</b> decided items", "block", "harassment", "validation"):
        assert counted in page
    faulty = as_lead.get("/p/acme/datasets/new/preview/", {"since": "yesterday"}).content.decode()
    assert "Enter a valid date" in faulty
    assert (
        "No decided item fits" in as_lead.get("/p/acme/datasets/new/preview/", {"since": "2999-01-01"}).content.decode()
    )


def test_freezing_goes_to_a_worker_and_shows_how_far_it_is(
    as_lead: Client, version: DatasetVersion, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as sent:
        response = as_lead.post(f"/p/acme/datasets/{version.dataset_id}/freeze/", follow=True)

    assert len(sent) == 1
    assert "Waiting for a control worker" in response.content.decode()
    state = f"/p/acme/datasets/{version.dataset_id}/2/state/"
    assert "HX-Refresh" not in as_lead.get(state).headers
    fill_version(DatasetVersion.objects.get(version=2))
    assert as_lead.get(state).headers["HX-Refresh"] == "true"


def test_a_failed_freeze_says_so_and_can_be_repeated(as_lead: Client, version: DatasetVersion) -> None:
    failed = open_version(dataset=version.dataset, created_by=None)
    DatasetVersion.objects.filter(pk=failed.pk).update(state="failed", error="The disk is full.")

    page = as_lead.get(f"/p/acme/datasets/{version.dataset_id}/2/").content.decode()

    assert "The disk is full." in page
    assert "Freeze again" in page


def test_exporting_goes_to_a_worker_and_the_row_follows_it(
    as_lead: Client, version: DatasetVersion, django_capture_on_commit_callbacks: Any
) -> None:
    address = f"/p/acme/datasets/{version.dataset_id}/1/exports/pii-spans/"

    with django_capture_on_commit_callbacks(execute=True):
        row = as_lead.post(address, headers={"HX-Request": "true"}).content.decode()

    assert "every 1s" in row
    fill_export(version.exports.get())
    after = as_lead.get(address + "state/").content.decode()
    assert "every 1s" not in after
    assert "Download" in after


def test_the_download_is_the_zip_and_is_recorded(cast: Cast, as_lead: Client, made: Export) -> None:
    response = as_lead.get(f"/p/acme/datasets/exports/{made.id}/download/")

    data = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "first-v1-trl-preference/train.jsonl" in archive.namelist()
    assert response.headers["Content-Disposition"] == 'attachment; filename="first-v1-trl-preference.zip"'
    envelope = json.loads(bytes(AuditEvent.objects.get(type="export.downloaded").envelope))
    assert envelope["actor"] == {"kind": "user", "ref": str(cast.lead.id), "role": "lead", "auth": "session"}
    assert envelope["counts"] == {"rows": 3}


def test_a_download_without_files_says_to_export_again(as_lead: Client, made: Export) -> None:
    made.path = made.path + "-gone"
    made.save()

    response = as_lead.get(f"/p/acme/datasets/exports/{made.id}/download/", follow=True)

    assert "Export again." in response.content.decode()
    assert not AuditEvent.objects.filter(type="export.downloaded").exists()


def test_texts_are_shown_only_on_demand_and_that_is_recorded(as_lead: Client, version: DatasetVersion) -> None:
    address = f"/p/acme/datasets/{version.dataset_id}/1/"
    assert "@example" not in as_lead.get(address).content.decode()
    assert not AuditEvent.objects.filter(type="content.viewed").exists()

    assert "@example.com" in as_lead.get(address + "sample/").content.decode()

    assert AuditEvent.objects.filter(type="content.viewed").count() == 1


def test_the_version_page_offers_every_format(as_lead: Client, version: DatasetVersion) -> None:
    page = as_lead.get(f"/p/acme/datasets/{version.dataset_id}/1/").content.decode()

    assert version.digest in page
    for exporter in EXPORTERS.values():
        assert exporter.title in page


def test_lists_take_the_same_queries_however_long_they_are(
    cast: Cast, as_lead: Client, version: DatasetVersion, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        dataset = create_dataset(project=cast.project, slug=f"d{number}", name="D", filters=Filters())
        freeze_version(dataset=dataset, created_by=cast.owner)
        freeze_version(dataset=version.dataset, created_by=cast.lead)
    decide_one(cast, "block", "more", number=77)

    with django_assert_max_num_queries(5):
        as_lead.get("/p/acme/datasets/")
    with django_assert_max_num_queries(14):
        as_lead.get(f"/p/acme/datasets/{version.dataset_id}/")
    with django_assert_max_num_queries(7):
        as_lead.get(f"/p/acme/datasets/{version.dataset_id}/1/")
