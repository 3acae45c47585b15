"""Rows of the investment and the equity cash flow (全部投资与资本金现金流量)."""

from __future__ import annotations

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.expression import Here
from qianmo.finance.sheet.row import Row
from qianmo.finance.statements.making import booked, rate_row, running

__all__ = ["flow_rows"]

_ALL, _OWN = "全部投资", "资本金"


def flow_rows(project: Project) -> list[Row]:
    """Net flows before and after tax, and the flow to equity (净现金流量).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``flow.before_tax``, ``flow.after_tax``, ``flow.equity`` [fen], in positive and out negative; the book value of the
        assets and the working capital come back in the last year (回收), as value and not as money of the plan.
    """
    return [
        rate_row("rate.benchmark", project.benchmark.zh, project.benchmark),
        booked("flow.assets_back", "回收资产余值", _ALL, (Here("asset.in_progress") + Here("asset.fixed_book") + Here("asset.other_book") - Here("asset.interest.book")
               - Here("asset.interest.in_progress")) * Here("time.last")),
        booked("flow.working_back", "回收流动资金", _ALL, Here("working.level") * Here("time.last")),
        booked("flow.in", "现金流入", _ALL, Here("income.gross") + Here("subsidy.gross") + Here("flow.assets_back") + Here("flow.working_back")),
        booked("flow.out", "现金流出", _ALL, Here("capex.gross") + Here("working.increase") + Here("cost.gross") + Here("vat.paid") + Here("surcharge.total")),
        booked("flow.before_tax", "所得税前净现金流量", _ALL, Here("flow.in") - Here("flow.out")),
        running("flow.before_tax_cum", "累计所得税前净现金流量", _ALL, Here("flow.before_tax")),
        booked("flow.after_tax", "所得税后净现金流量", _ALL, Here("flow.before_tax") - Here("tax.adjusted.due")),
        running("flow.after_tax_cum", "累计所得税后净现金流量", _ALL, Here("flow.after_tax")),
        booked("equity.assets_back", "回收资产余值(含建设期利息)", _OWN, (Here("asset.in_progress") + Here("asset.fixed_book") + Here("asset.other_book")) * Here("time.last")),
        booked("equity.in", "现金流入", _OWN, Here("income.gross") + Here("subsidy.gross") + Here("equity.assets_back") + Here("flow.working_back")),
        booked("equity.self_funded", "自有资金支付的投资(扣除借款与补助)", _OWN, Here("capex.gross") + Here("working.increase") + Here("loans.construction_paid")
               - Here("equity.paid") - Here("loans.drawn") - Here("grant.gross")),
        booked("equity.interest", "借款利息支付", _OWN, Here("loans.paid") - Here("loans.construction_paid") + Here("short.interest")),
        booked("equity.out", "现金流出", _OWN, Here("equity.paid") + Here("loans.principal") + Here("equity.interest") + Here("cost.gross") + Here("vat.paid")
               + Here("surcharge.total") + Here("tax.due") + Here("equity.self_funded")),
        booked("flow.equity", "资本金净现金流量", _OWN, Here("equity.in") - Here("equity.out")),
        running("flow.equity_cum", "累计资本金净现金流量", _OWN, Here("flow.equity")),
        booked("debt.service", "还本付息额", _OWN, Here("loans.principal") + Here("loans.paid") - Here("loans.construction_paid") + Here("short.interest")),
        booked("debt.cash", "可用于还本付息的资金(息税折旧摊销前利润 − 所得税)", _OWN, Here("profit.ebitda") - Here("tax.due")),
    ]  # fmt: skip
