"""The year plan of a clerk: down the ranked list while the money lasts (按序安排年度计划)."""

from __future__ import annotations

from collections.abc import Sequence

from qianmo.governance.portfolio.pay import payments_of
from qianmo.governance.portfolio.problem import Problem, finish_year

__all__ = ["year_plan_by_rank"]


def year_plan_by_rank(problem: Problem, order: Sequence[str]) -> dict[str, int]:
    """Start years when every year is filled down the list; what no longer fits moves to the next year (梯次安排).

    Parameters
    ----------
    problem : Problem
        Floors are not looked at.
    order : sequence of str
        Project ids, the first rank first. Projects that must be done are placed before the others.

    Returns
    -------
    dict
        Project → start year; a project that no year can pay is left out.
    """
    projects = {c.id: c for c in problem.candidates}
    ranked = sorted(order, key=lambda i: not projects[i].must)
    before: dict[str, list[str]] = {}
    for p in problem.precedences:
        before.setdefault(p.after, []).append(p.before)
    starts: dict[str, int] = {}
    for year in range(problem.first_year, problem.last_year + 1):
        for i in ranked:
            waits = [b for b in before.get(i, []) if b not in starts or finish_year(projects[b], starts[b]) >= year]
            if i not in starts and year in projects[i].starts and not waits and payments_of(problem, {**starts, i: year}) is not None:
                starts[i] = year
    return starts
