"""Why each patch gets its measure, or none, in words for a clerk (理由)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.planning.aims import Aim
from qianmo.planning.case_bounds import CasePrices, case_of
from qianmo.planning.formulate import NO_NEIGHBOUR, Formulation
from qianmo.planning.problem import states
from qianmo.planning.solve import Solution
from qianmo.schema.measures import measure
from qianmo.schema.rules import rules
from qianmo.schema.units import m2_to_mu

__all__ = ["reasons"]

OWN_LIMITS = {"budget": "预算", "window": "规模窗口", "floor": "政策下限", "lock": "用户锁定"}
"""Names of limits that the user sets and no rule."""

WORTH_NAMING = 5e-5
"""Points below this are not named."""


def reasons(formulation: Formulation, solution: Solution, prices: CasePrices) -> np.ndarray:
    """Reason for every patch, (n,) text (每个图斑的理由).

    The prices of the relaxation speak first, as they weigh all patches against each other; where they have nothing against an
    option and the proof goes by cases, those of the case that the plan lies in do (`prices`).

    A chosen measure names why it fits, area, slope and what each aim gains; a kept patch names
    that there is no option, which rules block it, which aim speaks against it, or which limit
    (with its price) gave way to better patches.
    """
    parts, choice = formulation.parts, solution.choice
    points = _points(formulation, choice)
    total = np.sum(list(points.values()), axis=0)
    start = np.searchsorted(parts.patch, np.arange(parts.n + 1))
    blocked = dict(list(parts.excluded.astype({"row": int}).groupby("row")))
    first, case = (_pressure(formulation, p) for p in (solution.prices.limit, prices.limit[case_of(prices, choice)]))
    out = np.empty(parts.n, object)
    for k in range(parts.n):
        mine = np.arange(start[k], start[k + 1])
        notes = [f"另有措施受限:{_blocks(blocked[k])}"] if k in blocked else []
        if choice[k] >= 0:
            out[k] = _chosen(formulation, int(choice[k]), points)
        elif not len(mine):
            out[k] = f"维持现状:可选措施均受限,{_blocks(blocked[k])}" if k in blocked else "维持现状:无适用措施"
        else:
            best = int(mine[np.argmax(total[mine])])
            out[k] = ";".join([_kept(formulation, best, points, first[best] or case[best]), *notes])
    return out


def _points(formulation: Formulation, choice: np.ndarray) -> dict[str, np.ndarray]:
    """Points of each option by aim, given what the other patches do."""
    parts, found = formulation.parts, {}
    for a in formulation.aims:
        points = a.amount * a.points_per_unit
        if a.pairs is not None and a.points_per_unit > 0:
            points = points + _pair_points(a, parts.patch, choice, parts.n)
        found[a.id] = points
    return found


def _pair_points(aim: Aim, patch: np.ndarray, choice: np.ndarray, n: int) -> np.ndarray:
    p = aim.pairs
    assert p is not None
    after = states(p, choice).astype(float)
    weight = p.weight * aim.points_per_unit
    pull = np.bincount(p.i, weight * after[p.j], n) + np.bincount(p.j, weight * after[p.i], n)
    return (p.state.astype(float) - p.state0[patch]) * pull[patch]


def _pressure(formulation: Formulation, prices: np.ndarray) -> list[list[tuple[float, str]]]:
    """For each option, the priced limits that speak against it, dearest first."""
    against: list[list[tuple[float, str]]] = [[] for _ in range(formulation.problem.m)]
    for x, price in zip(formulation.problem.limits, prices.tolist()):
        for o, c in zip(x.option.tolist(), (price * x.coefficient).tolist()):
            if c > WORTH_NAMING:
                against[o].append((c, f"{x.zh}({_rule_name(x.rule_id)},影子价格折{c:.4f}分)"))
    return [sorted(a, reverse=True) for a in against]


def _chosen(formulation: Formulation, option: int, points: dict[str, np.ndarray]) -> str:
    parts = formulation.parts
    k = parts.patch[option]
    why = str(parts.why[option])
    facts = [why] if why else []
    if "面积" not in why:
        facts.append(f"面积{m2_to_mu(parts.class_area[k]):.2f}亩")
    if "坡度" not in why and np.isfinite(parts.slope[k]):
        facts.append(f"坡度{parts.slope[k]:.1f}°")
    return f"{measure(parts.measure[option]).zh}:{','.join(facts)};{_gains(formulation, option, points)}"


def _kept(formulation: Formulation, option: int, points: dict[str, np.ndarray], against: list[tuple[float, str]]) -> str:
    name = measure(formulation.parts.measure[option]).zh
    total = sum(float(p[option]) for p in points.values())
    if total <= WORTH_NAMING or not against:
        weak = "得分不为正" if total <= WORTH_NAMING else "与相邻图斑或其他约束取舍后未入选"
        return f"维持现状:{name}{weak}({_gains(formulation, option, points)})"
    limits = "、".join(text for _, text in against[:2])
    return f"维持现状:{name}可得{total:.4f}分,受限于{limits},让位于更优图斑"


def _gains(formulation: Formulation, option: int, points: dict[str, np.ndarray]) -> str:
    named = {a.id: a.zh for a in formulation.aims}
    terms = [f"{named[a]}{p[option]:+.4f}" for a, p in points.items() if abs(p[option]) > WORTH_NAMING]
    total = sum(float(p[option]) for p in points.values())
    return f"得分{total:+.4f}({','.join(terms)})" if terms else f"得分{total:+.4f}"


def _blocks(rows: pd.DataFrame) -> str:
    return "、".join(f"{measure(m).zh}({_rule_names(r)})" for m, r in zip(rows["measure"], rows["rule_ids"]))


def _rule_names(rule_ids: str) -> str:
    ids = [r.strip() for r in rule_ids.replace(",", ";").replace("|", ";").split(";") if r.strip()]
    return "、".join(_rule_name(r) for r in ids)


def _rule_name(rule_id: str) -> str:
    if rule_id == NO_NEIGHBOUR:
        return "无同村同地类的相邻田块可归并"
    known = rules().get(rule_id)
    return f"{rule_id} {known.zh}" if known else OWN_LIMITS.get(rule_id, rule_id)
