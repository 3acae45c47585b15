"""The limits of a swap, each with its rule, counted in whole square decimetres (永农调整约束)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qianmo.planning.farmland_swap.land import SwapLand
from qianmo.planning.farmland_swap.settings import SwapSettings, limit_rows
from qianmo.planning.limits.rows import limit_row
from qianmo.planning.problem import Limit

__all__ = ["NotImposed", "mean_limits", "swap_limits"]

WORST = 15
"""Worst grade of farmland (耕地等别)."""


@dataclass(frozen=True)
class NotImposed:
    """A limit that is not in the problem, and why: waived by the user, or the data are missing (未施加的约束)."""

    limit: str
    zh: str
    rule_id: str
    why: str


@dataclass(frozen=True)
class _Flips:
    """What each option does: unit, +area where it enters, -area where it leaves, in m2."""

    land: SwapLand
    unit: np.ndarray
    change: np.ndarray
    settings: SwapSettings

    @property
    def base(self) -> float:
        return float(self.land.area[self.land.protected].sum())

    def only(self, member: np.ndarray) -> np.ndarray:
        return np.where(member[self.unit], self.change, 0.0)


def swap_limits(land: SwapLand, unit: np.ndarray, settings: SwapSettings) -> tuple[tuple[Limit, ...], tuple[NotImposed, ...]]:
    """Every linear limit of a swap whose option k flips unit ``unit[k]`` (全部线性约束).

    Notes
    -----
    Coefficients that are no whole square decimetre (shares) are rounded to the side that is not laxer: at most 0.01 m2 a
    patch. Where only some grades are known the count is cautious: an unknown grade counts as the worst when it enters and
    as the best when it leaves.
    """
    flips = _Flips(land, unit, np.where(land.protected[unit], -1.0, 1.0) * land.area[unit], settings)
    made: list[Limit] = []
    left: list[NotImposed] = []
    for row in limit_rows():
        name = row["limit"]
        if name not in _BUILD:
            continue
        if name in settings.waived:
            left.append(NotImposed(name, row["zh"], row["rule_id"], "按设置放弃 (waived)"))
        elif not _has_data(name, flips):
            left.append(NotImposed(name, row["zh"], row["rule_id"], f"缺数据,须核实:{row['needs']}"))
        else:
            made += _BUILD[name](flips, row["rule_id"], row["zh"])
    return tuple(made), tuple(left)


def mean_limits(
    land: SwapLand, unit: np.ndarray, *, grade: float | None = None, patch_m2: float | None = None
) -> tuple[Limit, ...]:
    """Means of both sides held apart by a reference value (均值约束的线性充分条件).

    "Mean in not worse than mean out" is no linear limit. With a reference r, ``mean in <= r`` and ``mean out >= r`` are,
    and together they imply it.

    Parameters
    ----------
    grade : float, optional
        Reference of the mean grade, area-weighted (Z-04); units of unknown grade must not move.
    patch_m2 : float, optional
        Reference of the mean patch area (Z-05). [m2]
    """
    enters = ~land.protected[unit]
    area, rows = land.area[unit], []
    if grade is not None:
        known = np.isfinite(land.grade[unit])
        worse = np.where(known, (np.nan_to_num(land.grade[unit]) - grade) * area, np.where(enters, 1.0, -1.0) * WORST * area)
        rows.append(limit_row("grade_mean:in", "Z-04", f"调入平均等别不劣于{grade:.4f}", np.where(enters, worse, 0.0), "<=", 0.0, "1"))
        rows.append(limit_row("grade_mean:out", "Z-04", f"调出平均等别不优于{grade:.4f}", np.where(enters, 0.0, worse), ">=", 0.0, "1"))
    if patch_m2 is not None:
        over = area - round(patch_m2, 2)
        zh = f"{patch_m2:.2f}平方米"
        rows.append(limit_row("patch_mean:in", "Z-05", f"调入平均图斑不小于{zh}", np.where(enters, over, 0.0), ">=", 0.0, "m2"))
        rows.append(limit_row("patch_mean:out", "Z-05", f"调出平均图斑小于{zh}", np.where(enters, 0.0, over + 0.01), "<=", 0.0, "m2"))
    return tuple(rows)


def _has_data(name: str, f: _Flips) -> bool:
    moving = np.zeros(f.land.n, bool)
    moving[f.unit] = True
    if name == "grade":
        return bool(np.isfinite(f.land.grade).any())
    if name == "steep":
        return bool(np.isfinite(f.land.slope_low).any())
    if name == "high_standard":
        return bool(np.isfinite(f.land.high_standard[f.land.protected]).all() and np.isfinite(f.land.high_standard[moving]).all())
    if name == "reserve":
        return not f.settings.reserve_first or bool(np.isfinite(f.land.reserve_share[moving & ~f.land.protected]).all())
    return True


def _surplus(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    share = f.settings.surplus_share
    rate = np.where(f.change < 0, 1.0 + share, 1.0)
    return [limit_row("surplus", rule_id, f"调入面积比调出多{share:.2%}以上", _down(f.change * rate), ">=", 0.0, "m2")]


def _cap(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    share, base = f.settings.cap_share, f.settings.base_m2 or f.base
    return [limit_row("cap", rule_id, f"调出面积不超过原永久基本农田的{share:.2%}", np.where(f.change < 0, -f.change, 0.0), "<=", share * base, "m2")]


def _grade(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    grade = f.land.grade
    unknown = ~np.isfinite(grade)
    cautious = np.where(unknown, np.where(f.land.protected, 0.0, WORST + 1.0), grade)
    steps = np.unique(cautious[f.unit])
    return [
        limit_row(f"grade:{g:g}", rule_id, f"{g:g}等及以上面积不减少", f.only(cautious <= g), ">=", 0.0, "m2")
        for g in steps[(steps >= 1) & (steps < WORST)]
    ]  # fmt: skip


def _paddy(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    return [limit_row("paddy", rule_id, zh, f.only(f.land.paddy), ">=", 0.0, "m2")]


def _steep(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    marked = f.settings.value("swap_steep_area_deg")
    sure = (f.land.slope_low >= marked) & (f.land.slope_high > marked)
    maybe = ~(f.land.slope_high <= marked)
    return [limit_row("steep", rule_id, f"坡度{marked:g}°以上面积不增加", f.only(np.where(f.land.protected, sure, maybe)), "<=", 0.0, "m2")]


def _irrigated(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    return _share_row("irrigated", rule_id, zh, f, f.land.irrigated)


def _high_standard(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    return _share_row("high_standard", rule_id, zh, f, f.land.high_standard == 1.0)


def _share_row(name: str, rule_id: str, zh: str, f: _Flips, member: np.ndarray) -> list[Limit]:
    """Member area after - share before × area after >= 0."""
    held = float(f.land.area[f.land.protected & member].sum())
    share = held / f.base if f.base else 0.0
    return [limit_row(name, rule_id, f"{zh}(调整前{share:.2%})", _down(f.only(member) - share * f.change), ">=", 0.0, "m2")]


def _township(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    floor, rows = f.settings.value("swap_township_floor_share"), []
    for code in np.unique(f.land.township[f.unit].astype(str)):
        here = f.land.township == code
        before = float(f.land.area[here & f.land.protected].sum())
        if before > 0:
            zh_here = f"{code or '未注明乡镇'}永久基本农田不低于调整前的{floor:.2%}"
            rows.append(limit_row(f"township:{code or '-'}", rule_id, zh_here, f.only(here), ">=", floor * before, "m2", constant=before))
    return rows


def _village(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    most, rows = f.settings.value("swap_village_out_share_max"), []
    if most >= 1.0:
        return []
    out = np.where(f.change < 0, -f.change, 0.0)
    for code in np.unique(f.land.village[f.unit[f.change < 0]].astype(str)):
        here = f.land.village == code
        before = float(f.land.area[here & f.land.protected].sum())
        rows.append(limit_row(f"village:{code or '-'}", rule_id, f"{code}调出不超过{most:.2%}", np.where(here[f.unit], out, 0.0), "<=", most * before, "m2"))
    return rows


def _reserve(f: _Flips, rule_id: str, zh: str) -> list[Limit]:
    if not f.settings.reserve_first:
        return []
    over = np.where(f.change > 0, (f.land.reserve_share[f.unit] - f.settings.reserve_share) * f.change, 0.0)
    return [limit_row("reserve", rule_id, f"调入面积{f.settings.reserve_share:.0%}以上来自储备区", _down(over), ">=", 0.0, "m2")]


def _down(amount: np.ndarray) -> np.ndarray:
    """Rounded down to whole square decimetres, for rows with a lower end; noise below a millionth is not a part."""
    return np.floor(amount * 100.0 + 1e-6) / 100.0


_BUILD: dict[str, Callable[[_Flips, str, str], list[Limit]]] = {
    "surplus": _surplus, "cap": _cap, "grade": _grade, "paddy": _paddy, "steep": _steep, "irrigated": _irrigated,
    "high_standard": _high_standard, "township": _township, "village": _village, "reserve": _reserve,
}  # fmt: skip
