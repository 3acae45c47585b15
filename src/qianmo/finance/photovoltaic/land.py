"""How much plant a parcel carries, and whether it may (光伏用地)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, PASS, parameter, rule, verdict_of

__all__ = ["LAND_RULES", "SHARES", "avoided_carbon_t", "capacity_on", "land_verdicts"]

SHARES = ("basic_farmland", "eco_redline", "farmland", "forest", "grass", "other_farm")
"""Shares of a parcel that the rules ask for: overlaps with the protected layers, and land classes."""

LAND_RULES = ("F-11", "F-12", "F-13", "F-14", "Z-12")
"""Rules of the land under a photovoltaic plant, in the order of the columns."""


def capacity_on(area_m2: np.ndarray | float, overrides: Mapping[str, float] | None = None) -> np.ndarray:
    """Direct-current capacity a site carries [kW] (可装容量), by the parameter ``pv_m2_per_kw``: 30 mu a MW by default.

    >>> float(capacity_on(20_000.0))
    1000.0
    """
    area = np.asarray(area_m2, float)
    if (area < 0.0).any() or not np.isfinite(area).all():
        raise SchemaError(f"area {area_m2} m2", expected="0 or more", cure="核对地块面积")
    return area / parameter("pv_m2_per_kw", overrides)


def avoided_carbon_t(energy_kwh: np.ndarray | float, overrides: Mapping[str, float] | None = None) -> np.ndarray:
    """Carbon dioxide avoided [t] by energy fed in (碳减排量), by the parameter ``photovoltaic_carbon_t_mwh`` whose value is to be confirmed."""
    return np.asarray(energy_kwh, float) / 1000.0 * parameter("photovoltaic_carbon_t_mwh", overrides)


def land_verdicts(
    area_m2: np.ndarray, shares: Mapping[str, np.ndarray], *, on: date | None = None, rain_mm: float | None = None, shrub_cover_pct: float | None = None,
    protected_land_free: bool | None = None, facilities_on_construction: bool | None = None, overrides: Mapping[str, float] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Verdict of every land rule on every parcel (光伏用地判定).

    A parcel breaks an overlap rule where more than the parameter ``conflict_tolerance_m2`` of it lies in the layer. A rule whose text was not confirmed never
    fails a parcel: it gives `needs_confirmation`. What nobody told gives `no_data`.

    Parameters
    ----------
    area_m2 : ndarray (n,)
    shares : mapping of `SHARES` to ndarray (n,)
        Fractions 0 to 1 of each parcel; a layer that is not there is left out, its rule then has no data.
    on : date, optional
        Day the rules must be in force; a rule that is not is left out of the table.
    rain_mm, shrub_cover_pct : float, optional
        Yearly rain and cover of the shrubs, for forest land.
    protected_land_free : bool, optional
        True where somebody confirmed that no basic grassland, grade-I protected or key state forest is used.
    facilities_on_construction : bool, optional
        True where substation and roads have land for construction.

    Returns
    -------
    DataFrame, n rows
        One column a rule with the verdict, `verdict` the worst of them, and `reasons` in words.

    Raises
    ------
    SchemaError
        A share outside 0 to 1, of a wrong length or unknown name.
    """
    area = np.asarray(area_m2, float)
    known = {k: _checked(k, v, len(area)) for k, v in shares.items()}
    tolerance = parameter("conflict_tolerance_m2", overrides)
    over = {k: v * area > tolerance for k, v in known.items()}
    answers = {
        "F-11": _never(known, over, area, protected_land_free), "F-12": _farmland(known, over, area),
        "F-13": _forest(known, over, area, rain_mm, shrub_cover_pct), "F-14": [_facilities(facilities_on_construction)] * len(area), "Z-12": _redline(known, over, area),
    }  # fmt: skip
    out = pd.DataFrame(index=range(len(area)))
    said: list[list[str]] = [[] for _ in area]
    for rule_id in LAND_RULES:
        found = rule(rule_id)
        if on is not None and ((found.effective_from and on < found.effective_from) or (found.effective_to and on > found.effective_to)):
            continue
        out[rule_id] = [verdict_of(found, ok) for ok, _ in answers[rule_id]]
        for k, (_, words) in enumerate(answers[rule_id]):
            if words:
                said[k].append(f"{rule_id} {words}")
    order = (FAIL, CONFIRM, NO_DATA, PASS)
    out["verdict"] = [min(row, key=order.index) if len(row) else PASS for row in out.to_numpy(dtype=object)]
    out["reasons"] = ["；".join(words) for words in said]
    return out


def _checked(name: str, values: np.ndarray, rows: int) -> np.ndarray:
    found = np.asarray(values, float)
    if name not in SHARES or found.shape != (rows,) or not (np.isfinite(found).all() and (found >= -1e-9).all() and (found <= 1.0 + 1e-6).all()):
        raise SchemaError(f"share {name!r} of shape {found.shape}", expected=f"one of {', '.join(SHARES)} with {rows} fractions 0 to 1")
    return np.clip(found, 0.0, 1.0)


def _told(share: float, area: float) -> str:
    return f"{share * area:,.0f} m2 ({share:.1%})"


def _never(known: Mapping[str, np.ndarray], over: Mapping[str, np.ndarray], area: np.ndarray, free: bool | None) -> list[tuple[bool | None, str]]:
    def one(k: int) -> tuple[bool | None, str]:
        if "basic_farmland" not in known:
            return None, "缺永久基本农田图层"
        if over["basic_farmland"][k]:
            return False, f"占永久基本农田 {_told(known['basic_farmland'][k], area[k])}"
        doubtful = [name for name in ("forest", "grass") if name not in over or over[name][k]]
        if free is False and doubtful:
            return False, "占基本草原或重点保护林地"
        if free is None and doubtful:
            return None, "有林地或草地，须核实是否基本草原、Ⅰ级保护林地"
        return True, ""

    return [one(k) for k in range(len(area))]


def _farmland(known: Mapping[str, np.ndarray], over: Mapping[str, np.ndarray], area: np.ndarray) -> list[tuple[bool | None, str]]:
    if "farmland" not in known:
        return [(None, "缺耕地图斑")] * len(area)
    other = over.get("other_farm", np.zeros(len(area), bool))
    return [
        (False, f"方阵占耕地 {_told(known['farmland'][k], area[k])}") if over["farmland"][k] else (True, "占园地等其他农用地，从严控制" if other[k] else "")
        for k in range(len(area))
    ]  # fmt: skip


def _forest(known: Mapping[str, np.ndarray], over: Mapping[str, np.ndarray], area: np.ndarray, rain: float | None, cover: float | None) -> list[tuple[bool | None, str]]:
    if "forest" not in known:
        return [(None, "缺林地图斑")] * len(area)
    most_rain, most_cover = (float(x) for x in rule("F-13").threshold.split(";"))

    def one(k: int) -> tuple[bool | None, str]:
        if not over["forest"][k]:
            return True, ""
        words = f"占林地 {_told(known['forest'][k], area[k])}"
        if rain is None or cover is None:
            return None, f"{words}，须为林光互补，缺年降水量与灌木覆盖度"
        return rain < most_rain and cover < most_cover, f"{words}，年降水 {rain:g} mm、覆盖度 {cover:g}%"

    return [one(k) for k in range(len(area))]


def _facilities(told: bool | None) -> tuple[bool | None, str]:
    return told, "" if told else ("配套设施未落在建设用地" if told is False else "升压站、道路用地未说明")


def _redline(known: Mapping[str, np.ndarray], over: Mapping[str, np.ndarray], area: np.ndarray) -> list[tuple[bool | None, str]]:
    if "eco_redline" not in known:
        return [(None, "缺生态保护红线图层")] * len(area)
    return [
        (False, f"占生态保护红线 {_told(share, whole)}") if is_over else (True, "")
        for is_over, share, whole in zip(over["eco_redline"], known["eco_redline"], area)
    ]  # fmt: skip
