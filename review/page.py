"""What the item page shows of an item, computed once for the templates."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import prefetch_related_objects
from django.utils import timezone

from review import selectors
from review.appeal_rows import AppealRow, appeal_rows
from review.blind import is_hidden
from review.candidates import Candidate, candidates_of
from review.clusters.members import count_waiting_like
from review.comments import Thread, thread_of
from review.covers import HIDES, Cover, cover_of, is_covered
from review.definition import Definition, RubricField, read_definition
from review.drafts import Draft, draft_of_slot
from review.errors import InvalidAnswer
from review.holds import SlotRow, own_hold, slots_for_lead
from review.models import Annotation, Appeal, Assignment, Decision, ReviewItem
from review.models.annotations import Outcome
from review.models.decisions import Method
from review.models.items import ItemState, SlotRole
from review.nearest import DecidedCase, nearest_decided
from review.numbers import number_findings
from review.page_rows import CategoryRow, FindingRow, Turn, as_text, category_rows, finding_row, turn
from review.peers import Comparison, compare
from review.quoting import Quoted, quote_rows
from review.reasons import found_sentence, outcome_sentences
from review.rule_rows import RuleRow, first_of_rule, rule_rows
from review.segments import Segment, chunks
from review.services.decisions import released_text
from review.severity import NAMES
from review.spans import as_json, changed_spans, types_of
from review.suggestions import SuggestionRow, suggestions_of
from review.texts import redacted_text, redaction_method
from screening.findings import OUTPUT
from screening.redaction import RedactionSpan
from webapp.accounts.models import Membership, Role
from webapp.interception.models import Check, Finding, Release
from webapp.interception.releases import let_out_due, release_in_force

TURNS_SHOWN = 4
#: Severity follows from what the machine found.
UNKNOWN = "unknown"
#: Characters above which an output is on the page once, beside the editor: its redaction is fetched when asked for.
LARGE = 100_000
SEES_NAMES = (Role.OWNER, Role.LEAD, Role.COMPLIANCE)


@dataclass(frozen=True, slots=True)
class ItemPage:
    item: ReviewItem
    check: Check
    slot: Assignment | None
    severity: str
    #: Reviewers read no version: an old one would tell that the item is golden.
    policy: str
    turns: list[Turn]
    earlier: list[Turn]
    grounding: list[str]
    output: str | None
    output_chunks: list[list[Segment]]
    redacted: str | None
    findings: list[FindingRow]
    numbers: dict[int, int]
    types: dict[str, str]
    candidates: list[Candidate]
    suggestions: list[SuggestionRow]
    categories: list[CategoryRow]
    schema: Definition
    rubric: list[tuple[RubricField, int | None]]
    rules: list[RuleRow]
    answers: list[Annotation]
    #: For who decides between the answers; None for everybody else.
    comparison: Comparison | None
    decision: Decision | None
    release: Release | None
    held: Assignment | None
    slots: list[SlotRow]
    thread: Thread
    draft: Draft
    submission: uuid.UUID
    lease_seconds: int
    sla_seconds: int
    #: What the machine found is not on the page.
    blind: bool
    #: They answered blind and took it back: now they see what the machine found.
    after_commit: bool
    appeals: list[AppealRow]
    nobody_left: bool
    alike: int
    #: Decided near-duplicates; none while they could sway an answer that is to be independent.
    nearest: list[DecidedCase]
    #: What is told of the texts before they are shown; None where they open as they are.
    cover: Cover | None

    @property
    def appeal(self) -> Appeal | None:
        """Return the appeal that the next decision answers."""
        appeals = (row.appeal for row in self.appeals)
        return next((appeal for appeal in appeals if appeal.cycle == self.item.cycle and not appeal.outcome), None)

    @property
    def adjudicates(self) -> bool:
        return self.slot is not None and self.slot.role == SlotRole.ADJUDICATOR

    @property
    def can_redact(self) -> bool:
        return bool(self.draft.spans) or any(row.redactable for row in self.findings)

    @property
    def is_large(self) -> bool:
        return self.redacted is None

    @property
    def shows_statement(self) -> bool:
        """Whether the decision says in whose words: while they can be taken back, not where several had their say."""
        return self.decision is not None and (self.decision.method == Method.SINGLE or not self.item.is_undoable)

    @property
    def sentences(self) -> dict[str, str]:
        return outcome_sentences()

    @property
    def found_sentence(self) -> str:
        return found_sentence()

    @property
    def fired_rules(self) -> list[RuleRow]:
        return [row for row in self.rules if row.fired]

    @property
    def spans_json(self) -> str:
        return as_json(self.draft.spans, self.numbers)

    @property
    def quotes(self) -> list[Quoted]:
        return quote_rows(self.draft.quotes)

    @property
    def hides(self) -> str:
        """Return what makes an element with reviewed text open covered, in a template's tag."""
        return HIDES if self.cover else ""

    @property
    def offers_redact(self) -> bool:
        """Whether redaction may be chosen: a reviewer can mark what no rule found."""
        return self.output is not None

    @property
    def shows_redacted(self) -> bool:
        """Whether there is a view of the redacted text; while blind it would tell what was found."""
        return not self.blind and (self.slot is not None or (self.can_redact and not self.is_large))


def build_page(
    *,
    item: ReviewItem,
    membership: Membership,
    slot: Assignment | None,
    draft: Draft | None = None,
    uncovered: bool = False,
    beside: Sequence[ReviewItem] = (),
) -> ItemPage:
    """Return everything the page shows to this member; without a `slot` it is read-only.

    Severe texts, also those of items shown `beside`, open covered unless `uncovered` says that the member wants to see
    them at once.
    """
    draft = draft or draft_of_slot(slot)
    blind = is_hidden(item=item, membership=membership)
    schema = read_definition(item.queue.label_schema.definition)
    check = item.checked
    content = check.content
    found = [] if blind else check.findings.all()
    findings = sorted(found, key=lambda f: (f.target != OUTPUT, f.start is None, f.start or 0, -f.score))
    decided = item.state == ItemState.DECIDED
    adjudicates = slot is not None and slot.role == SlotRole.ADJUDICATOR
    answers = _answers(item, membership, adjudicates=adjudicates)
    fired = set() if blind else _fired(check, findings)
    rules = rule_rows(check.policy_version, fired=fired, chosen=draft.reasons)
    explained = first_of_rule(findings, rules)
    numbers = number_findings(findings)
    rows = [finding_row(finding, numbers[finding.id], draft, explained.get(finding.id)) for finding in findings]
    covered = not uncovered and any(is_covered(item=one, membership=membership, blind=blind) for one in (item, *beside))
    turns = [turn(number, message, findings, numbers) for number, message in enumerate(content.messages)]
    thread = thread_of(item=item, membership=membership)
    after_commit = slot is not None and item.is_blind_now and not blind
    return ItemPage(
        item=item,
        check=check,
        slot=slot,
        severity=UNKNOWN if blind else NAMES[item.severity],
        policy=str(check.policy_version) if membership.role in SEES_NAMES else check.policy_version.policy.name,
        turns=turns[-TURNS_SHOWN:],
        earlier=turns[:-TURNS_SHOWN],
        grounding=[as_text(part) for part in content.context],
        output=content.output,
        output_chunks=chunks(content.output or "", [f for f in findings if f.target == OUTPUT], numbers=numbers),
        redacted=_redacted(item, draft) if len(content.output or "") <= LARGE else None,
        findings=rows,
        numbers=numbers,
        types=types_of(schema, findings),
        candidates=candidates_of(item, slot, blind=blind),
        suggestions=suggestions_of(item, blind=blind),
        categories=category_rows({} if blind else check.scores or {}, schema, draft),
        schema=schema,
        rubric=[(field, draft.rubric.get(field.name)) for field in schema.rubric],
        rules=rules,
        answers=answers,
        comparison=compare(answers, output=content.output) if adjudicates and answers else None,
        decision=selectors.decision_of(item=item) if decided else None,
        release=_release_of(item, answers) if decided else None,
        held=None if slot or decided else own_hold(item=item, user=membership.user),
        slots=[] if slot else slots_for_lead(item=item, membership=membership),
        thread=thread,
        draft=draft,
        submission=uuid.uuid4(),
        lease_seconds=_seconds_left(slot),
        sla_seconds=math.floor((item.sla_due_at - timezone.now()).total_seconds()),
        blind=blind,
        after_commit=after_commit,
        appeals=appeal_rows(item),
        nobody_left=slot is None and selectors.nobody_left(item=item),
        alike=0 if blind else count_waiting_like(item),
        nearest=[] if blind or (thread.sealed and not (thread.anonymous or after_commit)) else nearest_decided(item),
        cover=cover_of(content.output, [(row.finding, row.where) for row in rows]) if covered else None,
    )


def _answers(item: ReviewItem, membership: Membership, *, adjudicates: bool) -> list[Annotation]:
    if not adjudicates and item.state != ItemState.DECIDED:
        return []
    answers = list(selectors.answers_of(item=item))
    together = sum(answer.cycle == item.cycle for answer in answers) > 1
    if adjudicates or not together or not item.is_undoable or membership.role == Role.COMPLIANCE:
        return answers
    # It may be before them again in a moment, and each is to answer by themselves.
    return [answer for answer in answers if answer.reviewer_id == membership.user_id]


def redaction_of(item: ReviewItem, draft: Draft) -> str:
    """Return the output without its findings, as `draft` keeps, drops, moves and adds them; raise InvalidAnswer."""
    output = item.checked.content.output or ""
    findings = {finding.id: finding for finding in item.checked.findings.all()}
    schema = read_definition(item.queue.label_schema.definition)
    spans = changed_spans(draft.spans, output=output, findings=findings, kept=draft.findings, schema=schema)
    aside = {span.finding for span in spans} | {key for key, kept in draft.findings.items() if not kept}
    return redacted_text(
        output=output,
        findings=[finding for key, finding in findings.items() if key not in aside],
        project=item.project,
        marked=[
            RedactionSpan(span.start, span.end, span.label, redaction_method(findings.get(span.finding or 0)))
            for span in spans
        ],
    )


def _redacted(item: ReviewItem, draft: Draft) -> str:
    try:
        return redaction_of(item, draft)
    except InvalidAnswer:  # it was refused, and the page says so
        return redaction_of(item, Draft())


def _release_of(item: ReviewItem, answers: list[Annotation]) -> Release | None:
    """Return what went out of a decided item; of a probe, what would have gone out if it were one."""
    if item.golden_id is None:
        return _release(item.checked)
    decision = item.decisions.standing().order_by("-cycle").first()
    if decision is None or decision.seconds_to_undo():
        return None
    outcome = Outcome(decision.outcome)
    agreeing = [answer for answer in answers if answer.counts and answer.outcome == outcome]
    settled = outcome == Outcome.REPLACE and not agreeing  # by nobody's text
    return Release(output=None if settled else released_text(item, outcome, agreeing))


def _release(check: Check) -> Release | None:
    prefetch_related_objects([check], "releases")
    let_out_due([check], now=timezone.now())
    return release_in_force(check)


def _seconds_left(slot: Assignment | None) -> int:
    if slot is None or slot.lease_expires_at is None:
        return 0
    return max(0, math.floor((slot.lease_expires_at - timezone.now()).total_seconds()))


def _fired(check: Check, findings: list[Finding]) -> set[str]:
    """Return the rules that found something, or did not finish."""
    return {finding.rule for finding in findings} | {str(entry.get("rule")) for entry in check.unscanned}
