"""Goaf: stability of the site, ways of treatment, grout, what movement is left (采空区)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import SchemaError
from qianmo.survey.subsidence.damage import graded, intervals
from qianmo.survey.subsidence.parameters import stable_after_days

__all__ = ["GoafSite", "Treatment", "checked_site", "depth_thickness_ratio", "doubts", "grout_volume_m3", "residual_share", "stability", "treatments"]

_TABLE, _ITEM = "goaf_site_stability", "采空区场地"


@dataclass(frozen=True)
class GoafSite:
    """What is known of a goaf site (采空区场地): nan where not known.

    Attributes
    ----------
    depth_m, thickness_m : float
        Depth of the seam and mined thickness [m].
    days_since_end : float
        Days since mining ended.
    rate_mm_day, six_months_mm : float
        Measured rate of subsidence [mm/d] and subsidence of six months [mm].
    residual_mm, residual_tilt_mm_m, residual_strain_mm_m, residual_curvature_e3_m : float
        Movement still to come, see `residual_share`.
    """

    depth_m: float
    thickness_m: float
    days_since_end: float
    rate_mm_day: float = float("nan")
    six_months_mm: float = float("nan")
    residual_mm: float = float("nan")
    residual_tilt_mm_m: float = float("nan")
    residual_strain_mm_m: float = float("nan")
    residual_curvature_e3_m: float = float("nan")


@dataclass(frozen=True)
class Treatment:
    """One way to treat a goaf (治理方式) with why it fits or not."""

    name: str
    zh: str
    fits: bool
    reason: str


def stability(site: GoafSite) -> tuple[str, str, str]:
    """Grade, Chinese word and the metric that decides: 稳定 S, 基本稳定 BS, 不稳定 U (场地稳定性).

    The worst of the measured metrics and of the time since mining over the time of movement T.

    Raises
    ------
    SchemaError
        Depth or days are out of range.
    """
    if not (np.isfinite(site.days_since_end) and site.days_since_end >= 0):
        raise SchemaError(f"停采时间 {site.days_since_end} 天", expected="不小于 0 的天数")
    metrics = {
        "t/T": site.days_since_end / stable_after_days(site.depth_m), "Vw": site.rate_mm_day, "dW6": site.six_months_mm, "dW": site.residual_mm,
        "di": site.residual_tilt_mm_m, "de": site.residual_strain_mm_m, "dK": site.residual_curvature_e3_m,
    }  # fmt: skip
    rank, worst = graded(_TABLE, _ITEM, {k: np.array([v]) for k, v in metrics.items() if np.isfinite(v)})
    row = next(r for r in intervals(_TABLE, _ITEM) if r.rank == rank[0])
    return row.grade, row.zh, str(worst[0])


def checked_site(site: GoafSite, *, final_mm: float = float("nan"), rate_per_day: float = float("nan")) -> GoafSite:
    """The same site after what cannot be was refused: slips of unit and sign (采空区场地核对).

    Parameters
    ----------
    site : GoafSite
    final_mm : float
        Final subsidence that was told [mm], nan where not.
    rate_per_day : float
        Time coefficient c [1/d], nan where not told.

    Raises
    ------
    SchemaError
        Depth outside 3–3000 m, thickness outside 0.1–60 m or not under the depth, movement upwards, final subsidence above what was mined or below a thousandth
        of it (metres?), c above 0.2 a day (a year?).
    """
    mined = 1000.0 * site.thickness_m
    checks = (
        (3.0 <= site.depth_m <= 3000.0, f"采深 {site.depth_m:g} m", "3 至 3000 米", "核对单位 (米与毫米)"),
        (0.1 <= site.thickness_m <= 60.0 and site.thickness_m < site.depth_m, f"采厚 {site.thickness_m:g} m, 采深 {site.depth_m:g} m", "0.1 至 60 米, 小于采深", "核对单位, 采深与采厚是否写反"),
        (not site.rate_mm_day < 0 and not site.six_months_mm < 0 and not final_mm < 0, f"下沉 {_least(site.rate_mm_day, site.six_months_mm, final_mm):g}", "不小于 0, 下沉为正", "改正符号; 上升的点写 0"),
        (not final_mm > mined, f"最终下沉 {final_mm:g} mm, 采厚 {mined:g} mm", "不超过采厚", "核对单位 (毫米)"),
        (not 0 < final_mm < 1e-3 * mined, f"最终下沉 {final_mm:g} mm, 不到采厚 {mined:g} mm 的千分之一", "毫米", "像是以米为单位, 换算为毫米"),
        (not rate_per_day > 0.2, f"时间系数 c = {rate_per_day:g}", "不大于 0.2 (1/天)", "像是每年的值, 除以 365"),
    )  # fmt: skip
    for fine, found, expected, cure in checks:
        if not fine:
            raise SchemaError(found, expected=expected, cure=cure)
    return site


def doubts(site: GoafSite, *, discontinuous_ratio: float) -> list[str]:
    """Why a grade must not be taken as it is: nothing measured, shallow under thick mining, measures that contradict each other (定级的疑点).

    Parameters
    ----------
    site : GoafSite
    discontinuous_ratio : float
        Depth over thickness below which the ground may break suddenly; time since mining then tells little, a void can stand for decades and fall in a day.
    """
    said = []
    if not np.isfinite([site.rate_mm_day, site.six_months_mm]).any():
        said.append("没有实测移动，只按停采时间与推算的剩余变形定级")
    ratio = depth_thickness_ratio(site.depth_m, site.thickness_m)
    if ratio < discontinuous_ratio:
        said.append(f"深厚比 {ratio:.1f} 小于 {discontinuous_ratio:g}，空洞可能多年后突然塌陷，停采时间长不等于稳定，须钻探查明")
    half_year = 182.5 * site.rate_mm_day
    if abs(half_year - site.six_months_mm) > 30.0 + 0.5 * max(half_year, site.six_months_mm):
        said.append(f"下沉速率 {site.rate_mm_day:g} 毫米/天合半年 {half_year:.0f} 毫米，与半年下沉 {site.six_months_mm:g} 毫米不符，核对单位")
    return said


def _least(*values: float) -> float:
    return float(np.nanmin(np.array([*values, 0.0])))


def depth_thickness_ratio(depth_m: float, thickness_m: float) -> float:
    """Depth over mined thickness (深厚比).

    Raises
    ------
    SchemaError
        The thickness is not above 0.
    """
    if not thickness_m > 0:
        raise SchemaError(f"采厚 {thickness_m} m", expected="大于 0")
    return depth_m / thickness_m


def residual_share(days_since_mined: float, rate_per_day: float) -> float:
    """Share of the final movement still to come, exp(−c t), 0 to 1 (剩余变形比例).

    Raises
    ------
    SchemaError
        Negative days, or a rate not above 0.
    """
    if not (days_since_mined >= 0 and rate_per_day > 0):
        raise SchemaError(f"停采 {days_since_mined} 天, c = {rate_per_day}", expected="天数不小于 0, 时间系数大于 0 (1/天)")
    return float(np.exp(-rate_per_day * days_since_mined))


def grout_volume_m3(*, loss: float, area_m2: float, thickness_m: float, extraction: float, void_rate: float, filling: float, stone_rate: float) -> float:
    """Grout for a goaf, Q = A·S·m·K·ΔV·η/c [m3] (注浆量).

    Parameters
    ----------
    loss : float
        A, loss of grout, 1.0 to 2.0; usual 1.1–1.3.
    area_m2, thickness_m : float
        S treated area [m2], m mined thickness [m].
    extraction, void_rate, filling, stone_rate : float
        K, ΔV, η, c: shares above 0, at most 1 (回采率, 剩余空隙率, 充填率, 结石率).

    Raises
    ------
    SchemaError
        A value is out of range.
    """
    shares = {"K 回采率": extraction, "ΔV 剩余空隙率": void_rate, "η 充填率": filling, "c 结石率": stone_rate}
    bad = [f"{k} = {v}" for k, v in shares.items() if not 0 < v <= 1]
    bad += [f"{k} = {v}" for k, v in {"S 面积": area_m2, "m 采厚": thickness_m}.items() if not (np.isfinite(v) and v > 0)]
    bad += [] if 1.0 <= loss <= 2.0 else [f"A 损耗系数 = {loss}"]
    if bad:
        raise SchemaError("注浆量参数超出范围: " + ", ".join(bad), expected="各比例在 (0, 1], 损耗系数 1.0-2.0, 面积与采厚大于 0")
    return loss * area_m2 * thickness_m * extraction * void_rate * filling / stone_rate


def treatments(site: GoafSite, *, grade: str, shallow_m: float, span_m: float, widest_bridged_m: float, important: bool) -> Sequence[Treatment]:
    """Ways of treatment, each with the reason it fits or not (治理方式比选): grouting, bridging, backfill, avoidance, watching.

    Parameters
    ----------
    site : GoafSite
    grade : {"S", "BS", "U"}
        From `stability`.
    shallow_m : float
        Depth to which digging out and filling is taken into account [m]; a parameter of the user.
    span_m, widest_bridged_m : float
        Span of the void under the building [m], nan where not known, and the widest span a raft or beam may bridge.
    important : bool
        A building whose failure costs lives.

    Raises
    ------
    SchemaError
        Unknown grade.
    """
    if grade not in ("S", "BS", "U"):
        raise SchemaError(f"稳定性等级 {grade!r}", expected="S, BS 或 U")
    unrest, small = grade == "U", span_m <= widest_bridged_m
    shallow = site.depth_m <= shallow_m
    return (
        Treatment("watch", "监测观察", grade == "S" or (grade == "BS" and not important), f"场地{_word(grade)}" + (", 建筑重要" if important else "")),
        Treatment("strengthen", "加固支护", not unrest and small, f"{'跨度未知' if np.isnan(span_m) else f'跨度 {span_m:g} m'}, 可跨越 {widest_bridged_m:g} m; 场地{_word(grade)}"),
        Treatment("excavate", "开挖回填", shallow, f"采深 {site.depth_m:g} m, 开挖上限 {shallow_m:g} m"),
        Treatment("grout", "注浆充填", grade != "S" and not shallow, f"采深 {site.depth_m:g} m, 场地{_word(grade)}"),
        Treatment("avoid", "避让", unrest and important, f"场地{_word(grade)}" + (", 建筑重要" if important else ", 建筑不重要")),
    )


def _word(grade: str) -> str:
    return {"S": "稳定", "BS": "基本稳定", "U": "不稳定"}[grade]
