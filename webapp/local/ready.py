"""Find out whether a running app answers checks, by sending one the way an application does."""

import http.client
import json
from dataclasses import dataclass
from typing import Any

from webapp.local.home import LocalError

POLICY = "support-bot"
QUESTION = "Where is my order?"
REFUSALS = (400, 401, 403, 404, 413, 422)
ANSWER = "It left our warehouse this morning. Write to ana.lima@example.com if it is late."


@dataclass(frozen=True)
class Probe:
    """The answer to one attempt: `state` is empty when every rule of the check was screened."""

    state: str


def try_check(port: int, api_key: str) -> Probe:
    """Send one check to the app on `port`, and say in a few words what is still missing.

    Raises LocalError when the app refuses the check, which waiting does not change.
    """
    body = {"policy": POLICY, "messages": [{"role": "user", "content": QUESTION}], "output": ANSWER}
    try:
        status, answer = post(port, "/v1/checks", body, api_key)
    except OSError:
        return Probe("web server starting")
    except (http.client.HTTPException, ValueError):
        return Probe("web server answers something else than JSON")
    problem = f"{status} {answer.get('title', '')}: {answer.get('hint', '')}"
    if status in REFUSALS:
        raise LocalError(f"the app refuses the first check ({problem})", "Move demo.json away to get a new API key.")
    if status != 200:
        return Probe(f"checks answered {problem}")
    unscanned = [str(entry["rule"]) for entry in answer["unscanned"]]
    return Probe(f"guard model loading, no answer yet from: {', '.join(unscanned)}" if unscanned else "")


def post(port: int, path: str, body: dict[str, Any], api_key: str, timeout: float = 30.0) -> tuple[int, dict[str, Any]]:
    """POST JSON to the app on this machine and return the status and the JSON answer.

    Raises OSError when nobody listens, ValueError when the answer is not a JSON object.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body).encode(), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise ValueError("not a JSON object")
    return response.status, answer
