"""Accounts are made by a manager, never by a visitor (账户)."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

__all__ = ["DeskAdapter"]


class DeskAdapter(DefaultAccountAdapter):
    """Sign-up is closed (关闭自助注册)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for himself."""
        return False
