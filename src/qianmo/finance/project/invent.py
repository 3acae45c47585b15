"""Invented projects of money for audits, tests and benchmarks (虚拟资金项目)."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from qianmo.schema.finance_codes import kinds, tax_treatments

__all__ = ["invented_project"]

_PLANS = ("annuity", "equal_principal", "bullet", "interest_first", "accrued", "capacity")
_UNITS = (("亩", "万元/亩", 1.0), ("公顷", "元/平方米", 10.0), ("MWh", "元/kWh", 1.0), ("户", "万元/户", 1.0), ("床", "元/床", 1e4))


def invented_project(rng: np.random.Generator) -> dict[str, Any]:
    """Tables of a project with everything drawn at random, as the parser of its file would give them (随机项目).

    Parameters
    ----------
    rng : Generator

    Returns
    -------
    dict
        For `project_from`: 8 to 30 years, 1 to 3 sub-projects, costs, income with ramps, growth and lags, quotas, grants,
        0 to 3 loans of all kinds, transfers, 1 to 3 parties, taxes with holidays; it is synthetic and may lose money.
    """
    years, months = int(rng.integers(8, 31)), int(rng.integers(3, 49))
    built = -(-months // 12)
    subs = ["eco", "plant", "farm"][: int(rng.integers(1, 4))]
    parties = ["town", "firm", "village"][: int(rng.integers(1, 4))]
    head = {
        "name": "随机项目（合成）", "base_year": 2025, "years": years, "construction_months": months, "rates_on": date(2025, 7, 1), "benchmark_rate": round(float(rng.uniform(0.03, 0.1)), 4),
        "first_flow": str(rng.choice(["now", "end_of_year_one"])), "city_kind": str(rng.choice(["urban", "town", "other"])),
    }  # fmt: skip
    lines = [_cost(rng, n, subs, parties) for n in range(int(rng.integers(1, 5)))]
    lines += [_income(rng, n, subs, parties, years, built) for n in range(int(rng.integers(1, 5)))]
    lines += [_running(rng, n, subs, parties, years, built) for n in range(int(rng.integers(0, 4)))]
    if rng.random() < 0.3:
        lines.append({"id": "grant", "sub_project": subs[0], "kind": "grant", "amount": f"{rng.integers(10, 3000)} 万元", "year": int(rng.integers(1, built + 1))})
    return {
        "project": head,
        "tax": _taxes(rng, years),
        "depreciation": {k: {"years": int(rng.integers(2, 31)), "salvage": round(float(rng.uniform(0, 0.1)), 3), "convention": str(rng.choice(["full_year", "half_year"]))} for k in ("fixed", "intangible", "deferred")},
        "working_capital": {"share_of_operating_cost": round(float(rng.uniform(0, 0.4)), 3)},
        "dividend": {"share": round(float(rng.choice([0.0, 0.5, 1.0])), 2)},
        "short_term": {"allowed": bool(rng.random() < 0.8), "rate": 0.0435},
        "party": [{"id": p, "zh": p, "role": r, "equity_share": s} for p, r, s in zip(parties, ["government", "investor", "collective"], _shares(rng, len(parties)), strict=False)],
        "sub_project": [{"id": s, "zh": s, "kind": k} for s, k in zip(subs, ["ecological", "industry", "agriculture"], strict=False)],
        "line": lines,
        "quota": [_quota(rng, subs, years)] if rng.random() < 0.5 else [],
        "loan": _loans(rng, years, built),
        "transfer": [{"from_sub_project": subs[1], "to_sub_project": subs[0], "share": round(float(rng.uniform(0, 1)), 3)}] if len(subs) > 1 and rng.random() < 0.6 else [],
    }  # fmt: skip


def _shares(rng: np.random.Generator, count: int) -> list[float]:
    cuts = sorted(float(round(x, 3)) for x in rng.uniform(0.05, 0.95, count - 1))
    edges = [0.0, *cuts, 1.0]
    return [b - a for a, b in zip(edges, edges[1:], strict=False)]


def _taxes(rng: np.random.Generator, years: int) -> dict[str, Any]:
    found: dict[str, Any] = {"vat": bool(rng.random() < 0.8), "income_tax": str(rng.choice(["income_tax", "income_tax_western", "income_tax_agriculture", "none"]))}
    if rng.random() < 0.4:
        found["holiday"] = {"free_years": 3, "half_years": 3, "first_year": int(rng.integers(1, years))}
    if rng.random() < 0.1:
        found["losses"] = "refund"
    return found


def _line(rng: np.random.Generator, name: str, wanted: list[str], subs: list[str], parties: list[str]) -> dict[str, Any]:
    kind = str(rng.choice(wanted))
    treatments = [t for t, v in tax_treatments().items() if v.vat_rate_id] + ["none"]
    found: dict[str, Any] = {"id": name, "sub_project": str(rng.choice(subs)), "kind": kind, "tax": str(rng.choice(treatments)), "includes_vat": bool(rng.random() < 0.8)}
    if rng.random() < 0.3:
        found["party"] = str(rng.choice(parties))
    return found


def _amount(rng: np.random.Generator, size: float) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"amount": f"{rng.uniform(0.01, 1) * size:.2f} 万元"}
    unit, price, cheap = _UNITS[int(rng.integers(len(_UNITS)))]
    return {"quantity": f"{rng.uniform(1, 100):.2f} {unit}", "price": f"{rng.uniform(0.001, 0.02) * size * cheap:.4f} {price}"}


def _cost(rng: np.random.Generator, n: int, subs: list[str], parties: list[str]) -> dict[str, Any]:
    capital = [k for k, v in kinds().items() if v.stage == "capital"]
    found = _line(rng, f"capex{n}", capital, subs, parties) | _amount(rng, 5000)
    if rng.random() < 0.2:
        found |= {"life_years": int(rng.integers(2, 20)), "salvage": 0.03}
    return found | {"spread": ["months", "even"][int(rng.integers(2))]}


def _income(rng: np.random.Generator, n: int, subs: list[str], parties: list[str], years: int, built: int) -> dict[str, Any]:
    income = [k for k, v in kinds().items() if v.direction == "in" and v.stage in ("operating", "subsidy")]
    found = _line(rng, f"income{n}", income, subs, parties) | _amount(rng, 1500)
    found |= {"from": int(rng.integers(1, built + 2)), "to": int(rng.integers(built + 2, years + 1))}
    if rng.random() < 0.4:
        found["growth"] = round(float(rng.uniform(-0.03, 0.05)), 4)
    if rng.random() < 0.4:
        found["ramp"] = [round(float(x), 2) for x in np.sort(rng.uniform(0.2, 1, int(rng.integers(1, 4))))]
    if rng.random() < 0.3:
        found["lag_months"] = int(rng.integers(1, 30))
    if rng.random() < 0.2:
        found["share"] = round(float(rng.uniform(0.3, 1)), 3)
    if found["kind"] == "land_income":
        found["deductions"] = f"{rng.uniform(10, 5000):.2f} 万元"
    return found


def _running(rng: np.random.Generator, n: int, subs: list[str], parties: list[str], years: int, built: int) -> dict[str, Any]:
    cost = [k for k, v in kinds().items() if v.direction == "out" and v.stage == "operating"]
    found = _line(rng, f"cost{n}", cost, subs, parties) | _amount(rng, 400)
    return found | {"from": int(rng.integers(1, built + 2)), "to": years, "growth": round(float(rng.uniform(0, 0.04)), 4)}


def _quota(rng: np.random.Generator, subs: list[str], years: int) -> dict[str, Any]:
    return {
        "id": "quota", "sub_project": subs[0], "area": f"{rng.uniform(10, 2000):.1f} 亩", "price": f"{rng.uniform(3, 30):.2f} 万元/亩", "accepted_share": round(float(rng.uniform(0.5, 1)), 3),
        "levy": round(float(rng.uniform(0, 0.3)), 3), "lag_months": int(rng.integers(0, 37)), "year": int(rng.integers(1, max(2, years // 2))),
    }  # fmt: skip


def _loans(rng: np.random.Generator, years: int, built: int) -> list[dict[str, Any]]:
    loans: list[dict[str, Any]] = []
    for n in range(int(rng.integers(0, 4))):
        term = int(rng.integers(1, years - built + 1))
        loan: dict[str, Any] = {
            "id": f"loan{n}", "rate": round(float(rng.uniform(0, 0.08)), 4), "term_years": term,
            "interest_in_construction": str(rng.choice(["capitalise", "paid", "none"])),
        }  # fmt: skip
        how = rng.random()
        if how < 0.3 and not n:
            loan |= {"coverage_of": str(rng.choice(["before_tax", "after_tax"]))}
            loan |= {"coverage": round(float(rng.uniform(1.05, 1.6)), 3), "most": round(float(rng.uniform(0.3, 0.9)), 2), "plan": "sculpted"}
        else:
            loan |= {"share": round(float(rng.uniform(0, 0.3)), 3)} if how < 0.7 else {"amount": f"{rng.uniform(1, 2000):.2f} 万元"}
            plans = [p for p in _PLANS if p != "capacity" or not loans or "coverage" not in loans[0]]
            loan |= {"plan": str(rng.choice(plans)), "grace_years": int(rng.integers(0, term))}
        if rng.random() < 0.3 and loan["plan"] not in ("sculpted", "capacity"):
            loan["nature"] = "special_bond"
        loans.append(loan)
    return loans
