"""The sign-in form without a way to reset a password from outside (登录表单)."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm

__all__ = ["SignInForm"]


class SignInForm(LoginForm):
    """Name and password (登录表单); who forgot the password asks a manager, so no link says otherwise."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["password"].help_text = ""
