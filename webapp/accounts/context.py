"""What every page's frame shows of the member."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def membership(request: HttpRequest) -> dict[str, Any]:
    """Return the project and the membership that `member_required` found."""
    return {"project": getattr(request, "project", None), "membership": getattr(request, "membership", None)}
