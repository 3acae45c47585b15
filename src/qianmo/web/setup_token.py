"""The one-time word that lets the first person in (首用户口令)."""

from __future__ import annotations

import secrets

from django.conf import settings

from qianmo.web.models import Person

__all__ = ["is_open", "is_right"]


def is_open() -> bool:
    """Whether the first-user page may be used: there is a word and still nobody."""
    return bool(settings.QIANMO_SETUP_TOKEN) and not Person.objects.exists()


def is_right(word: str) -> bool:
    """Whether a word is the one that was printed, compared in constant time."""
    return is_open() and secrets.compare_digest(word.encode(), settings.QIANMO_SETUP_TOKEN.encode())
