"""The certificate of a plan: what was reached, what is proven, and the prices that prove it (规划证书)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qianmo.planning.aims import Aim
from qianmo.planning.problem import PlanProblem, limit_values, states
from qianmo.planning.solve import Solution
from qianmo.planning.verify import fingerprint, verify

__all__ = ["aim_table", "certificate"]


def certificate(
    problem: PlanProblem,
    solution: Solution,
    *,
    aims: tuple[Aim, ...] = (),
    waived: tuple[str, ...] = (),
    excluded: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """A record that lets a stranger check the plan in one pass (规划证书).

    ``gap_rel`` is the gap as a share of the best attainable improvement over keeping all;
    ``gap_rel_objective`` as a share of the score. ``bound`` follows from ``limits[].price`` and
    ``edge_prices`` alone; ``solver_bound`` is the claim of the exact search, not provable here.

    Returns
    -------
    dict
        Only numbers, text, lists and dicts, ready for JSON; ``checks`` holds the result of `verify`.
    """
    gap = solution.bound - solution.objective
    record: dict[str, Any] = {
        "objective": float(solution.objective),
        "objective_keep_all": 0.0,
        "bound": float(solution.bound),
        "gap_abs": float(gap),
        "gap_rel": _ratio(gap, solution.bound),
        "gap_rel_objective": _ratio(gap, solution.objective),
        "solver_bound": float(solution.solver_bound),
        "solver_gap_rel": _ratio(solution.solver_bound - solution.objective, solution.solver_bound),
        "method": solution.method,
        "solver": "HiGHS in scipy.optimize",
        "time_s": float(solution.time_s),
        "n_parcels": problem.n,
        "n_options": problem.m,
        "n_changed": int((solution.choice >= 0).sum()),
        "problem_sha256": fingerprint(problem),
        "waived": list(waived),
        "blocked": dict(excluded or {}),
        "limits": _limits(problem, solution),
        "edge_prices": [a.tolist() for a in solution.prices.split],
        "aims": aim_table(aims, solution.choice),
    }
    record["checks"] = verify(problem, solution.choice, record)
    return record


def aim_table(aims: tuple[Aim, ...], choice: np.ndarray) -> list[dict[str, Any]]:
    """What the plan reaches of each aim: amount, share of the potential, points (目标达成表)."""
    rows = []
    for a in aims:
        amount = float(a.amount[choice[choice >= 0]].sum())
        if a.pairs is not None:
            p = a.pairs
            now, after = p.state0.astype(bool), states(p, choice)
            amount += float(p.weight @ ((after[p.i] & after[p.j]).astype(float) - (now[p.i] & now[p.j])))
        rows.append(
            {
                "id": a.id, "zh": a.zh, "formula": a.formula, "unit": a.unit, "weight": a.weight, "potential": a.potential,
                "amount": amount, "share": _ratio(amount, a.potential), "points": amount * a.points_per_unit,
            }
        )  # fmt: skip
    return rows


def _limits(problem: PlanProblem, solution: Solution) -> list[dict[str, Any]]:
    rows = []
    for x, value, price in zip(problem.limits, limit_values(problem, solution.choice), solution.prices.limit):
        slack = value - x.bound if x.relation == ">=" else x.bound - value
        rows.append(
            {
                "id": x.id, "rule_id": x.rule_id, "zh": x.zh, "value": float(value), "relation": x.relation, "bound": x.bound,
                "slack": float(slack), "price": float(price), "unit": x.unit,
            }
        )  # fmt: skip
    return rows


def _ratio(part: float, whole: float) -> float:
    return float(part / abs(whole)) if abs(whole) > 1e-12 else 0.0
