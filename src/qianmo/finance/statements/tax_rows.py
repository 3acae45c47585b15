"""Rows of value-added tax, surcharges and income tax (增值税、附加税费、所得税)."""

from __future__ import annotations

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.expression import Before, Expression, Here, Number, larger, rounded, smaller
from qianmo.finance.sheet.row import Row
from qianmo.finance.statements.making import booked, given, rate_row, sum_row

__all__ = ["income_rate_rows", "income_tax_rows", "vat_rows"]

_VAT, _TAX = "增值税", "所得税"


def vat_rows(project: Project) -> list[Row]:
    """Tax paid, the pool of input tax, and the surcharges on the tax paid (应纳增值税、留抵与附加).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``vat.paid`` with the simple tax, ``vat.pool`` at year end, ``surcharge.total``.
    """
    due = Here("vat.output") - Here("vat.input") - Before("vat.pool")
    rows = [
        booked("vat.input", "进项税额", _VAT, Here("capex.vat") + Here("cost.vat")),
        booked("vat.due", "销项减进项减上期留抵", _VAT, due, total=""),
        booked("vat.paid", "应纳增值税", _VAT, larger(Here("vat.due"), 0) + Here("vat.simple")),
        booked("vat.pool", "期末留抵税额", _VAT, larger(Number(0.0) - Here("vat.due"), 0), total="last"),
    ]
    for name, zh in (("city", "城市维护建设税"), ("education", "教育费附加"), ("local", "地方教育附加")):
        if name in project.taxes.surcharges:
            rows.append(rate_row(f"rate.surcharge.{name}", project.taxes.surcharges[name].zh, project.taxes.surcharges[name]))
            rows.append(booked(f"surcharge.{name}", zh, _VAT, rounded(Here("vat.paid") * Here(f"rate.surcharge.{name}"))))
    names = [f"surcharge.{n}" for n in ("city", "education", "local") if n in project.taxes.surcharges]
    return [*rows, sum_row("surcharge.total", "税金及附加", _VAT, names)]


def income_tax_rows(project: Project, profit: str, prefix: str, words: str) -> list[Row]:
    """Income tax on a profit with losses of five years used oldest first (所得税与先进先出弥补亏损).

    Parameters
    ----------
    project : Project
    profit : str
        Row of the profit before tax.
    prefix : str
        ``tax`` for the tax of the project, ``tax.adjusted`` for the tax as if there were no debt.
    words : str
        Chinese name of the tax.

    Returns
    -------
    list of Row
        ``<prefix>.due`` is the tax, ``<prefix>.loss_used``, ``<prefix>.loss_left``, ``<prefix>.taxable``.
    """
    taxes = project.taxes
    base = booked(f"{prefix}.base", f"{words}: 弥补亏损前应税利润", _TAX, Here(profit) - Here("income.untaxed"))
    if taxes.income is None:
        zero = Number(0.0)
        return [base, booked(f"{prefix}.loss_used", f"{words}: 弥补以前年度亏损", _TAX, zero), booked(f"{prefix}.taxable", f"{words}: 应纳税所得额", _TAX, zero),
                booked(f"{prefix}.due", words, _TAX, zero)]  # fmt: skip
    if taxes.refund_losses:
        due = rounded(Here(f"{prefix}.base") * Here("rate.income_tax"))
        return [base, booked(f"{prefix}.loss_used", f"{words}: 弥补以前年度亏损", _TAX, Number(0.0)), booked(f"{prefix}.taxable", f"{words}: 应纳税所得额", _TAX, Here(f"{prefix}.base")),
                booked(f"{prefix}.due", f"{words}(亏损即时抵退)", _TAX, due)]  # fmt: skip
    ages = round(taxes.loss_years.value) if taxes.loss_years else 0
    rows = [base, booked(f"{prefix}.gain", f"{words}: 盈利", _TAX, larger(Here(f"{prefix}.base"), 0))]
    left: Expression = Here(f"{prefix}.gain")
    for age in range(ages, 0, -1):
        rows.append(booked(f"{prefix}.used{age}", f"{words}: 弥补 {age} 年前亏损", _TAX, smaller(left, Before(f"{prefix}.pool{age - 1}"))))
        left = left - Here(f"{prefix}.used{age}")
    rows.append(booked(f"{prefix}.pool0", f"{words}: 本年亏损", _TAX, larger(Number(0.0) - Here(f"{prefix}.base"), 0), total=""))
    for age in range(1, ages):
        rest = Before(f"{prefix}.pool{age - 1}") - Here(f"{prefix}.used{age}")
        rows.append(booked(f"{prefix}.pool{age}", f"{words}: {age} 年前亏损余额", _TAX, rest, total=""))
    used = [f"{prefix}.used{age}" for age in range(ages, 0, -1)]
    return [
        *rows,
        sum_row(f"{prefix}.loss_used", f"{words}: 弥补以前年度亏损", _TAX, used),
        booked(f"{prefix}.taxable", f"{words}: 应纳税所得额", _TAX, Here(f"{prefix}.gain") - Here(f"{prefix}.loss_used")),
        booked(f"{prefix}.due", words, _TAX, rounded(Here(f"{prefix}.taxable") * Here("rate.income_tax"))),
    ]


def income_rate_rows(project: Project) -> list[Row]:
    """The income tax rate by year and the years a loss may be carried (所得税率).

    Parameters
    ----------
    project : Project
    """
    taxes, rows = project.taxes, []
    if taxes.income is not None:
        rows.append(rate_row("rate.income_tax", "企业所得税率", taxes.income))
        if taxes.loss_years is not None and not taxes.refund_losses:
            rows.append(given("rate.loss_years", "亏损结转年限", "年", taxes.loss_years.value, taxes.loss_years.source))
    return rows
