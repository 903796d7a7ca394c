"""The pages on which owners run a project: members, applications and keys, settings.

A secret that is shown once is the answer to the POST that made it; it is stored nowhere, so there is no redirect.
"""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.forms import ApplicationForm, MemberForm, RoleForm, SettingsForm
from webapp.accounts.models import Role
from webapp.accounts.selectors import applications_of, find_user, get_application, get_key, get_member, members_of
from webapp.accounts.services import (
    LastOwner,
    NameTaken,
    add_member,
    change_settings,
    create_api_key,
    create_application,
    create_member,
    remove_member,
    revoke_api_key,
    set_role,
    user_actor,
)
from webapp.audit.log import Actor

LAST_OWNER = gettext_lazy("A project keeps at least one owner: make somebody else an owner first.")


def _actor(request: MemberRequest) -> Actor:
    return user_actor(request.user, request.membership.role)


@require_GET
@member_required(Role.OWNER, Role.LEAD, Role.COMPLIANCE)
def members(request: MemberRequest) -> HttpResponse:
    return _members_page(request, MemberForm())


@never_cache
@require_POST
@member_required(Role.OWNER)
def member_add(request: MemberRequest) -> HttpResponse:
    """Add the person of that name, or make them an account and show its password once."""
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _members_page(request, form, status=400)
    username = form.cleaned_data["username"]
    user = find_user(username)
    if user is None:
        return _add_new(request, form, username)
    if request.project.memberships.filter(user=user).exists():
        form.add_error(
            "username", _("%(name)s is a member already; change the role in the list.") % {"name": user.get_username()}
        )
        return _members_page(request, form, status=400)
    add_member(project=request.project, user=user, role=form.chosen, actor=_actor(request))
    messages.success(
        request,
        _("%(name)s, who had an account already, is a member now. Role: %(role)s.")
        % {"name": user.get_username(), "role": form.chosen.label},
    )
    return redirect("accounts:members", request.project.slug)


def _add_new(request: MemberRequest, form: MemberForm, username: str) -> HttpResponse:
    try:
        membership, password = create_member(
            project=request.project, username=username, role=form.chosen, actor=_actor(request)
        )
    except NameTaken:  # in the moment since we looked
        form.add_error("username", _("Somebody has just taken this name; try again to add them."))
        return _members_page(request, form, status=409)
    return _members_page(request, MemberForm(), added=membership, password=password)


@require_POST
@member_required(Role.OWNER)
def member_role(request: MemberRequest, pk: int) -> HttpResponse:
    membership = get_member(request.project, pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("There is no such role."))
        return redirect("accounts:members", request.project.slug)
    try:
        set_role(membership=membership, role=form.chosen, actor=_actor(request))
    except LastOwner:
        messages.error(request, LAST_OWNER)
    else:
        messages.success(
            request,
            _("Role of %(name)s: %(role)s.") % {"name": membership.user.get_username(), "role": form.chosen.label},
        )
    return redirect("accounts:members", request.project.slug)


@require_POST
@member_required(Role.OWNER)
def member_remove(request: MemberRequest, pk: int) -> HttpResponse:
    membership = get_member(request.project, pk)
    try:
        remove_member(membership=membership, actor=_actor(request))
    except LastOwner:
        messages.error(request, LAST_OWNER)
        return redirect("accounts:members", request.project.slug)
    messages.success(
        request, _("%(name)s has no access to this project any more.") % {"name": membership.user.get_username()}
    )
    own = membership.user_id == request.user.id
    return redirect("home") if own else redirect("accounts:members", request.project.slug)


def _members_page(request: MemberRequest, form: MemberForm, *, status: int = 200, **context: object) -> HttpResponse:
    context |= {
        "form": form,
        "members": members_of(request.project),
        "roles": Role.choices,
        "may_edit": request.membership.role == Role.OWNER,
    }
    return render(request, "accounts/members.html", context, status=status)


@require_GET
@member_required(Role.OWNER)
def applications(request: MemberRequest) -> HttpResponse:
    return _applications_page(request, ApplicationForm())


@require_POST
@member_required(Role.OWNER)
def application_create(request: MemberRequest) -> HttpResponse:
    form = ApplicationForm(request.POST)
    if not form.is_valid():
        return _applications_page(request, form, status=400)
    try:
        create_application(project=request.project, name=form.cleaned_data["name"], actor=_actor(request))
    except NameTaken:
        form.add_error("name", _("This project has an application of that name."))
        return _applications_page(request, form, status=400)
    messages.success(request, _("The application is registered. It needs a key to call the API."))
    return redirect("accounts:applications", request.project.slug)


@never_cache
@require_POST
@member_required(Role.OWNER)
def key_create(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a key and show it this once."""
    application = get_application(request.project, pk)
    key, secret = create_api_key(application=application, created_by=request.user, actor=_actor(request))
    return _applications_page(request, ApplicationForm(), new_key=key, secret=secret)


@require_POST
@member_required(Role.OWNER)
def key_revoke(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    key = get_key(request.project, pk)
    revoke_api_key(key=key, actor=_actor(request))
    messages.success(request, _("The key %(prefix)s… is revoked.") % {"prefix": key.prefix})
    return redirect("accounts:applications", request.project.slug)


def _applications_page(
    request: MemberRequest, form: ApplicationForm, *, status: int = 200, **context: object
) -> HttpResponse:
    context |= {"form": form, "applications": applications_of(request.project)}
    return render(request, "accounts/applications.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(Role.OWNER)
def settings(request: MemberRequest) -> HttpResponse:
    form = SettingsForm(request.project, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return render(request, "accounts/settings.html", {"form": form})
    if not form.is_valid():
        return render(request, "accounts/settings.html", {"form": form}, status=400)
    changed = change_settings(project=request.project, changes=form.cleaned_data, actor=_actor(request))
    messages.success(request, _("Saved.") if changed else _("Nothing was different."))
    return redirect("accounts:settings", request.project.slug)
