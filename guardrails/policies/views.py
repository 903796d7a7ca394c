"""Pages on policies: read, write a new version, activate one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from policies.models import Policy, PolicyVersion
from policies.services import activate, add_policy_version
from screening.packs import PACKS, read_pack
from screening.policy import Issue, PolicyError
from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.models import Role
from webapp.accounts.services import user_actor

EDITORS = (Role.OWNER, Role.LEAD)


@require_safe
@member_required()
def policy_list(request: MemberRequest) -> HttpResponse:
    policies = Policy.objects.filter(project=request.project).select_related("active_version").order_by("name")
    return render(request, "policies/list.html", {"policies": policies, "packs": sorted(PACKS), **_rights(request)})


@require_safe
@member_required()
def policy_detail(request: MemberRequest, name: str) -> HttpResponse:
    policy = get_object_or_404(Policy.objects.select_related("active_version"), project=request.project, name=name)
    versions = policy.versions.select_related("created_by")
    return render(request, "policies/detail.html", {"policy": policy, "versions": versions, **_rights(request)})


@require_safe
@member_required()
def version_detail(request: MemberRequest, name: str, version: int) -> HttpResponse:
    found = _version(request, name, version)
    return render(request, "policies/version.html", {"policy": found.policy, "version": found, **_rights(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(*EDITORS)
def new_version(request: MemberRequest, name: str = "") -> HttpResponse:
    """Edit a document and store it as the next version; faults are shown with their lines and nothing is stored."""
    issues: list[Issue] = []
    document = _starting_document(request, name)
    if request.method == "POST":
        document = request.POST.get("document", "").replace("\r\n", "\n")
        try:
            version = add_policy_version(
                project=request.project,
                document=document,
                created_by=request.user,
                actor=user_actor(request.user, request.membership.role),
            )
        except PolicyError as error:
            issues = error.issues
        else:
            messages.success(request, _("Stored as %(version)s.") % {"version": version})
            return redirect("policies:detail", request.project.slug, version.policy.name)
    context = {"document": document, "issues": issues, "name": name, **_rights(request)}
    return render(request, "policies/edit.html", context, status=422 if issues else 200)


@require_POST
@member_required(*EDITORS)
def activate_version(request: MemberRequest, name: str, version: int) -> HttpResponse:
    found = _version(request, name, version)
    activate(version=found, actor=user_actor(request.user, request.membership.role))
    messages.success(request, _("%(version)s is active: new checks use it.") % {"version": found})
    return redirect("policies:detail", request.project.slug, name)


def _version(request: MemberRequest, name: str, version: int) -> PolicyVersion:
    versions = PolicyVersion.objects.select_related("policy__active_version", "created_by")
    return get_object_or_404(versions, policy__project=request.project, policy__name=name, version=version)


def _starting_document(request: MemberRequest, name: str) -> str:
    if name:
        policy = get_object_or_404(Policy, project=request.project, name=name)
        newest = policy.versions.first()
        return newest.document if newest else ""
    pack = request.GET.get("pack", "")
    return read_pack(pack) if pack in PACKS else ""


def _rights(request: MemberRequest) -> dict[str, bool]:
    return {"may_edit": request.membership.role in EDITORS}
