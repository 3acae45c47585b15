"""Facts of legality that the lines of a project file already say (由项目资金文件得出的合规事实)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from qianmo.finance.debt.special_bond import bond_coverage
from qianmo.finance.figures.coverage import debt_service_coverage, lowest_coverage
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.project.records import Line, Loan, Project
from qianmo.finance.statements.indicators import feedback_flows
from qianmo.finance.statements.line_rows import gross_row, lines_of
from qianmo.schema.errors import RuleError
from qianmo.schema.policy_rates import policy_rate
from qianmo.schema.rules import CONFIDENCE_WORDS

__all__ = ["doubts_of_rates", "facts_of_project", "models_of_project"]

Values = Mapping[str, Sequence[float]]

FEN = 100.0
"""Fen in a yuan."""


def models_of_project(project: Project) -> tuple[str, ...]:
    """Arrangements that the lines and loans show (由资金行推定的项目模式); there may be others that they do not show."""
    natures = {ln.nature for ln in project.lines} | {ln.nature for ln in project.loans}
    parts, works = {ln.kind for ln in project.lines}, {s.kind for s in project.sub_projects}
    seen = {
        "ppp": bool(natures & {"gap_funding", "construction_subsidy"}),
        "eod": "ecological" in works and len(works) > 1,
        "special_bond": "special_bond" in natures,
        "private_capital": "social_capital" in natures or bool(natures & {"fixed_return", "buy_back"}),
        "tax_share": "tax_share" in natures,
        "bank_loan": "market_loan" in natures,
        "photovoltaic": "electricity_income" in parts or "energy" in works,
        "lease": bool(parts & {"land_rent", "rent_income"}),
        "market_entry": "collective_land" in natures,
        "quota": "quota" in natures,
    }
    return tuple(model for model, is_seen in seen.items() if is_seen)


def doubts_of_rates(on: date) -> dict[str, str]:
    """Why the facts taken from the list of rates are not certain, by name (费率事实的可信度)."""
    try:
        rate = policy_rate("lpr_one_year", on)
    except RuleError:
        return {}
    if rate.confidence == "high":
        return {}
    return {"lpr_one_year_rate": f"{rate.zh} {rate.value:.2%} 取自费率表(可信度{CONFIDENCE_WORDS[rate.confidence]})"}


def facts_of_project(project: Project, values: Values, on: date) -> dict[str, Any]:
    """Facts by name that follow from the lines, loans and statements (推算的合规事实).

    Parameters
    ----------
    project : Project
    values : mapping
        What `computed` gave for its sheet. [fen]
    on : date
        Day whose one-year LPR is taken.

    Returns
    -------
    dict
        Amounts in yuan. A flag is set only where a line proves it; that no line does proves nothing. Present values at the
        benchmark rate and by the convention of the file. Grants count as equity.
    """
    return {
        **_income(project, values), **_package(project, values), **_debt(project, values), **_contract(project),
        "equity_yuan": (sum(values["equity.paid"]) + sum(values["grant.gross"])) / FEN,
        "total_investment_yuan": sum(values["use.total"]) / FEN,
        "project_years": project.years,
        "region": project.region,
        **_lpr(on),
    }  # fmt: skip


def _income(project: Project, values: Values) -> dict[str, Any]:
    total = _sum(project, values, lambda ln: True)
    land = _sum(project, values, lambda ln: ln.nature == "land_transfer")
    taxes = _sum(project, values, lambda ln: ln.nature == "tax_share")
    owners = {p.id for p in project.parties if p.role in ("investor", "contractor")}
    found = {
        "project_income_yuan": total.sum() / FEN,
        "government_payment_yuan": _sum(project, values, lambda ln: ln.nature == "gap_funding").sum() / FEN,
        "ppp_capital_subsidy_yuan": _sum(project, values, lambda ln: ln.nature == "construction_subsidy", "funding", "operating", "subsidy").sum() / FEN,
        "operating_subsidy_yuan": _sum(project, values, lambda ln: ln.nature == "operating_subsidy").sum() / FEN,
        "user_payments_present_yuan": _present(project, _sum(project, values, lambda ln: ln.nature == "user_payment")),
    }
    if total.sum() > 0:
        found["land_transfer_income_share"] = float(land.sum() / total.sum())
    if taxes.any():
        found["tax_share_to_private_yuan"] = _sum(project, values, lambda ln: ln.nature == "tax_share" and ln.party in owners).sum() / FEN
    quota = np.flatnonzero(_sum(project, values, lambda ln: ln.nature == "quota"))
    if len(quota):
        found["quota_first_income_year"] = project.base_year + int(quota[0])
    return {name: float(v) if isinstance(v, np.floating) else v for name, v in found.items()}


def _package(project: Project, values: Values) -> dict[str, Any]:
    gain, cost = feedback_flows(project, values)
    quota = _sum(project, values, lambda ln: ln.nature == "quota")
    subsidy = _sum(project, values, lambda ln: True, "subsidy")
    found: dict[str, Any] = {
        "eod_subprojects": len(project.sub_projects),
        "eod_investment_yuan": sum(values["capex.gross"]) / FEN,
        "industry_net_yuan": _present(project, gain - quota - subsidy),
        "quota_income_yuan": _present(project, quota),
        "subsidy_yuan": _present(project, subsidy),
        "ecology_cost_yuan": _present(project, cost),
    }
    accounts = [min(values[f"sub.{s.id}.account"]) for s in project.sub_projects if s.account]
    if accounts:
        found["restoration_account_lowest_yuan"] = min(accounts) / FEN
    if project.sub_projects:
        received, given = (_total([values[f"sub.{s.id}.{way}"] for s in project.sub_projects], project.years) for way in ("received", "given"))
        gaps = received - given
        found["transfer_gap_yuan"] = float(np.abs(gaps).max()) / FEN
    ecology, industry = (_progress(project, values, is_ecological) for is_ecological in (True, False))
    if ecology and industry:
        found["ecology_progress"], found["industry_progress"] = ecology, industry
    return found


def _progress(project: Project, values: Values, is_ecological: bool) -> list[float]:
    """Cumulative share of the investment of the ecological sub-projects, or of the others, by year of building."""
    mine = {s.id for s in project.sub_projects if (s.kind == "ecological") == is_ecological}
    spent = np.cumsum(_total([values[f"sub.{s}.capex"] for s in mine], project.years))
    if spent[-1] <= 0:
        return []
    return [min(1.0, float(s / spent[-1])) for s in spent[: project.construction_years]]


def _debt(project: Project, values: Values) -> dict[str, Any]:
    found: dict[str, Any] = {"lowest_cumulative_cash_yuan": min(values["cash.closing"]) / FEN}
    lowest = lowest_coverage(debt_service_coverage(values["debt.cash"], 0.0, values["debt.service"]))
    if np.isfinite(lowest):
        found["lowest_debt_service_coverage"] = float(lowest)
    rates = [r for ln in project.loans if ln.nature == "market_loan" for r in ln.rate.values]
    if rates:
        found["bank_loan_rates"] = sorted(set(rates))
    bonds = [ln for ln in project.loans if ln.nature == "special_bond"]
    return found | (_bond(project, values, bonds) if bonds else {})


def _bond(project: Project, values: Values, bonds: Sequence[Loan]) -> dict[str, Any]:
    """Coverage over the life of the bond, by the net income of the project in those years."""
    service = {ln.id: np.asarray(values[f"loan.{ln.id}.principal"]) + np.asarray(values[f"loan.{ln.id}.paid"]) for ln in project.loans}
    mine = _total([service[ln.id] for ln in bonds], project.years)
    if not mine.any():
        return {}
    first = min(t for ln in bonds for t, drawn in enumerate(values[f"loan.{ln.id}.drawn"]) if drawn > 0)
    last = int(np.flatnonzero(mine)[-1])
    cut = slice(0, last + 1)
    interest = _total([values[f"loan.{ln.id}.paid"] for ln in bonds], project.years)[cut]
    others = _total([service[ln.id] for ln in project.loans if ln not in bonds], project.years)[cut]
    covered = bond_coverage({"net": np.asarray(values["debt.cash"])[cut]}, mine[cut] - interest, interest, other_service=others)
    return {"bond_coverage": covered.coverage, "debt_coverage": covered.coverage_all, "bond_years": last - first + 1}


def _contract(project: Project) -> dict[str, Any]:
    natures = {ln.nature for ln in project.lines} | {ln.nature for ln in project.loans}
    found: dict[str, Any] = {}
    if "government_guaranteed" in natures:
        found["government_guarantee"] = True
    if "buy_back" in natures:
        found["government_buyback"] = found["buyback_of_principal"] = True
    if "fixed_return" in natures:
        found["fixed_return_to_equity"] = True
    shares = [p.equity_share for p in project.parties if p.equity_share]
    return found | ({"income_shares": shares} if shares else {})


def _lpr(on: date) -> dict[str, float]:
    try:
        return {"lpr_one_year_rate": policy_rate("lpr_one_year", on).value}
    except RuleError:
        return {}


def _sum(project: Project, values: Values, test: Callable[[Line], bool], *stages: str) -> np.ndarray:
    """Income by year of the lines that pass a test [fen]."""
    lines = lines_of(project, *(stages or ("operating", "subsidy")), direction="in", test=test)
    return _total([values[gross_row(project, ln)] for ln in lines], project.years)


def _total(rows: Iterable[Any], years: int) -> np.ndarray:
    return sum((np.asarray(row, dtype=np.float64) for row in rows), np.zeros(years))


def _present(project: Project, flows: np.ndarray) -> float:
    rates = project.benchmark.values
    rate = rates[0] if len(rates) == 1 else np.asarray(rates)[:, None]
    return float(np.ravel(net_present_value(flows, rate, first=project.first_flow))[0]) / FEN
