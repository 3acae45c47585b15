"""Ten thousand invented projects of money, audited to the fen by a second bookkeeper (万个随机项目对账)."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence

import numpy as np

from qianmo.finance.project.invent import invented_project
from qianmo.finance.project.read import project_from
from qianmo.finance.statements.checks import checks_of
from qianmo.finance.statements.settle import settled


def audited(values: Mapping[str, Sequence[float]]) -> list[str]:
    """Faults of a project: its books kept again in whole numbers from its receipts and payments alone."""

    def fen(name: str) -> list[int]:
        whole = [int(x) for x in values[name]]
        if any(w != x for w, x in zip(whole, values[name], strict=True)):
            raise ValueError(f"{name} is not whole fen")
        return whole

    rows = {name: fen(name) for name in _ROWS}
    cash = assets = pool = owed = own = work = 0
    faults = []
    for t in range(len(rows["capex.gross"])):
        r = {name: yearly[t] for name, yearly in rows.items()}
        received = r["income.gross"] + r["subsidy.gross"] + r["grant.gross"] + r["equity.paid"] + r["loans.drawn"] + r["short.borrowed"]
        taxes = r["vat.paid"] + r["surcharge.total"] + r["tax.due"]
        lenders = r["loans.principal"] + r["loans.paid"] + r["short.repaid"] + r["short.interest"]
        cash += received - r["cost.gross"] - r["capex.gross"] - r["working.increase"] - taxes - lenders - r["profit.dividend"]
        pool += r["capex.vat"] + r["cost.vat"] - r["vat.output"] + r["vat.paid"] - r["vat.simple"]
        work += r["working.increase"]
        assets += r["capex.net"] + r["loans.construction_interest"] - r["depreciation.total"] - r["amortisation.total"]
        owed += r["loans.drawn"] + r["loans.capitalised"] - r["loans.principal"] + r["short.borrowed"] - r["short.repaid"]
        profit = r["income.net"] + r["subsidy.net"] - r["cost.net"] - r["surcharge.total"] - r["tax.due"]
        profit -= r["depreciation.total"] + r["amortisation.total"] + r["loans.expense"] + r["short.interest"]
        own += r["equity.paid"] + r["grant.gross"] + profit - r["profit.dividend"]
        whole = cash + pool + work + assets
        for what, here, there in (
            ("assets = liabilities + equity", whole, owed + own), ("cash", cash, r["cash.closing"]), ("assets", whole, r["balance.assets"]),
            ("liabilities", owed, r["balance.liabilities"]), ("equity", own, r["balance.equity"]), ("profit", profit, r["profit.net"]),
        ):  # fmt: skip
            if here != there:
                faults.append(f"{what} in year {t + 1}: {here} and {there} fen")
    return faults


_ROWS = (
    "income.gross", "income.net", "subsidy.gross", "subsidy.net", "grant.gross", "equity.paid", "cost.gross", "cost.net", "cost.vat", "capex.gross", "capex.net",
    "capex.vat", "vat.output", "vat.simple", "vat.paid", "surcharge.total", "tax.due", "loans.drawn", "loans.capitalised", "loans.principal", "loans.paid",
    "loans.expense", "loans.construction_interest", "short.borrowed", "short.repaid", "short.interest", "working.increase", "depreciation.total",
    "amortisation.total", "profit.net", "profit.dividend", "cash.closing", "balance.assets", "balance.liabilities", "balance.equity",
)  # fmt: skip


def main() -> None:
    """Audit so many projects and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first project")
    asked = parser.parse_args()
    faulty, years, rows, spent, start = 0, 0, 0, 0.0, time.perf_counter()
    for seed in range(asked.first, asked.first + asked.projects):
        project = project_from(invented_project(np.random.default_rng(seed)), file=f"seed {seed}")
        begun = time.perf_counter()
        sheet, values = settled(project)
        spent += time.perf_counter() - begun
        faults = audited(values) + [c.zh for c in checks_of(project, values) if c.hard and not c.passes]
        faulty += bool(faults)
        years += project.years
        rows += len(sheet.rows)
        if faults:
            print(seed, faults[:3])
    wall = time.perf_counter() - start
    print(f"{asked.projects} projects, {years} balance sheets, {rows / asked.projects:.0f} rows each: {faulty} out of balance; "
          f"{wall:.0f} s, {1000 * spent / asked.projects:.1f} ms a project to assemble and compute")  # fmt: skip


if __name__ == "__main__":
    main()
