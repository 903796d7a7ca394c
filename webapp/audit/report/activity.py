"""The profile "activity": what was screened, found, held, decided by people, and who changed the rules."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from webapp.audit.report.appeals import AppealTally
from webapp.audit.report.charts import stacked_bars
from webapp.audit.report.periods import Period
from webapp.audit.report.profiles import Column, Envelope, Profile, Section, register_profile
from webapp.templatetags.terms import term

VERDICTS = ("allow", "redact", "hold", "block")
DECISIONS = ("release", "redact", "replace", "block")
REVIEW = {
    "review.item.created": gettext_lazy("put in front of people"),
    "review.import.started": gettext_lazy("files of tasks brought in from elsewhere"),
    "review.item.labelled": gettext_lazy("given labels from outside by an import"),
    "review.annotation.submitted": gettext_lazy("answers given by reviewers"),
    "review.comment.added": gettext_lazy("comments"),
    "review.item.skipped": gettext_lazy("skipped by a reviewer"),
    "review.item.held": gettext_lazy("held for later by a reviewer"),
    "review.item.assigned": gettext_lazy("assigned to a person by a lead"),
    "review.item.returned": gettext_lazy("held or assigned, and back in their queue"),
    "review.item.escalated": gettext_lazy("escalated"),
    "review.decision.recorded": gettext_lazy("decided"),
    "review.cluster.decided": gettext_lazy("decided together with near-duplicates"),
    "review.cluster.undone": gettext_lazy("decisions of near-duplicates taken back"),
    "review.item.attached": gettext_lazy("decided as their near-duplicates had been"),
    "review.bulk.started": gettext_lazy("changes of many items at once"),
    "review.bulk.undone": gettext_lazy("changes of many items taken back"),
    "review.item.changed": gettext_lazy("changed with many others"),
    "review.item.reopened": gettext_lazy("opened again by a lead"),
    "review.appeal.made": gettext_lazy("contested by an application or an end user"),
    "review.decision.undone": gettext_lazy("decisions taken back before they took effect"),
    "review.golden.answered": gettext_lazy("answers to golden items, which measure reviewers"),
    "review.reviewer.paused": gettext_lazy("reviewers paused for their answers to golden items"),
    "review.qa.reviewed": gettext_lazy("decisions that a lead looked at again"),
    "review.qa.undone": gettext_lazy("corrections of decisions that were taken back"),
    "content.viewed": gettext_lazy("openings of texts by a person"),
}
ACCESS = {
    "signin.succeeded": gettext_lazy("sign-ins of members"),
    "signin.failed": gettext_lazy("sign-ins refused to members' names"),
    "password.changed": gettext_lazy("passwords changed by members"),
    "member.role.set": gettext_lazy("roles given"),
    "member.removed": gettext_lazy("members removed"),
    "application.created": gettext_lazy("applications registered"),
    "key.created": gettext_lazy("API keys made"),
    "key.revoked": gettext_lazy("API keys revoked"),
    "project.settings.changed": gettext_lazy("changes of settings"),
}
EXPORTS = ("export.created", "export.downloaded", "review.queue.exported", "review.items.exported")
LISTED = {"policy.activated", "report.created", *EXPORTS}
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
            _by_verdict("doors", _("Checks by the API they came through"), _("API"), self.doors),
            self._findings(),
            self._unscanned(),
            self._decisions(),
            *self.appeals.sections(),
            _volumes("review", _("Review"), REVIEW, self.types),
            _volumes("access", _("Access"), ACCESS, self.types),
            self._policies(),
            self._exports(),
            self._reports(),
            _types(self.types),
        ]

    def _verdicts(self) -> Section:
        policies = sorted({policy for policy, _verdict in self.verdicts})
        rows: list[list[str | int]] = []
        for policy in policies:
            counts = [self.verdicts[policy, verdict] for verdict in VERDICTS]
            rows.append([policy[0], policy[1], policy[2][:16], *counts, sum(counts)])
        return Section(
            id="verdicts",
            title=_("Verdicts by policy version"),
            note=_("What the machine concluded. The hash is the beginning of the policy version's SHA-256."),
            columns=[
                Column(_("policy")),
                Column(_("version"), "number"),
                Column(_("hash"), "code"),
                *_numbers(VERDICTS, _("all")),
            ],
            rows=rows,
            chart=_per_day(_("Verdicts"), self.period, VERDICTS, self.days),
        )

    def _findings(self) -> Section:
        return Section(
            id="findings",
            title=_("Findings by rule"),
            note=_("How many checks each rule had a finding of this action in."),
            columns=[Column(_("rule")), Column(_("action")), Column(_("checks"), "number")],
            rows=[[rule, term(action), count] for (rule, action), count in sorted(self.findings.items())],
        )

    def _unscanned(self) -> Section:
        return Section(
            id="unscanned",
            title=_("Unscanned by rule"),
            note=_("Checks in which a rule did not finish in its deadline; the policy's fail mode decided instead."),
            columns=[Column(_("rule")), Column(_("checks"), "number")],
            rows=[[rule, count] for rule, count in sorted(self.unscanned.items())],
            empty=_("Every rule finished in every check."),
        )

    def _decisions(self) -> Section:
        rows: list[list[str | int]] = []
        for verdict in sorted({before for before, _after in self.decisions}, key=_verdict_order):
            counts = [self.decisions[verdict, decision] for decision in DECISIONS]
            rows.append([term(verdict), *counts, sum(counts), self.overrides[verdict]])
        nobody = _("no role")
        roles = ", ".join(f"{role or nobody} {count}" for role, count in sorted(self.decided_by_role.items()))
        return Section(
            id="decisions",
            title=_("Human decisions by the machine's verdict"),
            note=_(
                "An override is a decision that differs from a verdict which was already in force; a held output "
                "waited for its decision, so there is nothing to override."
            )
            + (" " + _("Decided by: %(roles)s.") % {"roles": roles} if roles else ""),
            columns=[Column(_("verdict")), *_numbers(DECISIONS, _("all"), _("overrides"))],
            rows=rows,
            chart=_per_day(_("Human decisions"), self.period, DECISIONS, self.decision_days),
        )

    def _policies(self) -> Section:
        return Section(
            id="policies",
            title=_("Policies activated"),
            columns=[
                Column(_("event"), "number"),
                Column(_("time")),
                Column(_("policy")),
                Column("SHA-256", "code"),
                Column(_("by")),
            ],
            rows=[
                [index, _time(e), f"{e['policy']['id']} {e['policy']['version']}", e["policy"]["sha256"], _actor(e)]
                for index, e in self.listed["policy.activated"]
            ],
        )

    def _exports(self) -> Section:
        both = sorted((pair for name in EXPORTS for pair in self.listed[name]), key=lambda pair: pair[0])
        return Section(
            id="exports",
            title=_("Data exports"),
            columns=[
                Column(_("event"), "number"),
                Column(_("time")),
                Column(_("what")),
                Column(_("id"), "code"),
                Column(_("by")),
            ],
            rows=[[i, _time(e), e["type"].partition(".")[2], e["object"]["id"], _actor(e)] for i, e in both],
        )

    def _reports(self) -> Section:
        return Section(
            id="reports",
            title=_("Reports made"),
            columns=[Column(_("event"), "number"), Column(_("time")), Column("SHA-256", "code"), Column(_("by"))],
            rows=[[index, _time(e), _digest(e), _actor(e)] for index, e in self.listed["report.created"]],
        )


def _per_day(title: str, period: Period, names: Iterable[str], counts: Counter[tuple[str, str]]) -> str:
    labels = period.buckets()
    series = {name: [counts[label, name] for label in labels] for name in names}
    return stacked_bars(title=f"{title} per {'month' if period.by_month else 'day'}", labels=labels, series=series)


def _by_verdict(id: str, title: str, what: str, counts: Counter[tuple[str, str]]) -> Section:
    rows: list[list[str | int]] = []
    for name in sorted({name for name, _verdict in counts}):
        row = [counts[name, verdict] for verdict in VERDICTS]
        rows.append([name, *row, sum(row)])
    return Section(id=id, title=title, columns=[Column(what), *_numbers(VERDICTS, _("all"))], rows=rows)


def _volumes(id: str, title: str, words: Mapping[str, Promise], types: Counter[str]) -> Section:
    rows: list[list[str | int]] = [[str(word), types[name]] for name, word in words.items()]
    return Section(id=id, title=title, columns=[Column(_("what")), Column(_("count"), "number")], rows=rows)


def _types(types: Counter[str]) -> Section:
    return Section(
        id="events",
        title=_("Events by type"),
        note=_("Every event of the project in the period; the list itself is in the CSV and the JSON."),
        columns=[Column(_("type"), "code"), Column(_("events"), "number")],
        rows=[[name, count] for name, count in sorted(types.items())],
    )


def _numbers(*names: Iterable[str] | str) -> list[Column]:
    flat = [name for group in names for name in ([group] if isinstance(group, str) else group)]
    return [Column(term(name), "number") for name in flat]


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
        title=gettext_noop("Activity report"),
        summary=gettext_noop("What was screened, what was found, what people decided, and who changed the rules."),
        tally=ActivityTally,
    )
)
