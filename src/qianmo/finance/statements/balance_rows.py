"""Rows of the balance sheet and its check (资产负债)."""

from __future__ import annotations

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.expression import Here, total_of
from qianmo.finance.sheet.row import Row
from qianmo.finance.statements.making import booked, running

__all__ = ["balance_rows"]

_PART = "资产负债"


def balance_rows(project: Project) -> list[Row]:
    """Assets, liabilities, equity, and their difference that must be 0 (资产、负债、所有者权益).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``balance.difference`` is 0.00 in every year.
    """
    def at(name: str, zh: str, *parts: str) -> Row:
        return booked(name, zh, _PART, total_of([Here(p) for p in parts]), total="last")

    return [
        at("balance.current", "流动资产总额", "cash.closing", "working.level", "vat.pool"),
        at("balance.assets", "资产", "balance.current", "asset.in_progress", "asset.fixed_book", "asset.other_book"),
        at("balance.liabilities", "负债", "short.borrowed", "loans.closing"),
        running("balance.capital", "资本金", _PART, Here("equity.paid")),
        running("balance.grants", "资本公积(财政补助)", _PART, Here("grant.gross")),
        running("balance.reserve", "累计盈余公积", _PART, Here("profit.reserve")),
        at("balance.equity", "所有者权益", "balance.capital", "balance.grants", "balance.reserve", "profit.undistributed"),
        booked("balance.difference", "资产 − 负债 − 所有者权益", _PART, Here("balance.assets") - Here("balance.liabilities") - Here("balance.equity"), total=""),
    ]
