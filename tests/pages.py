"""A person at a live app's pages, without a browser: signs in, follows links, sends forms."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request

TOKEN = "csrfmiddlewaretoken"
LINK = re.compile(r'href="(/[^"#]*)"')
FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
HIDDEN = re.compile(r'<input\b[^>]*type="hidden"[^>]*>')
FIELD = re.compile(r'\b(name|value|action)="([^"]*)"')


class Person:
    """Keeps the cookies of one session. `url` is that of the page that is open, `page` its text."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self._cookies)
        )
        self.url = root
        self.page = ""

    def sign_in(self, *, username: str, password: str) -> None:
        self.open("/accounts/login/")
        self.send("/accounts/login/", login=username, password=password)
        assert "/accounts/" not in self.url, "the sign-in was refused"

    def open(self, path: str) -> str:
        """Open a page, following redirects; any status from 400 up fails."""
        return self._fetch(urllib.request.Request(self._root + path))

    def send(self, path: str, **fields: str) -> str:
        """Send a form to `path`, as the open page would."""
        token = next((cookie.value for cookie in self._cookies if cookie.name == "csrftoken"), None) or ""
        data = urllib.parse.urlencode({TOKEN: token, **fields}).encode()
        return self._fetch(urllib.request.Request(self._root + path, data, {"Referer": self.url}))

    def links(self) -> set[str]:
        """Return the addresses within this app that the open page links to."""
        return {link.replace("&amp;", "&") for link in LINK.findall(self.page)}

    def form(self, ending: str) -> str:
        """Return the address of the open page's form that is sent to an address with this ending."""
        return self._form(ending)[0]

    def hidden(self, ending: str) -> dict[str, str]:
        """Return the hidden fields of that form."""
        fields = [dict(FIELD.findall(field)) for field in HIDDEN.findall(self._form(ending)[1])]
        return {field["name"]: field.get("value", "") for field in fields if field["name"] != TOKEN}

    def _form(self, ending: str) -> tuple[str, str]:
        for form in FORM.findall(self.page):
            action = dict(FIELD.findall(form[: form.index(">")])).get("action", "")
            if action.endswith(ending):
                return action, form
        raise AssertionError(f"no form for {ending} on {self.url}")

    def crawl(self, start: str, *, pages: int) -> list[str]:
        """Open pages from `start` on, along links, at most `pages`; return their addresses."""
        seen: list[str] = []
        waiting = [start]
        while waiting and len(seen) < pages:
            path = waiting.pop(0)
            if path in seen or "/logout" in path or "/static/" in path:
                continue
            seen.append(path)
            self.open(path)
            waiting += sorted(self.links() - set(seen))
        return seen

    def _fetch(self, request: urllib.request.Request) -> str:
        try:
            with self._opener.open(request, timeout=60) as response:
                self.url, self.page = response.geturl(), response.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{request.full_url} answered {error.code}") from None
        return self.page
