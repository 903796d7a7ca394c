"""Pages on the traffic of a project, and the page of the API's docs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webapp.accounts.access import MemberRequest, member_required
from webapp.accounts.models import Role
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event
from webapp.ids import parse_public_id
from webapp.interception.api import api
from webapp.interception.models import Verdict
from webapp.interception.selectors import answers, find_check, recent_checks

PAGE_SIZE = 50
MAX_PAGE = 10_000


@require_safe
@member_required(Role.OWNER, Role.LEAD, Role.COMPLIANCE)
def traffic(request: MemberRequest) -> HttpResponse:
    """Show the newest checks, without their texts."""
    verdict = request.GET.get("verdict", "")
    checks = recent_checks(request.project, verdict if verdict in Verdict.values else "")
    # Not counted: a count reads every row of a table that grows without end.
    page = _page_number(request.GET.get("page", ""))
    start = (page - 1) * PAGE_SIZE
    rows = list(checks[start : start + PAGE_SIZE + 1])
    context = {
        "checks": rows[:PAGE_SIZE],
        "verdict": verdict,
        "verdicts": Verdict.values,
        "page": page,
        "has_next": len(rows) > PAGE_SIZE and page < MAX_PAGE,
    }
    return render(request, "interception/traffic.html", context)


def _page_number(text: str) -> int:
    """Return the page that is asked for, from 1 to MAX_PAGE; 1 for what is no number."""
    if not (text.isascii() and text.isdigit()):
        return 1
    # int() refuses thousands of digits, so what is longer than any page number is not handed to it.
    digits = text.lstrip("0")
    return min(max(1, int(digits or "0")), MAX_PAGE) if len(digits) <= len(str(MAX_PAGE)) else MAX_PAGE


@require_safe
@member_required(Role.OWNER, Role.LEAD, Role.COMPLIANCE)
def check_detail(request: MemberRequest, check_id: str) -> HttpResponse:
    """Show one check with its texts; that it was seen is an audit event."""
    key = parse_public_id("chk", check_id)
    check = find_check(request.project, key) if key else None
    if check is None:
        raise Http404("This project has no such check.")
    with transaction.atomic():
        record_event(
            type="content.viewed",
            project_id=request.project.id,
            actor=user_actor(request.user, request.membership.role),
            object=EventObject("check", check.id),
        )
    answer = answers([check])[0]
    decided_at = dt.datetime.fromisoformat(answer.decision.at) if answer.decision else None
    return render(request, "interception/check.html", {"check": check, "answer": answer, "decided_at": decided_at})


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show the API's operations, made from its OpenAPI document."""
    schema: dict[str, Any] = api.get_openapi_schema(path_prefix="/v1/")
    operations = [
        {"method": method.upper(), "path": path, **operation}
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = {
        name: [
            {"name": field, "required": field in part.get("required", []), "type": _type(spec), **spec}
            for field, spec in part.get("properties", {}).items()
        ]
        for name, part in schema["components"]["schemas"].items()
    }
    return render(request, "interception/api_docs.html", {"operations": operations, "schemas": schemas})


def _type(spec: dict[str, Any]) -> str:
    if "$ref" in spec:
        return str(spec["$ref"]).rsplit("/", 1)[-1]
    if options := spec.get("anyOf") or spec.get("allOf"):
        return " or ".join(_type(option) for option in options)
    if "enum" in spec:
        return " | ".join(str(value) for value in spec["enum"])
    if spec.get("type") == "array":
        return f"list of {_type(spec.get('items', {}))}"
    return str(spec.get("type", "any"))
