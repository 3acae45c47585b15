"""Invented portfolios of any size for tests and benchmarks (虚拟项目组合)."""

from __future__ import annotations

import numpy as np

from qianmo.governance.portfolio.problem import Candidate, Floor, Need, Precedence, Problem, Supply

__all__ = ["made_portfolio"]


def made_portfolio(
    projects: int, years: int, funds: int, *, rng: np.random.Generator, regions: int = 6, money_share: float = 0.5, first_year: int = 2026,
    window: float = 0.3, order: float = 0.1, must: float = 0.02, floors: bool = True,
) -> Problem:  # fmt: skip
    """An invented problem whose money pays about `money_share` of all projects; synthetic (生成虚拟组合).

    Parameters
    ----------
    projects, years, funds, regions : int
    window, order, must : float
        Shares of projects with a start window of one year, with a project before them, and that must be done. [1]

    Returns
    -------
    Problem
        Costs from 0.2 to 20 million yuan over one to three years; values grow with cost, with noise.
    """
    names = [f"F{k}" for k in range(funds)]
    last = first_year + years - 1
    candidates = []
    for n in range(projects):
        span = int(rng.integers(1, min(3, years) + 1))
        cost = int(np.exp(rng.uniform(np.log(2e7), np.log(2e9))))
        shares = rng.dirichlet(np.ones(span))
        parts = [int(cost * s) for s in shares]
        parts[0] += cost - sum(parts)
        some = frozenset(rng.choice(names, size=int(rng.integers(1, funds + 1)), replace=False).tolist())
        value = int(1e-4 * cost**0.75 * rng.uniform(0.5, 1.5) * 1e3)
        open_years = list(range(first_year, last - span + 2))
        if rng.random() < window:
            open_years = [int(rng.choice(open_years))]
        starts = {y: int(value * 0.97 ** (y - first_year)) for y in open_years}
        needs = tuple(Need(k, some, f) for k, f in enumerate(parts) if f > 0)
        candidates.append(Candidate(f"P{n:04d}", f"项目{n}", f"R{n % regions}", starts, needs, span, must=bool(rng.random() < must)))
    total = sum(c.cost_fen for c in candidates)
    supplies = []
    for fund, share in zip(names, rng.dirichlet(4 * np.ones(funds))):
        carry = int(rng.integers(0, 3))
        for y in range(first_year, last + 1):
            supplies.append(Supply(fund, y, min(last, y + carry), int(total * money_share * share / years * rng.uniform(0.7, 1.3))))
    pairs = []
    for n in range(1, projects):
        if rng.random() < order and not candidates[n].must:
            pairs.append(Precedence(candidates[int(rng.integers(0, n))].id, candidates[n].id))
    lowest = tuple(Floor(f"R{r}", first_year, last, int(0.4 * total * money_share / regions)) for r in range(regions)) if floors else ()
    return Problem(first_year, last, tuple(candidates), tuple(supplies), lowest, tuple(pairs))
