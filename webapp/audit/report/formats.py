"""The formats of a report. Each writes a file from a project, a profile, a period and a checkpoint, in one pass."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.accounts.models import Project
from webapp.audit.models import AuditCheckpoint
from webapp.audit.report.document import Report, as_dict, build_report
from webapp.audit.report.pdf import render_pdf
from webapp.audit.report.periods import Period
from webapp.audit.report.profiles import Envelope, Profile
from webapp.audit.streams import LoggedEvent


@dataclass(frozen=True, slots=True)
class Order:
    """What to report on."""

    project: Project
    profile: Profile
    period: Period
    checkpoint: AuditCheckpoint


def write_pdf(order: Order, path: Path) -> Report:
    report = _build(order)
    path.write_bytes(render_pdf(report))
    return report


#: Columns of the CSV: name, how to get the value from an envelope.
_FIELDS: list[tuple[str, Callable[[Envelope], Any]]] = [
    ("id", lambda e: e["id"]),
    ("ts", lambda e: e["ts"]),
    ("type", lambda e: e["type"]),
    ("actor_kind", lambda e: e["actor"]["kind"]),
    ("actor_ref", lambda e: e["actor"]["ref"]),
    ("actor_role", lambda e: e["actor"]["role"]),
    ("actor_auth", lambda e: e["actor"]["auth"]),
    ("object_kind", lambda e: e["object"]["kind"]),
    ("object_id", lambda e: e["object"]["id"]),
    ("object_rev", lambda e: e["object"]["rev"]),
    ("decision", lambda e: e["outcome"] and e["outcome"]["decision"]),
    ("previous", lambda e: e["outcome"] and e["outcome"]["prev"]),
    ("override", lambda e: e["outcome"] and int(e["outcome"]["override"])),
    ("automated", lambda e: e["outcome"] and int(e["outcome"]["automated"])),
    ("policy", lambda e: e["policy"] and e["policy"]["id"]),
    ("policy_version", lambda e: e["policy"] and e["policy"]["version"]),
    ("policy_sha256", lambda e: e["policy"] and e["policy"]["sha256"]),
    ("model", lambda e: e["model"] and e["model"]["id"]),
    ("reason_codes", lambda e: " ".join(e["reason_codes"])),
    ("cause", lambda e: " ".join(e["cause"])),
]
CSV_COLUMNS = ["index", "leaf_sha256", *(name for name, _ in _FIELDS), "envelope"]


def write_csv(order: Order, path: Path) -> Report:
    """Write a row per event; the last column is the envelope as it was hashed."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(CSV_COLUMNS)

        def add(event: LoggedEvent, envelope: Envelope) -> None:
            cells = (field(envelope) for _, field in _FIELDS)
            raw = (event.envelope or b"").decode()
            writer.writerow([event.index, event.sha256.hex(), *map(safe_cell, cells), raw])

        return _build(order, add)


def safe_cell(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_json(order: Order, path: Path) -> Report:
    """Write the report and its events: index, leaf hash, and the envelope as the string that was hashed."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"events":[')
        separator = "\n"

        def add(event: LoggedEvent, envelope: Envelope) -> None:
            nonlocal separator
            entry = {
                "index": event.index,
                "leaf_sha256": event.sha256.hex(),
                "envelope": (event.envelope or b"").decode(),
            }
            file.write(separator + json.dumps(entry, ensure_ascii=False))
            separator = ",\n"

        report = _build(order, add)
        file.write('\n],\n"report":')
        json.dump(as_dict(report), file, ensure_ascii=False, indent=1)
        file.write("}\n")
    return report


def _build(order: Order, sink: Callable[[LoggedEvent, Envelope], None] | None = None) -> Report:
    return build_report(
        project=order.project, profile=order.profile, period=order.period, checkpoint=order.checkpoint, sink=sink
    )


#: Name (also the file's suffix) to content type and writer.
FORMATS: dict[str, tuple[str, Callable[[Order, Path], Report]]] = {
    "pdf": ("application/pdf", write_pdf),
    "csv": ("text/csv; charset=utf-8", write_csv),
    "json": ("application/json", write_json),
}
