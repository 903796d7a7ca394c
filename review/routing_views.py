"""The page on which leads and owners say which checks go to which queue, and try it out first."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from review import services
from review.errors import SettingsChanged
from review.models import Queue
from review.routing import Conditions, Rule, active_rules
from review.routing_forms import DefaultForm, RuleFormSet
from review.services.raising import DEFAULT_QUEUE
from review.services.routing import routing_version
from review.try_out import TRIED, try_out
from review.views import LEADS
from webapp.accounts.access import MemberRequest, member_required


class RoutingPage:
    """The rules that hold, and a draft of others in forms."""

    def __init__(self, request: MemberRequest, data: QueryDict | None) -> None:
        self.project = request.project
        self.version = routing_version(project=self.project)
        self.queues = list(Queue.objects.filter(project=self.project).order_by("name"))
        self.applications = [(str(key), name) for key, name in self.project.applications.values_list("id", "name")]
        self.active = active_rules(self.project) or self._all_to_the_default()
        choices = {"queues": self.queues, "applications": self.applications}
        self.rules = RuleFormSet(data, initial=self._initial(), prefix="rule", form_kwargs=choices)
        started = {"default": self.active[-1].queue.slug if self.active else "", "based_on": self.version}
        self.default = DefaultForm(data, initial=started, queues=self.queues)

    def _all_to_the_default(self) -> list[Rule]:
        return [Rule(Conditions(), queue) for queue in self.queues if queue.slug == DEFAULT_QUEUE]

    def _initial(self) -> list[dict[str, Any]]:
        return [
            {
                "queue": rule.queue.slug,
                "ORDER": number,
                **rule.conditions.as_json(),
            }
            for number, rule in enumerate(self.active[:-1], start=1)
        ]

    def is_valid(self) -> bool:
        # Both, so that all that is wrong is said at once.
        return all([self.rules.is_valid(), self.default.is_valid()])

    @property
    def draft(self) -> list[Rule]:
        return [*(form.rule for form in self.rules.ordered_forms), self.default.rule]

    def render(self, request: MemberRequest, *, status: int = 200, **context: object) -> HttpResponse:
        names = dict(self.applications)
        active = [(rule.conditions.in_words(names), rule.queue) for rule in self.active]
        context |= {"page": self, "active": active, "tried": TRIED}
        return render(request, "review/routing.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required(*LEADS)
def routing(request: MemberRequest) -> HttpResponse:
    """Show the rules; add a row, try the draft out, or save it, as the pressed button says."""
    if request.method != "POST":
        return RoutingPage(request, None).render(request)
    if request.POST.get("do") == "add":
        return RoutingPage(request, _with_one_more(request.POST)).render(request)
    page = RoutingPage(request, request.POST)
    if not page.is_valid():
        return page.render(request, status=400, wrong=True)
    if request.POST.get("do") == "try":
        result = try_out(project=request.project, now=page.active or page.draft[-1:], draft=page.draft)
        return page.render(request, result=result, caught=_caught(page, result.caught))
    return _save(request, page)


def _caught(page: RoutingPage, caught: list[int]) -> list[tuple[str, Queue, int]]:
    names = dict(page.applications)
    return [
        (rule.conditions.in_words(names), rule.queue, number) for rule, number in zip(page.draft, caught, strict=True)
    ]


def _save(request: MemberRequest, page: RoutingPage) -> HttpResponse:
    try:
        version = services.save_routing(
            project=request.project,
            based_on=page.default.cleaned_data["based_on"],
            rules=page.draft,
            membership=request.membership,
        )
    except SettingsChanged as error:
        data = request.POST.copy()
        data["based_on"] = str(routing_version(project=request.project))
        return RoutingPage(request, data).render(request, status=409, message=str(error))
    if version is None:
        messages.info(request, gettext("Nothing was different, so nothing was saved."))
    else:
        messages.success(
            request, gettext("Version %(number)s of the rules holds for what comes from now on.") % {"number": version}
        )
    return redirect("review:routing", request.project.slug)


def _with_one_more(post: QueryDict) -> QueryDict:
    data = post.copy()
    total = data.get("rule-TOTAL_FORMS", "")
    if total.isascii() and total.isdigit():
        data["rule-TOTAL_FORMS"] = str(int(total[:4]) + 1)
    return data
