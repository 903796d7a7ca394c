"""Fill an app with waiting review items, copies of one that came the usual way."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.app import App

#: Table, and the columns that differ from the template's row, as SQL over `n` (a row of `made`, see below).
COPIED: dict[str, dict[str, str]] = {
    "interception_check": {"id": "n.check_id", "created_at": "now() - n.age", "concluded_at": "now() - n.age"},
    "interception_checkcontent": {"check_id": "n.check_id"},
    "review_reviewitem": {
        "id": "n.item_id",
        "check_id": "n.check_id",
        "severity": "n.severity",
        "priority": "n.priority",
        "sla_due_at": "now() + n.due",
        "created_at": "now() - n.age",
        # As if no text was like another: the app's own sweep leaves them alone.
        "cluster": "n.item_id",
    },
    "review_itemtrigger": {"id": "DEFAULT", "item_id": "n.item_id"},
    "review_assignment": {
        "id": "n.slot_id",
        "item_id": "n.item_id",
        "priority": "n.priority",
        "sla_due_at": "now() + n.due",
    },
}
MADE = """
CREATE TEMP TABLE made AS SELECT
    gen_random_uuid() AS check_id, gen_random_uuid() AS item_id, gen_random_uuid() AS slot_id,
    floor(random() * 5)::int AS severity, random() AS priority,
    random() * interval '20 days' AS age, (random() - 0.5) * interval '2 days' AS due
FROM generate_series(1, {count})
"""


def fill(app: App, count: int) -> None:
    """Have `count` items more wait in the demo project's queue. Statistics are fresh afterwards."""
    held = _hold_one(app)
    services = json.loads((app.home / "run" / "services.json").read_text())
    with psycopg.connect(services["database_url"], autocommit=True) as connection:
        # The rows come by the million; which comes before which does not matter until they are all there.
        connection.execute("SELECT setseed(0.7)")
        connection.execute(sql.SQL(MADE).format(count=sql.Literal(count)))
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            for table, changed in COPIED.items():
                _copy(connection, table, changed, held)
        connection.execute("VACUUM ANALYZE")


def _hold_one(app: App) -> str:
    """Send an output that is held, since no rule can read it in a millisecond, and return the check's UUID."""
    address = urlsplit(app.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    body = {"output": "Write to Ann Smith, ann@example.com, about your order.", "deadline_ms": 1}
    headers = {"Authorization": f"Bearer {app.api_key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/checks", json.dumps(body), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    if answer["verdict"] != "hold" or answer["review"] is None:
        raise SystemExit(f"the template was not held: {answer['verdict']}")
    return str(answer["id"]).partition("_")[2]


def _copy(connection: psycopg.Connection, table: str, changed: dict[str, str], held: str) -> None:
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position", [table]
    ).fetchall()
    columns = [name for (name,) in rows if changed.get(name) != "DEFAULT"]
    values = [sql.SQL(changed[name]) if name in changed else sql.Identifier("t", name) for name in columns]
    statement = sql.SQL("INSERT INTO {table} ({names}) SELECT {values} FROM made n, {table} t WHERE {one}").format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values),
        one=sql.SQL(_ONE[table]),
    )
    connection.execute(statement, {"held": held})


_ITEM = "(SELECT id FROM review_reviewitem WHERE check_id = %(held)s::uuid)"
_ONE = {
    "interception_check": "t.id = %(held)s::uuid",
    "interception_checkcontent": "t.check_id = %(held)s::uuid",
    "review_reviewitem": "t.check_id = %(held)s::uuid",
    "review_itemtrigger": f"t.item_id = {_ITEM}",
    "review_assignment": f"t.item_id = {_ITEM}",
}
