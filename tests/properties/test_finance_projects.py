"""True for any project of money: it balances to 0.00, cash never appears, nothing is a part of a fen."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from qianmo.finance.debt.after_tax import sculpted_debt_after_tax
from qianmo.finance.debt.repayment import repay
from qianmo.finance.project.invent import invented_project
from qianmo.finance.project.read import project_from
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.statements.bond import bond_balance, bond_life
from qianmo.finance.statements.checks import checks_of
from qianmo.finance.statements.line_rows import net_row
from qianmo.finance.statements.settle import settled
from qianmo.finance.statements.source_use import source_use_matrix
from qianmo.finance.statements.statements import statement_names, statements
from qianmo.finance.tax.income import income_tax
from qianmo.finance.tax.land_value_added import land_value_added_tax
from qianmo.finance.tax.value_added import value_added_tax

SEEDS = range(240)


@pytest.fixture(scope="module")
def cases():
    found = []
    for seed in SEEDS:
        project = project_from(invented_project(np.random.default_rng(seed)), file=f"seed {seed}")
        found.append((project, *settled(project)))
    return found


def test_assets_are_liabilities_and_equity_to_the_fen(cases):
    for project, _, values in cases:
        assert max(abs(x) for x in values["balance.difference"]) == 0.0, project.file


def test_every_booked_amount_is_whole_fen(cases):
    for project, sheet, values in cases:
        for row in sheet.rows.values():
            if row.unit == "分" and not row.is_input and "未取整" not in row.zh:
                assert all(x == round(x) for x in values[row.id]), (project.file, row.id)


def test_hard_checks_pass_and_soft_ones_are_told(cases):
    failed = set()
    for project, _, values in cases:
        for check in checks_of(project, values):
            assert check.passes or not check.hard, (project.file, check.id)
            failed |= set() if check.passes else {check.id}
    assert {"survival", "short_term", "loans_repaid", "account_eco"} <= failed


def test_cash_never_appears(cases):
    for project, _, values in cases:
        owners = sum(values["equity.paid"]) - sum(values["profit.dividend"])
        lenders = sum(values["loans.drawn"]) - sum(values["loans.principal"]) - sum(values["loans.paid"]) + values["short.borrowed"][-1] - sum(values["short.interest"])
        work = sum(values["income.gross"]) + sum(values["subsidy.gross"]) + sum(values["grant.gross"]) - sum(values["cost.gross"]) - sum(values["capex.gross"])
        taxes = sum(values["vat.paid"]) + sum(values["surcharge.total"]) + sum(values["tax.due"])
        assert owners + lenders + work - taxes - values["working.level"][-1] == values["cash.closing"][-1], project.file


def test_short_term_loans_keep_cash_from_falling_below_zero(cases):
    allowed = [c for c in cases if c[0].short_term is not None]
    assert len(allowed) > 100
    assert all(min(values["cash.closing"]) >= 0 for _, _, values in allowed)


def test_every_statement_has_its_items_and_years(cases):
    for project, sheet, values in cases[::12]:
        tables = statements(project, sheet, values)
        assert list(tables) == list(statement_names()) and len(tables) == 8
        assert all(list(t.columns[4:]) == list(range(1, project.years + 1)) and len(t) for t in tables.values())


def test_the_items_of_a_statement_add_up(cases):
    for project, sheet, values in cases[::6]:
        tables = {k: t.set_index("number") for k, t in statements(project, sheet, values).items()}
        years = list(range(1, project.years + 1))
        for name, parts in (("investment", "2.1 2.2 2.3 2.4 2.5 2.6"), ("equity", "2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9"), ("investment", "1.1 1.2 1.3 1.4 1.5")):
            table = tables[name]
            whole = table.loc[parts[0], years].to_numpy(dtype=float)
            summed = table.loc[parts.split(), years].to_numpy(dtype=float).sum(axis=0)
            assert (whole == summed).all(), (project.file, name)
        assert (tables["investment_use"].loc["1", years] == tables["investment_use"].loc["2", years]).all()


def test_capital_of_the_owners_and_their_dividends_are_divided_to_the_fen(cases):
    for project, _, values in cases:
        owners = [p.id for p in project.parties if p.equity_share]
        for part, whole in (("capital", "equity.paid"), ("dividend", "profit.dividend")):
            divided = np.sum([values[f"party.{o}.{part}"] for o in owners], axis=0)
            assert (divided == np.asarray(values[whole])).all(), project.file


def test_sources_less_uses_are_what_cash_changes_by(cases):
    for project, _, values in cases[::8]:
        table = source_use_matrix(project, values).set_index("zh")
        years = list(range(1, project.years + 1))
        surplus = table.loc["当年余缺(来源 − 运用)", years].to_numpy(dtype=float)
        change = np.diff([0.0, *values["cash.closing"]]) + np.asarray(values["profit.dividend"]) - np.asarray(values["short.borrowed"]) + np.asarray(values["short.repaid"])
        assert (surplus == change).all(), project.file


def test_the_value_added_tax_is_that_of_the_tax_room(cases):
    for project, _, values in cases:
        found = value_added_tax(values["vat.output"], values["vat.input"])
        assert (found.paid_fen + np.asarray(values["vat.simple"]) == values["vat.paid"]).all() and (found.pool_fen == values["vat.pool"]).all(), project.file


def test_the_income_tax_is_that_of_the_tax_room(cases):
    seen = 0
    for project, _, values in cases:
        if project.taxes.income is None or project.taxes.refund_losses:
            continue
        rates = project.taxes.income.values * (project.years if len(project.taxes.income.values) == 1 else 1)
        for prefix in ("tax", "tax.adjusted"):
            found = income_tax(values[f"{prefix}.base"], np.asarray(rates))
            assert (found.tax_fen == values[f"{prefix}.due"]).all() and (found.loss_used_fen == values[f"{prefix}.loss_used"]).all(), project.file
        seen += 1
    assert seen > 100


def test_the_land_value_added_tax_is_that_of_the_tax_room(cases):
    seen = 0
    for project, _, values in cases:
        bands = [(c, r.value, q.value) for c, (r, q) in zip((0.5, 1.0, 2.0, float("inf")), project.taxes.land_bands, strict=False)]
        for line in project.lines:
            if line.deductions_fen:
                found = land_value_added_tax(sum(values[net_row(project, line)]), line.deductions_fen, bands)
                assert sum(values[f"line.{line.id}.land_tax"]) == found, project.file
                seen += found > 0
    assert seen > 10


def test_the_balance_of_a_special_bond_is_cash_over_its_service(cases):
    seen = 0
    for project, _, values in cases:
        balance = bond_balance(project, values)
        if balance is None or not balance.table.loc["total", "service"]:
            continue
        years = bond_life(project)
        assert balance.coverage == pytest.approx(sum(values["debt.cash"][:years]) / balance.table.loc["total", "service"], rel=1e-12), project.file
        assert balance.coverage_all <= balance.coverage or balance.coverage < 0
        seen += 1
    assert seen > 30


def test_repayment_is_that_of_the_debt_room_to_a_fen(cases):
    seen = 0
    for project, _, values in cases:
        for loan in project.loans:
            if loan.plan in ("capacity", "sculpted"):
                continue
            start = max(loan.last_draw, project.construction_years)
            part = slice(start, start + loan.term_years)
            opened = values[f"loan.{loan.id}.closing"][start - 1]
            found = repay(opened, loan.rate.value, loan.term_years, plan=loan.plan, grace=loan.grace_years)
            assert np.abs(found.principal - values[f"loan.{loan.id}.principal"][part]).max() <= loan.term_years, project.file
            assert np.abs(found.interest - values[f"loan.{loan.id}.interest"][part]).max() <= loan.term_years, project.file
            seen += 1
    assert seen > 100


def test_a_sculpted_loan_keeps_its_coverage_in_every_year_with_cash(cases):
    seen = [0, 0]
    for project, _, values in cases:
        for loan in project.loans:
            if loan.plan != "sculpted" or not sum(values[f"loan.{loan.id}.drawn"]):
                continue
            begin = max(loan.last_draw, project.construction_years)
            for t in range(begin, begin + loan.term_years):
                own = values[f"loan.{loan.id}.principal"][t] + values[f"loan.{loan.id}.paid"][t]
                service = values["loans.principal"][t] + values["loans.paid"][t]
                cash = values["profit.ebitda"][t] - (values["tax.due"][t] if loan.after_tax else 0)
                if own > 100_000:
                    assert cash / service >= loan.coverage - 10_000 / service, (project.file, t)
                    seen[loan.after_tax] += 1
    assert min(seen) > 30


def test_debt_sized_after_tax_is_that_of_the_backward_recursion():
    """Where losses earn tax back at once the size has another route: `sculpted_debt_after_tax`, from the last year to the first."""
    seen = 0
    for seed in range(400):
        data = invented_project(np.random.default_rng(seed))
        if not data["loan"] or data["loan"][0].get("coverage_of") != "after_tax":
            continue
        data["tax"] = {"income_tax": "25 %", "losses": "refund", "vat": False}
        data["loan"] = [data["loan"][0] | {"interest_in_construction": "none", "most": 1.0}]
        data["short_term"] = {"allowed": False}
        project = project_from(data, file=f"seed {seed}")
        _, values = settled(project, exact=False)
        loan, built = project.loans[0], project.construction_years
        part = slice(built, built + loan.term_years)
        cap = sum(values["capex.in_construction"])
        cash, profit = np.asarray(values["profit.ebitda"])[part], np.asarray(values["tax.base"])[part] + np.asarray(values["profit.interest"])[part]
        if (cash - 0.25 * profit <= 0).any():
            continue
        found, tax = sculpted_debt_after_tax(cash, profit, loan.coverage, loan.rate.value, 0.25, refundable=True)
        if found.debt > cap:
            continue
        drawn = sum(values["loans.drawn"])
        assert drawn == pytest.approx(float(found.debt), rel=1e-8), project.file
        assert values["tax.due"][part] == pytest.approx(tax, rel=1e-6, abs=10), project.file
        seen += 1
    assert seen > 8


def test_without_rounding_the_sheet_says_nearly_the_same(cases):
    for project, sheet, values in cases[::10]:
        free = computed(sheet, exact=False)
        biggest = max(abs(x) for x in values["flow.before_tax"])
        assert np.abs(np.asarray(free["flow.before_tax"]) - values["flow.before_tax"]).max() <= 100 + 1e-9 * biggest, project.file


def test_a_second_bookkeeper_finds_the_same_books(cases, repo):
    """The auditor of the benchmark keeps the books again in whole numbers from receipts and payments alone."""
    spec = importlib.util.spec_from_file_location("finance_audit", repo / "benchmarks/finance_audit.py")
    audit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(audit)
    for project, _, values in cases:
        assert audit.audited(values) == [], project.file
    wrong = dict(cases[0][2])
    wrong["tax.due"] = [x + 1 for x in wrong["tax.due"]]
    assert audit.audited(wrong)
