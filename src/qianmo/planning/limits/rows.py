"""Making limit rows from effects (限制条件行)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.problem import Limit

__all__ = ["limit_row"]


def limit_row(
    limit_id: str,
    rule_id: str,
    zh: str,
    coefficient: np.ndarray,
    relation: str,
    bound: float,
    unit: str,
    *,
    constant: float = 0.0,
) -> Limit:
    """A limit from coefficients over all options; zeros are dropped (限制条件行).

    Areas and money are rounded to whole hundredths; the bound to the nearest one that is not laxer.

    Parameters
    ----------
    limit_id, rule_id, zh : str
        Unique id, the rule it follows, and what it says to a clerk.
    coefficient : (m,) float
        Change of the limited quantity by each option. [unit]
    relation : str
        '<=', '>=' or '=='.
    bound, constant : float
        Right side, and the left side when all is kept. [unit]
    """
    entries, side, base = np.asarray(coefficient, float), float(bound), float(constant)
    if unit in ("m2", "yuan"):
        entries, base, side = np.rint(entries * 100.0) / 100.0, round(base, 2), _not_laxer(side, relation)
    option = np.flatnonzero(entries)
    return Limit(limit_id, rule_id, zh, option, entries[option], relation, side, unit, base)


def _not_laxer(bound: float, relation: str) -> float:
    whole = bound * 100.0
    near = float(np.rint(whole))
    if abs(whole - near) <= 1e-6 or relation == "==":
        return near / 100.0
    return float(np.ceil(whole) if relation == ">=" else np.floor(whole)) / 100.0
