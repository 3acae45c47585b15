"""Policy floors on quantities of the plan, e.g. the share of high-standard farmland (政策下限)."""

from __future__ import annotations

from qianmo.planning.limits.rows import limit_row
from qianmo.planning.parts import Parts
from qianmo.planning.problem import Limit
from qianmo.planning.service_effects import known_effect
from qianmo.planning.settings import PlanSettings
from qianmo.schema.errors import SchemaError

__all__ = ["build"]


def build(parts: Parts, settings: PlanSettings) -> list[Limit]:
    """Floors the user set, and the floor of high-standard works on farmland (政策下限).

    Raises
    ------
    SchemaError
        A floor names a quantity that options do not change.
    MissingDataError
        A floor names a service that is unknown for some option.
    """
    unknown = sorted(set(settings.floors) - set(parts.effects))
    if unknown:
        raise SchemaError(f"floor on unknown quantity {', '.join(unknown)}", expected=", ".join(parts.effects))
    rows = [
        limit_row(f"floor:{q}", "floor", f"{q} 不低于 {least:g}", known_effect(parts.effects, q, parts.patch_id[parts.patch]), ">=", least, _unit(q))
        for q, least in settings.floors.items()
    ]
    share = settings.value("high_standard_share_min")
    if share > 0:
        zh = f"高标准农田建设不少于现状耕地的{share:.1%}"
        bound = share * parts.base["farmland_m2"]
        rows.append(limit_row("high_standard_share", "floor", zh, parts.effects["high_standard_m2"], ">=", bound, "m2"))
    return rows


def _unit(quantity: str) -> str:
    """Money and areas count in whole hundredths; a service, whose unit its name tells, is any number."""
    return next((unit for unit in ("yuan", "m2") if quantity.endswith(f"_{unit}")), "1")
