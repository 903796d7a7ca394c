"""`/openai/v1/moderations`, asked by OpenAI's own client."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types import ModerationImageURLInputParam, ModerationTextInputParam
from pytest_django.live_server_helper import LiveServer

from policies.models import PolicyVersion
from screening.engine import Job
from screening.findings import Text
from screening.policy import PolicyError
from tests.factories import Cast, make_cast
from webapp.interception import screening, services
from webapp.interception.models import Check
from webapp.local.processes import Supervisor

SECRET = "zebra-umbrella"


@pytest.fixture
def client(transactional_db: None, live_server: LiveServer, screen_workers: Supervisor) -> tuple[openai.OpenAI, Cast]:
    cast = make_cast()
    return openai.OpenAI(base_url=f"{live_server.url}/openai/v1", api_key=cast.api_key, max_retries=0), cast


def test_the_client_gets_all_categories_for_each_string(client: tuple[openai.OpenAI, Cast]) -> None:
    answer = client[0].moderations.create(input=["all is well", "and here too"])
    assert len(answer.results) == 2
    result = answer.results[0]
    assert result.flagged is False
    assert len(result.categories.model_dump(by_alias=True)) == 13
    assert set(result.category_scores.model_dump(by_alias=True).values()) <= {0.0, 0.01}
    assert Check.objects.filter(door="openai.moderations").count() == 2


def test_parts_are_one_text(client: tuple[openai.OpenAI, Cast]) -> None:
    parts: list[ModerationTextInputParam] = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    answer = client[0].moderations.create(input=parts)
    assert len(answer.results) == 1


def test_images_are_refused_not_passed_over(client: tuple[openai.OpenAI, Cast]) -> None:
    image: ModerationImageURLInputParam = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
    beside: Any = {**image, "type": "text", "text": "a"}
    for part in (image, beside):
        with pytest.raises(openai.BadRequestError):
            client[0].moderations.create(input=[part])


PART: Any = {"type": "text", "text": SECRET}
IMAGE: Any = {"type": "image_url", "image_url": {"url": SECRET}}


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"input": [PART, IMAGE]}, "input", "`input`: item 1, counted from 0, .* images and tokens are not screened"),
        ({"input": [{**PART, SECRET: "x"}]}, "input", "item 0, .* nothing else"),
        ({"input": [1, 2]}, "input", "item 0, .* tokens are not screened"),
        ({"input": [SECRET] * 65}, "input", "give 1 to 64 texts or parts, not 65"),
        ({"input": []}, "input", "give 1 to 64 texts or parts, not 0"),
        ({"input": [SECRET, PART]}, "input", "give texts or parts, not both in one list"),
        ({"input": {"text": SECRET}}, "input", "give a text, a list of texts"),
        ({"input": SECRET, "model": None}, "model", "`model`: Input should be a valid string"),
        ({"input": SECRET, "model": 7}, "model", "`model`: Input should be a valid string"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    client: tuple[openai.OpenAI, Cast], fields: dict[str, Any], param: str, said: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=said) as caught:
        client[0].moderations.create(**fields)
    assert (caught.value.param, caught.value.type) == (param, "invalid_request_error")
    assert "`errors`" not in caught.value.message
    assert SECRET not in caught.value.message
    assert Check.objects.count() == 0


def test_a_body_that_is_no_object_is_told_so(client: tuple[openai.OpenAI, Cast]) -> None:
    with pytest.raises(openai.BadRequestError, match=r"right form\. .*dictionary") as caught:
        client[0].post("/moderations", body=[1], cast_to=object)
    assert caught.value.param is None


def test_a_bad_key_is_an_authentication_error(client: tuple[openai.OpenAI, Cast]) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client[0].with_options(api_key="csk_wrong").moderations.create(input="x")
    assert "API key" in str(caught.value)


def test_of_a_list_that_fails_in_part_the_error_says_what_is_recorded(
    client: tuple[openai.OpenAI, Cast], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = screening.make_job

    def fail_for_bad(version: PolicyVersion, texts: tuple[Text, ...], *rest: Any, **more: Any) -> Job:
        if texts[0].text == "bad":
            raise PolicyError([])
        return make(version, texts, *rest, **more)

    monkeypatch.setattr(services, "make_job", fail_for_bad)
    with pytest.raises(openai.InternalServerError, match="1 of 2 texts"):
        client[0].moderations.create(input=["fine", "bad"])
    assert Check.objects.count() == 1
    with pytest.raises(openai.InternalServerError, match="nothing was accepted"):
        client[0].moderations.create(input="bad")
    assert Check.objects.count() == 1
