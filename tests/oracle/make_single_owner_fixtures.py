"""Random projects computed by another open engine (SAM single owner), kept as fixtures so that the tests need it not.

Run with a Python that has nrel-pysam 7.1.1 (never a dependency of the package)::

    python tests/oracle/make_single_owner_fixtures.py

Energy is given directly, so that no weather file plays a part. The common subset: all cost in year 0, no interest in
construction, straight-line 20 years with half a year at both ends, losses earn tax back at once, one loan.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import PySAM.Singleowner as single_owner

CASES = 220
OUT = Path(__file__).parent / "single_owner.json"
LINES = {
    "revenue": "cf_total_revenue", "operating": "cf_operating_expenses", "ebitda": "cf_ebitda", "interest": "cf_debt_payment_interest",
    "principal": "cf_debt_payment_principal", "balance": "cf_debt_balance", "depreciation": "cf_feddepr_sl_20", "tax": "cf_fedtax",
    "pretax": "cf_project_return_pretax", "aftertax": "cf_project_return_aftertax",
}  # fmt: skip
KNOWN = {
    "cost": 24_000_000.0, "energy": 44_129_003.30060718, "price": 0.0591, "price_escalation": 0.0, "degradation": 0.005, "capacity_kw": 50_000.0,
    "om_capacity": 7.0, "om_escalation": 0.0, "om_fixed": 0.0, "insurance": 0.0025, "salvage": 0.05, "tax": 0.25, "years": 25, "term": 15, "rate": 0.045, "discount": 0.06,
}  # fmt: skip


def main() -> None:
    """The two published cases and the random ones."""
    draw = random.Random(20260101)
    cases = [KNOWN | {"debt_share": 0.7}, KNOWN | {"coverage": 1.3, "most": 1.0}]
    while len(cases) < CASES + 2:
        case = invented(draw)
        if solved(case) is not None:
            cases.append(case)
    found = [{"inputs": case, "outputs": solved(case)} for case in cases]
    OUT.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
    print(len(found), OUT.stat().st_size)


def invented(draw: random.Random) -> dict[str, float]:
    """Inputs of one project."""
    years = draw.randint(8, 30)
    capacity = round(draw.uniform(1e3, 1e5), 1)
    case = {
        "cost": round(capacity * draw.uniform(300, 900), 2), "energy": round(capacity * draw.uniform(800, 1600), 1), "price": round(draw.uniform(0.03, 0.12), 4),
        "price_escalation": draw.choice([0.0, round(draw.uniform(-0.02, 0.03), 4)]), "degradation": round(draw.uniform(0, 0.01), 4), "capacity_kw": capacity,
        "om_capacity": round(draw.uniform(2, 15), 2), "om_escalation": draw.choice([0.0, round(draw.uniform(0, 0.03), 4)]), "om_fixed": round(draw.uniform(0, capacity), 2),
        "insurance": round(draw.uniform(0, 0.006), 5), "salvage": round(draw.uniform(0, 0.1), 3), "tax": round(draw.uniform(0.1, 0.35), 3), "years": years,
        "term": draw.randint(3, years - 1), "rate": round(draw.uniform(0.02, 0.08), 4), "discount": round(draw.uniform(0.03, 0.1), 4),
    }  # fmt: skip
    if draw.random() < 0.5:
        return case | {"debt_share": round(draw.uniform(0.0, 0.85), 3)}
    return case | {"coverage": round(draw.uniform(1.1, 1.6), 3), "most": 1.0}


def solved(case: dict[str, float]) -> dict[str, object] | None:
    """What the other engine says, or None where it sizes a debt above the whole cost or finds no return."""
    m = single_owner.default("PVWattsSingleOwner")
    zero = [
        "construction_financing_cost", "cost_debt_closing", "cost_debt_fee", "cost_other_financing", "dscr_reserve_months", "equip1_reserve_cost", "equip2_reserve_cost",
        "equip3_reserve_cost", "inflation_rate", "months_receivables_reserve", "months_working_reserve", "prop_tax_cost_assessed_percent", "property_tax_rate",
        "reserves_interest", "loan_moratorium", "prop_tax_assessed_decline",
    ]  # fmt: skip
    for name in zero:
        setattr(m.FinancialParameters, name, 0)
    f = m.FinancialParameters
    f.analysis_period, f.system_capacity, f.real_discount_rate = int(case["years"]), case["capacity_kw"], 100 * case["discount"]
    f.federal_tax_rate, f.state_tax_rate = [100 * case["tax"]], [0]
    f.insurance_rate, f.salvage_percentage = 100 * case["insurance"], 100 * case["salvage"]
    f.term_int_rate, f.term_tenor, f.payment_option = 100 * case["rate"], int(case["term"]), 0
    f.dscr_limit_debt_fraction = 0
    if "debt_share" in case:
        f.debt_option, f.debt_percent = 0, 100 * case["debt_share"]
    else:
        f.debt_option, f.dscr = 1, case["coverage"]
    c = m.SystemCosts
    c.total_installed_cost, c.om_capacity, c.om_capacity_escal = case["cost"], [case["om_capacity"]], 100 * case["om_escalation"]
    c.om_fixed, c.om_fixed_escal, c.om_production, c.om_production_escal = [case["om_fixed"]], 100 * case["om_escalation"], [0], 0
    r = m.Revenue
    r.ppa_soln_mode, r.ppa_price_input, r.ppa_escalation, r.ppa_multiplier_model = 1, [case["price"]], 100 * case["price_escalation"], 0
    r.dispatch_tod_factors = [1.0] * 9
    d = m.Depreciation
    for part in ("custom", "macrs_15", "macrs_5", "sl_15", "sl_20", "sl_39", "sl_5"):
        setattr(d, f"depr_alloc_{part}_percent", 100 if part == "sl_20" else 0)
        setattr(d, f"depr_bonus_fed_{part}", 0)
        setattr(d, f"depr_bonus_sta_{part}", 0)
        setattr(d, f"depr_itc_fed_{part}", 0)
        setattr(d, f"depr_itc_sta_{part}", 0)
    d.depr_bonus_fed = d.depr_bonus_sta = 0
    t = m.TaxCreditIncentives
    t.itc_fed_amount, t.itc_fed_percent, t.itc_sta_amount, t.itc_sta_percent = [0], [0], [0], [0]
    t.ptc_fed_amount, t.ptc_sta_amount = [0], [0]
    m.LandLease.land_area = 0
    m.Lifetime.system_use_lifetime_output = 0
    s = m.SystemOutput
    s.gen, s.degradation, s.system_capacity = [case["energy"] / 8760] * 8760, [100 * case["degradation"]], case["capacity_kw"]
    s.system_pre_curtailment_kwac, s.annual_energy_pre_curtailment_ac = s.gen, case["energy"]
    m.execute(0)
    o = m.Outputs
    if not 0 <= o.debt_fraction <= 100 or o.project_return_aftertax_irr != o.project_return_aftertax_irr:
        return None
    found: dict[str, object] = {name: list(getattr(o, line)) for name, line in LINES.items()}
    return found | {"irr": o.project_return_aftertax_irr, "npv": o.project_return_aftertax_npv, "debt": o.size_of_debt, "min_dscr": o.min_dscr}


if __name__ == "__main__":
    main()
