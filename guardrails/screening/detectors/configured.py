"""What a rule says of a model of the models file, looked up when a policy is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from screening.detectors.base import Fault
from screening.models_file import SETTING, Classifier, GuardLlm, ModelsFile, ModelsFileError, configured_models
from screening.policy_yaml import did_you_mean
from screening.sentences import say

T = TypeVar("T")


def find_classifier(name: str) -> tuple[Classifier | None, list[Fault]]:
    """Return a classifier of the models file, or None and the fault to report."""
    return _find(name, "classifiers", "model", lambda file: file.classifiers)


def find_guard_llm(name: str, option: str = "model") -> tuple[GuardLlm | None, list[Fault]]:
    """Return a guard LLM of the models file, or None and the fault to report at `option`."""
    return _find(name, "guard_llms", option, lambda file: file.guard_llms)


def _find(
    name: str, section: str, option: str, choose: Callable[[ModelsFile], Mapping[str, T]]
) -> tuple[T | None, list[Fault]]:
    try:
        models = choose(configured_models())
    except ModelsFileError as error:
        fault = error.issues[0].sentence
        hint = say("the operator mends the file that %(setting)s names: %(fault)s", setting=SETTING, fault=fault)
        return None, [Fault(("options", option), say("the models file cannot be used"), hint)]
    if name in models:
        return models[name], []
    near = did_you_mean(name, models)
    if models:
        listed = say("it has: %(names)s", names=", ".join(sorted(models)))
    else:
        listed = say("it has none; %(setting)s names the file", setting=SETTING)
    message = say("the models file has no %(name)s in `%(section)s`", name=repr(name), section=section)
    return None, [Fault(("options", option), message, near or listed)]


def unknown_names(field: str, named: Iterable[str], known: Iterable[str], model: str) -> list[Fault]:
    """Return a fault for each name that a rule maps and the model never gives."""
    known = sorted(known)
    return [
        Fault(
            (field, name),
            say("%(finder)s finds nothing called %(name)s", finder=model, name=repr(name)),
            did_you_mean(name, known) or say("it knows: %(names)s", names=", ".join(known)),
        )
        for name in sorted(named)
        if name != "*" and name not in known
    ]
