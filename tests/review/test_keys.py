"""Reviewers choose the keys of the console."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from review.keys import COMMANDS, key_map
from review.models import ReviewerProfile
from tests.factories import Cast
from tests.review.working import claim_one, member, new_item


def chosen(**keys: str) -> dict[str, str]:
    return {command.name: command.key for command in COMMANDS} | keys


@pytest.fixture
def url(cast: Cast, client: Client) -> str:
    client.force_login(cast.reviewer)
    return reverse("review:keys", args=[cast.project.slug])


def test_a_reviewer_s_keys_are_on_their_controls_and_in_the_overlay_and_on_nobody_else_s(
    cast: Cast, client: Client, url: str
) -> None:
    assert client.post(url, chosen(release="q", skip="f7", keep=" space ", help="")).status_code == 302
    assert ReviewerProfile.objects.get().keys == {"release": "q", "skip": "F7", "help": ""}
    item = new_item(cast)
    claim_one(cast, member(cast, cast.reviewer))
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id]))
    assert '<kbd class="js-only">Q</kbd></label>' in page.text
    assert 'Skip <kbd class="js-only">F7</kbd>' in page.text
    assert "<dt><kbd>Q</kbd></dt><dd>release; again submits</dd>" in page.text
    assert '<kbd class="js-only">?</kbd>' not in page.text
    client.force_login(cast.lead)
    assert 'value="Q"' not in client.get(url).text


def test_two_commands_can_not_have_one_key(client: Client, url: str) -> None:
    page = client.post(url, chosen(release="B"))
    assert page.status_code == 400
    assert "B is also the key of “block; again submits”." in page.text.replace("&#x27;", "'")
    assert page.text.count('class="errorlist"') == 2
    assert not ReviewerProfile.objects.exists()


@pytest.mark.parametrize("key", ["1", "ab", "Enter", "F5", "\u200e"])
def test_what_can_not_be_a_key_is_refused(client: Client, url: str, key: str) -> None:
    page = client.post(url, chosen(release=key))
    assert page.status_code == 400
    assert "Give one character that is not a digit from 1 to 9" in page.text


def test_the_usual_keys_come_back(client: Client, url: str) -> None:
    client.post(url, chosen(release="q"))
    assert 'value="Q"' in client.get(url).text
    client.post(url, chosen(release="y") | {"reset": "1"})
    page = client.get(url)
    assert 'value="Q"' not in page.text
    assert 'value="Y"' not in page.text


def test_a_command_that_came_later_does_not_take_a_chosen_key() -> None:
    keys = key_map({"release": "z", "gone": "y"})
    assert (keys["release"], keys["undo"]) == ("z", "")
    assert "gone" not in keys
