"""Reads of a project's people, applications and keys."""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.db.models import Prefetch, QuerySet
from django.http import Http404

from webapp.accounts.models import ApiKey, Application, Membership, Project, User

T = TypeVar("T")


def members_of(project: Project) -> QuerySet[Membership]:
    return project.memberships.select_related("user").order_by("user__username")


def find_user(name: str) -> User | None:
    """Return the account that a sign-in with `name` would be tried on: case does not matter, nor does width."""
    username = User.normalize_username(name)
    return None if "\0" in username else User.objects.filter(username__iexact=username).first()


def applications_of(project: Project) -> QuerySet[Application]:
    """Return the applications with their keys, the newest key first."""
    keys = ApiKey.objects.order_by("-created_at").select_related("created_by")
    return project.applications.prefetch_related(Prefetch("keys", keys)).order_by("name")


def get_member(project: Project, pk: int) -> Membership:
    """Return a membership of this project; raise Http404."""
    return _or_404(project.memberships.select_related("user").filter(pk=pk).first())


def get_application(project: Project, pk: uuid.UUID) -> Application:
    """Return an application of this project; raise Http404."""
    return _or_404(project.applications.filter(pk=pk).first())


def get_key(project: Project, pk: uuid.UUID) -> ApiKey:
    """Return a key of one of this project's applications; raise Http404."""
    return _or_404(ApiKey.objects.select_related("application").filter(application__project=project, pk=pk).first())


def _or_404(found: T | None) -> T:
    if found is None:
        raise Http404("No such thing in this project.")
    return found
