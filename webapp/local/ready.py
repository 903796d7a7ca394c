"""Find out whether a running app answers checks, by sending one the way an application does."""

import http.client
import json
from typing import Any, NamedTuple

import redis

from webapp.local.home import LocalError
from workers.broker import BEAT, CONCLUDE, CONTROL, needed_queues
from workers.messages import alive_key

POLICY = "support-bot"
QUESTION = "Where is my order?"
REFUSALS = (400, 401, 403, 404, 413, 422)
#: Answers of the layers before the API: what they mean and what to do.
MISLED = {
    301: (
        "COUNTERSIGN_PUBLIC_URL begins with https, and the app does not know that a proxy speaks TLS for it",
        "Set COUNTERSIGN_BEHIND_PROXY=1 when a proxy in front sets X-Forwarded-Proto, else use an http:// address.",
    ),
    421: (
        "the app does not answer to 127.0.0.1",
        "Add 127.0.0.1 to COUNTERSIGN_ALLOWED_HOSTS: the start and `make traffic` come that way.",
    ),
}
ANSWER = "It left our warehouse this morning. Write to ana.lima@example.com if it is late."


def missing_workers(client: redis.Redis) -> str:
    """Say in a few words which queues nobody serves yet, "" when each has a worker that is ready, and beat sends."""
    try:
        missing = [
            queue for queue in (*needed_queues(), CONTROL, CONCLUDE, BEAT) if not client.exists(alive_key(queue))
        ]
    except redis.RedisError:
        return "Redis does not answer"
    return f"workers starting: {', '.join(missing)}" if missing else ""


def try_check(port: int, api_key: str) -> str:
    """Send one check to the app on `port`, and say in a few words what is still missing, "" when nothing is.

    Raises LocalError when the app refuses the check, which waiting does not change.
    """
    body = {"policy": POLICY, "messages": [{"role": "user", "content": QUESTION}], "output": ANSWER}
    try:
        status, answer, _ = post(port, "/v1/checks", body, api_key)
    except OSError:
        return "web server starting"
    except (http.client.HTTPException, ValueError):
        return "web server answers something else than JSON"
    problem = f"{status} {answer.get('title', '')}: {answer.get('hint', '')}"
    if status in REFUSALS:
        raise LocalError(f"the app refuses the first check ({problem})", "Move demo.json away to get a new API key.")
    if status != 200:
        return f"checks answered {problem}"
    unscanned = [str(entry["rule"]) for entry in answer["unscanned"]]
    return f"no answer yet from: {', '.join(unscanned)}" if unscanned else ""


class Posted(NamedTuple):
    """What the app said; `retry_after` in seconds, 0 when it says nothing of it."""

    status: int
    answer: dict[str, Any]
    retry_after: int


def post(port: int, path: str, body: dict[str, Any], api_key: str, timeout: float = 30.0) -> Posted:
    """POST JSON to the app on this machine, as a proxy in front of it would, and return what it said.

    Raises OSError when nobody listens, ValueError when the answer is not a JSON object, LocalError when settings turn
    away whoever comes from this machine.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
            "X-Forwarded-Proto": "https",
        }
        connection.request("POST", path, json.dumps(body).encode(), headers)
        response = connection.getresponse()
        text = response.read()
        if response.status in MISLED:
            raise LocalError(*MISLED[response.status])
        answer = json.loads(text)
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise ValueError("not a JSON object")
    return Posted(response.status, answer, int(response.headers.get("Retry-After", 0)))
