"""Leads bring files of tasks in: upload one, look at what would come of it, start it, watch it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from review import selectors
from review.errors import BadFile
from review.import_forms import ImportForm
from review.label_studio.preview import NAMED, totals
from review.label_studio.reading import MAX_BYTES
from review.models import TaskImport
from review.services.task_imports import discard_import, open_import, start_import
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required

#: Imports that the page lists.
RECENT = 20


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def imports(request: MemberRequest) -> HttpResponse:
    """Take a file; nothing comes of it before it is started."""
    form = ImportForm(request.POST or None, request.FILES or None, project=request.project)
    if request.method == "POST" and form.is_valid():
        file: UploadedFile[Any] = form.cleaned_data["file"]
        try:
            found = open_import(
                membership=request.membership,
                queue=selectors.get_queue(project=request.project, slug=form.cleaned_data["queue"]),
                application=request.project.applications.get(id=form.cleaned_data["application"]),
                policy=form.cleaned_data["policy"],
                text_key=form.cleaned_data["text_key"],
                raw=file.read(MAX_BYTES + 1),
            )
        except BadFile as error:
            form.add_error("file", str(error))
        else:
            return redirect("review:import", request.project.slug, found.id)
    context = {"form": form, "recent": _imports(request).order_by("-created_at")[:RECENT]}
    return render(request, "review/imports.html", context, status=422 if form.errors else 200)


@require_GET
@never_cache
@member_required(*LEADS)
def task_import(request: MemberRequest, task_import: uuid.UUID) -> HttpResponse:
    """Show what would come of a file, how far its import is, or what came of it."""
    found = _get(request, task_import)
    left_out = found.left_out if found.done else found.preview["left_out"]
    context = {
        "task_import": found,
        "preview": found.preview,
        "left_out": [(reason, number) for reason, number in totals(left_out).items()],
        "named": [row for row in left_out if row[0]][:NAMED],
        "more": len(left_out) > NAMED,
    }
    return render(request, "review/_import.html" if request.htmx else "review/import.html", context)


@require_POST
@member_required(*LEADS)
def import_start(request: MemberRequest, task_import: uuid.UUID) -> HttpResponse:
    found = _get(request, task_import)
    try:
        start_import(task_import=found, membership=request.membership)
    except BadFile as error:
        messages.error(request, str(error))
    return redirect("review:import", request.project.slug, found.id)


@require_POST
@member_required(*LEADS)
def import_discard(request: MemberRequest, task_import: uuid.UUID) -> HttpResponse:
    discard_import(task_import=_get(request, task_import))
    messages.success(request, _("The file is discarded."))
    return redirect("review:imports", request.project.slug)


def _imports(request: MemberRequest) -> QuerySet[TaskImport]:
    return TaskImport.objects.filter(project=request.project).select_related("queue", "application", "created_by")


def _get(request: MemberRequest, key: uuid.UUID) -> TaskImport:
    found = _imports(request).filter(id=key).first()
    if found is None:
        raise Http404("No such import.")
    return found
