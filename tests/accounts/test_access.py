"""Who may open and do what: outsiders see nothing, other roles are told no."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse

from tests.factories import Cast
from webapp.accounts.models import Membership

PAGES = {
    "accounts:members": ("GET", {"owner", "lead", "compliance"}),
    "accounts:applications": ("GET", {"owner"}),
    "accounts:settings": ("GET", {"owner"}),
    "accounts:member-add": ("POST", {"owner"}),
    "accounts:member-role": ("POST", {"owner"}),
    "accounts:member-remove": ("POST", {"owner"}),
    "accounts:application-create": ("POST", {"owner"}),
    "accounts:key-create": ("POST", {"owner"}),
    "accounts:key-revoke": ("POST", {"owner"}),
    "audit:report": ("GET", {"owner", "compliance"}),
    "audit:download": ("POST", {"owner", "compliance"}),
}
ROLES = ("owner", "lead", "reviewer", "compliance")


def url(cast: Cast, name: str) -> str:
    """Return the page's address for things of the cast's project."""
    key = cast.application.keys.get()
    arguments: dict[str, list[object]] = {
        "accounts:member-role": [Membership.objects.get(user=cast.reviewer).pk],
        "accounts:member-remove": [Membership.objects.get(user=cast.reviewer).pk],
        "accounts:key-create": [cast.application.pk],
        "accounts:key-revoke": [key.pk],
    }
    return reverse(name, args=[cast.project.slug, *arguments.get(name, [])])


def send(client: Client, method: str, path: str) -> int:
    return client.generic(method, path).status_code


@pytest.mark.parametrize("name", PAGES)
def test_an_outsider_gets_404(cast: Cast, client: Client, name: str) -> None:
    client.force_login(cast.outsider)
    assert send(client, PAGES[name][0], url(cast, name)) == 404


@pytest.mark.parametrize("name", PAGES)
def test_somebody_not_signed_in_is_sent_to_sign_in(cast: Cast, client: Client, name: str) -> None:
    assert AnonymousUser().is_anonymous
    response = client.generic(PAGES[name][0], url(cast, name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", PAGES)
def test_another_role_gets_403(cast: Cast, client: Client, name: str, role: str) -> None:
    method, allowed = PAGES[name]
    client.force_login(getattr(cast, role))
    status = send(client, method, url(cast, name))
    assert (status != 403) == (role in allowed), status
    assert status not in (404, 405, 500)


@pytest.mark.parametrize(
    "name", ["accounts:member-role", "accounts:member-remove", "accounts:key-create", "accounts:key-revoke"]
)
def test_things_of_another_project_are_not_found(cast: Cast, client: Client, name: str) -> None:
    client.force_login(cast.outsider)
    theirs = url(cast, name).replace(f"/p/{cast.project.slug}/", f"/p/{cast.other_project.slug}/")
    assert send(client, "POST", theirs) == 404


@pytest.mark.parametrize("name", [name for name, (method, _) in PAGES.items() if method == "POST"])
def test_changes_need_a_csrf_token_and_a_post(cast: Cast, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner)
    assert send(client, "POST", url(cast, name)) == 403
    assert send(client, "GET", url(cast, name)) == 405
