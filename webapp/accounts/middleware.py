"""What happens to sign-in while Redis is away."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

RETRY_SECONDS = 10


class SignInNeedsItsLimit:
    """Answer 503 on the sign-in pages while the cache that counts attempts does not: no limit, no sign-in.

    Who is signed in already goes on working: sessions are in the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, (redis.ConnectionError, redis.TimeoutError)):
            return None
        if request.resolver_match is None or not request.path.startswith(reverse("account_login").rsplit("login")[0]):
            return None
        response = render(request, "accounts/unavailable.html", status=503)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
