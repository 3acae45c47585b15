"""Grades of damage, goaf stability and ground motion from interval tables (损坏等级与稳定性分级)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from qianmo.schema.errors import MissingDataError, RuleError
from qianmo.schema.shipped import shipped_rows

__all__ = ["Interval", "graded", "grading_tables", "intervals"]


@dataclass(frozen=True)
class Interval:
    """One row of a grading table (分级区间): low < value ≤ high belongs to the grade; 0 belongs to the interval above 0."""

    rank: int
    grade: str
    zh: str
    metric: str
    low: float
    high: float
    unit: str
    treatment: str
    source: str
    confidence: str


@cache
def grading_tables() -> dict[str, tuple[str, ...]]:
    """Grading tables and the objects each knows (分级表): ``parameters/mining_damage_grades.csv``."""
    found: dict[str, dict[str, None]] = {}
    for row in shipped_rows("parameters", "mining_damage_grades"):
        found.setdefault(row["table"], {})[row["object"]] = None
    return {table: tuple(objects) for table, objects in found.items()}


@cache
def intervals(table: str, item: str) -> tuple[Interval, ...]:
    """Rows of one table for one object, in the order of the grades, the mildest first (某对象的分级区间).

    Raises
    ------
    RuleError
        No such table or object.
    """
    rows = [r for r in shipped_rows("parameters", "mining_damage_grades") if r["table"] == table and r["object"] == item]
    if not rows:
        raise RuleError(f"分级表 {table} / {item}", expected="; ".join(f"{t}: {', '.join(o)}" for t, o in grading_tables().items()))
    order = list(dict.fromkeys(r["grade"] for r in rows))
    return tuple(
        Interval(
            order.index(r["grade"]), r["grade"], r["grade_zh"], r["symbol"], float(r["min_excl"] or "-inf"), float(r["max_incl"] or "inf"),
            r["unit"], r["treatment"], r["source"], r["confidence"],
        )
        for r in rows
    )  # fmt: skip


def graded(table: str, item: str, metrics: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Grade of n places: the worst over the given metrics (取最差指标的等级).

    Parameters
    ----------
    table, item : str
        E.g. ``building_brick_concrete`` and its object.
    metrics : mapping of symbol to ndarray (n,)
        Values in the units of the table; signs of strain, curvature and tilt are dropped; nan = unknown.

    Returns
    -------
    rank : ndarray (n,), int
        0 = mildest grade of the table; −1 where no metric is known.
    worst : ndarray (n,), str
        Symbol of the metric that decides; '' where none is known.

    Raises
    ------
    MissingDataError
        None of the table's metrics is given.
    RuleError
        A metric the table does not know, or a value in a gap of the table.
    """
    rows = intervals(table, item)
    known = list(dict.fromkeys(r.metric for r in rows))
    unknown = [m for m in metrics if m not in known]
    if unknown:
        raise RuleError(f"{item} 的分级表没有指标 {', '.join(unknown)}", expected=", ".join(known))
    if not metrics:
        raise MissingDataError(f"{item}: 没有指标", expected=f"至少一项: {', '.join(known)}")
    n = len(next(iter(metrics.values())))
    rank, worst = np.full(n, -1), np.full(n, "", dtype="U16")
    for name, values in metrics.items():
        here = _ranks([r for r in rows if r.metric == name], np.asarray(values, dtype=float), item)
        more = here > rank
        rank, worst = np.where(more, here, rank), np.where(more, name, worst)
    return rank, worst


_SIGNED = ("Hw",)
"""Metrics whose sign means something: water above the ground is negative depth."""


def _ranks(rows: list[Interval], values: np.ndarray, item: str) -> np.ndarray:
    size = values if rows[0].metric in _SIGNED else np.abs(values)
    found = np.full(len(values), -1)
    for r in rows:
        low = -np.inf if r.low == 0 and rows[0].metric not in _SIGNED else r.low
        fits = (size > low) & (size <= r.high) & (found < r.rank)
        if rows[0].metric == "Vw":
            fits &= found < 0  # the rate alone cannot tell the first two grades apart: the milder one
        found = np.where(fits, r.rank, found)
    lost = np.flatnonzero(np.isfinite(size) & (found < 0))
    lowest = min(r.low for r in rows)
    if len(lost) and not (size[lost] <= lowest).all():
        raise RuleError(f"{item}: {rows[0].metric} 的值 {size[lost[0]]:g} 不在任何分级区间", expected="区间首尾相接的分级表")
    return found
