"""Pages on datasets: choose items, freeze versions, export and download them. For owners and leads."""

from __future__ import annotations

import json
import uuid
from functools import partial

from celery import Task
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from feedback import selectors, services, tasks
from feedback.archive import zip_name, zipped
from feedback.errors import DatasetError
from feedback.exporters.registry import EXPORTERS
from feedback.filters import Filters
from feedback.forms import DatasetForm, FilterForm
from feedback.models import Dataset, DatasetVersion, Export, JobState
from feedback.previews import preview
from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.models import Role
from webapp.accounts.services import user_actor
from webapp.audit.log import Actor

MAKERS = (Role.OWNER, Role.LEAD)
SAMPLE_ROWS = 5


@require_safe
@member_required(*MAKERS)
def dataset_list(request: MemberRequest) -> HttpResponse:
    return render(request, "datasets/list.html", {"datasets": selectors.datasets_of(request.project)})


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(*MAKERS)
def new_dataset(request: MemberRequest) -> HttpResponse:
    """Choose items and name the choice."""
    form = DatasetForm(request.POST or None, project=request.project)
    if request.method == "POST" and form.is_valid():
        try:
            dataset = services.create_dataset(
                project=request.project,
                slug=form.cleaned_data["slug"],
                name=form.cleaned_data["name"],
                filters=form.filters(),
                purpose=form.cleaned_data["purpose"],
                licence=form.cleaned_data["licence"],
            )
        except DatasetError as error:
            form.add_error("slug", str(error))
        else:
            return redirect("datasets:detail", request.project.slug, dataset.id)
    context = {"form": form, **_preview(request)}
    return render(request, "datasets/new.html", context, status=422 if form.errors else 200)


@require_safe
@member_required(*MAKERS)
def new_preview(request: MemberRequest) -> HttpResponse:
    """Count what the filters in the query would take."""
    return render(request, "datasets/_preview.html", _preview(request))


@require_safe
@member_required(*MAKERS)
def dataset_detail(request: MemberRequest, dataset_id: uuid.UUID) -> HttpResponse:
    dataset = _dataset(request, dataset_id)
    filters = Filters.from_json(dataset.filters)
    context = {
        "dataset": dataset,
        "versions": dataset.versions.select_related("created_by").order_by("-version"),
        "preview": preview(project=request.project, filters=filters),
    }
    return render(request, "datasets/detail.html", context)


@require_POST
@member_required(*MAKERS)
def freeze(request: MemberRequest, dataset_id: uuid.UUID) -> HttpResponse:
    dataset = _dataset(request, dataset_id)
    try:
        version = services.open_version(dataset=dataset, created_by=request.user)
    except DatasetError as error:
        messages.error(request, str(error))
        return redirect("datasets:detail", request.project.slug, dataset.id)
    _send(tasks.freeze_version, version.pk)
    return redirect("datasets:version", request.project.slug, dataset.id, version.version)


@require_safe
@never_cache  # its rows change under it: going back must not show an export as it was before
@member_required(*MAKERS)
def version_detail(request: MemberRequest, dataset_id: uuid.UUID, number: int) -> HttpResponse:
    version = _version(request, dataset_id, number)
    made = selectors.newest_exports(version)
    formats = [(exporter, made.get(identifier)) for identifier, exporter in EXPORTERS.items()]
    return render(
        request, "datasets/version.html", {"dataset": version.dataset, "version": version, "formats": formats}
    )


@require_safe
@member_required(*MAKERS)
def version_state(request: MemberRequest, dataset_id: uuid.UUID, number: int) -> HttpResponse:
    """Show how far the freezing is; when it is over, let the page load anew."""
    version = _version(request, dataset_id, number)
    response = render(request, "datasets/_freezing.html", {"dataset": version.dataset, "version": version})
    if not version.is_live:
        response["HX-Refresh"] = "true"
    return response


@require_safe
@member_required(*MAKERS)
def version_sample(request: MemberRequest, dataset_id: uuid.UUID, number: int) -> HttpResponse:
    """Show a few rows with their texts, and record that they were seen."""
    version = _version(request, dataset_id, number)
    rows = list(version.members.order_by("index")[:SAMPLE_ROWS])
    services.record_sample_view(version=version, rows=len(rows), actor=_actor(request))
    records = [json.loads(row.record) for row in rows]
    context = {"dataset": version.dataset, "version": version, "records": records}
    return render(request, "datasets/_sample.html" if request.htmx else "datasets/sample.html", context)


@require_POST
@member_required(*MAKERS)
def export(request: MemberRequest, dataset_id: uuid.UUID, number: int, format: str) -> HttpResponse:
    version = _version(request, dataset_id, number)
    if format not in EXPORTERS:
        raise Http404("No such format.")
    try:
        made = services.open_export(version=version, format=format, created_by=request.user)
    except DatasetError as error:
        messages.error(request, str(error))
    else:
        _send(tasks.export_version, made.pk)
    if request.htmx:
        return _export_row(request, version, format)
    return redirect("datasets:version", request.project.slug, dataset_id, number)


@require_safe
@member_required(*MAKERS)
def export_state(request: MemberRequest, dataset_id: uuid.UUID, number: int, format: str) -> HttpResponse:
    return _export_row(request, _version(request, dataset_id, number), format)


@require_safe
@member_required(*MAKERS)
def download(request: MemberRequest, export_id: uuid.UUID) -> HttpResponseBase:
    """Send the files of an export as a zip, and record who took them."""
    exports = Export.objects.select_related("version__dataset__project")
    made = get_object_or_404(exports, pk=export_id, version__dataset__project=request.project, state=JobState.DONE)
    try:
        pieces = zipped(made)
    except DatasetError as error:
        messages.error(request, str(error))
        return redirect("datasets:version", request.project.slug, made.version.dataset_id, made.version.version)
    services.record_download(export=made, actor=_actor(request))
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{zip_name(made)}"'
    response["Cache-Control"] = "no-store"
    return response


def _export_row(request: MemberRequest, version: DatasetVersion, format: str) -> HttpResponse:
    if format not in EXPORTERS:
        raise Http404("No such format.")
    made = selectors.newest_exports(version).get(format)
    context = {"dataset": version.dataset, "version": version, "exporter": EXPORTERS[format], "export": made}
    return render(request, "datasets/_export.html", context)


def _preview(request: MemberRequest) -> dict[str, object]:
    """Return the preview of the filters in the query; None of faulty ones, whose form says why."""
    form = FilterForm(request.GET, project=request.project)
    valid = form.is_valid()
    return {"preview": preview(project=request.project, filters=form.filters()) if valid else None, "chosen": form}


def _dataset(request: MemberRequest, dataset_id: uuid.UUID) -> Dataset:
    return get_object_or_404(Dataset.objects.select_related("project"), pk=dataset_id, project=request.project)


def _version(request: MemberRequest, dataset_id: uuid.UUID, number: int) -> DatasetVersion:
    versions = DatasetVersion.objects.select_related("dataset__project", "created_by")
    return get_object_or_404(versions, dataset=dataset_id, dataset__project=request.project, version=number)


def _actor(request: MemberRequest) -> Actor:
    return user_actor(request.user, request.membership.role)


def _send(task: Task, key: uuid.UUID) -> None:
    # Robust: with Redis away the row waits in the database, and the sweep (tasks.resume) sends it.
    transaction.on_commit(partial(task.delay, str(key)), robust=True)
