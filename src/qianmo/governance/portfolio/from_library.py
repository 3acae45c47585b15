"""The portfolio problem of a library, and its answer as tables (项目库转组合问题)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from qianmo.governance.blank import or_else
from qianmo.governance.funds import funds_that_may_pay, supplies_of
from qianmo.governance.library.check_money import fen_of, listed
from qianmo.governance.portfolio.problem import Candidate, Floor, Need, Portfolio, Precedence, Problem, finish_year, open_years
from qianmo.governance.portfolio.replay import Replay
from qianmo.schema.errors import SchemaError
from qianmo.schema.tables import table_spec

__all__ = ["BASES", "OPEN_STATES", "library_problem", "portfolio_tables"]

OPEN_STATES = ("APPROVED_RESERVE", "PLAN_DRAFT", "VILLAGE_AGREED", "JOINT_REVIEWED", "APPROVED", "SCHEDULED")
"""States in which a project may be put into a year plan: past the county's screening, works not begun."""

BASES = {"score": "得分", "score_money": "得分乘投资", "new_farmland": "新增耕地"}
"""What the value of a project may be: its score, its score for every yuan, or the farmland it makes."""

_GRAIN = 10**6


def library_problem(
    tables: Mapping[str, pd.DataFrame], scores: Mapping[str, Fraction], *, first_year: int, years: int, delay_rate: float, basis: str = "score_money",
    states: tuple[str, ...] = OPEN_STATES,
) -> Problem:  # fmt: skip
    """Projects, funds, order and floors of a library as a portfolio problem (项目库转组合问题).

    Parameters
    ----------
    tables : mapping
        ``library_project``, ``library_fund``, ``library_fund_year``; the others where they are there. Without faults.
    scores : mapping
        Project → score from 0 to 1.
    first_year, years : int
        Years of the plan. Works and payments end within them.
    delay_rate : float
        Share of the value that is lost with each year after the first. [1/a]
    basis : str
        One of `BASES`.
    states : tuple of str
        States of the projects that take part.

    Returns
    -------
    Problem
        Values are whole millionths of a score, of a score times 10,000 yuan, or of a hectare.

    Raises
    ------
    SchemaError
        Unknown basis, or no years.
    """
    if basis not in BASES or years < 1:
        raise SchemaError(f"价值口径 {basis!r}, 年数 {years}", expected=f"{', '.join(BASES)}; 年数至少 1")
    last = first_year + years - 1
    funds = tables["library_fund"]
    parts: dict[str, list[Need]] = {}
    for r in _rows(tables, "library_payment"):
        parts.setdefault(str(r["project_id"]), []).append(Need(int(r["stage_year"]) - 1, frozenset(listed(r["fund_ids"])), fen_of(r["amount_yuan"])))
    candidates = []
    for r in tables["library_project"].to_dict("records"):
        if r["state"] in states:
            candidates.append(_candidate(r, parts.get(str(r["project_id"])), funds, scores, first_year, last, delay_rate, basis))
    taken = {c.id for c in candidates}
    orders = [Precedence(str(r["before_id"]), str(r["after_id"])) for r in _rows(tables, "library_order") if {r["before_id"], r["after_id"]} <= taken]
    floors = [Floor(str(r["region"]), int(r["first_year"]), int(r["last_year"]), fen_of(r["least_yuan"])) for r in _rows(tables, "library_floor")]
    supplies = supplies_of(funds, tables["library_fund_year"], first_year=first_year, last_year=last)
    return Problem(first_year, last, tuple(candidates), supplies, tuple(floors), tuple(orders))


def portfolio_tables(problem: Problem, found: Portfolio, again: Replay) -> dict[str, pd.DataFrame]:
    """Year plan, payments and balances as tables (年度计划、支付与平衡表)."""
    plan = []
    for c in problem.candidates:
        start = found.starts.get(c.id)
        end = None if start is None else finish_year(c, start)
        plan.append((c.id, c.name, start, end, c.cost_fen / 100, 0 if start is None else c.starts[start]))
    plan.sort(key=lambda r: (r[2] is None, r[2] or 0, -int(r[5]), r[0]))
    start_frame = pd.DataFrame(plan, columns=list(table_spec("portfolio_start").column_names)).astype({"start_year": "Int64", "end_year": "Int64"})
    payments = [(p, f, y, fen / 100) for p, f, y, fen in found.payments]
    balances = [(b.fund, b.year, *(x / 100 for x in (b.opening, b.arrived, b.paid, b.lapsed, b.closing))) for b in again.balances]
    return {
        "portfolio_start": start_frame,
        "portfolio_payment": pd.DataFrame(payments, columns=list(table_spec("portfolio_payment").column_names)),
        "fund_balance": pd.DataFrame(balances, columns=list(table_spec("fund_balance").column_names)),
    }


def _candidate(
    r: Mapping[str, Any], needs: list[Need] | None, funds: pd.DataFrame, scores: Mapping[str, Fraction], first: int, last: int, delay_rate: float, basis: str
) -> Candidate:  # fmt: skip
    project = str(r["project_id"])
    works = int(or_else(r.get("works_years"), 1))
    cost = fen_of(r["investment_yuan"])
    if needs is None:
        each, left = divmod(cost, works)
        able = funds_that_may_pay(funds, r)
        needs = [Need(k, able, each + (k < left)) for k in range(works) if each + (k < left)]
    worth = scores.get(project, Fraction(0))
    if basis == "score_money":
        worth *= Fraction(cost, 10**6)
    elif basis == "new_farmland":
        worth = Fraction(str(or_else(r.get("new_farmland_m2"), 0))) / 10**4
    early, late = int(or_else(r.get("earliest_start"), first)), int(or_else(r.get("latest_start"), last))
    payable = all(n.funds for n in needs)
    bare = Candidate(project, str(r["name"]), str(r.get("region") or ""), {}, tuple(needs) if payable else (), works, bool(or_else(r.get("must"), False)))
    keep = 1 - Fraction(str(delay_rate))
    starts = {y: int(worth * _GRAIN * keep ** (y - first)) for y in open_years(bare, first, last) if payable and early <= y <= late}
    return Candidate(bare.id, bare.name, bare.region, starts, bare.needs, bare.years, bare.must)


def _rows(tables: Mapping[str, pd.DataFrame], name: str) -> list[dict[str, Any]]:
    return list(tables[name].to_dict("records")) if name in tables else []
