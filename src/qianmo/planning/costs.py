"""Cost of a plan: works, fees and contingency, closed to the cent (投资估算)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.planning.parts import Parts
from qianmo.schema.errors import RuleError
from qianmo.schema.measures import measure, measures
from qianmo.schema.rules import unit_cost

__all__ = ["COST_COLUMNS", "cost_by_measure", "fee_factor", "split_exactly"]

FEES = ("F-SURVEY", "F-SUP", "F-MGT", "F-ACC")
CONTINGENCY = "F-CONT"
COST_COLUMNS = (
    "measure", "zh", "project_class", "patches", "area_m2", "unit_cost_item", "works_yuan", "fees_yuan",
    "total_low_yuan", "total_yuan", "total_high_yuan",
)  # fmt: skip


def fee_factor(level: str) -> float:
    """Investment for one yuan of works, at level low, default or high (投资与工程费之比).

    ``(1 + fees) * (1 + contingency)``: survey and design, supervision, management and acceptance
    are shares of the works, contingency is a share of works and fees.
    """
    return (1.0 + sum(_share(i, level) for i in FEES)) * (1.0 + _share(CONTINGENCY, level))


def cost_by_measure(parts: Parts, choice: np.ndarray) -> pd.DataFrame:
    """Cost of the chosen works by measure (分措施投资估算).

    Parameters
    ----------
    parts : Parts
    choice : (n,) int
        Option of each patch, or `KEPT`.

    Returns
    -------
    DataFrame, columns `COST_COLUMNS`
        One row a measure in the order of the measure list. ``works_yuan + fees_yuan == total_yuan``
        in every row, and the totals sum to the works times `fee_factor`, rounded down to the cent.
    """
    taken = choice[choice >= 0]
    names = [m for m in measures() if np.any(parts.measure[taken] == m)]
    groups = [taken[parts.measure[taken] == m] for m in names]
    works = np.array([_cents(parts.cost[g]) for g in groups], np.int64)
    low, default, high = (
        _totals(np.array([_cents(c[g]) for g in groups], np.int64), fee_factor(level))
        for level, c in (("low", parts.cost_low), ("default", parts.cost), ("high", parts.cost_high))
    )
    rows = [
        {
            "measure": m,
            "zh": measure(m).zh,
            "project_class": measure(m).project_class,
            "patches": len(g),
            "area_m2": np.rint(parts.class_area[parts.patch[g]] * 100).sum() / 100,
            "unit_cost_item": measure(m).cost_item,
            "works_yuan": w / 100,
            "fees_yuan": (d - w) / 100,
            "total_low_yuan": lo / 100,
            "total_yuan": d / 100,
            "total_high_yuan": hi / 100,
        }
        for m, g, w, lo, d, hi in zip(names, groups, works, low, default, high)
    ]
    return pd.DataFrame(rows, columns=list(COST_COLUMNS))


def split_exactly(total: int, weights: np.ndarray) -> np.ndarray:
    """Whole numbers in proportion to weights that sum to the total (最大余数法).

    The largest remainders are rounded up; ties go to the first. All weights 0: the first gets all.
    """
    if not len(weights):
        return np.zeros(0, np.int64)
    weight = np.asarray(weights, float)
    if weight.sum() <= 0:
        return np.array([total, *[0] * (len(weight) - 1)], np.int64)
    exact = total * (weight / weight.sum())
    down = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - down), kind="stable")
    down[order[: total - int(down.sum())]] += 1
    return down


def _share(item: str, level: str) -> float:
    found = unit_cost(item)
    if not found.unit.startswith("%"):
        raise RuleError(f"cost item {item} has unit {found.unit!r}", expected="a share in %")
    return float(getattr(found, level)) / 100.0


def _cents(yuan: np.ndarray) -> int:
    return int(np.rint(yuan * 100).astype(np.int64).sum())


def _totals(works: np.ndarray, factor: float) -> np.ndarray:
    return split_exactly(int(np.floor(works.sum() * factor + 1e-6)), works)
