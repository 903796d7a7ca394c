from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from policies.selectors import active_version, policy_names
from review.models import Queue
from tests.accounts.test_sign_in import sign_in
from tests.factories import Cast
from webapp.accounts.models import Membership, Project, Role, User

pytestmark = pytest.mark.django_db


def make(*args: str) -> str:
    out = StringIO()
    call_command("project", *args, stdout=out)
    return out.getvalue()


def test_a_new_project_can_be_used_at_once_by_its_new_owner(client: Client) -> None:
    printed = make("shop", "--name", "The Shop", "--owner", "ana")
    project = Project.objects.get(slug="shop")
    assert project.name == "The Shop"
    assert policy_names(project) == ["observe-only", "strict", "support-bot"]
    assert active_version(project, None).policy.name == "support-bot"
    assert Queue.objects.get(project=project).slug == "default"
    password = printed.split("Password of ana: ")[1].splitlines()[0]
    assert sign_in(client, "ana", password) == 302
    assert Membership.objects.get(project=project).role == Role.OWNER


def test_an_owner_who_has_an_account_keeps_their_password(cast: Cast) -> None:
    before = User.objects.get(pk=cast.lead.pk).password
    assert "Password" not in make("shop", "--owner", cast.lead.username.upper())
    assert User.objects.get(pk=cast.lead.pk).password == before
    assert Membership.objects.get(project__slug="shop").user == cast.lead


@pytest.mark.parametrize(("slug", "owner"), [("no spaces", "ana"), ("shop", "a b"), ("", "ana")])
def test_names_that_cannot_be_used_are_refused_and_leave_nothing(slug: str, owner: str) -> None:
    with pytest.raises(CommandError):
        make(slug, "--owner", owner)
    assert not Project.objects.exists()
    assert not User.objects.exists()


def test_a_slug_that_is_taken_is_refused(cast: Cast) -> None:
    with pytest.raises(CommandError, match="already exists"):
        make(cast.project.slug, "--owner", "ana")
    assert not User.objects.filter(username="ana").exists()
