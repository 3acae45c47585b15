"""Rows of profit and its appropriation (利润与利润分配)."""

from __future__ import annotations

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.expression import Before, Here, Number, larger, rounded, smaller
from qianmo.finance.sheet.row import Row, Source
from qianmo.finance.statements.making import booked, given, rate_row, running
from qianmo.finance.statements.tax_rows import income_rate_rows, income_tax_rows

__all__ = ["profit_rows"]

_PART = "利润"


def profit_rows(project: Project) -> list[Row]:
    """From income to the profit that stays undistributed (利润形成与分配).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``profit.ebitda``, ``profit.ebit``, ``profit.total``, ``tax.due``, ``profit.net``, ``profit.reserve``,
        ``profit.dividend``, ``profit.undistributed``; and ``tax.adjusted.due``, the income tax of a project without debt,
        whose profit is before interest and before the wear of capitalised interest (调整所得税, 融资前口径).
    """
    before = Before("profit.undistributed")
    reserve = rounded(Here("rate.reserve") * larger(Here("profit.net") + smaller(before, 0), 0))
    share = rounded(Here("project.dividend_share") * smaller(Here("profit.available"), larger(Here("cash.before"), 0)))
    return [
        booked("profit.ebitda", "息税折旧摊销前利润", _PART, Here("income.net") + Here("subsidy.net") - Here("cost.net") - Here("surcharge.total")),
        booked("profit.ebit", "息税前利润", _PART, Here("profit.ebitda") - Here("depreciation.total") - Here("amortisation.total")),
        booked("profit.ebit_unfinanced", "息税前利润(融资前)", _PART, Here("profit.ebit") + Here("asset.interest.depreciation")),
        booked("profit.interest", "财务费用(利息支出)", _PART, Here("loans.expense") + Here("short.interest")),
        booked("cost.total", "总成本费用", _PART, Here("cost.net") + Here("depreciation.total") + Here("amortisation.total") + Here("profit.interest")),
        booked("profit.total", "利润总额", _PART, Here("profit.ebit") - Here("profit.interest")),
        *income_rate_rows(project),
        *income_tax_rows(project, "profit.total", "tax", "所得税"),
        *income_tax_rows(project, "profit.ebit_unfinanced", "tax.adjusted", "调整所得税"),
        booked("profit.net", "净利润", _PART, Here("profit.total") - Here("tax.due")),
        rate_row("rate.reserve", project.reserve.zh, project.reserve),
        given("project.dividend_share", "可分配利润的分配比例", "比例", project.dividend_share, project.sources.get("dividend", Source(project.file, text="默认"))),
        booked("profit.opening", "期初未分配利润", _PART, before, total=""),
        booked("profit.reserve", "提取法定盈余公积", _PART, reserve),
        booked("profit.available", "可供投资者分配的利润", _PART, larger(before + Here("profit.net") - Here("profit.reserve"), 0), total=""),
        booked("profit.dividend", "应付利润", _PART, larger(share, Number(0.0)) * Here("time.operation")),
        running("profit.undistributed", "未分配利润", _PART, Here("profit.net") - Here("profit.reserve") - Here("profit.dividend")),
    ]
