"""What a rule says of a model of the models file, looked up when a policy is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from screening.detectors.base import Fault
from screening.models_file import SETTING, Classifier, GuardLlm, ModelsFile, ModelsFileError, configured_models
from screening.policy_yaml import did_you_mean

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
        hint = f"the operator mends the file that {SETTING} names: {error.issues[0]}"
        return None, [Fault(("options", option), "the models file cannot be used", hint)]
    if name in models:
        return models[name], []
    near = did_you_mean(name, models)
    listed = f"it has: {', '.join(sorted(models))}" if models else f"it has none; {SETTING} names the file"
    return None, [Fault(("options", option), f"the models file has no {name!r} in `{section}`", near or listed)]


def unknown_names(field: str, named: Iterable[str], known: Iterable[str], model: str) -> list[Fault]:
    """Return a fault for each name that a rule maps and the model never gives."""
    known = sorted(known)
    return [
        Fault(
            (field, name),
            f"{model} finds nothing called {name!r}",
            did_you_mean(name, known) or f"it knows: {', '.join(known)}",
        )
        for name in sorted(named)
        if name != "*" and name not in known
    ]
