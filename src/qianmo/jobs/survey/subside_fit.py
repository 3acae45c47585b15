"""Fit of the probability-integral parameters to levelling and InSAR with their trade-off (沉陷参数反演作业)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qianmo.jobs.survey.subside_free import FIT_WORDS, Asked
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.survey.subsidence.face import Face
from qianmo.survey.subsidence.invert import (
    Inversion,
    Observations,
    TradeOff,
    as_told,
    fit_faces,
    modelled,
    scale_of,
    trade_off,
    unseen,
)

__all__ = ["Fitted", "fitted"]

_WORDS = FIT_WORDS
_FLAT = 0.02
"""Part of the range of a parameter that its curve covers at least to either side."""
_STEPS = 13
_CLOSER = 7
_NEAR, _SPREADS = 1.5, 4.0
"""Standard errors to either side: close steps that bound the range, wide ones that show the curve."""


@dataclass(frozen=True)
class Fitted:
    """Faces before and after the fit, the fit, its levelling (no rows where InSAR alone was fitted), its curves and tables (反演成果)."""

    start: Sequence[Face]
    faces: list[Face]
    inversion: Inversion
    levelled: Observations
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, float, float]]
    tables: dict[str, pd.DataFrame]
    remark: str


def fitted(faces: Sequence[Face], sources: Mapping[str, Observations], asked: Asked | None = None) -> Fitted:
    """Fit q and tan β, and b where horizontal movement was measured, then hold each at several values (反演与权衡).

    What is asked for beside them (inflection offsets, dip, place of the faces) is fitted with them; what no observation feels stays and is named.

    Parameters
    ----------
    faces : sequence of Face
    sources : mapping of name to Observations
        Levelling, InSAR or both; fitted together, weighted by their standard errors, and each alone for comparison.
    asked : Asked, optional
        More parameters, bounds, and parameters held.

    Raises
    ------
    MissingDataError
        Not more observations than parameters, or all of them where the faces move nothing.
    SchemaError
        Observations in metres instead of millimetres, of the wrong sign, or larger than what was mined.
    """
    asked = asked or Asked()
    faces = [as_told(f, asked.held) for f in faces]
    for name, one in sources.items():
        _within_reach(name, faces, one)
        _right_unit(name, scale_of(faces, one))
        _possible(name, faces, one)
        if (one.direction[:, 2] == 1.0).all():
            _sinks(name, one)
    seen = Observations(*(np.concatenate([getattr(o, part) for o in sources.values()]) for part in ("points_m", "value_mm", "sigma_mm", "direction")))
    vertical = seen.direction[:, 2] == 1.0
    rock = ("q", "tan_beta") if vertical.all() else ("q", "tan_beta", "b")
    extra = tuple(n for n in asked.more if n not in rock)
    still = unseen(faces, seen, extra, asked.limits)
    free = tuple(n for n in (*rock, *extra) if n not in asked.held and n not in still)
    found = fit_faces(faces, seen, free=free, limits=asked.limits)
    moved = [as_told(f, found.parameters) for f in faces]
    sigma = np.sqrt(np.maximum(np.diag(found.covariance), 0.0))
    curves, rows, points = {}, [], []
    for name, spread in zip(free, sigma):
        low, high = asked.limits[name]
        half = min(max(_SPREADS * spread, 0.05 * abs(found.parameters[name]), 0.0 if name in rock else _FLAT * (high - low)), 0.5 * (high - low))
        near = np.linspace(-_NEAR * spread, _NEAR * spread, _STEPS)
        values = np.clip(found.parameters[name] + np.concatenate([near, np.linspace(-half, half, _STEPS)]), low, high)
        cost = trade_off(moved, seen, name=name, values=np.unique(values).tolist(), free=free, limits=asked.limits)
        if _SPREADS * spread > half:  # the spread is wider than the curve: it tells nothing of where the range ends
            cost = _closer(cost, lambda at, n=name: trade_off(moved, seen, name=n, values=at, free=free, limits=asked.limits))  # type: ignore[misc]
        curves[_WORDS[name]] = (cost.values, cost.rms_mm, cost.low, cost.high)
        rows.append((name, _WORDS[name], found.parameters[name], spread, cost.low, cost.high))
        points += [(name, v, r, "; ".join(f"{k} = {o:.4f}" for k, o in other.items())) for v, r, other in zip(cost.values, cost.rms_mm, cost.others)]
    tied = np.abs(found.correlation - np.eye(len(free)))
    worst = float(tied.max())
    pair = "与".join(_WORDS[free[k]] for k in np.unravel_index(tied.argmax(), tied.shape))
    remarks = [] if not vertical.all() else ["只有下沉观测, b 不能反演, 保持给定值"]
    remarks += [f"观测不约束 {'、'.join(_WORDS[n] for n in still if n != 'b')}, 保持给定值"] if set(still) - {"b"} else []
    remarks += [f"参数相关系数达 {worst:.2f} ({pair}), 数据只确定其组合"] if worst > 0.9 else []
    remarks += _doubts(found, free, asked, float(np.sqrt((((modelled(moved, seen) - seen.value_mm) / seen.sigma_mm) ** 2).mean())))
    felt = {name: tuple(n for n in free if n not in unseen(moved, one, [n for n in free if n not in ("q", "tan_beta")], asked.limits)) for name, one in sources.items()}
    alone = {name: fit_faces(faces, one, free=felt[name] or free[:1], limits=asked.limits) for name, one in sources.items()}
    tables = {
        "subsidence_fit_source": _by_source(sources, alone, moved),
        "subsidence_fit": pd.DataFrame(rows, columns=["parameter", "zh", "value", "sigma", "low", "high"]),
        "subsidence_trade_off": pd.DataFrame(points, columns=["parameter", "value", "rms_mm", "others"]),
    }
    levelled = Observations(*(v[vertical] for v in (seen.points_m, seen.value_mm, seen.sigma_mm, seen.direction)))
    return Fitted(list(faces), moved, found, levelled, curves, tables, "; ".join(remarks))


_WORDS_OF = {"levelling": "水准", "insar": "InSAR"}


def _closer(cost: TradeOff, again: Callable[[list[float]], TradeOff]) -> TradeOff:
    """The curve with more values on either side of where its accepted range ends."""
    edges = [cost.values[k : k + 2] for k in range(len(cost.values) - 1) if (cost.low <= cost.values[k] <= cost.high) != (cost.low <= cost.values[k + 1] <= cost.high)]
    inner = np.concatenate([np.linspace(a, b, _CLOSER + 2)[1:-1] for a, b in edges]) if edges else np.empty(0)
    return again(np.unique(np.concatenate([cost.values, inner])).tolist()) if len(inner) else cost


def _by_source(sources: Mapping[str, Observations], alone: Mapping[str, Inversion], joint: Sequence[Face]) -> pd.DataFrame:
    """What each source says alone, and how well it is met alone and by the joint fit."""
    rows = []
    for name, one in sources.items():
        left = modelled(joint, one) - one.value_mm
        told = alone[name].parameters
        rows.append((name, _WORDS_OF.get(name, name), len(one.value_mm), alone[name].rms_mm, float(np.sqrt((left**2).mean())), float(((left / one.sigma_mm) ** 2).mean()),
                     told.get("q"), told.get("tan_beta"), told.get("b")))  # fmt: skip
    return pd.DataFrame(rows, columns=["source", "zh", "count", "rms_alone_mm", "rms_joint_mm", "chi2_joint", "q_alone", "tan_beta_alone", "b_alone"])


def _sinks(name: str, one: Observations) -> None:
    """Refuse levelling that shows no subsidence by itself, wherever the faces lie: all below its error (metres), or all upwards."""
    word, largest, error = _WORDS_OF.get(name, name), float(np.abs(one.value_mm).max()), float(np.median(one.sigma_mm))
    if largest < error:
        raise SchemaError(
            f"{word}观测最大 {largest:.3g} 毫米, 小于其中误差 {error:g} 毫米", expected="毫米, 至少一个点的下沉超过中误差", cure="观测值像是以米为单位, 换算为毫米; 或没有下沉可反演"
        )
    if -one.value_mm.min() > 3 * error and one.value_mm.max() < 0.2 * -one.value_mm.min():
        raise SchemaError(f"{word}观测 {one.value_mm.min():.0f} 至 {one.value_mm.max():.0f} 毫米, 像是上升", expected="下沉为正", cure="改正符号")


def _doubts(found: Inversion, free: Sequence[str], asked: Asked, chi: float) -> list[str]:
    """What makes the fitted parameters doubtful: one at its limit, or observations that the faces do not explain."""
    spans = asked.limits
    at = [n for n in free if min(abs(found.parameters[n] - v) for v in spans[n]) < 1e-3 * (spans[n][1] - spans[n][0])]
    said = [f"{'、'.join(_WORDS[n] for n in at)} 停在允许范围的边界, 不是反演结果"] if at else []
    if chi > parameter("pim_fit_misfit_most"):
        said.append(f"残差约为观测中误差的 {chi:.1f} 倍, 工作面没有解释观测: 核对工作面位置、采深与观测日期")
    return said


def _within_reach(name: str, faces: Sequence[Face], one: Observations) -> None:
    """Refuse observations that all lie where the faces move the ground by less than the observations can see."""
    told = np.abs(modelled(faces, one))
    if len(told) and told.max() < np.median(one.sigma_mm):
        x, y = one.points_m.mean(axis=0)
        raise MissingDataError(
            f"{_WORDS_OF.get(name, name)}观测 {len(told)} 个点都在工作面影响范围之外 (预计最大 {told.max():.2f} 毫米, 观测中误差 {np.median(one.sigma_mm):g} 毫米; 点的平均位置 {x:.0f}, {y:.0f})",
            expected="至少部分点在影响范围之内", cure="核对坐标系与 x、y 次序 (x 东, y 北)",
        )  # fmt: skip


def _possible(name: str, faces: Sequence[Face], one: Observations) -> None:
    """Refuse single observations that exceed the mined thickness: fill values such as -9999, slips of the pen."""
    mined = 1000.0 * sum(f.thickness_m for f in faces)
    far = np.flatnonzero(np.abs(one.value_mm) > mined)
    if len(far):
        raise SchemaError(
            f"{_WORDS_OF.get(name, name)}观测第 {', '.join(str(k + 1) for k in far[:5])} 个为 {one.value_mm[far[0]]:g} 毫米, 超过采厚合计 {mined:.0f} 毫米",
            expected="地表移动不超过采厚", cure="删去无数据值 (如 -9999) 与笔误",
        )  # fmt: skip


def _right_unit(name: str, scale: float) -> None:
    """Refuse observations a thousand times too small, too large, or upside down against the given parameters."""
    word = _WORDS_OF.get(name, name)
    if 2e-4 < abs(scale) < 5e-3:
        raise SchemaError(f"{word}观测约为预计值的 {scale:.4f} 倍", expected="毫米", cure="观测值像是以米为单位, 换算为毫米")
    if abs(scale) > 200:
        raise SchemaError(f"{word}观测约为预计值的 {scale:.0f} 倍", expected="毫米", cure="观测值像是以微米为单位, 或坐标系不同")
    if scale < -0.2:
        raise SchemaError(f"{word}观测与预计值符号相反 ({scale:.2f} 倍)", expected="下沉为正; 视线向朝卫星为正", cure="改正符号")
