"""Pages on which leads and owners store versions of label schemas."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from review import selectors, services
from review.definition import read_definition
from review.errors import SettingsChanged, SettingsTaken
from review.models import LabelSchema
from review.schema_forms import NewSchemaForm, SchemaForm
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required


@require_GET
@never_cache
@member_required(*LEADS)
def schemas(request: MemberRequest) -> HttpResponse:
    """List every version with what it says and the queues that use it."""
    versions = selectors.schema_versions(project=request.project).prefetch_related("queues")
    rows = [(version, read_definition(version.definition)) for version in versions]
    return render(request, "review/schemas.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def schema_new(request: MemberRequest) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = NewSchemaForm(definition=None, data=posted)
    if posted is None:
        return _page(request, form, None)
    if not form.is_valid():
        return _page(request, form, None, status=400)
    try:
        version = services.create_schema(
            project=request.project,
            name=form.cleaned_data["name"],
            definition=form.definition,
            membership=request.membership,
        )
    except SettingsTaken as error:
        form.add_error("name", str(error))
        return _page(request, form, None, status=409)
    stored = gettext("%(version)s is stored. A queue uses it when you choose it there.")
    messages.success(request, stored % {"version": version})
    return redirect("review:schemas", request.project.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def schema_edit(request: MemberRequest, schema: str) -> HttpResponse:
    """Show the newest version to begin from; what is saved is a new one."""
    found = selectors.get_schema(project=request.project, name=schema)
    newest = selectors.newest_version(schema=found)
    posted = request.POST if request.method == "POST" else None
    form = SchemaForm(definition=read_definition(newest.definition), based_on=newest.version, data=posted)
    if posted is None:
        return _page(request, form, found)
    if not form.is_valid():
        return _page(request, form, found, status=400)
    try:
        version = services.add_schema_version(
            schema=found,
            based_on=form.cleaned_data["based_on"],
            definition=form.definition,
            membership=request.membership,
        )
    except SettingsChanged as error:
        data = request.POST.copy()
        data["based_on"] = str(selectors.newest_version(schema=found).version)
        again = SchemaForm(definition=None, based_on=0, data=data)
        return _page(request, again, found, status=409, message=str(error))
    if version is None:
        messages.info(request, gettext("Nothing was different, so no version was stored."))
    else:
        stored = gettext("%(version)s is stored. Queues go on with theirs until you choose it there.")
        messages.success(request, stored % {"version": version})
    return redirect("review:schemas", request.project.slug)


def _page(
    request: MemberRequest, form: SchemaForm, schema: LabelSchema | None, *, status: int = 200, message: str = ""
) -> HttpResponse:
    context = {"form": form, "schema": schema, "message": message}
    return render(request, "review/schema_form.html", context, status=status)
