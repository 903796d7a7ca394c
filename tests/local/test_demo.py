import json
from pathlib import Path

import pytest

from policies.models import Policy
from policies.selectors import active_version
from review.models import Queue
from webapp.accounts.models import ApiKey, Membership, Project, User
from webapp.accounts.services import key_digest
from webapp.local.demo import Demo, ensure_demo

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1:8600"


@pytest.fixture
def facts_file(tmp_path: Path) -> Path:
    return tmp_path / "demo.json"


@pytest.fixture
def demo(facts_file: Path) -> Demo:
    return ensure_demo(facts_file=facts_file, url=URL)


def test_it_makes_a_project_that_can_be_used_at_once(demo: Demo, facts_file: Path) -> None:
    project = Project.objects.get(slug="demo")
    assert active_version(project, None).policy.name == "support-bot"
    assert Queue.objects.get(project=project).slug == "default"
    assert ApiKey.objects.get(sha256=key_digest(demo.facts["api_key"])).application.name == "support-assistant"
    assert sorted(demo.facts["users"]) == ["compliance", "lead", "owner", "reviewer"]
    for role, person in demo.facts["users"].items():
        user = User.objects.get(username=person["username"])
        assert user.check_password(person["password"])
        assert Membership.objects.get(project=project, user=user).role == role
    assert json.loads(facts_file.read_text()) == {**demo.facts, "url": URL}
    assert facts_file.stat().st_mode & 0o777 == 0o600


def test_a_second_start_changes_nothing_but_the_address(demo: Demo, facts_file: Path) -> None:
    again = ensure_demo(facts_file=facts_file, url="http://127.0.0.1:9000")
    assert again.facts == {**demo.facts, "url": "http://127.0.0.1:9000"}
    assert again.news == ""
    assert json.loads(facts_file.read_text())["url"] == "http://127.0.0.1:9000"
    assert ApiKey.objects.count() == 1
    assert Policy.objects.count() == 3


def test_a_lost_file_gets_new_secrets_for_the_same_people(demo: Demo, facts_file: Path) -> None:
    facts_file.unlink()
    again = ensure_demo(facts_file=facts_file, url=URL)
    assert "was lost" in again.news
    assert again.facts["api_key"] != demo.facts["api_key"]
    assert User.objects.count() == 4
    person = again.facts["users"]["owner"]
    assert User.objects.get(username=person["username"]).check_password(person["password"])


@pytest.mark.parametrize(
    "text", ["", "[]", '{"api_key": "x", "users": {"owner": null}}', '{"api_key": "csk_x", "users": {}}']
)
def test_a_file_that_does_not_fit_the_database_counts_as_lost(facts_file: Path, text: str) -> None:
    facts_file.write_text(text)
    demo = ensure_demo(facts_file=facts_file, url=URL)
    assert ApiKey.objects.filter(sha256=key_digest(demo.facts["api_key"])).exists()


def test_people_who_have_the_names_already_are_left_alone(facts_file: Path) -> None:
    stranger = User.objects.create_user(username="owner", password="not of the demo")
    demo = ensure_demo(facts_file=facts_file, url=URL)
    stranger.refresh_from_db()
    assert stranger.check_password("not of the demo")
    assert demo.facts["users"]["owner"]["username"] == "demo-owner"


def test_a_password_that_was_changed_stays(demo: Demo, facts_file: Path) -> None:
    user = User.objects.get(username="lead")
    user.set_password("chosen by the lead")
    user.save()
    ensure_demo(facts_file=facts_file, url=URL)
    user.refresh_from_db()
    assert user.check_password("chosen by the lead")
