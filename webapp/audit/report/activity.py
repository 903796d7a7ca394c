"""The profile "activity": what was screened, found, held, decided by people, and who changed the rules."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from webapp.audit.report.appeals import AppealTally
from webapp.audit.report.charts import stacked_bars
from webapp.audit.report.periods import Period
from webapp.audit.report.profiles import Column, Envelope, Profile, Section, register_profile

VERDICTS = ("allow", "redact", "hold", "block")
DECISIONS = ("release", "redact", "replace", "block")
REVIEW = {
    "review.item.created": "put in front of people",
    "review.annotation.submitted": "answers given by reviewers",
    "review.item.skipped": "skipped by a reviewer",
    "review.item.held": "held for later by a reviewer",
    "review.item.assigned": "assigned to a person by a lead",
    "review.item.returned": "held or assigned, and back in their queue",
    "review.item.escalated": "escalated",
    "review.decision.recorded": "decided",
    "review.cluster.decided": "decided together with near-duplicates",
    "review.cluster.undone": "decisions of near-duplicates taken back",
    "review.item.reopened": "opened again by a lead",
    "review.appeal.made": "contested by an application or an end user",
    "review.decision.undone": "decisions taken back before they took effect",
    "review.golden.answered": "answers to golden items, which measure reviewers",
    "review.reviewer.paused": "reviewers paused for their answers to golden items",
    "content.viewed": "openings of texts by a person",
}
ACCESS = {
    "signin.succeeded": "sign-ins of members",
    "signin.failed": "sign-ins refused to members' names",
    "password.changed": "passwords changed by members",
    "member.role.set": "roles given",
    "member.removed": "members removed",
    "application.created": "applications registered",
    "key.created": "API keys made",
    "key.revoked": "API keys revoked",
    "project.settings.changed": "changes of settings",
}
LISTED = {"policy.activated", "export.created", "export.downloaded", "report.created"}
NO_POLICY: Envelope = {"id": "(none)", "version": 0, "sha256": ""}
#: A longer list is cut in the document; every event is in the CSV and the JSON.
LIST_LIMIT = 200


class ActivityTally:
    def __init__(self, period: Period) -> None:
        self.period = period
        self.types: Counter[str] = Counter()
        self.verdicts: Counter[tuple[tuple[str, int, str], str]] = Counter()
        self.days: Counter[tuple[str, str]] = Counter()
        self.doors: Counter[tuple[str, str]] = Counter()
        self.findings: Counter[tuple[str, str]] = Counter()
        self.unscanned: Counter[str] = Counter()
        self.decisions: Counter[tuple[str, str]] = Counter()
        self.overrides: Counter[str] = Counter()
        self.decided_by_role: Counter[str] = Counter()
        self.decision_days: Counter[tuple[str, str]] = Counter()
        self.appeals = AppealTally(period)
        self.listed: dict[str, list[tuple[int, Envelope]]] = {name: [] for name in LISTED}

    def add(self, index: int, envelope: Envelope) -> None:
        kind = envelope["type"]
        self.types[kind] += 1
        if kind == "check.concluded":
            self._add_check(envelope)
        elif kind == "review.decision.recorded":
            self._count_decision(envelope, envelope["ts"], 1)
        elif kind == "review.decision.undone":
            self._take_back(envelope)
        elif kind == "review.appeal.made":
            self.appeals.add_made(envelope)
        elif kind in LISTED and len(self.listed[kind]) < LIST_LIMIT:
            self.listed[kind].append((index, envelope))

    def _add_check(self, envelope: Envelope) -> None:
        verdict = envelope["outcome"]["decision"]
        policy = envelope["policy"] or NO_POLICY
        self.verdicts[(policy["id"], policy["version"], policy["sha256"]), verdict] += 1
        self.days[self.period.bucket(envelope["ts"]), verdict] += 1
        for code in envelope["reason_codes"]:
            head, _, rest = code.partition(":")
            if head == "door":
                self.doors[rest, verdict] += 1
            elif head == "unscanned":
                self.unscanned[rest] += 1
            elif head == "finding":
                rule, _, action = rest.rpartition(":")
                self.findings[rule, action] += 1

    def _take_back(self, envelope: Envelope) -> None:
        """Count the decision of this event no more, unless it was made before the period and never counted here."""
        made = next(code.partition(":")[2] for code in envelope["reason_codes"] if code.startswith("decided:"))
        if dt.datetime.fromisoformat(made) >= self.period.since:
            self._count_decision(envelope, made, -1)

    def _count_decision(self, envelope: Envelope, made: str, number: int) -> None:
        outcome = envelope["outcome"]
        self.decisions[outcome["prev"], outcome["decision"]] += number
        self.overrides[outcome["prev"]] += number * outcome["override"]
        self.decided_by_role[envelope["actor"]["role"]] += number
        self.decision_days[self.period.bucket(made), outcome["decision"]] += number
        self.appeals.count_decision(envelope, number)

    def sections(self) -> list[Section]:
        return [
            self._verdicts(),
            _by_verdict("doors", "Checks by the API they came through", "API", self.doors),
            self._findings(),
            self._unscanned(),
            self._decisions(),
            *self.appeals.sections(),
            _volumes("review", "Review", REVIEW, self.types),
            _volumes("access", "Access", ACCESS, self.types),
            self._policies(),
            self._exports(),
            self._reports(),
            _types(self.types),
        ]

    def _verdicts(self) -> Section:
        policies = sorted({policy for policy, _ in self.verdicts})
        rows: list[list[str | int]] = []
        for policy in policies:
            counts = [self.verdicts[policy, verdict] for verdict in VERDICTS]
            rows.append([policy[0], policy[1], policy[2][:16], *counts, sum(counts)])
        return Section(
            id="verdicts",
            title="Verdicts by policy version",
            note="What the machine concluded. The hash is the beginning of the policy version's SHA-256.",
            columns=[Column("policy"), Column("version", "number"), Column("hash", "code"), *_numbers(VERDICTS, "all")],
            rows=rows,
            chart=_per_day("Verdicts", self.period, VERDICTS, self.days),
        )

    def _findings(self) -> Section:
        return Section(
            id="findings",
            title="Findings by rule",
            note="How many checks each rule had a finding of this action in.",
            columns=[Column("rule"), Column("action"), Column("checks", "number")],
            rows=[[rule, action, count] for (rule, action), count in sorted(self.findings.items())],
        )

    def _unscanned(self) -> Section:
        return Section(
            id="unscanned",
            title="Unscanned by rule",
            note="Checks in which a rule did not finish in its deadline; the policy's fail mode decided instead.",
            columns=[Column("rule"), Column("checks", "number")],
            rows=[[rule, count] for rule, count in sorted(self.unscanned.items())],
            empty="Every rule finished in every check.",
        )

    def _decisions(self) -> Section:
        rows: list[list[str | int]] = []
        for verdict in sorted({before for before, _ in self.decisions}, key=_verdict_order):
            counts = [self.decisions[verdict, decision] for decision in DECISIONS]
            rows.append([verdict, *counts, sum(counts), self.overrides[verdict]])
        roles = ", ".join(f"{role or 'no role'} {count}" for role, count in sorted(self.decided_by_role.items()))
        return Section(
            id="decisions",
            title="Human decisions by the machine's verdict",
            note="An override is a decision that differs from a verdict which was already in force; a held output "
            f"waited for its decision, so there is nothing to override.{f' Decided by: {roles}.' if roles else ''}",
            columns=[Column("verdict"), *_numbers(DECISIONS, "all", "overrides")],
            rows=rows,
            chart=_per_day("Human decisions", self.period, DECISIONS, self.decision_days),
        )

    def _policies(self) -> Section:
        return Section(
            id="policies",
            title="Policies activated",
            columns=[
                Column("event", "number"),
                Column("time"),
                Column("policy"),
                Column("SHA-256", "code"),
                Column("by"),
            ],
            rows=[
                [index, _time(e), f"{e['policy']['id']} {e['policy']['version']}", e["policy"]["sha256"], _actor(e)]
                for index, e in self.listed["policy.activated"]
            ],
        )

    def _exports(self) -> Section:
        both = sorted((*self.listed["export.created"], *self.listed["export.downloaded"]), key=lambda pair: pair[0])
        return Section(
            id="exports",
            title="Data exports",
            columns=[Column("event", "number"), Column("time"), Column("what"), Column("id", "code"), Column("by")],
            rows=[[i, _time(e), e["type"].partition(".")[2], e["object"]["id"], _actor(e)] for i, e in both],
        )

    def _reports(self) -> Section:
        return Section(
            id="reports",
            title="Reports made",
            columns=[Column("event", "number"), Column("time"), Column("SHA-256", "code"), Column("by")],
            rows=[[index, _time(e), _digest(e), _actor(e)] for index, e in self.listed["report.created"]],
        )


def _per_day(title: str, period: Period, names: Iterable[str], counts: Counter[tuple[str, str]]) -> str:
    labels = period.buckets()
    series = {name: [counts[label, name] for label in labels] for name in names}
    return stacked_bars(title=f"{title} per {'month' if period.by_month else 'day'}", labels=labels, series=series)


def _by_verdict(id: str, title: str, what: str, counts: Counter[tuple[str, str]]) -> Section:
    rows: list[list[str | int]] = []
    for name in sorted({name for name, _ in counts}):
        row = [counts[name, verdict] for verdict in VERDICTS]
        rows.append([name, *row, sum(row)])
    return Section(id=id, title=title, columns=[Column(what), *_numbers(VERDICTS, "all")], rows=rows)


def _volumes(id: str, title: str, words: dict[str, str], types: Counter[str]) -> Section:
    rows: list[list[str | int]] = [[word, types[name]] for name, word in words.items()]
    return Section(id=id, title=title, columns=[Column("what"), Column("count", "number")], rows=rows)


def _types(types: Counter[str]) -> Section:
    return Section(
        id="events",
        title="Events by type",
        note="Every event of the project in the period; the list itself is in the CSV and the JSON.",
        columns=[Column("type", "code"), Column("events", "number")],
        rows=[[name, count] for name, count in sorted(types.items())],
    )


def _numbers(*names: Iterable[str] | str) -> list[Column]:
    flat = [name for group in names for name in ([group] if isinstance(group, str) else group)]
    return [Column(name, "number") for name in flat]


def _verdict_order(verdict: str) -> int:
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS)


def _time(envelope: Envelope) -> str:
    return str(envelope["ts"][:19]).replace("T", " ")


def _actor(envelope: Envelope) -> str:
    actor = envelope["actor"]
    return f"{actor['role'] or actor['kind']} {actor['ref'][-12:]}" if actor["kind"] == "user" else str(actor["kind"])


def _digest(envelope: Envelope) -> str:
    digests = [code.removeprefix("sha256:") for code in envelope["reason_codes"] if code.startswith("sha256:")]
    return ", ".join(digests)


register_profile(
    Profile(
        name="activity",
        title="Activity report",
        summary="What was screened, what was found, what people decided, and who changed the rules.",
        tally=ActivityTally,
    )
)
