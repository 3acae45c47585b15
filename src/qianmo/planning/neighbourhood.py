"""The exact best plan in a neighbourhood of a plan: few patches free, the rest as they are (邻域精确改进)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from qianmo.planning.model import Candidates, build_model, choice_from
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem, states

__all__ = ["best_nearby", "restricted"]


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
    free = np.zeros(problem.n, bool)
    free[problem.patch[option]] = True
    free |= keep
    few, patches, options = restricted(problem, choice, free)
    here = np.full(problem.m, -1)
    here[options] = np.arange(len(options))
    now = choice[patches]
    open_ = np.zeros(few.m, bool)
    open_[here[option]] = True
    open_[here[now[now >= 0]]] = True
    left = Candidates(open_, (keep[patches] & few.keeps) | (now == KEPT))
    model = build_model(few, left)
    if not len(model.value):
        return None
    unit = 1.0 / max(float(np.median(np.abs(model.value[model.value != 0]))) if (model.value != 0).any() else 1.0, 1e-12)
    binary = (np.arange(len(model.value)) < len(model.options)).astype(int)
    found = milp(
        -model.value * unit, constraints=LinearConstraint(model.rows, model.low, model.high), integrality=binary,
        bounds=Bounds(0, 1), options={"mip_rel_gap": gap, "time_limit": seconds},
    )  # fmt: skip
    if found.x is None:
        return None
    picked = choice_from(few, model, left, found.x)
    out = choice.copy()
    out[patches] = np.where(picked >= 0, options[picked], KEPT)
    return out


def restricted(problem: PlanProblem, choice: np.ndarray, free: np.ndarray) -> tuple[PlanProblem, np.ndarray, np.ndarray]:
    """The problem of the free patches while the others stay as chosen, with their numbers and those of their options (局部问题).

    Borders to patches that stay become value, what those add to the limits becomes constant.
    """
    patches = np.flatnonzero(free)
    number = np.full(problem.n, -1)
    number[patches] = np.arange(len(patches))
    options = np.flatnonzero(free[problem.patch])
    here = np.full(problem.m, -1)
    here[options] = np.arange(len(options))
    owner, value, pairs = problem.patch[options], problem.value[options].astype(float).copy(), []
    for p in problem.pairs:
        after = states(p, choice)
        pull = np.zeros(problem.n)
        for a, b in ((p.i, p.j), (p.j, p.i)):
            half = free[a] & ~free[b]
            np.add.at(pull, a[half], p.weight[half] * after[b[half]])
        value += pull[owner] * (p.state[options].astype(float) - p.state0[owner])
        both = free[p.i] & free[p.j]
        pairs.append(Pairs(p.aim, p.zh, number[p.i[both]], number[p.j[both]], p.weight[both], p.state0[patches], p.state[options]))
    stays = np.zeros(problem.m, bool)
    stays[choice[(choice >= 0) & ~free]] = True
    limits = []
    for x in problem.limits:
        mine = here[x.option] >= 0
        if mine.any():
            constant = x.constant + float(x.coefficient[stays[x.option]].sum())
            limits.append(Limit(x.id, x.rule_id, x.zh, here[x.option[mine]], x.coefficient[mine], x.relation, x.bound, x.unit, _whole(x, constant)))
    few = PlanProblem(
        len(patches), number[owner], problem.measure[options], problem.target_class[options], value, problem.cost[options], {}, {}, tuple(pairs),
        tuple(limits), may_keep=problem.keeps[patches],
    )  # fmt: skip
    return few, patches, options


def _whole(limit: Limit, amount: float) -> float:
    return round(amount, 2) if limit.is_whole else amount
