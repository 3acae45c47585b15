"""Fit of the probability-integral parameters to levelling with their trade-off (沉陷参数反演作业)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qianmo.survey.subsidence.face import Face
from qianmo.survey.subsidence.invert import LIMITS, Inversion, Observations, fit_faces, trade_off

__all__ = ["Fitted", "fitted"]

_WORDS = {"q": "下沉系数 q", "tan_beta": "主要影响角正切 tanβ", "b": "水平移动系数 b"}
_STEPS = 13
_NEAR, _SPREADS = 1.5, 4.0
"""Standard errors to either side: close steps that bound the range, wide ones that show the curve."""


@dataclass(frozen=True)
class Fitted:
    """Faces before and after the fit, the fit, its levelling, its curves and tables (反演成果)."""

    start: Sequence[Face]
    faces: list[Face]
    inversion: Inversion
    levelled: Observations
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, float, float]]
    tables: dict[str, pd.DataFrame]
    remark: str


def fitted(faces: Sequence[Face], seen: Observations) -> Fitted:
    """Fit q and tan β, and b where horizontal movement was measured, then hold each at several values (反演与权衡).

    Raises
    ------
    MissingDataError
        Not more observations than parameters.
    """
    vertical = seen.direction[:, 2] == 1.0
    free = ("q", "tan_beta") if vertical.all() else ("q", "tan_beta", "b")
    found = fit_faces(faces, seen, free=free)
    moved = [replace(f, parameters=replace(f.parameters, **found.parameters)) for f in faces]
    sigma = np.sqrt(np.maximum(np.diag(found.covariance), 0.0))
    curves, rows, points = {}, [], []
    for name, spread in zip(free, sigma):
        low, high = LIMITS[name]
        half = min(max(_SPREADS * spread, 0.05 * found.parameters[name]), 0.5 * (high - low))
        near = np.linspace(-_NEAR * spread, _NEAR * spread, _STEPS)
        values = np.clip(found.parameters[name] + np.concatenate([near, np.linspace(-half, half, _STEPS)]), low, high)
        cost = trade_off(moved, seen, name=name, values=np.unique(values).tolist(), free=free)
        curves[_WORDS[name]] = (cost.values, cost.rms_mm, cost.low, cost.high)
        rows.append((name, _WORDS[name], found.parameters[name], spread, cost.low, cost.high))
        points += [(name, v, r, "; ".join(f"{k} = {o:.4f}" for k, o in other.items())) for v, r, other in zip(cost.values, cost.rms_mm, cost.others)]
    worst = float(np.abs(found.correlation - np.eye(len(free))).max())
    remarks = ([] if not vertical.all() else ["只有下沉观测, b 不能反演, 保持给定值"]) + ([f"参数相关系数达 {worst:.2f}, 数据只确定其组合"] if worst > 0.9 else [])
    tables = {
        "subsidence_fit": pd.DataFrame(rows, columns=["parameter", "zh", "value", "sigma", "low", "high"]),
        "subsidence_trade_off": pd.DataFrame(points, columns=["parameter", "value", "rms_mm", "others"]),
    }
    levelled = Observations(*(v[vertical] for v in (seen.points_m, seen.value_mm, seen.sigma_mm, seen.direction)))
    return Fitted(list(faces), moved, found, levelled, curves, tables, "; ".join(remarks))
