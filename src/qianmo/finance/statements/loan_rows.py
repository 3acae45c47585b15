"""Rows of the loans: size, draws, interest in construction, repayment (借款)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from qianmo.finance.project.records import Loan, Project
from qianmo.finance.sheet.expression import (
    Before,
    Call,
    Expression,
    Here,
    Number,
    Whole,
    at_least,
    at_most,
    both,
    choose,
    equals,
    larger,
    power,
    rounded,
    smaller,
    total_of,
)
from qianmo.finance.sheet.row import Row, Source
from qianmo.finance.statements.making import booked, given, given_years, rate_row, running, scalar, sum_row

__all__ = ["loan_rows"]

_PART = "借款"


def loan_rows(project: Project) -> list[Row]:
    """All loans and their sums (各笔借款与合计).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        For a loan ``x``: ``loan.x.drawn``, ``.interest`` (accrued), ``.capitalised``, ``.principal``, ``.closing``,
        ``.paid`` (interest paid in cash); the same of all loans as ``loans.…``; ``loans.construction_interest`` goes into
        the assets, ``loans.expense`` into the profit.

    Notes
    -----
    Interest of a year with draws is :math:`(P_{t-1} + A_t/2)\\,i` (half-year rule), afterwards :math:`P_{t-1} i`. Repayment
    begins the year after the later of the last draw and the end of construction.
    """
    rows = [booked("capex.in_construction", "建设期内建设投资", _PART, Here("capex.gross") * Here("time.construction"))]
    for n, loan in enumerate(project.loans):
        rows += _one(project, loan, n)
    sums = (
        ("drawn", "借入"), ("interest", "应计利息"), ("capitalised", "计入本金的利息"), ("principal", "偿还本金"), ("paid", "支付利息"),
        ("construction_interest", "建设期利息"), ("construction_paid", "建设期以资金支付的利息"), ("construction_capitalised", "建设期计入本金的利息"), ("expense", "计入成本的利息"), ("closing", "期末余额"),
    )  # fmt: skip
    for part, zh in sums:
        row = sum_row(f"loans.{part}", f"长期借款: {zh}", _PART, [f"loan.{ln.id}.{part}" for ln in project.loans])
        rows.append(Row(row.id, row.zh, row.unit, row.section, row.formula, total="last" if part == "closing" else "sum"))
    return rows


def _one(project: Project, loan: Loan, number: int) -> list[Row]:
    p, zh, year = f"loan.{loan.id}", loan.zh, Here("time.year")
    begin = max(loan.last_draw, project.construction_years)
    drawing, window = Here(f"{p}.drawing"), Here(f"{p}.repaying")
    rate, opening, drawn = Here(f"{p}.rate"), Before(f"{p}.closing"), Here(f"{p}.drawn")
    no_interest = loan.interest_in_construction == "none"
    early: Expression = Number(0.0) if no_interest else (opening + drawn / 2) * rate
    waiting = window * (1 - Here(f"{p}.final"))
    later = choose(waiting, Here(f"{p}.interest"), 0) if loan.plan == "accrued" else Number(0.0)
    at = loan.sources
    weights = at.get("draw", at["id"])
    rows = [
        rate_row(f"{p}.rate", f"{zh}: 年利率", loan.rate),
        given(f"{p}.begin", f"{zh}: 用款期末年", "年", begin, weights),
        given(f"{p}.term", f"{zh}: 还款年数", "年", loan.term_years, at["term_years"]),
        given(f"{p}.grace", f"{zh}: 宽限年数", "年", loan.grace_years, at.get("grace_years", at["term_years"])),
        given_years(f"{p}.weight", f"{zh}: 分年用款比例", "比例", loan.weights, weights),
        booked(f"{p}.drawing", f"{zh}: 用款期标志", _PART, at_most(year, Here(f"{p}.begin")), unit="标志"),
        booked(f"{p}.repaying", f"{zh}: 还款期标志", _PART, both(at_least(year, Here(f"{p}.begin") + 1), at_most(year, Here(f"{p}.begin") + Here(f"{p}.term"))), unit="标志"),
        booked(f"{p}.final", f"{zh}: 还款末年标志", _PART, equals(year, Here(f"{p}.begin") + Here(f"{p}.term")), unit="标志"),
        booked(f"{p}.first", f"{zh}: 首次还本标志", _PART, equals(year, Here(f"{p}.begin") + Here(f"{p}.grace") + 1), unit="标志"),
        *_size(project, loan, p, zh),
        booked(f"{p}.weight_cum", f"{zh}: 累计用款比例", _PART, Before(f"{p}.weight_cum") + Here(f"{p}.weight"), unit="比例"),
        booked(f"{p}.drawn_cum", f"{zh}: 累计借入", _PART, rounded(Here(f"{p}.amount") * Here(f"{p}.weight_cum")), total="last"),
        booked(f"{p}.drawn", f"{zh}: 本年借入", _PART, Here(f"{p}.drawn_cum") - Before(f"{p}.drawn_cum")),
        booked(f"{p}.opening", f"{zh}: 期初余额", _PART, opening, total=""),
        booked(f"{p}.interest", f"{zh}: 应计利息", _PART, rounded(choose(drawing, early, opening * rate))),
        booked(f"{p}.construction_capitalised", f"{zh}: 建设期计入本金的利息", _PART, choose(drawing, Here(f"{p}.interest"), 0) if loan.interest_in_construction == "capitalise" else Number(0.0)),
        booked(f"{p}.capitalised", f"{zh}: 计入本金的利息", _PART, Here(f"{p}.construction_capitalised") + later),
        *_principal(loan, p, zh, window, project.loans[:number]),
        running(f"{p}.closing", f"{zh}: 期末余额", _PART, drawn + Here(f"{p}.capitalised") - Here(f"{p}.principal")),
        booked(f"{p}.paid", f"{zh}: 支付利息", _PART, Here(f"{p}.interest") - Here(f"{p}.capitalised")),
        booked(f"{p}.construction_interest", f"{zh}: 建设期利息", _PART, choose(drawing, Here(f"{p}.interest"), 0)),
        booked(f"{p}.construction_paid", f"{zh}: 建设期以资金支付的利息", _PART, choose(drawing, Here(f"{p}.paid"), 0)),
        booked(f"{p}.expense", f"{zh}: 计入成本的利息", _PART, choose(drawing, 0, Here(f"{p}.interest"))),
    ]  # fmt: skip
    return rows


def _size(project: Project, loan: Loan, p: str, zh: str) -> list[Row]:
    """The amount drawn: given, a share of the cost, or what the cash can serve at the coverage asked."""
    at = loan.sources
    if loan.sizing == "amount":
        factors, fen = loan.amount
        rows = [given(f"{p}.factor{n}", f"{zh}: 借款金额", f.unit or "比例", f.value, at["amount"]) for n, f in enumerate(factors, 1)]
        rows.append(given(f"{p}.fen", f"{zh}: 折算为分", "分/单位积", fen, Source(text="单位换算")))
        parts: list[Expression] = [Here(row.id) for row in rows]
        whole = reduce(lambda a, b: a * b, parts)
        return [*rows, scalar(f"{p}.amount", f"{zh}: 借款总额", _PART, rounded(whole))]
    cost = Whole("capex.in_construction")
    if loan.sizing == "share":
        return [given(f"{p}.share", f"{zh}: 占建设投资比例", "比例", loan.share, at["share"]), scalar(f"{p}.amount", f"{zh}: 借款总额", _PART, rounded(cost * Here(f"{p}.share")))]
    rate, drawing, window = Here(f"{p}.rate"), Here(f"{p}.drawing"), Here(f"{p}.repaying")
    joins = loan.interest_in_construction == "capitalise"
    grown = Before(f"{p}.unit") * (1 + rate) + Here(f"{p}.weight") * (1 + rate / 2) if joins else Before(f"{p}.unit") + Here(f"{p}.weight")
    ends = equals(Here("time.year"), Here(f"{p}.begin"))
    factor = choose(equals(Here("time.year"), Here(f"{p}.begin") + 1), 1 / (1 + rate), choose(window, Before(f"{p}.factor") / (1 + rate), 0))
    others = [Here(f"loan.{ln.id}.{part}") for ln in project.loans if ln.id != loan.id for part in ("principal", "paid")]
    cash: Expression = Here("profit.ebitda") - Here(f"{p}.tax_assumed") if loan.after_tax else Here("profit.ebitda")
    able = larger(cash, 0) / Here(f"{p}.coverage")
    if others:
        able = larger(able - total_of(others), 0)
    return [
        *_assumed(project, loan, p, zh),
        given(f"{p}.coverage", f"{zh}: 要求的偿债备付率", "倍", loan.coverage, at["coverage"]),
        given(f"{p}.most", f"{zh}: 占建设投资比例上限", "比例", loan.most, at.get("most", at["coverage"])),
        booked(f"{p}.unit", f"{zh}: 每借 1 分在用款期末的余额", _PART, choose(drawing, grown, 0), unit="比例"),
        booked(f"{p}.unit_end", f"{zh}: 用款期末余额系数", _PART, choose(ends, Here(f"{p}.unit"), 0), unit="比例"),
        booked(f"{p}.factor", f"{zh}: 折现系数", _PART, factor, unit="系数"),
        booked(f"{p}.able", f"{zh}: 可还本付息额(未取整)", _PART, choose(window, able, 0)),
        booked(f"{p}.worth", f"{zh}: 可还本付息额现值(未取整)", _PART, Here(f"{p}.able") * Here(f"{p}.factor")),
        scalar(f"{p}.amount", f"{zh}: 借款总额", _PART, rounded(smaller(Whole(f"{p}.worth") / Whole(f"{p}.unit_end"), cost * Here(f"{p}.most")))),
        scalar(f"{p}.scale", f"{zh}: 还款额缩放系数", _PART, choose(Call(">", (Whole(f"{p}.worth"), Number(0.0))), Here(f"{p}.amount") * Whole(f"{p}.unit_end") / larger(Whole(f"{p}.worth"), 1e-9), 0), unit="比例"),
    ]  # fmt: skip


def _assumed(project: Project, loan: Loan, p: str, zh: str) -> list[Row]:
    """The income tax that the size counts on, an input that `settled` brings to the tax that results."""
    if not loan.after_tax:
        return []
    source = Source(project.file, text="由程序逐次代入, 直到与所得税一致")
    return [
        given_years(f"{p}.tax_assumed", f"{zh}: 定额所用的所得税", "分", (0.0,) * project.years, source),
        booked(f"{p}.tax_gap", f"{zh}: 所得税与定额所用数之差", "借款", Here("tax.due") - Here(f"{p}.tax_assumed"), total=""),
    ]


def _principal(loan: Loan, p: str, zh: str, window: Expression, before: Sequence[Loan]) -> list[Row]:
    opening, interest = Before(f"{p}.closing"), Here(f"{p}.interest")
    free = at_least(Here("time.year"), Here(f"{p}.begin") + Here(f"{p}.grace") + 1)
    final = Here(f"{p}.final")
    rows: list[Row] = []
    if loan.plan == "annuity":
        rows, part = _level_payment(p, zh, len(loan.rate.values) > 1), larger(Here(f"{p}.payment") - interest, 0)
    elif loan.plan == "equal_principal":
        part = Here(f"{p}.part")
        rows = [booked(f"{p}.part", f"{zh}: 每年还本额", _PART, choose(Here(f"{p}.first"), rounded(opening / (Here(f"{p}.term") - Here(f"{p}.grace"))), Before(f"{p}.part")), total="")]
    elif loan.plan == "capacity":
        others = [Here(f"loan.{b.id}.principal") for b in before]
        part = larger(Here("cash.before_principal") - sum(others, Number(0.0)), 0) if others else larger(Here("cash.before_principal"), 0)
        return [booked(f"{p}.principal", f"{zh}: 偿还本金", _PART, choose(both(window, free), smaller(opening, part), 0))]
    elif loan.plan == "sculpted":
        part = rounded(Here(f"{p}.able") * Here(f"{p}.scale")) - interest
    else:
        part = Number(0.0)
    due = choose(final, opening, choose(both(window, free), smaller(opening, part), 0))
    return [*rows, booked(f"{p}.principal", f"{zh}: 偿还本金", _PART, due)]


def _level_payment(p: str, zh: str, rate_moves: bool) -> list[Row]:
    """The level payment, worked out at the first repayment and again when the rate changes."""
    rate, opening = Here(f"{p}.rate"), Before(f"{p}.closing")
    left = Here(f"{p}.begin") + Here(f"{p}.term") - Here("time.year") + 1
    level = choose(Call(">", (rate, Number(0.0))), opening * rate / (1 - power(1 + rate, 0 - larger(left, 1))), opening / larger(left, 1))
    moved = choose(equals(rate, Before(f"{p}.rate")), 0, at_least(Here("time.year"), Here(f"{p}.begin") + Here(f"{p}.grace") + 1))
    changed = larger(Here(f"{p}.first"), moved) if rate_moves else Here(f"{p}.first")
    return [booked(f"{p}.payment", f"{zh}: 每年等额还本付息", _PART, choose(changed, rounded(level), Before(f"{p}.payment")), total="")]


