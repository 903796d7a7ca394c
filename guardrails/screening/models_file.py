"""The models file: which models, beside the guard model, the rules of this installation may name.

`COUNTERSIGN_MODELS` is its path, for web processes (which look up names and categories) and for workers (which run
the models). Nothing is loaded or called here.

Exceptions:

    ModelsFileError      the file cannot be read or is not a models file; carries one `Issue` a fault
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from screening.categories import MODEL_CATEGORIES, SEXUAL_MINORS
from screening.detectors.pii import ENTITIES
from screening.faults import add_field, expected_of, message_of
from screening.policy_yaml import Issue, PolicyError, did_you_mean, read_yaml
from screening.sentences import NOTHING, Sentence, say

SETTING = "COUNTERSIGN_MODELS"
#: What a classifier's labels may stand for: whole texts, and spans.
CATEGORIES = frozenset((*MODEL_CATEGORIES, SEXUAL_MINORS))
ENTITY_NAMES = frozenset((*ENTITIES, "PERSON", "LOCATION", "ORGANIZATION", "ADDRESS", "DATE_TIME"))
SHAPE = (
    say("a models file is a mapping with `classifiers`, `guard_llms` or both"),
    say("see docs/reference/models.md"),
)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")]
Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:[0-9]{1,3})?)$")]
Format = Literal["llama_guard", "qwen3guard", "granite_guardian", "shieldgemma", "chat"]
Loc = tuple[str | int, ...]
#: What may stand in a field that has another type or form.
_HINTS: dict[str | int, Sentence] = {
    "api_key_env": say("the name of an environment variable, in capital letters"),
    "device": say("auto, cpu, cuda or cuda:N"),
    "labels": say("a mapping from the model's labels to ours"),
    "model": say("the name under which the endpoint serves it, in quotes"),
}
#: Path, message and hint.
Found = tuple[Loc, Sentence, Sentence]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Classifier(_Part):
    """A sequence or token classifier in the Hugging Face form, from a folder or from the local hub cache.

    `labels`: from the model's labels to our categories (task sequence) or entities (task token); others are dropped.
    """

    task: Literal["sequence", "token"]
    path: str = ""
    hub: str = ""
    revision: Revision | None = None
    labels: dict[str, str] = Field(min_length=1)
    activation: Literal["softmax", "sigmoid"] = "softmax"
    device: Device = "auto"
    max_length: int = Field(default=512, ge=16, le=8192)
    overlap: int = Field(default=64, ge=0)

    def faults(self) -> Iterator[Found]:
        """Yield path, message and hint for what the fields one by one do not show."""
        if bool(self.path) == bool(self.hub):
            message = say("a classifier has either `path` or `hub`")
            yield (), message, say("path: a folder; hub: owner/name with its revision")
        if self.path and not Path(self.path).is_absolute():
            message = say("a relative path means another folder in every process")
            yield ("path",), message, say("write it from the root: /srv/…")
        if self.hub and self.revision is None:
            hint = say("add `revision:` with the 40 hex digits of the commit")
            yield ("hub",), say("a model of the hub is named with its revision"), hint
        if self.path and self.revision is not None:
            hint = say("remove it; findings carry a hash of the weights")
            yield ("revision",), say("a folder has no revision"), hint
        if self.overlap > self.max_length // 2:
            hint = say("at most %(most)s", most=self.max_length // 2)
            yield ("overlap",), say("windows overlap by at most half of max_length"), hint
        if self.task == "token" and self.activation == "sigmoid":
            yield ("activation",), say("a token classifier has one label a token"), say("remove it, or use softmax")
        known = CATEGORIES if self.task == "sequence" else ENTITY_NAMES
        for label, target in self.labels.items():
            if target not in known:
                hint = did_you_mean(target, known) or say("one of: %(values)s", values=", ".join(sorted(known)))
                yield ("labels", label), self._unknown(target), hint

    def _unknown(self, target: str) -> Sentence:
        if self.task == "sequence":
            return say("there is no category %(name)s", name=repr(target))
        return say("there is no entity %(name)s", name=repr(target))


class GuardLlm(_Part):
    """A language model behind an OpenAI-compatible endpoint. `url` ends before `/chat/completions`."""

    url: str
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    format: Format
    api_key_env: Variable | None = None
    timeout_ms: int = Field(default=10_000, ge=1, le=60_000)
    concurrency: int = Field(default=8, ge=1, le=64)

    def faults(self) -> Iterator[Found]:
        """Yield path, message and hint for what the fields one by one do not show."""
        parts = _address(self.url)
        if parts is None:
            hint = say("for instance %(example)s", example="http://127.0.0.1:8000/v1")
            yield ("url",), say("not an http:// or https:// address"), hint
        elif parts.username or parts.password or parts.query or parts.fragment:
            yield ("url",), say("the address has more than host, port and path"), say("keys go into `api_key_env`")


def _address(url: str) -> SplitResult | None:
    """Return the parts of an http or https address with a host, and a port if there is one; None for anything else."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that are none
        return None
    return parts if whole else None


class ModelsFile(_Part):
    classifiers: dict[Name, Classifier] = {}
    guard_llms: dict[Name, GuardLlm] = {}


class ModelsFileError(ValueError):
    """The models file is not one, or cannot be read."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(f"{os.environ.get(SETTING, '')}: {issue}" for issue in issues))
        self.issues = issues


def configured_models(environ: Mapping[str, str] = os.environ) -> ModelsFile:
    """Return what the file named by COUNTERSIGN_MODELS says, read again when it has changed; empty without one.

    Raises ModelsFileError.
    """
    name = environ.get(SETTING, "")
    if not name:
        return ModelsFile()
    try:
        facts = Path(name).stat()
        return _read(name, facts.st_mtime_ns, facts.st_size)
    except OSError as error:
        message = say("cannot be read: %(reason)s", reason=error.strerror)
        raise ModelsFileError([Issue("", 0, message, say("mend %(setting)s", setting=SETTING))]) from error


@lru_cache(maxsize=4)
def _read(name: str, _changed: int, _size: int) -> ModelsFile:
    try:
        return parse_models(Path(name).read_text("utf-8"))
    except UnicodeDecodeError:
        raise ModelsFileError([Issue("", 0, say("is not UTF-8 text"), say("save it as UTF-8"))]) from None


def parse_models(source: str) -> ModelsFile:
    """Parse and validate a models file. Raises ModelsFileError with every fault found."""
    try:
        data, lines = read_yaml(source, SHAPE)
    except PolicyError as error:
        raise ModelsFileError(error.issues) from None
    try:
        file = ModelsFile.model_validate(data)
    except ValidationError as error:
        raise ModelsFileError([_issue(fault["loc"], fault, lines) for fault in error.errors()]) from None
    issues = [
        Issue.at((section, name, *path), lines, message, hint)
        for section, models in (("classifiers", file.classifiers), ("guard_llms", file.guard_llms))
        for name, model in models.items()
        for path, message, hint in model.faults()
    ]
    issues += [
        Issue.at(
            ("guard_llms", name),
            lines,
            say("%(name)s is a classifier, too", name=repr(name)),
            say("give it another name"),
        )
        for name in file.guard_llms.keys() & file.classifiers.keys()
    ]
    if issues:
        raise ModelsFileError(issues)
    return file


def _issue(loc: Loc, fault: Any, lines: dict[Loc, int]) -> Issue:
    hint = NOTHING
    if fault["type"] == "extra_forbidden":
        fields = {*ModelsFile.model_fields, *Classifier.model_fields, *GuardLlm.model_fields}
        hint = did_you_mean(str(loc[-1]), fields - {loc[-1]}) or say("remove it")
    elif fault["type"] == "missing":
        hint = add_field(fault)
    elif loc[-1] == "revision":
        hint = say("the 40 hex digits of the commit; a branch or tag may change under you")
    elif loc[-1] == "[key]":
        loc, hint = loc[:-1], say("lower-case letters, digits, '.', - and _, at most 80")
    elif fault["type"] == "literal_error":
        hint = expected_of(fault)
    else:
        hint = _HINTS.get(loc[-1], NOTHING)
    return Issue.at(loc, lines, message_of(fault), hint)
