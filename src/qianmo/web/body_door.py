"""What is too large, or comes from nobody, is refused by its head, before its body is read (请求体门限).

The server would take in a whole body before the desk sees the request. Its parser is asked here right after the head: the
limit hangs on the address, and a large body needs a session. A body in chunks, which says no length, is cut at the same limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge

__all__ = ["DOCUMENT_BYTES", "FORM_BYTES", "GUEST_BYTES", "LIMITS", "door_for", "limit_of"]

GUEST_BYTES = 64 << 10
"""Most that somebody without a session may send: the form of the sign-in page. [bytes]"""
FORM_BYTES = 2 << 20
"""Most that a form without files may hold. [bytes]"""
DOCUMENT_BYTES = 64 << 20
"""Most that goes along with a package handed in for review. [bytes]"""
LIMITS: tuple[tuple[str, int], ...] = (
    (r"/lines/|/api/(red-line|measure)", 21 << 20), (r"/library/import/", 5 << 20), (r"/review-new/|/reviews/[^/]+/do/resubmit/", DOCUMENT_BYTES),
)  # fmt: skip
"""Most that these addresses take; uploads of data and of red lines take what their settings say, all else a form. [bytes]"""


def limit_of(path: str, *, upload_bytes: int, line_bytes: int) -> int:
    """Most bytes that an address takes (请求体上限)."""
    settings = {"/imports/": upload_bytes, "/lines/upload/": line_bytes}
    if path in settings:
        return settings[path]
    return next((most for pattern, most in LIMITS if re.fullmatch(pattern, path)), FORM_BYTES)


def door_for(is_known: Callable[[str], bool], *, upload_bytes: int, line_bytes: int) -> type[HTTPRequestParser]:
    """A parser of the server that asks for length and session after the head of a request (请求头检查).

    Parameters
    ----------
    is_known : callable
        Whether the value of the cookie header belongs to a session of somebody.
    upload_bytes, line_bytes : int
        Most bytes of an upload of data, and of the files of a red line.
    """

    class Door(HTTPRequestParser):
        most = 0

        def received(self, data: bytes) -> int:
            consumed: int = super().received(data)
            if self.headers_finished and not self.error and not self.empty:
                if not self.most:
                    self._judge()
                elif self.body_bytes_received > self.most:
                    self._refuse(RequestEntityTooLarge, f"more than {self.most} bytes")
            return consumed

        def _judge(self) -> None:
            self.most = limit_of(str(self.path), upload_bytes=upload_bytes, line_bytes=line_bytes)
            if self.content_length > self.most:
                self._refuse(RequestEntityTooLarge, f"more than {self.most} bytes")
            elif (self.content_length > GUEST_BYTES or self.chunked) and not is_known(self.headers.get("COOKIE", "")):
                self._refuse(_NobodyError, "sign in first")

        def _refuse(self, kind: Callable[[str], Any], why: str) -> None:
            self.error, self.completed = kind(why), True

    return Door


class _NobodyError(RequestEntityTooLarge):
    """Nobody is signed in, and the body is larger than a sign-in page sends."""

    code, reason = 401, "Unauthorized"
