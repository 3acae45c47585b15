"""How subsidence comes about in time: Knothe, delayed Knothe, Boltzmann; faces that advance (动态沉陷)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.optimize import least_squares

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.subsidence.face import Face, inner_ring

__all__ = ["COURSES", "TimeFit", "boltzmann", "developed_share", "fit_time_course", "knothe", "strips"]


@dataclass(frozen=True)
class TimeFit:
    """A fitted time course (时间函数拟合): final subsidence [mm], parameters, R² and rms [mm]."""

    course: str
    parameters: dict[str, float]
    r2: float
    rms_mm: float
    fitted_mm: np.ndarray


def knothe(days: np.ndarray, final_mm: float, rate: float, start: float = 0.0) -> np.ndarray:
    """W(t) = W_final·(1 − exp(−c (t − start))) after the start, 0 before [mm]; c per day (克诺特时间函数)."""
    late = np.maximum(np.asarray(days, dtype=float) - start, 0.0)
    return final_mm * -np.expm1(-rate * late)


def boltzmann(days: np.ndarray, final_mm: float, middle: float, width: float) -> np.ndarray:
    """W(t) = A − A/(1 + exp((t − t0)/B)) [mm]: slow, fast, slow (玻尔兹曼时间函数)."""
    return final_mm / (1.0 + np.exp(-(np.asarray(days, dtype=float) - middle) / width))


COURSES: dict[str, tuple[Callable[..., np.ndarray], tuple[str, ...]]] = {
    "knothe": (knothe, ("final_mm", "rate")),
    "delayed_knothe": (knothe, ("final_mm", "rate", "start")),
    "boltzmann": (boltzmann, ("final_mm", "middle", "width")),
}
"""Time courses by name with their parameters."""


def developed_share(days_since_mined: np.ndarray, rate_per_day: float) -> np.ndarray:
    """Share of the final movement reached, 1 − exp(−c t), 0 to 1 (下沉完成比例).

    Raises
    ------
    SchemaError
        The rate is not above 0.
    """
    if not rate_per_day > 0:
        raise SchemaError(f"时间系数 c = {rate_per_day}", expected="大于 0, 单位 1/天")
    return knothe(np.asarray(days_since_mined, dtype=float), 1.0, rate_per_day)


def fit_time_course(days: np.ndarray, subsidence_mm: np.ndarray, *, course: str) -> TimeFit:
    """Fit one time course to the subsidence of a point by least squares from several starts (时间函数反演).

    Parameters
    ----------
    days : ndarray (n,)
        Days since a common date, rising.
    subsidence_mm : ndarray (n,)
        Down positive; nan = not measured.
    course : {"knothe", "delayed_knothe", "boltzmann"}

    Raises
    ------
    SchemaError
        Unknown course, lengths differ, or days do not rise.
    MissingDataError
        Fewer measured dates than parameters plus one.
    """
    if course not in COURSES:
        raise SchemaError(f"时间函数 {course!r}", expected=", ".join(COURSES))
    t, w = np.asarray(days, dtype=float), np.asarray(subsidence_mm, dtype=float)
    if t.shape != w.shape or t.ndim != 1 or not (np.diff(t) > 0).all():
        raise SchemaError("观测日期与下沉值不成对, 或日期不递增", expected="等长的一维数组, 日期递增", cure="按日期排序并去掉重复日期")
    known = np.isfinite(w)
    formula, names = COURSES[course]
    if known.sum() < len(names) + 1:
        raise MissingDataError(f"有效观测 {int(known.sum())} 期", expected=f"拟合 {course} 至少 {len(names) + 1} 期")
    t, w = t[known], w[known]
    span, top = t[-1] - t[0], max(float(w.max()), 1.0)
    low, high = _bounds(course, t, span, top)
    tries = [least_squares(lambda p: formula(t, *p) - w, x0, bounds=(low, high), x_scale=high - low, xtol=1e-12, ftol=1e-12, gtol=1e-12)
             for x0 in _starts(course, t, span, top)]  # fmt: skip
    best = min(tries, key=lambda s: s.cost)
    fitted = formula(t, *best.x)
    spread = float(((w - w.mean()) ** 2).sum())
    left = float(((w - fitted) ** 2).sum())
    return TimeFit(course, dict(zip(names, best.x.tolist())), 1.0 - left / spread if spread > 0 else float("nan"), float(np.sqrt(left / len(w))), fitted)


def strips(face: Face, *, advance_m: Sequence[float], advance_azimuth_deg: float) -> list[Face]:
    """Cut a face across its advance into what was mined between the given positions (按推进位置分条).

    Parameters
    ----------
    advance_m : sequence of float
        Positions of the face from its start, rising, the first 0 or more [m]; strip k lies between k and k + 1.
    advance_azimuth_deg : float
        Direction of the advance, clockwise from north.

    Returns
    -------
    list of Face
        One face a strip that holds area. The inflection offsets have been taken off the whole face and are 0 in the
        strips; depths follow the dip. Where the face advances along the strike, the strips together act as the face.

    Raises
    ------
    SchemaError
        Positions that do not rise.
    """
    at = np.asarray(advance_m, dtype=float)
    if len(at) < 2 or not (np.diff(at) > 0).all():
        raise SchemaError(f"推进位置 {list(advance_m)[:6]}", expected="至少两个递增的距离 (米)")
    azimuth = np.radians(advance_azimuth_deg)
    along, across = np.array([np.sin(azimuth), np.cos(azimuth)]), np.array([np.cos(azimuth), -np.sin(azimuth)])
    ring = np.asarray(face.polygon.exterior.coords)[:, :2]
    start = float((ring @ along).min())
    sides = ring @ across
    inner = shapely.Polygon(inner_ring(face))
    still = replace(face.parameters, offset_down_m=0.0, offset_up_m=0.0, offset_left_m=0.0, offset_right_m=0.0)
    wide = [float(sides.min()) - 1.0, float(sides.max()) + 1.0]
    made = []
    for k, (a, b) in enumerate(zip(at[:-1] + start, at[1:] + start)):
        corner = [a * along + wide[0] * across, b * along + wide[0] * across, b * along + wide[1] * across, a * along + wide[1] * across]
        part = shapely.intersection(inner, shapely.Polygon(corner))
        for piece in shapely.get_parts(part):
            if isinstance(piece, shapely.Polygon) and piece.area > 0:
                made.append(replace(face, polygon=piece, depth_m=_depth_at(face, piece), parameters=still, name=f"{face.name}#{k + 1}"))
    return made


def _depth_at(face: Face, piece: shapely.Polygon) -> float:
    azimuth = np.radians(face.dip_azimuth_deg)
    gap = np.asarray(piece.centroid.coords)[0] - np.asarray(face.polygon.centroid.coords)[0]
    return float(face.depth_m + np.tan(np.radians(face.dip_deg)) * (gap @ np.array([np.sin(azimuth), np.cos(azimuth)])))


def _bounds(course: str, t: np.ndarray, span: float, top: float) -> tuple[np.ndarray, np.ndarray]:
    if course == "boltzmann":
        return np.array([0.0, t[0] - span, span * 1e-4]), np.array([10.0 * top, t[-1] + span, 5.0 * span])
    low, high = [0.0, 1e-6], [10.0 * top, 10.0]
    return (np.array(low), np.array(high)) if course == "knothe" else (np.array([*low, t[0]]), np.array([*high, t[-1]]))


def _starts(course: str, t: np.ndarray, span: float, top: float) -> list[list[float]]:
    if course == "boltzmann":
        return [[top, t[0] + share * span, width * span] for share in (0.2, 0.4, 0.6) for width in (0.03, 0.15)]
    if course == "knothe":
        return [[top, scale / span] for scale in (0.5, 2.0, 8.0)]
    return [[top, scale / span, t[0] + share * span] for share in (0.02, 0.1, 0.3) for scale in (3.0, 10.0)]
