"""The docs name what there is: every setting, policy field, route, event type and dependency, and no broken link."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel, TypeAdapter

from review import appeals_api
from screening.detectors.registry import DETECTORS
from screening.findings import Action, OnError
from screening.guard_formats.registry import FORMATS
from screening.models_file import Classifier, GuardLlm, parse_models
from screening.packs import PACKS
from screening.policy import EntityAction, Rule, Thresholds, _Document, parse_policy
from tests.docs.markdown import DOCS, all_pages, anchors, blocks, first_cells, links, name_of, prose
from webapp import urls  # noqa: F401 - it mounts the routes of appeals
from webapp.audit.events import EVENT_TYPES
from webapp.interception import schemas
from webapp.interception.api import api
from webapp.interception.moderations import CATEGORIES, ModerationRequest
from webapp.interception.moderations import api as openai_api
from webapp.interception.problems import TITLES
from webapp.local.process_table import PROJECT

API_MODELS: tuple[type[BaseModel], ...] = (
    schemas.Message,
    schemas.CheckRequest,
    schemas.BatchRequest,
    schemas.CheckAnswer,
    schemas.PolicyAnswer,
    schemas.FindingAnswer,
    schemas.UnscannedAnswer,
    schemas.ReviewAnswer,
    schemas.DecisionAnswer,
    schemas.TimingsAnswer,
    schemas.ProblemAnswer,
    appeals_api.NewAppeal,
    appeals_api.AppealAnswer,
    appeals_api.ContestedAnswer,
    appeals_api.AppealsAnswer,
)
SHIPPED = ("webapp", "guardrails", "workers", "review", "feedback")
# Read at import by name, from Django's environs, os.environ, a mapping of it, or through a constant.
_READ = re.compile(r'env(?:iron)?(?:\.\w+\(|\[)\s*"([A-Z][A-Z_]+)"|= "(COUNTERSIGN_[A-Z_]+)"')
# Set for libraries, by us.
_SET = re.compile(r'environ\.setdefault\(\s*"([A-Z_]+)"')


def settings_read() -> set[str]:
    found: set[str] = set()
    shipped = [path for folder in SHIPPED for path in (PROJECT / folder).rglob("*.py")]
    for path in (*shipped, PROJECT / "tests" / "browser" / "install_chromium.py"):
        code = path.read_text(encoding="utf-8")
        names = {first or second for first, second in _READ.findall(code)}
        found |= names - set(_SET.findall(code))
    return found


def test_every_setting_that_is_read_is_documented_and_no_other() -> None:
    documented = first_cells(DOCS / "reference" / "settings.md")
    read = settings_read()
    assert {"DATABASE_URL", "COUNTERSIGN_HOME", "COUNTERSIGN_GUARDRAILS_VALIDATORS"} <= read
    assert read - documented == set()
    assert {name for name in documented if name.startswith("COUNTERSIGN_")} - read == set()


def test_variables_of_make_are_documented() -> None:
    documented = first_cells(DOCS / "reference" / "settings.md")
    makefile = (PROJECT / "Makefile").read_text()
    for name in ("PYTHON", "TORCH_INDEX", "COUNT"):
        assert f"$({name})" in makefile
        assert name in documented


def test_every_policy_field_action_and_pack_is_documented() -> None:
    page = DOCS / "reference" / "policy.md"
    models: list[type[BaseModel]] = [_Document, Rule, Thresholds, EntityAction]
    for name in [field for model in models for field in model.model_fields]:
        assert f"`{name}`" in prose(page)
    assert {*Thresholds.model_fields, *Rule.model_fields, *_Document.model_fields} <= first_cells(page)
    assert {*get_args(Action), *PACKS} <= first_cells(page)
    for name in (*get_args(OnError), *DETECTORS):
        assert f"`{name}`" in prose(page)


def test_every_field_of_the_models_file_is_documented() -> None:
    listed = first_cells(DOCS / "reference" / "models.md")
    assert {*Classifier.model_fields, *GuardLlm.model_fields} <= listed
    for name in FORMATS:
        assert f"`{name}`" in prose(DOCS / "reference" / "models.md")
    for label in [label for form in FORMATS.values() for label in form.CATEGORIES]:
        assert f"`{label}`" in prose(DOCS / "reference" / "detectors.md")


def test_every_route_is_documented() -> None:
    routes = first_cells(DOCS / "reference" / "api.md")
    for door, prefix in ((api, "/v1/"), (openai_api, "/openai/v1/")):
        for path, methods in door.get_openapi_schema(path_prefix=prefix)["paths"].items():
            for method in methods:
                assert f"{method.upper()} {path}" in routes


@pytest.mark.parametrize("model", API_MODELS)
def test_every_field_of_the_api_is_documented(model: type[BaseModel]) -> None:
    text = (DOCS / "reference" / "api.md").read_text()
    missing = [name for name in model.model_fields if f"`{name}`" not in text and f'"{name}"' not in text]
    assert missing == []


def test_every_error_of_the_api_is_documented() -> None:
    listed = re.findall(r"^\| (\d{3}) \|", prose(DOCS / "reference" / "api.md"), flags=re.M)
    assert [int(status) for status in listed] == sorted(TITLES)


def test_examples_of_the_api_are_what_it_takes_and_gives() -> None:
    forms: TypeAdapter[object] = TypeAdapter(
        schemas.CheckAnswer
        | schemas.CheckRequest
        | schemas.BatchRequest
        | schemas.ProblemAnswer
        | ModerationRequest
        | appeals_api.NewAppeal
        | appeals_api.AppealAnswer
    )
    examples = blocks(DOCS / "reference" / "api.md", "json")
    assert examples
    for example in examples:
        forms.validate_json(example)


def test_the_limits_of_the_moderations_door_are_documented() -> None:
    text = (DOCS / "reference" / "api.md").read_text()
    for name in CATEGORIES:
        if name.startswith(("self-harm/", "sexual/")):
            assert f"`{name}`" in text


def test_every_audit_event_type_is_documented() -> None:
    assert first_cells(DOCS / "reference" / "audit.md") >= EVENT_TYPES.keys()


def test_every_dependency_has_a_line_and_no_line_is_left_over() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    names = {canonicalize_name(Requirement(line).name) for line in wanted}
    assert first_cells(DOCS / "dependencies.md") == names


@pytest.mark.parametrize("page", all_pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


def test_every_page_is_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [
            (page.parent / link.partition("#")[0]).resolve() for link in links(page) if not link.startswith("#")
        ]
    assert {name_of(page) for page in DOCS.rglob("*.md")} - {name_of(page) for page in reached} == set()


@pytest.mark.parametrize("page", all_pages(), ids=name_of)
def test_examples_parse(page: Path) -> None:
    for example in blocks(page, "json"):
        for line in [example] if example.startswith("{\n") else example.splitlines():
            json.loads(line)
    for example in blocks(page, "yaml"):
        data = yaml.safe_load(example)
        if isinstance(data, list):
            parse_policy("name: example\nrules:\n" + "".join(f"  {line}\n" for line in example.splitlines()))
        elif "rules" in data:
            parse_policy(example)
        elif data.keys() <= {"classifiers", "guard_llms"}:
            parse_models(example)


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert anchors(PROJECT / "CHANGELOG.md") >= {"unreleased"}


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (DOCS / "adr").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for name in names:
        assert anchors(DOCS / "adr" / name) >= {"context", "decision", "consequence"}


def test_pictures_are_small_enough_to_clone() -> None:
    pictures = list((DOCS / "images").glob("*"))
    assert pictures
    assert all(picture.stat().st_size < 300_000 for picture in pictures)
