"""A plain HTTP client for a desk in a process of its own: cookies and the token of the page, nothing followed by itself."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args, **_named):
        return None


class DeskClient:
    def __init__(self) -> None:
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar), _Stay)
        self.home = ""

    def get(self, path: str) -> tuple[int, str, dict]:
        return self._ask(urllib.request.Request(self.home + path.lstrip("/")))

    def post(self, path: str, form: dict, *, page: str = "") -> tuple[int, str, dict]:
        """Send a form with the token that its page holds."""
        text = self.get(page or path)[1]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text).group(1)
        body = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token}).encode()
        return self._ask(urllib.request.Request(self.home + path.lstrip("/"), data=body, headers={"Referer": self.home}))

    def _ask(self, request) -> tuple[int, str, dict]:
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode(), dict(answer.headers)
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode(), dict(answer.headers)
