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
