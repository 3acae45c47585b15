"""Parameters of the probability-integral method from levelling and from InSAR, with their trade-off (参数反演)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.optimize import least_squares

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.subsidence.face import Face
from qianmo.survey.subsidence.predict import predict
from qianmo.survey.subsidence.section import semi_infinite_section

__all__ = ["LIMITS", "Inversion", "Observations", "TradeOff", "as_told", "fit_faces", "fit_section", "modelled", "scale_of", "trade_off", "unseen"]

LIMITS = {
    "q": (0.05, 1.2), "tan_beta": (0.8, 4.0), "b": (0.05, 0.6), "offset_down_m": (-150.0, 200.0), "offset_up_m": (-150.0, 200.0),
    "offset_left_m": (-150.0, 200.0), "offset_right_m": (-150.0, 200.0), "dip_deg": (0.0, 60.0), "shift_east_m": (-200.0, 200.0), "shift_north_m": (-200.0, 200.0),
}  # fmt: skip
"""Range searched for each parameter; the last three move the faces themselves."""

Limits = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Observations:
    """Measured movement of n points (观测值).

    Attributes
    ----------
    points_m : ndarray (n, 2)
        East and north [m].
    value_mm : ndarray (n,)
        Measured movement along `direction` [mm].
    sigma_mm : ndarray (n,)
        Standard error of each value [mm], above 0: it weighs levelling against InSAR.
    direction : ndarray (n, 3)
        Unit vector (east, north, down) along which the value is positive; levelling has (0, 0, 1), a line of sight
        towards the satellite (−sin θ cos h, sin θ sin h, −cos θ).
    """

    points_m: np.ndarray
    value_mm: np.ndarray
    sigma_mm: np.ndarray
    direction: np.ndarray


@dataclass(frozen=True)
class Inversion:
    """A fit with what is known of it (反演结果).

    `covariance` is that of the parameters in the order of `parameters`, scaled by the weighted misfit; `correlation`
    near ±1 says that the data fix a combination of two parameters only.
    """

    parameters: dict[str, float]
    covariance: np.ndarray
    correlation: np.ndarray
    rms_mm: float
    reduced_chi2: float
    fitted_mm: np.ndarray


@dataclass(frozen=True)
class TradeOff:
    """Best misfit for each fixed value of one parameter (参数权衡曲线).

    `rms_mm` belongs to `values`; `low` and `high` bound the values whose weighted misfit rises by no more than one
    standard error (reduced chi-square units); `others` holds the other parameters at each value.
    """

    name: str
    values: np.ndarray
    rms_mm: np.ndarray
    low: float
    high: float
    others: list[dict[str, float]]


def fit_section(y_m: np.ndarray, subsidence_mm: np.ndarray, *, radii: int = 2, sigma_mm: float = 1.0) -> Inversion:
    """Fit W0/2·[erf(√π(y−s1)/r1) − erf(√π(y−s2)/r2)] to a main section (主断面反演).

    Parameters
    ----------
    y_m, subsidence_mm : ndarray (n,)
        Distance along the line [m] and subsidence, down positive [mm].
    radii : {1, 2}
        One influence radius for both sides, or one for each.
    sigma_mm : float
        Standard error of a value [mm].

    Returns
    -------
    Inversion
        Parameters largest_mm, left_m, right_m, radius_left_m (, radius_right_m). Where extraction is far from critical
        the data fix the product largest_mm·(right_m − left_m), not its factors: read the correlation and compare curves.

    Raises
    ------
    MissingDataError
        Fewer finite pairs than parameters plus one.
    SchemaError
        Lengths differ, distances that do not run in one direction, `radii` is neither 1 nor 2, or a profile that looks like metres: less than 2 mm deep,
        over 100 km long, or upside down.
    """
    y, w = np.asarray(y_m, dtype=float), np.asarray(subsidence_mm, dtype=float)
    if y.shape != w.shape or y.ndim != 1 or radii not in (1, 2):
        raise SchemaError(f"剖面 {y.shape} 与 {w.shape}, 半径数 {radii}", expected="等长的一维数组; 半径数 1 或 2")
    known = np.isfinite(y) & np.isfinite(w)
    names = ("largest_mm", "middle_m", "width_m", "radius_left_m", "radius_right_m")[: 3 + radii]
    if known.sum() < len(names) + 1:
        raise MissingDataError(f"有效测点 {int(known.sum())} 个", expected=f"至少 {len(names) + 1} 个")
    y, w = y[known], w[known]
    steps = np.diff(y)
    if not ((steps > 0).all() or (steps < 0).all()):
        wrong = np.flatnonzero(np.sign(steps) != np.sign(np.median(steps)))[:5] + 2
        raise SchemaError(f"剖面距离不单调, 第 {', '.join(map(str, wrong))} 个测点", expected="沿剖面同一方向的距离 (米)", cure="按距离排序, 去掉重复测点")
    if np.ptp(y) > 1e5 or not w.max() >= max(2.0, -w.min()):
        raise SchemaError(f"剖面长 {np.ptp(y):g} m, 最大下沉 {w.max():g} mm", expected="距离以米计, 下沉以毫米计且向下为正", cure="核对单位与符号")
    span, top, centre = float(np.ptp(y)), float(w.max()), float(y[w.argmax()])

    def model(p: np.ndarray) -> np.ndarray:
        volume, middle, width = p[0] * 1e3, p[1], np.exp(p[2])
        near = semi_infinite_section(y - (middle - width / 2), largest_mm=volume / width, radius_m=p[3])
        far = semi_infinite_section(y - (middle + width / 2), largest_mm=volume / width, radius_m=p[-1])
        return near.subsidence_mm - far.subsidence_mm

    starts = [np.array([top * r * 1e-3, centre, np.log(width), *([r] * radii)]) for r in (0.1 * span, 0.25 * span) for width in (0.03 * span, 0.2 * span)]
    tries = [least_squares(lambda p: (model(p) - w) / sigma_mm, x0, x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=4000,
                           bounds=([0, -np.inf, np.log(1e-3 * span), *([1.0] * radii)], [np.inf, np.inf, np.log(3 * span), *([3 * span] * radii)]))
             for x0 in starts]  # fmt: skip
    best = min(tries, key=lambda s: s.cost)
    width = float(np.exp(best.x[2]))
    largest, middle = float(best.x[0] * 1e3 / width), float(best.x[1])
    # covariance of (largest, left, right, radii) through the derivative of the change of variables
    turn = np.zeros((len(names), len(names)))
    turn[0, 0], turn[0, 2] = 1e3 / width, -largest
    turn[1, 1], turn[1, 2], turn[2, 1], turn[2, 2] = 1.0, -width / 2, 1.0, width / 2
    turn[3:, 3:] = np.eye(radii)
    found = {"largest_mm": largest, "left_m": middle - width / 2, "right_m": middle + width / 2, "radius_left_m": float(best.x[3])}
    if radii == 2:
        found["radius_right_m"] = float(best.x[4])
    return _told(found, best, sigma_mm * np.ones(len(w)), w, model(best.x), turn)


def as_told(face: Face, told: Mapping[str, float]) -> Face:
    """The face with parameters, dip or place (``shift_east_m``, ``shift_north_m`` [m]) changed as told (按反演值的工作面)."""
    rock = {n: v for n, v in told.items() if n in face.parameters.__dataclass_fields__}
    east, north = (float(told.get(n, 0.0)) for n in ("shift_east_m", "shift_north_m"))
    return replace(
        face, parameters=replace(face.parameters, **rock), dip_deg=float(told.get("dip_deg", face.dip_deg)),
        polygon=shapely.transform(face.polygon, lambda xy: xy + [east, north]) if east or north else face.polygon,
    )  # fmt: skip


def unseen(faces: Sequence[Face], seen: Observations, free: Sequence[str], limits: Limits = LIMITS) -> list[str]:
    """Names whose change over a tenth of their range moves no observation by a tenth of its standard error (观测不约束的参数).

    A fit would leave them where they started and call them exact.
    """
    now = modelled(faces, seen)
    found = []
    for name in free:
        low, high = limits[name]
        start = _start(faces, name)
        most = 0.0
        for step in (0.1 * (high - low), -0.1 * (high - low)):
            try:
                there = modelled([as_told(f, {name: float(np.clip(start + step, low, high))}) for f in faces], seen)
            except SchemaError:  # the face would vanish: its edge is near enough to be felt or not by the other step
                continue
            most = max(most, float((np.abs(there - now) / seen.sigma_mm).max()))
        if most < 0.1:
            found.append(name)
    return found


def fit_faces(faces: Sequence[Face], seen: Observations, *, free: Sequence[str] = ("q", "tan_beta", "b"), limits: Limits = LIMITS) -> Inversion:
    """Parameters common to all faces from any mix of levelling and InSAR (多源联合反演).

    Parameters
    ----------
    faces : sequence of Face
        Their parameters are the start and stay where not free.
    seen : Observations
    free : sequence of str
        Names out of `limits`: what the rock does, the inflection offsets, the dip, the place of the faces. A face that would vanish under its
        offsets is stepped back from.
    limits : mapping of name to (low, high)
        Range searched; a start outside it is moved to its border.

    Raises
    ------
    SchemaError
        Unknown name, shapes that do not match, errors not above 0, or values that are not finite.
    MissingDataError
        Not more values than free parameters.
    """
    _checked(seen, free, limits)
    low, high = np.array([limits[n] for n in free], dtype=float).T
    start = np.clip([_start(faces, n) for n in free], low + 1e-6 * (high - low), high - 1e-6 * (high - low))
    model = _model(faces, seen, free)

    def misfit(p: np.ndarray) -> np.ndarray:
        try:
            return (model(p) - seen.value_mm) / seen.sigma_mm
        except SchemaError:  # offsets that leave nothing of a face: no step goes there
            return np.full(len(seen.value_mm), np.inf)

    if not np.isfinite(misfit(start)).all():
        model(start)  # says why
    best = least_squares(misfit, start, bounds=(low, high), x_scale=high - low, xtol=1e-12, ftol=1e-12)
    return _told(dict(zip(free, best.x.tolist())), best, seen.sigma_mm, seen.value_mm, model(best.x), np.eye(len(free)))


def trade_off(
    faces: Sequence[Face], seen: Observations, *, name: str, values: Sequence[float], free: Sequence[str], limits: Limits = LIMITS
) -> TradeOff:
    """Hold one parameter at each value and fit the others: the price of every value in misfit (权衡曲线).

    Values at which a face would vanish are left out.

    Raises
    ------
    SchemaError
        The name is not free, or no value is given.
    """
    if name not in free or not len(values):
        raise SchemaError(f"权衡参数 {name!r}, 取值 {list(values)[:3]}", expected=f"{', '.join(free)} 之一与至少一个取值")
    rest = [n for n in free if n != name]
    fits, kept = [], []
    for value in values:
        held = [as_told(f, {name: float(value)}) for f in faces]
        try:
            fits.append(fit_faces(held, seen, free=rest, limits=limits) if rest else _held(held, seen))
        except SchemaError:
            continue
        kept.append(float(value))
    if not kept:
        raise SchemaError(f"权衡参数 {name}: 全部取值下工作面都消失", expected="至少一个取值留下工作面", cure="收窄 --fit 的范围")
    chi2 = np.array([(((f.fitted_mm - seen.value_mm) / seen.sigma_mm) ** 2).sum() for f in fits])
    unit = max(float(chi2.min()) / max(len(seen.value_mm) - len(free), 1), 1e-300)
    near = np.asarray(kept)[chi2 <= chi2.min() + unit]
    return TradeOff(name, np.asarray(kept), np.array([f.rms_mm for f in fits]), float(near.min()), float(near.max()), [f.parameters for f in fits])


def modelled(faces: Sequence[Face], seen: Observations) -> np.ndarray:
    """What the faces as they are predict for each observation [mm], (n,) (观测值的预计值)."""
    return _model(faces, seen, ())(np.empty(0))


def scale_of(faces: Sequence[Face], seen: Observations) -> float:
    """Factor that brings the prediction of the faces as they are nearest to the observations: near 0.001 speaks of metres (量级比).

    nan where the faces move none of the points.
    """
    told = modelled(faces, seen)
    size = float((told**2).sum())
    return float((told * seen.value_mm).sum() / size) if size > 0 else float("nan")


def _model(faces: Sequence[Face], seen: Observations, free: Sequence[str]) -> Callable[[np.ndarray], np.ndarray]:
    def model(p: np.ndarray) -> np.ndarray:
        told = dict(zip(free, map(float, p)))
        now = [as_told(f, told) for f in faces] if told else faces
        moved = predict(seen.points_m, now)
        return (moved.horizontal_mm * seen.direction[:, :2]).sum(axis=1) + moved.subsidence_mm * seen.direction[:, 2]

    return model


def _start(faces: Sequence[Face], name: str) -> float:
    """Value of the first face; places start where the faces lie."""
    if name.startswith("shift_"):
        return 0.0
    return float(faces[0].dip_deg if name == "dip_deg" else getattr(faces[0].parameters, name))


def _held(faces: Sequence[Face], seen: Observations) -> Inversion:
    fitted = _model(faces, seen, ())(np.empty(0))
    left = fitted - seen.value_mm
    return Inversion({}, np.zeros((0, 0)), np.zeros((0, 0)), float(np.sqrt((left**2).mean())), float(((left / seen.sigma_mm) ** 2).mean()), fitted)


def _told(found: dict[str, float], best, sigma: np.ndarray, value: np.ndarray, fitted: np.ndarray, turn: np.ndarray) -> Inversion:  # type: ignore[no-untyped-def]
    left = fitted - value
    spare = max(len(value) - len(found), 1)
    chi2 = float(((left / sigma) ** 2).sum() / spare)
    covariance = turn @ (np.linalg.pinv(best.jac.T @ best.jac) * chi2) @ turn.T
    spread = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    return Inversion(found, covariance, covariance / np.outer(spread, spread), float(np.sqrt((left**2).mean())), chi2, fitted)


def _checked(seen: Observations, free: Sequence[str], limits: Limits) -> None:
    unknown = [n for n in free if n not in limits]
    if unknown or not free:
        raise SchemaError(f"反演参数 {unknown or '为空'}", expected=", ".join(limits))
    n = len(seen.value_mm)
    if seen.points_m.shape != (n, 2) or seen.sigma_mm.shape != (n,) or seen.direction.shape != (n, 3):
        raise SchemaError(f"观测值 {n} 个, 坐标 {seen.points_m.shape}, 中误差 {seen.sigma_mm.shape}, 方向 {seen.direction.shape}", expected="行数一致")
    bad = np.flatnonzero(~(np.isfinite(seen.value_mm) & np.isfinite(seen.sigma_mm) & (seen.sigma_mm > 0) & np.isfinite(seen.direction).all(axis=1)))
    if len(bad):
        raise SchemaError(f"观测值、中误差或方向无效, 行 {bad[:10].tolist()}", expected="有限值, 中误差大于 0", cure="删除无效观测")
    if n <= len(free):
        raise MissingDataError(f"观测值 {n} 个", expected=f"多于反演参数 {len(free)} 个")
