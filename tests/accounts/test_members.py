"""Owners bring people in, give roles and take access away; a project never loses its last owner."""

from __future__ import annotations

import json
import re
import threading

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from tests.factories import Cast, make_cast, make_user
from webapp.accounts.models import Membership, Role, User
from webapp.accounts.services import LastOwner, add_member, remove_member, set_role, user_actor
from webapp.audit.models import AuditEvent


def membership(user: User) -> Membership:
    return Membership.objects.get(user=user)


def last_event(type: str) -> dict[str, object]:
    event = AuditEvent.objects.filter(type=type).order_by("-id").first()
    assert event is not None
    envelope: dict[str, object] = json.loads(bytes(event.envelope))
    return envelope


def add(client: Client, cast: Cast, username: str, role: str = "reviewer") -> object:
    return client.post(reverse("accounts:member-add", args=[cast.project.slug]), {"username": username, "role": role})


def test_a_new_name_gets_an_account_whose_password_is_shown_once(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    response = client.post(reverse("accounts:member-add", args=["acme"]), {"username": "newcomer", "role": "lead"})
    assert "no-store" in response["Cache-Control"]
    found = re.search(r'secret-value">([^<]+)<', response.content.decode())
    assert found
    assert found[1] not in client.get(reverse("accounts:members", args=["acme"])).content.decode()
    assert Client().login(username="newcomer", password=found[1])
    assert membership(User.objects.get(username="newcomer")).role == Role.LEAD
    assert last_event("member.role.set")["reason_codes"] == ["role:lead"]


def test_a_person_with_an_account_is_added_and_keeps_the_password(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    response = client.post(
        reverse("accounts:member-add", args=["acme"]), {"username": "outsider", "role": "reviewer"}, follow=True
    )
    assert "secret-value" not in response.content.decode()
    assert cast.project.memberships.get(user=cast.outsider).role == Role.REVIEWER
    assert Client().login(username="outsider", password="outsider-pass-phrase")


@pytest.mark.parametrize("username", ["", "two words", "semi;colon", "x" * 151, "nul\0"])
def test_a_name_that_is_no_username_is_refused(cast: Cast, client: Client, username: str) -> None:
    client.force_login(cast.owner)
    response = client.post(reverse("accounts:member-add", args=["acme"]), {"username": username, "role": "lead"})
    assert response.status_code == 400
    assert "errorlist" in response.content.decode()


def test_a_member_is_not_added_twice(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    response = client.post(reverse("accounts:member-add", args=["acme"]), {"username": "lead", "role": "owner"})
    assert response.status_code == 400
    assert membership(cast.lead).role == Role.LEAD


def test_a_role_is_changed_and_the_old_one_recorded(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    path = reverse("accounts:member-role", args=["acme", membership(cast.reviewer).pk])
    client.post(path, {"role": "lead"})
    assert membership(cast.reviewer).role == Role.LEAD
    assert last_event("member.role.set")["reason_codes"] == ["role:lead", "was:reviewer"]
    count = AuditEvent.objects.count()
    client.post(path, {"role": "lead"})
    client.post(path, {"role": "emperor"})
    assert AuditEvent.objects.count() == count


def test_a_removed_member_is_an_outsider_at_once(cast: Cast, client: Client) -> None:
    theirs = Client()
    theirs.force_login(cast.compliance)
    client.force_login(cast.owner)
    client.post(reverse("accounts:member-remove", args=["acme", membership(cast.compliance).pk]))
    assert theirs.get(reverse("accounts:members", args=["acme"])).status_code == 404
    assert last_event("member.removed")["reason_codes"] == ["was:compliance"]


@pytest.mark.parametrize(("name", "data"), [("member-role", {"role": "lead"}), ("member-remove", {})])
def test_the_last_owner_stays_owner(cast: Cast, client: Client, name: str, data: dict[str, str]) -> None:
    client.force_login(cast.owner)
    path = reverse(f"accounts:{name}", args=["acme", membership(cast.owner).pk])
    response = client.post(path, data, follow=True)
    assert "at least one owner" in response.content.decode()
    assert membership(cast.owner).role == Role.OWNER


def test_an_owner_may_leave_when_there_is_another(cast: Cast, client: Client) -> None:
    set_role(membership=membership(cast.lead), role=Role.OWNER, actor=user_actor(cast.owner))
    client.force_login(cast.owner)
    response = client.post(reverse("accounts:member-remove", args=["acme", membership(cast.owner).pk]))
    assert response["Location"] == reverse("home")
    assert not cast.project.memberships.filter(user=cast.owner).exists()


def test_giving_the_last_owner_another_role_by_adding_is_refused(cast: Cast) -> None:
    with pytest.raises(LastOwner):
        add_member(project=cast.project, user=cast.owner, role=Role.LEAD)


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_remove_each_other_at_once(quick_passwords: None) -> None:
    cast = make_cast()
    add_member(project=cast.project, user=cast.lead, role=Role.OWNER)
    refused: list[LastOwner] = []
    together = threading.Barrier(2)

    def remove(user: User) -> None:
        target = membership(user)
        together.wait(10)
        try:
            remove_member(membership=target, actor=user_actor(user))
        except LastOwner as error:
            refused.append(error)
        connections.close_all()

    threads = [threading.Thread(target=remove, args=[user]) for user in (cast.owner, cast.lead)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert cast.project.memberships.filter(role=Role.OWNER).count() == 1


def test_others_only_read(cast: Cast, client: Client) -> None:
    client.force_login(cast.compliance)
    page = client.get(reverse("accounts:members", args=["acme"])).content.decode()
    assert "reviewer" in page
    assert "member-add" not in page
    assert "Remove" not in page


def test_the_list_takes_the_same_queries_however_long(
    cast: Cast, client: Client, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(20):
        add_member(project=cast.project, user=make_user(f"person-{number}"), role=Role.REVIEWER)
    client.force_login(cast.owner)
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        assert "person-19" in client.get(reverse("accounts:members", args=["acme"])).content.decode()
