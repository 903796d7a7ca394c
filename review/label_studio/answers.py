"""What an annotation of Label Studio says of the whole output: verdict, outcome, correction and note."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext_noop

from review.label_studio.tasks import CORRECTION, NOTE, OUTCOME, VERDICT
from review.models.annotations import AnnotationVerdict, Outcome
from review.services.answers import MAX_CORRECTION_BYTES, MAX_NOTE
from review.texts import same_but_newlines

#: As many answers of one task as are kept; more are no help.
MAX_ANSWERS = 20

UNKNOWN_ANSWER = gettext_noop("a verdict or outcome that is called otherwise than ours")
OTHER_WRITTEN = gettext_noop("a text in another field than “correction” and “note”")
TOO_LONG = gettext_noop("a correction or note that is too long, or has a character that can not be stored")
TOO_MANY_ANSWERS = gettext_noop("more than 20 answers to one task")


@dataclass(frozen=True, slots=True)
class Said:
    """One answer; "" is what it does not say."""

    verdict: str = ""
    outcome: str = ""
    correction: str = ""
    note: str = ""
    model: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def speaks(result: Mapping[str, Any]) -> bool:
    """Whether a result is about the whole answer, and no label."""
    kind, control = result.get("type"), result.get("from_name")
    return kind == "textarea" or control in (CORRECTION, NOTE) or (kind == "choices" and control in (VERDICT, OUTCOME))


def read_answer(results: Iterable[Mapping[str, Any]], text: str, *, model: str, left_out: Counter[str]) -> Said | None:
    """Return what the results say of `text`, None when they say nothing; what can not be taken is counted."""
    said: dict[str, str] = {}
    for result in results:
        control = str(result.get("from_name"))
        value = result.get("value")
        value = value if isinstance(value, dict) else {}
        if control in (VERDICT, OUTCOME):
            found = _chosen(value.get("choices"), AnnotationVerdict if control == VERDICT else Outcome)
            reason = UNKNOWN_ANSWER
        elif control in (CORRECTION, NOTE):
            found = _written(value.get("text"), MAX_CORRECTION_BYTES if control == CORRECTION else MAX_NOTE)
            reason = TOO_LONG
        else:
            found, reason = None, OTHER_WRITTEN
        if found is None:
            left_out[reason] += 1
        else:
            said[control] = found
    if same_but_newlines(said.get(CORRECTION, ""), text):
        said[CORRECTION] = ""  # they left the output as it was
    return Said(**said, model=model) if any(said.values()) else None


def _chosen(value: object, known: type[AnnotationVerdict] | type[Outcome]) -> str | None:
    names = value if isinstance(value, list) else []
    name = str(names[0]).strip().casefold() if len(names) == 1 else ""
    return name if name in known.values else None


def _written(value: object, most: int) -> str | None:
    """Return a text; Label Studio gives a list of what was submitted in a field, and a plain string of old."""
    parts = value if isinstance(value, list) else [value]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        return None
    text = "\n".join(texts)
    return None if "\x00" in text or len(text.encode(errors="replace")) > most else text
