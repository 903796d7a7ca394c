"""Coefficients as people read them."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext

from review.agreement.coefficients import Estimate

register = template.Library()


@register.filter
def interval(found: Estimate | None) -> str:
    """Return a coefficient with two digits and its interval, "–" where it is not defined: "0.71 (0.60 to 0.80)"."""
    if found is None or found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return _digits(found.value)
    figures = {"value": _digits(found.value), "low": _digits(found.low), "high": _digits(found.high)}
    return gettext("%(value)s (%(low)s to %(high)s)") % figures


def _digits(value: float) -> str:
    return number_format(round(value, 2) + 0.0, 2).replace("-", "−")  # plus zero: -0.0 is 0
