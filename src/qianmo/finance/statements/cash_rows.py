"""Rows of the financial plan: funding, cash, short-term loan (财务计划现金流量)."""

from __future__ import annotations

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.expression import Before, Here, Number, choose, larger, rounded
from qianmo.finance.sheet.row import Row, Source
from qianmo.finance.statements.making import booked, given, given_years, rate_row

__all__ = ["cash_rows"]

_PART = "资金"


def cash_rows(project: Project) -> list[Row]:
    """Working capital, equity, cash before and after the short-term loan and the dividend (资金来源与运用).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``cash.closing`` is never negative while short-term loans are allowed; without them it shows the lack of money.

    Notes
    -----
    Equity pays in construction what loans, grants and the cash kept from the year before leave open, and the first working
    capital; or it comes as given.
    """
    short = project.short_term is not None
    rows = [
        given("project.working_capital_share", "流动资金占经营成本比例", "比例", project.working_capital_share, project.sources.get("working_capital", Source(project.file, text="默认"))),
        booked("working.level", "流动资金占用额", _PART, rounded(Here("project.working_capital_share") * Here("cost.net")) * Here("time.operation"), total="last"),
        booked("working.increase", "流动资金增加额", _PART, Here("working.level") - Before("working.level")),
        *_equity(project),
        booked("cash.operating_in", "经营活动现金流入", _PART, Here("income.gross") + Here("subsidy.gross")),
        booked("cash.operating_out", "经营活动现金流出", _PART, Here("cost.gross") + Here("vat.paid") + Here("surcharge.total") + Here("tax.due")),
        booked("cash.operating", "经营活动净现金流量", _PART, Here("cash.operating_in") - Here("cash.operating_out")),
        booked("cash.investing", "投资活动净现金流量", _PART, Number(0.0) - Here("capex.gross") - Here("working.increase")),
        booked("cash.before_principal", "还本前可用资金", _PART, Before("cash.closing") + Here("cash.operating") + Here("cash.investing") + Here("equity.paid")
               + Here("loans.drawn") + Here("grant.gross") - Here("loans.paid") - Here("short.repaid") - Here("short.interest"), total=""),
        booked("cash.before", "短期借款与分红前资金", _PART, Here("cash.before_principal") - Here("loans.principal"), total=""),
        *([rate_row("rate.short_term", "短期借款年利率", project.short_term)] if project.short_term else []),
        booked("short.repaid", "偿还短期借款", _PART, Before("short.borrowed")),
        booked("short.interest", "短期借款利息", _PART, rounded(Before("short.borrowed") * Here("rate.short_term")) if short else Number(0.0)),
        booked("short.borrowed", "短期借款", _PART, larger(Number(0.0) - Here("cash.before"), 0) if short else Number(0.0)),
        booked("cash.financing", "筹资活动净现金流量", _PART, Here("equity.paid") + Here("loans.drawn") + Here("grant.gross") + Here("short.borrowed")
               - Here("loans.principal") - Here("loans.paid") - Here("short.repaid") - Here("short.interest") - Here("profit.dividend")),
        booked("cash.net", "净现金流量", _PART, Here("cash.operating") + Here("cash.investing") + Here("cash.financing")),
        booked("use.total", "总投资", _PART, Here("capex.gross") + Here("loans.construction_interest") + Here("working.increase")),
        booked("use.own", "自有经营资金", _PART, Here("use.total") - Here("equity.paid") - Here("loans.drawn") - Here("loans.construction_capitalised") - Here("grant.gross")),
        booked("use.sources", "资金筹措", _PART, Here("equity.paid") + Here("loans.drawn") + Here("loans.construction_capitalised") + Here("grant.gross") + Here("use.own")),
        booked("cash.closing", "累计盈余资金", _PART, Before("cash.closing") + Here("cash.net"), total="last"),
    ]  # fmt: skip
    return rows


def _equity(project: Project) -> list[Row]:
    building = Here("capex.gross") + Here("loans.construction_paid") - Here("grant.gross") - Here("loans.drawn") - larger(Before("cash.closing"), 0)
    if project.equity_mode == "given":
        source = project.sources.get("equity", Source(project.file))
        return [given_years("equity.given", "资本金(逐年)", "分", project.equity_fen, source), booked("equity.paid", "资本金", _PART, rounded(Here("equity.given")))]
    need = choose(Here("time.construction"), building, 0) + choose(Here("time.first_operation"), Here("working.increase"), 0)
    return [booked("equity.paid", "资本金", _PART, larger(need, 0))]
