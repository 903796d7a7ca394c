"""Pages on which leads and owners make and change queues."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from review import selectors, services
from review.errors import SettingsChanged, SettingsTaken
from review.forms import NewQueueForm, QueueForm
from review.models import Queue
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def queue_new(request: MemberRequest) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = NewQueueForm(project=request.project, data=posted)
    if posted is None:
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        queue = services.create_queue(
            project=request.project,
            slug=form.cleaned_data["slug"],
            settings=form.settings,
            membership=request.membership,
        )
    except SettingsTaken as error:
        form.add_error("slug", str(error))
        return _page(request, form, status=409)
    messages.success(request, gettext("The queue %(name)s is made.") % {"name": queue.name})
    return redirect("review:queues", request.project.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def queue_edit(request: MemberRequest, queue: str) -> HttpResponse:
    found = selectors.get_queue(project=request.project, slug=queue)
    posted = request.POST if request.method == "POST" else None
    form = QueueForm(project=request.project, queue=found, data=posted)
    if posted is None:
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        changed = services.change_queue(
            queue=found,
            version=form.cleaned_data["version"],
            settings=form.settings,
            membership=request.membership,
        )
    except SettingsChanged as error:
        return _show_conflict(request, form, found, str(error))
    messages.success(request, gettext("Saved.") if changed else gettext("Nothing was different."))
    return redirect("review:queues", request.project.slug)


def _show_conflict(request: MemberRequest, form: QueueForm, found: Queue, message: str) -> HttpResponse:
    """Show what this lead filled in, with what holds now beside it; saving once more is then their decision."""
    now = selectors.get_queue(project=request.project, slug=found.slug)
    again = QueueForm(project=request.project, queue=now, data=request.POST.dict() | {"version": str(now.version)})
    conflicts = [
        (again[name].label, _in_words(getattr(now, name)))
        for name, given in form.settings.items()
        if given != getattr(now, name)
    ]
    return _page(request, again, status=409, message=message, conflicts=conflicts)


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return ", ".join(value) if isinstance(value, list) else str(value)


def _page(request: MemberRequest, form: QueueForm, *, status: int = 200, **context: object) -> HttpResponse:
    return render(request, "review/queue_form.html", {"form": form, "queue": form.queue, **context}, status=status)
