"""Several aims weighed into one score, and what a plan reaches of each, counted again (多目标加权与复算)."""

from __future__ import annotations

from dataclasses import replace
from math import fsum

import numpy as np

from qianmo.planning.aims import POINTS, Aim
from qianmo.planning.limits.rows import limit_row
from qianmo.planning.problem import UNITS, Limit, Pairs, PlanProblem
from qianmo.schema.errors import QianmoError, RuleError, SchemaError

__all__ = ["amounts_again", "check_point", "chosen_aims", "floor_limit", "scalarised", "units_of"]


def chosen_aims(found: tuple[Aim, ...], ids: tuple[str, ...]) -> tuple[Aim, ...]:
    """The aims of these ids, in this order (所选目标).

    Raises
    ------
    RuleError
        Fewer than two ids, one twice, one unknown, or an aim that no option can serve.
    """
    known = {a.id: a for a in found}
    unknown = [x for x in ids if x not in known]
    if unknown:
        raise RuleError(f"no aim called {', '.join(unknown)} (没有这个目标)", expected=", ".join(known))
    if len(ids) < 2 or len(set(ids)) != len(ids):
        raise RuleError(f"aims {', '.join(ids)}", expected="two aims or more, each once (至少两个不同目标)")
    idle = [x for x in ids if known[x].potential <= 0]
    if idle:
        raise RuleError(f"no option serves {', '.join(idle)} (没有措施能改进该目标)", expected="aims with a potential above 0")
    return tuple(known[x] for x in ids)


def units_of(aims: tuple[Aim, ...]) -> np.ndarray:
    """Points of one unit of each aim, (k,): 100 points are the whole potential (单位得分)."""
    return np.array([POINTS / a.potential for a in aims])


def scalarised(problem: PlanProblem, aims: tuple[Aim, ...], weights: np.ndarray) -> PlanProblem:
    """The same patches, options and limits with the weighted sum of some aims as the score (加权单目标问题).

    Every pair layer stays, at weight 0 too, so that the solution of one weighting starts the next.
    """
    factor = np.asarray(weights, float) * units_of(aims)
    value = sum((f * a.amount for f, a in zip(factor, aims)), np.zeros(problem.m))
    layers = [(f, a.pairs) for f, a in zip(factor, aims) if a.pairs is not None and len(a.pairs.i)]
    pairs = tuple(Pairs(p.aim, p.zh, p.i, p.j, p.weight * f, p.state0, p.state) for f, p in layers)
    return replace(problem, value=value, pairs=pairs)


def floor_limit(aim: Aim, least: float) -> Limit:
    """The row ``amount of the aim >= least`` (目标下限); only a linear aim can be a row.

    Raises
    ------
    SchemaError
        The aim counts borders between patches, which no linear row can do.
    """
    if aim.pairs is not None:
        raise SchemaError(f"aim {aim.id} counts borders (成对目标) and cannot be a floor", expected="a linear aim")
    unit = aim.unit if aim.unit in UNITS else "1"
    return limit_row(f"front:{aim.id}", "front", f"{aim.zh}不低于{least:,.2f}", aim.amount, ">=", least, unit)


def amounts_again(aims: tuple[Aim, ...], choice: np.ndarray) -> np.ndarray:
    """What a plan reaches of each aim, (k,), term by term with exactly rounded sums (目标复算).

    Shares no code with the scores that the engines climb.
    """
    picked = np.asarray(choice)
    taken = picked[picked >= 0].tolist()
    out = []
    for a in aims:
        amount = a.amount.tolist()
        terms = [amount[o] for o in taken]
        if a.pairs is not None:
            terms += _border_terms(a.pairs, picked)
        out.append(fsum(terms))
    return np.array(out)


def check_point(problem: PlanProblem, aims: tuple[Aim, ...], weights: np.ndarray, choice: np.ndarray, score: float) -> np.ndarray:
    """Amounts of a plan (k,) after checking score, limits and form by another route (方案点复核).

    Raises
    ------
    QianmoError
        The score differs from the claimed one, a limit is broken, or a patch holds the option of another.
    """
    amounts = amounts_again(aims, choice)
    again = fsum((np.asarray(weights) * units_of(aims) * amounts).tolist())
    size = fsum(np.abs(np.asarray(weights) * units_of(aims) * amounts).tolist())
    picked = np.asarray(choice)
    done = np.flatnonzero(picked >= 0)
    proper = np.array_equal(problem.patch[picked[done]], done) and bool(problem.keeps[picked < 0].all())
    broken = [x.id for x in problem.limits if not _holds(x, picked)]
    if abs(again - score) > 1e-7 * max(size, 1.0) or broken or not proper:
        raise QianmoError(
            f"a plan of the front fails its check: score {score!r} and {again!r}, broken limits {broken}, proper form {proper}",
            expected="the same score by both routes, all limits kept", cure="please report it with the input (请反馈并附数据)",
        )  # fmt: skip
    return amounts


def _border_terms(p: Pairs, picked: np.ndarray) -> list[float]:
    now, under = [bool(s) for s in p.state0], [bool(s) for s in p.state]
    after = [under[c] if c >= 0 else now[k] for k, c in enumerate(picked.tolist())]
    return [w * ((after[i] and after[j]) - (now[i] and now[j])) for i, j, w in zip(p.i.tolist(), p.j.tolist(), p.weight.tolist())]


def _holds(x: Limit, picked: np.ndarray) -> bool:
    chosen = set(picked[picked >= 0].tolist())
    value = fsum([x.constant, *(c for o, c in zip(x.option.tolist(), x.coefficient.tolist()) if o in chosen)])
    slack, room = 2e-9 * max(1.0, abs(x.bound), abs(value)), value - x.bound
    return room <= slack if x.relation == "<=" else room >= -slack if x.relation == ">=" else abs(room) <= slack
