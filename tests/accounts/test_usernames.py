"""A name in another case or width is the same name, so nobody can be locked out by a namesake."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from tests.accounts.test_sign_in import envelopes, sign_in
from tests.factories import Cast, make_user
from webapp.accounts.models import Role, User

FULL_WIDTH = "\uff4f\uff57\uff4e\uff45\uff52"  # "owner"


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


@pytest.mark.parametrize("name", ["OWNER", "Owner", FULL_WIDTH])
def test_adding_a_namesake_adds_the_person_and_locks_nobody_out(cast: Cast, client: Client, name: str) -> None:
    client.force_login(cast.outsider)
    people = User.objects.count()
    page = client.post(
        reverse("accounts:member-add", args=["other"]), {"username": name, "role": "reviewer"}, follow=True
    )
    assert "owner, who had an account already" in page.content.decode()
    assert User.objects.count() == people
    assert cast.other_project.memberships.get(user=cast.owner).role == Role.REVIEWER
    assert sign_in(Client(), "owner", "owner-pass-phrase") == 302


@pytest.mark.parametrize("name", ["LEAD", "\uff4c\uff45\uff41\uff44"])
def test_a_member_is_not_added_twice_under_another_spelling(cast: Cast, client: Client, name: str) -> None:
    client.force_login(cast.owner)
    response = client.post(reverse("accounts:member-add", args=["acme"]), {"username": name, "role": "owner"})
    assert response.status_code == 400
    assert "lead is a member already" in response.content.decode()


def test_a_new_name_is_stored_in_its_plain_form(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    client.post(reverse("accounts:member-add", args=["acme"]), {"username": "\uff21nn", "role": "lead"})
    assert cast.project.memberships.filter(user__username="Ann").exists()


def test_a_name_whose_plain_form_is_no_username_is_refused(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    # One letter as typed, words with spaces between them once normalised.
    response = client.post(reverse("accounts:member-add", args=["acme"]), {"username": "\ufdfa", "role": "lead"})
    assert response.status_code == 400


# A dotless i and a final sigma are what they look like in upper case, by which sign-in compares.
@pytest.mark.parametrize(("first", "second"), [("anna", "ANNA"), ("ina", "\u0131na"), ("\u03c3", "\u03c2")])
def test_the_database_holds_no_two_names_that_sign_in_takes_for_one(db: None, first: str, second: str) -> None:
    make_user(first)
    if User.objects.filter(username__iexact=second).exists():
        with pytest.raises(IntegrityError):
            make_user(second)
    else:
        make_user(second)
        assert sign_in(Client(), second, f"{second}-pass-phrase") == 302


def test_a_refused_sign_in_in_another_case_is_recorded_for_the_account(cast: Cast, client: Client) -> None:
    assert sign_in(client, "OWNER", "guess") == 200
    (event,) = envelopes("signin.failed")
    assert event["object"] == {"kind": "user", "id": str(cast.owner.id), "rev": ""}
