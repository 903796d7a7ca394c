"""Put a report together: header, reconciliation, the sections of its profile."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from webapp.accounts.models import Project
from webapp.audit.counters import KEYS, count_rows
from webapp.audit.errors import KeyUnusable, LogDamaged
from webapp.audit.keys import verifier_key
from webapp.audit.merkle import leaf_hash
from webapp.audit.models import AuditCheckpoint
from webapp.audit.notes import parse_checkpoint
from webapp.audit.report.periods import Period, show_time
from webapp.audit.report.profiles import Envelope, Profile, Section
from webapp.audit.selectors import PriorReport, count_all, count_events, prior_report
from webapp.audit.streams import LoggedEvent, project_events, snapshot

#: Called with each event of a report, in the log's order.
Sink = Callable[[LoggedEvent, Envelope], None]

WORDS = {
    "intercepted": pgettext_lazy("checks that were", "intercepted"),
    "allow": pgettext_lazy("checks that were", "allowed"),
    "redact": pgettext_lazy("checks that were", "redacted"),
    "hold": pgettext_lazy("checks that were", "held"),
    "block": pgettext_lazy("checks that were", "blocked"),
    "errors": pgettext_lazy("checks that were", "errors"),
    "open": pgettext_lazy("checks that were", "still open"),
}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What events and rows say of the same checks; `rows` is None when no room counts its rows."""

    events: dict[str, int]
    rows: dict[str, int] | None

    @property
    def lines(self) -> list[tuple[str, int, int | None, int | None]]:
        """Return (what, by events, by rows, difference) for each figure."""
        rows = self.rows
        if rows is None:
            return [(str(WORDS[key]), self.events[key], None, None) for key in KEYS]
        return [(str(WORDS[key]), self.events[key], rows[key], self.events[key] - rows[key]) for key in KEYS]

    @property
    def problems(self) -> list[str]:
        """Return every way in which the figures disagree, in words; empty when all agree."""
        if self.rows is None:
            return []
        found = [
            _("%(what)s: %(events)s by the log, %(rows)s by the database")
            % {"what": word, "events": events, "rows": rows}
            for word, events, rows, difference in self.lines
            if difference
        ]
        parts = sum(self.rows[key] for key in KEYS[1:])
        if parts != self.rows["intercepted"]:
            found.append(
                _("the database has %(checks)s checks, but the parts add up to %(parts)s")
                % {"checks": self.rows["intercepted"], "parts": parts}
            )
        return found

    @property
    def equation(self) -> str:
        parts = " + ".join(f"{self.events[key]} {WORDS[key]}" for key in KEYS[1:])
        return f"{self.events['intercepted']} {WORDS['intercepted']} = {parts}"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a format needs, but the events themselves."""

    project: Project
    profile: Profile
    period: Period
    over: bool
    as_of: dt.datetime
    checkpoint: AuditCheckpoint
    vkey: str
    events: int
    first: int | None
    last: int | None
    unsigned: int
    prior: PriorReport | None
    reconciliation: Reconciliation
    sections: list[Section]

    @property
    def filename(self) -> str:
        since, until = (show_time(moment).replace(":", "") for moment in (self.period.since, self.period.until))
        return f"{self.project.slug}-{self.profile.name}-{since}-{until}"


def build_report(
    *, project: Project, profile: Profile, period: Period, checkpoint: AuditCheckpoint, sink: Sink | None = None
) -> Report:
    """Read the project's events of the period that `checkpoint` covers, pass each to `sink`, and return the report.

    All figures are of one state of the database. A period that is not over is counted up to now. Raises LogDamaged
    when an event is not what its leaf says.
    """
    as_of = min(timezone.now(), period.until)
    span = (project.id, period.since, max(as_of, period.since))
    tally = profile.tally(period)
    count, first, last = 0, None, None
    with snapshot():
        for event in project_events(project.id, since=span[1], until=span[2], size=checkpoint.size):
            envelope = _read(event)
            tally.add(event.index, envelope)
            if sink is not None:
                sink(event, envelope)
            first = event.index if first is None else first
            count, last = count + 1, event.index
        reconciliation = Reconciliation(events=count_events(*span), rows=count_rows(*span))
        unsigned = count_all(*span) - count
        prior = prior_report(project.id, size=checkpoint.size)
    return Report(
        project=project,
        profile=profile,
        period=period,
        over=as_of == period.until,
        as_of=as_of,
        checkpoint=checkpoint,
        vkey=_vkey(),
        events=count,
        first=first,
        last=last,
        unsigned=unsigned,
        prior=prior,
        reconciliation=reconciliation,
        sections=tally.sections(),
    )


def _read(event: LoggedEvent) -> Envelope:
    if event.envelope is None or leaf_hash(event.envelope) != event.sha256:
        raise LogDamaged(
            _("event %(number)s is not what was logged: run manage.py audit verify") % {"number": event.index}
        )
    envelope: Envelope = json.loads(event.envelope)
    return envelope


def _vkey() -> str:
    try:
        return str(verifier_key())
    except KeyUnusable:
        return ""  # this machine does not sign; whoever checks the report has the key from elsewhere


def generator() -> str:
    return f"Countersign {importlib.metadata.version('countersign')}"


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report as JSON data; docs/reference/audit.md lists the fields."""
    checkpoint = parse_checkpoint(report.checkpoint.note.rpartition("\n\n")[0] + "\n")
    return {
        "report": report.profile.name,
        "title": report.profile.title,
        "summary": report.profile.summary,
        "project": {"id": str(report.project.id), "slug": report.project.slug, "name": report.project.name},
        "period": {
            "since": show_time(report.period.since),
            "until": show_time(report.period.until),
            "over": report.over,
            "as_of": show_time(report.as_of),
            "time_zone": "UTC",
        },
        "query": f"project = {report.project.id} and {show_time(report.period.since)} <= ts < {show_time(report.as_of)}"
        f" and index < {checkpoint.size}",
        "generator": generator(),
        "events": {"count": report.events, "first": report.first, "last": report.last, "unsigned": report.unsigned},
        "checkpoint": {
            "note": report.checkpoint.note,
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "ts": show_time(report.checkpoint.ts),
        },
        "vkey": report.vkey,
        "prior": report.prior and asdict(report.prior),
        "reconciliation": {
            "equation": report.reconciliation.equation,
            "agrees": not report.reconciliation.problems,
            "problems": report.reconciliation.problems,
            "compared": report.reconciliation.rows is not None,
            "lines": [
                dict(zip(("what", "events", "rows", "difference"), line, strict=True))
                for line in report.reconciliation.lines
            ],
        },
        "sections": [
            {
                "id": section.id,
                "title": section.title,
                "note": section.note,
                "empty": section.empty,
                "columns": [asdict(column) for column in section.columns],
                "rows": section.rows,
            }
            for section in report.sections
        ],
    }
