"""Coefficients as people read them."""

from __future__ import annotations

from django import template

from review.agreement.coefficients import Estimate

register = template.Library()


@register.filter
def interval(found: Estimate | None) -> str:
    """Return a coefficient with two digits and its interval, "–" where it is not defined: "0.71 (0.60 to 0.80)"."""
    if found is None or found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return _digits(found.value)
    return f"{_digits(found.value)} ({_digits(found.low)} to {_digits(found.high)})"


def _digits(value: float) -> str:
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")
