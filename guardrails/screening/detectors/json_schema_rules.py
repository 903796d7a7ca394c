"""JSON Schema validation that stays offline and keeps to a deadline: what `json_schema` runs.

Imported when the first such rule is read, because jsonschema takes a tenth of a second to import.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from itertools import islice
from typing import Any

from jsonschema import SchemaError, ValidationError
from jsonschema.validators import Draft202012Validator, extend, validator_for
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from screening.detectors.linear_regex import PatternError, encodable
from screening.detectors.timed_regex import TimedRegex
from screening.findings import Deadline
from screening.sentences import say, sentence_of

_Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]

# Without `retrieve`, so that nothing is ever fetched: only what lies in the schema can be referred to.
_OFFLINE: Registry[Any] = Registry()

_deadline: ContextVar[Deadline] = ContextVar("json_schema_deadline", default=Deadline())  # noqa: B039 (frozen)

# jsonschema looks for what is unevaluated in quadratic time, without a look at the clock: so much takes 0.1 s.
MAX_UNEVALUATED = {"unevaluatedProperties": ("object", 2_000), "unevaluatedItems": ("array", 5_000)}


class Rules:
    """A compiled schema. Safe to use from several threads."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._names = frozenset(_declared_names(schema))
        patterns = {expression: TimedRegex(expression) for expression in _expressions(schema)}
        base = validator_for(schema, default=Draft202012Validator)
        overrides = {**base.VALIDATORS, **_linear_keywords(patterns, base.VALIDATORS)}
        guarded = extend(  # type: ignore[no-untyped-call]
            base, {name: _on_time(keyword) for name, keyword in overrides.items()}
        )
        self._validator = guarded(schema, registry=_OFFLINE)

    def violations(self, document: Any, deadline: Deadline, limit: int) -> list[str]:
        """Return up to `limit` distinct `path: keyword`, none when the document conforms.

        Raise DeadlineExceeded, and RecursionError when the schema nests without end.
        """
        token = _deadline.set(deadline)
        try:
            errors = islice(self._validator.iter_errors(document), limit)
            return list(dict.fromkeys(self._describe(error) for error in errors))
        finally:
            _deadline.reset(token)

    def _describe(self, error: ValidationError) -> str:
        path = "".join(self._step(step) for step in error.absolute_path)
        missing = ""
        instance = error.instance
        if error.validator == "required" and isinstance(error.validator_value, list) and isinstance(instance, dict):
            absent = [name for name in error.validator_value if name not in instance]
            missing = f" {', '.join(absent[:5])}"
        return f"${path}: {error.validator}{missing}"

    def _step(self, step: str | int) -> str:
        if isinstance(step, int):
            return f"[{step}]"
        return f".{step}" if step in self._names else ".*"


def check_schema(schema: dict[str, Any]) -> None:
    """Raise ValueError, with the place and a hint, when `schema` is wrong or cannot be checked safely."""
    try:
        base = validator_for(schema, default=Draft202012Validator)
        base.check_schema(schema)
        _check_references(schema)
        rules = Rules(schema)
        samples: tuple[Any, ...] = ({}, [], "", 0, None)
        for document in samples:
            rules.violations(document, Deadline(), 1)
    except SchemaError as error:
        # The library's own words.
        raise ValueError(f"{error.json_path.replace('$', 'schema', 1)}: {error.message}") from error
    except PatternError as error:
        raise ValueError(
            say("a regular expression in the schema cannot be used: %(reason)s", reason=sentence_of(error))
        ) from error
    except RecursionError:
        raise ValueError(say("the schema nests too deeply or refers to itself without end")) from None


def _check_references(schema: dict[str, Any]) -> None:
    root: Resource[Any] = DRAFT202012.create_resource(schema)
    resolver = _OFFLINE.resolver_with_root(root)
    for part in _parts(schema):
        reference = part.get("$ref", part.get("$dynamicRef"))
        if not isinstance(reference, str):
            continue
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise ValueError(
                say(
                    "$ref %(reference)s leads outside the schema: nothing is fetched, put the definition under $defs",
                    reference=reference,
                )
            ) from None


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every object inside the schema, itself first."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _declared_names(schema: Any) -> Iterator[str]:
    for part in _parts(schema):
        for keyword in ("properties", "dependentSchemas", "dependencies"):
            if isinstance(names := part.get(keyword), dict):
                yield from names
        if isinstance(required := part.get("required"), list):
            yield from (name for name in required if isinstance(name, str))


def _expressions(schema: Any) -> Iterator[str]:
    for part in _parts(schema):
        if isinstance(expression := part.get("pattern"), str):
            yield expression
        if isinstance(properties := part.get("patternProperties"), dict):
            yield from properties
            if "unevaluatedProperties" in part:
                raise ValueError(
                    say("patternProperties beside unevaluatedProperties is not supported: use additionalProperties")
                )


def _on_time(keyword: _Keyword) -> _Keyword:
    def run(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[ValidationError] | None:
        _deadline.get().check()
        return keyword(validator, value, instance, schema)

    return run


def _linear_keywords(patterns: dict[str, TimedRegex], standard: Any) -> dict[str, _Keyword]:
    """Return the keywords that jsonschema runs with backtracking expressions or in quadratic time, made linear."""

    def found(expression: str, text: str) -> bool:
        return patterns[expression].found(encodable(text), _deadline.get())

    def pattern(validator: Any, expression: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if validator.is_type(instance, "string") and not found(expression, instance):
            yield ValidationError("does not match")

    def pattern_properties(validator: Any, rules: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if validator.is_type(instance, "object"):
            for expression, rule in rules.items():
                for name, value in instance.items():
                    if found(expression, name):
                        yield from validator.descend(value, rule, path=name, schema_path=expression)

    def additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not validator.is_type(instance, "object"):
            return
        expressions = schema.get("patternProperties", {})
        known = schema.get("properties", {})
        extra = []
        for name in instance:
            _deadline.get().check()
            if name not in known and not any(found(each, name) for each in expressions):
                extra.append(name)
        if rule is False and extra:
            yield ValidationError("has additional properties")
        elif isinstance(rule, dict):
            for name in extra:
                yield from validator.descend(instance[name], rule, path=name)

    def unique_items(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if not wanted or not validator.is_type(instance, "array"):
            return
        seen = set()
        for item in instance:
            _deadline.get().check()
            seen.add(_canonical(item))
        if len(seen) < len(instance):
            yield ValidationError("has equal items")

    def bounded(name: str, kind: str, most: int) -> _Keyword:
        def unevaluated(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            if validator.is_type(instance, kind) and len(instance) > most:
                yield ValidationError("has too many to check")
            else:
                yield from standard[name](validator, rule, instance, schema) or ()

        return unevaluated

    def conforms(validator: Any, rule: Any, instance: Any) -> bool:
        return next(validator.descend(instance, rule), None) is None

    # jsonschema collects the errors of every branch, each with all of the instance in its message.
    def any_of(validator: Any, rules: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if not any(conforms(validator, rule, instance) for rule in rules):
            yield ValidationError("conforms to none")

    def one_of(validator: Any, rules: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if sum(conforms(validator, rule, instance) for rule in rules) != 1:
            yield ValidationError("conforms to none or to several")

    keywords: dict[str, _Keyword] = {
        "pattern": pattern,
        "patternProperties": pattern_properties,
        "additionalProperties": additional_properties,
        "uniqueItems": unique_items,
        "anyOf": any_of,
        "oneOf": one_of,
        **{name: bounded(name, *limit) for name, limit in MAX_UNEVALUATED.items()},
    }
    return {name: keyword for name, keyword in keywords.items() if name in standard}


def _canonical(value: Any) -> str:
    """Return a text that is equal for values equal in JSON Schema: 1 and 1.0 are, 1 and true are not."""
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value
