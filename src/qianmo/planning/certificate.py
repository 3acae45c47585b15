"""The certificate of a plan: what was reached, what is proven, and the prices that prove it (规划证书)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qianmo.planning.aims import Aim
from qianmo.planning.case_bounds import CasePrices
from qianmo.planning.problem import PlanProblem, states
from qianmo.planning.proof import claims, ratio, solver_of
from qianmo.planning.solve import Solution
from qianmo.planning.verify import fingerprint, verify

__all__ = ["aim_table", "certificate"]


def certificate(
    problem: PlanProblem,
    solution: Solution,
    prices: CasePrices,
    *,
    aims: tuple[Aim, ...] = (),
    waived: tuple[str, ...] = (),
    excluded: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """A record of what is proven of the plan (规划证书).

    ``gap_rel`` is the gap as a share of the best attainable improvement over keeping all;
    ``gap_rel_objective`` as a share of the score. ``bound`` follows from the stored `prices` alone
    (`qianmo.planning.proof.stored_prices`): it is the largest of the bounds of their cases, ``case`` the number of the one it
    comes from, whose prices ``limits[].price`` shows, ``cases`` how many there are. ``solver_bound`` is the claim of the exact
    search, not provable here.

    Returns
    -------
    dict
        Only numbers, text, lists and dicts, ready for JSON; ``checks`` holds the result of `verify`.
    """
    told = claims(problem, solution.choice, prices)
    solver_bound = min(float(solution.solver_bound), told["bound"])
    record: dict[str, Any] = {
        **{k: v for k, v in told.items() if k != "limits"},
        "cases": prices.cases,
        "solver_bound": solver_bound,
        "solver_gap_rel": ratio(max(0.0, solver_bound - told["objective"]), solver_bound),
        "method": solution.method,
        "solver": solver_of(solution.method),
        "time_s": float(solution.time_s),
        "n_parcels": problem.n,
        "n_options": problem.m,
        "n_changed": int((solution.choice >= 0).sum()),
        "problem_sha256": fingerprint(problem),
        "waived": list(waived),
        "blocked": dict(excluded or {}),
        "limits": told["limits"],
        "aims": aim_table(aims, solution.choice),
    }
    record["checks"] = verify(problem, solution.choice, record, prices)
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
                "amount": amount, "share": ratio(amount, a.potential), "points": amount * a.points_per_unit,
            }
        )  # fmt: skip
    return rows
