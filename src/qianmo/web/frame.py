"""What every page shows around its content (页面框架)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from qianmo.schema.desk import desk_roles
from qianmo.web.words import UNITS

__all__ = ["frame", "unit_of"]


def unit_of(request: HttpRequest) -> str:
    """The unit of area the person chose; mu where none was (面积单位)."""
    unit = request.COOKIES.get("unit", "mu")
    return unit if unit in UNITS else "mu"


def frame(request: HttpRequest) -> dict[str, Any]:
    """Unit, units and what the person may do, for all templates (页面上下文)."""
    role = desk_roles().get(getattr(getattr(request, "user", None), "role", ""))
    return {"unit": unit_of(request), "units": tuple(UNITS), "actions": role.actions if role else frozenset(), "path": request.get_full_path(), "sign_on": settings.QIANMO_SIGN_ON}
