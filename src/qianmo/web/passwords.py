"""Passwords that are known from breaches are refused, by a list that the office keeps (泄露密码清单)."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

__all__ = ["BreachedPasswordValidator", "is_breached"]

_HASH = re.compile(rb"[0-9A-Fa-f]{40}(:\d+)?\s*")
_LONGEST = 512


class BreachedPasswordValidator:
    """Refuses a password of the list (泄露密码检查)."""

    def __init__(self, file: str) -> None:
        self.file = Path(file)

    def validate(self, password: str, user: Any = None) -> None:
        """Raise where the password is on the list."""
        if is_breached(self.file, password):
            raise ValidationError(_("This password is known from a breach elsewhere. Choose another one."), code="password_breached")

    def get_help_text(self) -> str:
        """What the form says beforehand."""
        return _("The password must not be one that is known from a breach.")


def is_breached(file: Path, password: str) -> bool:
    """Whether a password stands in a list (密码是否已泄露).

    Parameters
    ----------
    file : Path
        One password a line in UTF-8; or one SHA-1 a line in hexadecimal, sorted, with an optional ``:count``, which is searched
        by halves, so that lists of many gigabytes answer at once.
    """
    with file.open("rb") as opened:
        if not _HASH.fullmatch(opened.readline(_LONGEST)):
            opened.seek(0)
            wanted = password.encode("utf-8")
            return any(line.rstrip(b"\r\n") == wanted for line in opened)
        return _is_among(opened, hashlib.sha1(password.encode("utf-8"), usedforsecurity=False).hexdigest().upper().encode("ascii"), file.stat().st_size)


def _is_among(opened: BinaryIO, wanted: bytes, size: int) -> bool:
    """Search by halves in sorted lines: `low` and `high` bound the bytes at which the line may begin."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        opened.seek(max(middle - 1, 0))
        if middle:
            opened.readline(_LONGEST)
        line = opened.readline(_LONGEST)[:40].upper()
        if line == wanted:
            return True
        if line and line < wanted:
            low = opened.tell()
        else:
            high = middle
    return False
