"""Whole-area allocation: one of K uses for every parcel, as a planning problem (全域用地配置).

The question is put in dense arrays (parcels by uses) and becomes a `PlanProblem`: keeping is the
current use, every other use that is allowed is an option. Nothing is solved here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from qianmo.planning.allocation_check import refuse_bad_allocation
from qianmo.planning.allocation_parts import (
    Allocation,
    Borders,
    Budget,
    Dominance,
    NoNetLoss,
    RegionSystem,
    Service,
    Window,
    allowed_uses,
)
from qianmo.planning.allocation_rows import allocation_limits
from qianmo.planning.problem import KEPT, Limit, Pairs, PlanProblem, Refusals
from qianmo.schema.errors import SchemaError

__all__ = [
    "Allocation", "Borders", "Budget", "Dominance", "NoNetLoss", "RegionSystem", "Service", "Window", "allocation_problem",
    "choice_of", "uses_after",
]  # fmt: skip

MEASURE = "convert"
"""What every option of an allocation does; the use it leads to is its target class."""


@dataclass(frozen=True)
class _Options:
    """Options in order of parcels: parcel (m,) int32, use led to (m,) int8, place in the (n, K) table (m,) int64."""

    patch: np.ndarray
    use: np.ndarray
    flat: np.ndarray


def allocation_problem(question: Allocation) -> PlanProblem:
    r"""The planning problem of a whole-area allocation (由配置问题生成规划问题).

    Parameters
    ----------
    question : Allocation
        Parcels, uses, costs, locks, forbidden conversions, borders, regions and rows.

    Returns
    -------
    PlanProblem
        The value of an option is minus its cost over that of the current use [points]; each use is
        one layer of border bonuses, all with the same borders. A parcel whose current use is forbidden must change. What is
        forbidden or locked stands in `refusals` with reason and rule.

    Raises
    ------
    SchemaError
        Bad input, with the rows: negative area, unknown use or region, missing neighbour, a cost that is not a
        number, windows that contradict each other or what the parcels may become, a region in pieces.

    Notes
    -----
    With use :math:`u_i`, cost :math:`c_{ik}`, border length :math:`b_{ij}` and weight :math:`w`, the score is

    .. math:: \sum_i (c_{i,u_i^0} - c_{i,u_i}) + w \sum_{ij} b_{ij} ([u_i = u_j] - [u_i^0 = u_j^0])
    """
    allowed = allowed_uses(question)
    refuse_bad_allocation(question, allowed)
    options = _options(question, allowed)
    names = np.array(question.uses, object)
    limits = allocation_limits(question, options.patch, options.use, options.flat)
    stays = allowed[np.arange(question.n), question.current]
    return PlanProblem(
        n=question.n,
        patch=options.patch,
        measure=np.broadcast_to(np.array(MEASURE, object), len(options.patch)),
        target_class=names[options.use],
        value=_value(question, options),
        cost=_works(question, limits, len(options.patch)),
        effects={},
        base={},
        pairs=_pairs(question, options),
        limits=limits,
        may_keep=None if stays.all() else stays,
        refusals=_refusals(question, allowed),
    )


def uses_after(question: Allocation, problem: PlanProblem, choice: np.ndarray) -> np.ndarray:
    """Use of every parcel under a choice, (n,) int8 positions in `uses` (规划用途)."""
    position = {name: k for k, name in enumerate(question.uses)}
    after = question.current.astype(np.int8)
    changed = np.flatnonzero(choice != KEPT)
    after[changed] = [position[name] for name in problem.target_class[choice[changed]]]
    return after


def choice_of(question: Allocation, problem: PlanProblem, uses: np.ndarray) -> np.ndarray:
    """Choice that gives every parcel the use asked for, (n,) int (由用途求选择).

    Raises
    ------
    SchemaError
        A parcel is asked to take a use that is forbidden to it.
    """
    names = np.array(question.uses, object)
    fits = np.flatnonzero(names[uses][problem.patch] == problem.target_class)
    choice = np.full(problem.n, KEPT)
    choice[problem.patch[fits]] = fits
    missing = np.flatnonzero((choice == KEPT) & (np.asarray(uses) != question.current))
    if len(missing):
        raise SchemaError(f"parcels {missing[:5].tolist()} may not take the use asked for", expected="an allowed use")
    return choice


def _options(question: Allocation, allowed: np.ndarray) -> _Options:
    open_ = allowed.copy()
    open_[np.arange(question.n), question.current] = False
    flat = np.flatnonzero(open_.ravel())
    count = len(question.uses)
    use = (flat % count).astype(np.int8)
    return _Options((flat // count).astype(np.int32), use, flat)


def _value(question: Allocation, options: _Options) -> np.ndarray:
    now = question.cost[np.arange(question.n), question.current].astype(float)
    value = now[options.patch]
    value -= question.cost.ravel()[options.flat]
    value *= question.points_per_cost
    return value


def _works(question: Allocation, limits: tuple[Limit, ...], options: int) -> np.ndarray:
    """Cost of the works of each option [yuan], the numbers of the first budget; nothing where there is none."""
    first = {b.id for b in question.budgets[:1]}
    return next((x.coefficient for x in limits if x.id in first), np.broadcast_to(np.zeros(()), options))


def _pairs(question: Allocation, options: _Options) -> tuple[Pairs, ...]:
    if question.borders is None or question.points_per_m == 0.0:
        return ()
    i, j = question.borders.i, question.borders.j
    weight = question.borders.length_m.astype(float) * question.points_per_m
    return tuple(
        Pairs("compactness", f"同类相邻（{name}）", i, j, weight, question.current == k, options.use == k)
        for k, name in enumerate(question.uses)
    )


def _refusals(question: Allocation, allowed: np.ndarray) -> Refusals | None:
    flat = np.flatnonzero(~allowed.ravel())
    if not len(flat):
        return None
    count = len(question.uses)
    code = np.zeros(len(flat), np.uint8) if question.forbidden is None else question.forbidden.ravel()[flat]
    kinds: Iterable[tuple[str, str]] = [("lock", ""), *question.reasons]
    reasons = np.array([r for r, _ in kinds], object)
    rule_ids = np.array([r for _, r in kinds], object)
    label = np.array(question.uses, object)[flat % count]
    return Refusals((flat // count).astype(np.int32), label, reasons[code], rule_ids[code])
