"""The exact best plan in a neighbourhood of a plan: few patches free, the rest as they are (邻域精确改进)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from qianmo.planning.model import Candidates, build_model, choice_from
from qianmo.planning.problem import KEPT, PlanProblem

__all__ = ["best_nearby"]


def best_nearby(
    problem: PlanProblem, choice: np.ndarray, option: np.ndarray, keep: np.ndarray, *, seconds: float, gap: float = 1e-4
) -> np.ndarray | None:
    """Best choice where only some options, besides the chosen ones, are open (邻域精确求解).

    Parameters
    ----------
    problem : PlanProblem
    choice : (n,) int
        The plan to start from; what it chose stays open.
    option : (k,) int
        Further options that are open.
    keep : (n,) bool
        Patches that may keep their use besides those that keep it now.
    seconds, gap : float
        Limits of the exact search. [s], relative

    Returns
    -------
    (n,) int or None
        A choice, not checked against the limits; None where the search found none.
    """
    open_ = np.zeros(problem.m, bool)
    open_[option] = True
    open_[choice[choice >= 0]] = True
    left = Candidates(open_, (keep & problem.keeps) | (choice == KEPT))
    model = build_model(problem, left)
    if not len(model.value):
        return None
    unit = 1.0 / max(float(np.median(np.abs(model.value[model.value != 0]))) if (model.value != 0).any() else 1.0, 1e-12)
    binary = (np.arange(len(model.value)) < len(model.options)).astype(int)
    found = milp(
        -model.value * unit, constraints=LinearConstraint(model.rows, model.low, model.high), integrality=binary,
        bounds=Bounds(0, 1), options={"mip_rel_gap": gap, "time_limit": seconds},
    )  # fmt: skip
    return None if found.x is None else choice_from(problem, model, left, found.x)
