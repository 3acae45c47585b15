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
    option = np.flatnonzero(coefficient)
    entries = np.asarray(coefficient, float)[option]
    return Limit(limit_id, rule_id, zh, option, entries, relation, float(bound), unit, float(constant))
