"""A front as tables and a record (前沿成果表)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from qianmo.planning.front import Front
from qianmo.planning.front_aims import units_of

__all__ = ["front_plans", "front_points", "front_record"]


def front_plans(found: Front, *, cost: np.ndarray) -> pd.DataFrame:
    """One row a plan of the front (前沿方案表).

    Parameters
    ----------
    found : Front
    cost : (m,) float
        Works of each option. [yuan]

    Returns
    -------
    DataFrame
        ``number`` from 1, by falling first aim; ``question`` is weights or floors; score and bound of
        that question [points]; gap by the prices and by the exact search [points]; patches with works; works [yuan].
    """
    rows = [
        {
            "number": k, "question": "floors" if p.has_floors else "weights", "objective": p.objective, "bound": p.bound,
            "solver_bound": p.solver_bound, "gap_points": p.gap_points, "solver_gap_points": p.solver_gap_points, "patches": int((p.choice >= 0).sum()),
            "cost_yuan": round(float(cost[p.choice[p.choice >= 0]].sum()), 2),
        }
        for k, p in enumerate(found.plans, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def front_points(found: Front) -> pd.DataFrame:
    """One row a plan and aim: amount, points, weight, floor (前沿目标值表).

    ``amount`` and ``floor`` (missing where there is none) are in ``unit``; 100 ``points`` are the whole potential;
    ``ideal_points`` is what no plan exceeds in this aim, ``nadir_points`` the least on the front.
    """
    unit = units_of(found.aims)
    rows = [
        {
            "number": k, "aim": a.id, "zh": a.zh, "unit": a.unit, "amount": float(p.amount[i]), "points": float(p.points[i]),
            "weight": float(p.weights[i]), "floor": float(p.floors[i] / unit[i]) if np.isfinite(p.floors[i]) else np.nan,
            "ideal_points": float(found.ideal[i]), "nadir_points": float(found.nadir[i]), "points_per_unit": float(unit[i]),
        }
        for k, p in enumerate(found.plans, 1)
        for i, a in enumerate(found.aims)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def front_record(found: Front) -> dict[str, Any]:
    """What is proven of the front, ready for JSON (前沿证明记录).

    ``proven`` lists weightings with the bound that every plan keeps: sum of weight times points <= bound.
    """
    return {
        "aims": [{"id": a.id, "zh": a.zh, "formula": a.formula, "unit": a.unit, "potential": a.potential} for a in found.aims],
        "ideal": [float(v) if np.isfinite(v) else None for v in found.ideal], "nadir": found.nadir.tolist(),
        "proven": [{"weights": w.tolist(), "bound": float(b)} for w, b in zip(found.proven, found.bounds)],
        "missed": float(found.missed) if np.isfinite(found.missed) else None, "broken_off": found.broken_off, "plans": len(found.plans),
    }  # fmt: skip
