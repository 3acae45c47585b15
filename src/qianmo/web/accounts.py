"""Accounts are made by a manager, never by a visitor (账户)."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ChangePasswordForm
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

__all__ = ["DeskAdapter", "OwnPasswordForm"]


class OwnPasswordForm(ChangePasswordForm):
    """A new password, which is another one than before (更改口令)."""

    def clean_password1(self) -> str:
        """Refuse the old password, which somebody else may know."""
        chosen: str = self.cleaned_data["password1"]
        if self.user.check_password(chosen):
            raise ValidationError(_("This is the password you have. Choose another one."))
        return chosen


class DeskAdapter(DefaultAccountAdapter):
    """Sign-up is closed (关闭自助注册)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for himself."""
        return False

    def set_password(self, user: Any, password: str) -> None:
        """Keep the password that its owner chose."""
        user.set_password(password)
        user.password_given = False
        user.save()

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, and tell of a password that changed since the last time."""
        super().login(request, user)
        if user.password_changed is not None:
            when = timezone.localtime(user.password_changed)
            messages.warning(request, _("Your password was changed on %(time)s. If that was not you, tell a manager of the desk at once.") % {"time": f"{when:%Y-%m-%d %H:%M}"})
            type(user).objects.filter(pk=user.pk).update(password_changed=None)
