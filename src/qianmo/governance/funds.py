"""Funds by source and year: what arrives, is promised, is paid, is free (资金台账)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from qianmo.governance.blank import is_blank
from qianmo.governance.library.check_money import fen_of, listed
from qianmo.governance.portfolio.problem import Supply

__all__ = ["fund_account", "funds_that_may_pay", "supplies_of"]


def supplies_of(funds: pd.DataFrame, years: pd.DataFrame, *, first_year: int, last_year: int) -> tuple[Supply, ...]:
    """Free money of each fund that arrives in the years of the plan (可用资金).

    Parameters
    ----------
    funds : DataFrame, table ``library_fund``
    years : DataFrame, table ``library_fund_year``
    first_year, last_year : int
        Money from before the first year that has not lapsed counts as arriving in it; money of later years is left out.

    Returns
    -------
    tuple of Supply
        What arrives less what is promised to earlier plans, in whole fen, usable for ``carry_years`` further years.
    """
    carry = {str(r["fund_id"]): int(r["carry_years"]) for r in funds.to_dict("records")}
    found = []
    for r in years.sort_values(["fund_id", "year"]).to_dict("records"):
        year, fund = int(r["year"]), str(r["fund_id"])
        until = year + carry[fund]
        free = fen_of(r["amount_yuan"]) - _fen(r.get("committed_yuan"))
        if until >= first_year and year <= last_year and free > 0:
            found.append(Supply(fund, max(year, first_year), until, free))
    return tuple(found)


def fund_account(funds: pd.DataFrame, years: pd.DataFrame) -> pd.DataFrame:
    """Committed, paid and balance of each source (资金渠道汇总).

    Returns
    -------
    DataFrame
        fund_id, name, kind, amount_yuan, committed_yuan, paid_yuan, owed_yuan (promised, not paid), free_yuan (not promised).
    """
    rows = []
    for f in funds.to_dict("records"):
        mine = years[years["fund_id"] == f["fund_id"]].to_dict("records")
        amount, promised, paid = (sum(_fen(r.get(c)) for r in mine) for c in ("amount_yuan", "committed_yuan", "paid_yuan"))
        rows.append((f["fund_id"], f["name"], f["kind"], *(x / 100 for x in (amount, promised, paid, promised - paid, amount - promised))))
    return pd.DataFrame(rows, columns=["fund_id", "name", "kind", "amount_yuan", "committed_yuan", "paid_yuan", "owed_yuan", "free_yuan"])


def funds_that_may_pay(funds: pd.DataFrame, project: Mapping[str, Any]) -> frozenset[str]:
    """Funds whose earmarks take the class and the region of a project (可用于该项目的资金)."""
    found = []
    for f in funds.to_dict("records"):
        classes, regions = listed(f.get("classes")), listed(f.get("regions"))
        if (not classes or str(project["project_class"]) in classes) and (not regions or str(project.get("region")) in regions):
            found.append(str(f["fund_id"]))
    return frozenset(found)


def _fen(value: Any) -> int:
    return 0 if is_blank(value) else fen_of(value)
