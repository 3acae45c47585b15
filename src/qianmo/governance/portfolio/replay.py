"""The money of a portfolio counted again, and a bound proven, without solver or model (现金复核).

Nothing here reads the model: only projects, money, start years, payments and prices, in whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from qianmo.governance.portfolio.problem import Portfolio, Prices, Problem

__all__ = ["Balance", "Replay", "price_bound", "replay"]

_GRAIN = 1 << 80
"""Prices are read as whole multiples of 1 / _GRAIN, so that the bound is exact."""


@dataclass(frozen=True)
class Balance:
    """One fund in one year (资金年度平衡): opening + arrived - paid - lapsed = closing. [fen]"""

    fund: str
    year: int
    opening: int
    arrived: int
    paid: int
    lapsed: int
    closing: int


@dataclass(frozen=True)
class Replay:
    """What the recount says (复核结果).

    `faults` is empty when every limit holds; `bound` is proven by the prices alone; `gap` is what the best portfolio can at most be better. [1]
    """

    balances: tuple[Balance, ...]
    value: int
    bound: int
    faults: tuple[str, ...]

    @property
    def gap(self) -> float:
        """Proven gap as a share of the value. [1]"""
        return max(0, self.bound - self.value) / max(1, abs(self.value))


def replay(problem: Problem, found: Portfolio) -> Replay:
    """Count value, payments and balances of a portfolio again and prove a bound (复核项目组合).

    Money that lapses soonest is spent first, which never makes a year short that another order would not.

    Parameters
    ----------
    problem : Problem
    found : Portfolio
        From any method.

    Returns
    -------
    Replay
    """
    projects = {c.id: c for c in problem.candidates}
    faults = [f"项目 {i} 不在库中" for i in found.starts if i not in projects]
    value = 0
    for i, year in found.starts.items():
        if i in projects and year not in projects[i].starts:
            faults.append(f"项目 {i} 不能在 {year} 年开工")
        elif i in projects:
            value += projects[i].starts[year]
    faults += [f"必须实施的项目 {c.id} 没有安排" for c in problem.candidates if c.must and c.id not in found.starts]
    faults += _needs_met(problem, found)
    for p in problem.precedences:
        if p.after in found.starts:
            last = found.starts[p.before] + projects[p.before].years - 1 if p.before in found.starts else None
            if last is None or found.starts[p.after] <= last:
                faults.append(f"{p.after} 于 {found.starts[p.after]} 年开工, 前置项目 {p.before} " + (f"{last} 年才完工" if last else "没有安排"))
    for f in problem.floors:
        paid = sum(fen for i, _, year, fen in found.payments if i in projects and projects[i].region == f.region and f.first <= year <= f.last)
        if paid < f.least_fen:
            faults.append(f"区域 {f.region} {f.first}—{f.last} 年安排 {paid / 1e6:,.2f} 万元, 保底 {f.least_fen / 1e6:,.2f} 万元")
    balances, short = _balances(problem, found.payments)
    return Replay(balances, value, price_bound(problem, found.prices), (*faults, *short))


def price_bound(problem: Problem, prices: Prices) -> int:
    r"""A value that no portfolio exceeds, whatever the prices are (影子价格上界).

    Notes
    -----
    With prices :math:`\lambda_k \ge 0` of the supplies, needs of funds g in year t cost the cheapest supply that may pay them,
    :math:`u_{gt} = \min_k \lambda_k`; floors and orders enter with their own multipliers. Then

    .. math:: \max \le \sum_k \lambda_k F_k - \sum_r \varphi_r L_r + \sum_p \max(0, \max_s (v_{ps} - \sum u c + \ldots))

    by weak duality (Geoffrion, Mathematical Programming Study 2, 1974): true for any prices, so the solver need not be trusted. Computed in
    whole multiples of :math:`2^{-80}`.
    """
    supply = [max(0, floor(Fraction(p) * _GRAIN)) for p in prices.supply]
    floors = [max(0, floor(Fraction(p) * _GRAIN)) for p in prices.floor]
    order = {key: max(0, floor(Fraction(p) * _GRAIN)) for key, p in prices.order.items()}
    total = sum(p * s.fen for p, s in zip(supply, problem.supplies)) - sum(p * f.least_fen for p, f in zip(floors, problem.floors))
    cheapest: dict[tuple[frozenset[str], int], int | None] = {}

    def unit(funds: frozenset[str], year: int) -> int | None:
        if (funds, year) not in cheapest:
            cheapest[funds, year] = min((p for p, s in zip(supply, problem.supplies) if s.fund in funds and s.year <= year <= s.until), default=None)
        return cheapest[funds, year]

    waits = [(k, p) for k, p in enumerate(problem.precedences)]
    mine: dict[str, list[tuple[int, int, bool]]] = {}
    for (k, year), p in order.items():
        mine.setdefault(waits[k][1].after, []).append((year, p, True))
        mine.setdefault(waits[k][1].before, []).append((year, p, False))
    for c in problem.candidates:
        best: int | None = None
        for year, value in c.starts.items():
            reduced = value * _GRAIN
            payable = True
            for n in c.needs:
                price = unit(n.funds, year + n.stage)
                payable = payable and price is not None
                reduced -= (price or 0) * n.fen
                reduced += sum(p * n.fen for p, f in zip(floors, problem.floors) if f.region == c.region and f.first <= year + n.stage <= f.last)
            for at, p, is_after in mine.get(c.id, ()):
                reduced += (-p if year <= at else 0) if is_after else (p if year + c.years - 1 < at else 0)
            if payable and (best is None or reduced > best):
                best = reduced
        if best is not None:
            total += best if c.must else max(0, best)
    return floor(Fraction(total, _GRAIN))


def _needs_met(problem: Problem, found: Portfolio) -> list[str]:
    paid: dict[tuple[str, int], dict[str, int]] = {}
    for project, fund, year, fen in found.payments:
        listed = paid.setdefault((project, year), {})
        listed[fund] = listed.get(fund, 0) + fen
    faults = [f"支付 {p} {y} 年不为正数" for p, _, y, fen in found.payments if fen <= 0]
    for c in problem.candidates:
        due: dict[int, list[tuple[frozenset[str], int]]] = {}
        if c.id in found.starts:
            for n in c.needs:
                due.setdefault(found.starts[c.id] + n.stage, []).append((n.funds, n.fen))
        for year in sorted({*due, *(y for p, y in paid if p == c.id)}):
            wanted, given = due.get(year, []), paid.get((c.id, year), {})
            if sum(fen for _, fen in wanted) != sum(given.values()):
                faults.append(f"{c.id} {year} 年应付 {sum(fen for _, fen in wanted) / 100:.2f} 元, 安排 {sum(given.values()) / 100:.2f} 元")
            elif not _covers(wanted, given):
                faults.append(f"{c.id} {year} 年动用了不许用于该项目的资金 {'、'.join(sorted(given))}")
    return faults


def _covers(wanted: Sequence[tuple[frozenset[str], int]], given: Mapping[str, int]) -> bool:
    """True when the given money can be dealt out to the needs: every set of needs finds enough (Hall)."""
    sets = sorted({funds for funds, _ in wanted}, key=sorted)
    for pick in range(1, 1 << len(sets)):
        chosen = [s for k, s in enumerate(sets) if pick >> k & 1]
        together = frozenset().union(*chosen)
        if sum(fen for funds, fen in wanted if funds in chosen) > sum(fen for fund, fen in given.items() if fund in together):
            return False
    return True


def _balances(problem: Problem, payments: Sequence[tuple[str, str, int, int]]) -> tuple[tuple[Balance, ...], list[str]]:
    funds = sorted({s.fund for s in problem.supplies} | {fund for _, fund, _, _ in payments})
    rows, faults = [], []
    for fund in funds:
        held: list[list[int]] = []  # [until, fen], soonest to lapse first
        for year in range(problem.first_year, problem.last_year + 1):
            opening = sum(fen for _, fen in held)
            new = [[s.until, s.fen] for s in problem.supplies if s.fund == fund and s.year == year]
            arrived = sum(fen for _, fen in new)
            held = sorted([*held, *new])
            need = paid = sum(fen for _, f, y, fen in payments if f == fund and y == year)
            for lot in held:
                taken = min(lot[1], need)
                lot[1] -= taken
                need -= taken
            if need:
                faults.append(f"资金 {fund} {year} 年超支 {need / 100:.2f} 元")
            lapsed = sum(fen for until, fen in held if until <= year)
            held = [lot for lot in held if lot[0] > year and lot[1]]
            closing = sum(fen for _, fen in held)
            rows.append(Balance(fund, year, opening, arrived, paid - need, lapsed, closing))
    return tuple(rows), faults
