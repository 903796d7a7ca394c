"""The sections of the activity report on appeals: what was contested, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from webapp.audit.report.periods import Period
from webapp.audit.report.profiles import Column, Envelope, Section
from webapp.templatetags.terms import term

ALL = ""
_COLUMNS = ("made", "pending", "upheld", "reversed")


class AppealTally:
    """Counts by who had decided, and by rule. Pending: made in the period, and not decided in it."""

    def __init__(self, period: Period) -> None:
        self.period = period
        self.counts: Counter[tuple[str, str]] = Counter()  # (subject, column)

    def add_made(self, envelope: Envelope) -> None:
        for subject in _subjects(envelope):
            self.counts[subject, "made"] += 1
            self.counts[subject, "pending"] += 1

    def count_decision(self, envelope: Envelope, number: int) -> None:
        """Count what a decision says of an appeal, if it answers one, `number` times: -1 when it was taken back."""
        codes = dict(code.partition(":")[::2] for code in envelope["reason_codes"])
        if "appeal" not in codes:
            return
        made_here = self.period.contains(codes["appealed"])
        for subject in _subjects(envelope):
            self.counts[subject, codes["appeal"]] += number
            self.counts[subject, "pending"] -= number * made_here

    def sections(self) -> list[Section]:
        rules = sorted(subject for subject, _ in self.counts if subject.startswith("rule:"))
        return [
            Section(
                id="appeals",
                title=_("Appeals"),
                note=_(
                    "Upheld: the same goes out as before. Reversed: something else. Pending: made in the period and "
                    "not decided in it. The rate is reversed ÷ decided."
                ),
                columns=_columns(_("decided before by")),
                rows=[
                    self._row(_("a person"), "contested:person"),
                    self._row(_("the machine alone"), "contested:machine"),
                    self._row(_("all"), ALL),
                ],
            ),
            Section(
                id="appeals-by-rule",
                title=_("Appeals by policy rule"),
                note=_("An appeal counts under each rule that had found something in the check."),
                columns=_columns(_("rule")),
                rows=[self._row(subject.removeprefix("rule:"), subject) for subject in dict.fromkeys(rules)],
                empty=_("Nothing was contested in this period in which a rule had found something."),
            ),
        ]

    def _row(self, name: str, subject: str) -> list[str | int]:
        counts = [self.counts[subject, column] for column in _COLUMNS]
        upheld, turned = counts[2:]
        decided = upheld + turned
        return [name, *counts, f"{number_format(100 * turned / decided, 1)} %" if decided else "–"]


def _subjects(envelope: Envelope) -> Iterator[str]:
    yield ALL
    yield from (code for code in envelope["reason_codes"] if code.startswith(("contested:", "rule:")))


def _columns(first: str) -> list[Column]:
    return [Column(first), *(Column(name, "number") for name in (*map(term, _COLUMNS), _("reversal rate")))]
