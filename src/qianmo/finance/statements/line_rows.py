"""Rows of the lines of money: amount, tax in it, amount without tax, and their sums (收支行)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

from qianmo.finance.project.records import Line, Project
from qianmo.finance.sheet.expression import (
    Before,
    Earlier,
    Expression,
    Here,
    at_least,
    at_most,
    both,
    choose,
    rounded,
)
from qianmo.finance.sheet.row import Row, Source
from qianmo.finance.statements.making import booked, given, given_years, rate_row, running, scalar, sum_row
from qianmo.schema.finance_codes import kinds, tax_treatments

__all__ = ["gross_row", "line_rows", "lines_of", "net_row", "sum_rows", "vat_row"]

_PART = "收支"
_MONTHS = 12


def line_rows(project: Project) -> list[Row]:
    """All rows of all lines (各行收支).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        For a line ``x``: its inputs, ``line.x.amount`` as written (positive), and where value-added tax applies
        ``line.x.net``, ``line.x.vat`` and ``line.x.gross``.
    """
    rows = [rate_row(f"rate.vat.{name}", f"增值税率: {tax_treatments()[name].zh}", rate) for name, rate in project.taxes.vat.items()]
    for line in project.lines:
        rows += _amount_rows(line, project.years)
        if line.tax in project.taxes.vat:
            rows += _vat_rows(line)
    return rows


def lines_of(project: Project, *stages: str, direction: str = "", test: Callable[[Line], bool] = lambda line: True) -> list[Line]:
    """Lines of some stages and one direction (按阶段与方向筛选)."""
    return [ln for ln in project.lines if kinds()[ln.kind].stage in stages and direction in ("", kinds()[ln.kind].direction) and test(ln)]


def gross_row(project: Project, line: Line) -> str:
    """Row of the money that moves, tax included (含税金额行)."""
    return f"line.{line.id}.{'amount' if line.tax not in project.taxes.vat or line.includes_vat else 'gross'}"


def net_row(project: Project, line: Line) -> str:
    """Row of the amount without value-added tax (不含税金额行)."""
    return f"line.{line.id}.{'net' if line.tax in project.taxes.vat and line.includes_vat else 'amount'}"


def vat_row(project: Project, line: Line) -> str:
    """Row of the value-added tax in a line, '' where there is none (税额行)."""
    return f"line.{line.id}.vat" if line.tax in project.taxes.vat else ""


def sum_rows(project: Project) -> list[Row]:
    """Sums of the lines by their part in the project (分类合计).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``capex``, ``income``, ``subsidy``, ``cost`` with ``.gross``, ``.net`` and, where it matters, ``.vat``; ``grant.gross``;
        ``income.untaxed`` not counted for income tax, ``income.recurring`` without quota and land.
    """
    rows = []
    for name, zh, stage, direction in _SUMS:
        lines = lines_of(project, stage, direction=direction)
        rows.append(_sum(f"{name}.gross", f"{zh}(含税)", gross_row, project, lines))
        if name != "grant":
            rows.append(_sum(f"{name}.net", f"{zh}(不含税)", net_row, project, lines))
    untaxed = lines_of(project, "operating", "subsidy", direction="in", test=lambda ln: not tax_treatments()[ln.tax].taxable)
    recurring = lines_of(project, "operating", direction="in", test=lambda ln: not kinds()[ln.kind].once)
    rows.append(_sum("income.recurring", "经常性营业收入(不含税, 不含指标与土地收入)", net_row, project, recurring))
    rows.append(_sum("income.untaxed", "不征税收入", net_row, project, untaxed))
    simple = [ln for ln in lines_of(project, "operating", "subsidy", direction="in") if tax_treatments()[ln.tax].simple]
    general = [ln for ln in lines_of(project, "operating", "subsidy", direction="in") if not tax_treatments()[ln.tax].simple]
    rows.append(_sum("vat.output", "销项税额", vat_row, project, general))
    rows.append(_sum("vat.simple", "简易计税税额", vat_row, project, simple))
    rows.append(booked("vat.collected", "销项税额(含简易计税)", _PART, Here("vat.output") + Here("vat.simple")))
    rows.append(_sum("capex.vat", "建设投资进项税额", vat_row, project, lines_of(project, "capital")))
    rows.append(_sum("cost.vat", "经营成本进项税额", vat_row, project, lines_of(project, "operating", direction="out")))
    return rows


_SUMS = (
    ("capex", "建设投资", "capital", "out"), ("income", "营业收入", "operating", "in"), ("subsidy", "补贴收入", "subsidy", "in"),
    ("cost", "经营成本", "operating", "out"), ("grant", "财政补助资金", "funding", "in"),
)  # fmt: skip


def _sum(name: str, zh: str, row_of: Callable[[Project, Line], str], project: Project, lines: Iterable[Line]) -> Row:
    return sum_row(name, zh, _PART, [row for row in (row_of(project, ln) for ln in lines) if row])


def _amount_rows(line: Line, years: int) -> list[Row]:
    at, name = line.sources, f"line.{line.id}"
    rows, base = _base_rows(line)
    due = f"{name}.due" if line.lag_months else f"{name}.amount"
    label = f"{line.zh}: {'应收' if line.lag_months else '金额'}"
    if line.mode == "each":
        rows += _repeated(line, due, label, years)
    elif line.mode == "spread":
        rows += _spread(line, due, label)
    else:
        rows.append(given_years(f"{name}.given", f"{line.zh}: 逐年数", line.factors[0].unit, line.amounts, at["by_year"]))
        rows.append(booked(due, label, _PART, rounded(Here(f"{name}.given") * base)))
    return rows + (_lagged(line, due) if line.lag_months else [])


def _base_rows(line: Line) -> tuple[list[Row], Expression]:
    """Inputs whose product is one amount, and that product."""
    at, name = line.sources, f"line.{line.id}"
    keys = [k for k in ("quantity", "area", "amount", "price") if k in at]
    rows: list[Row] = []
    parts: list[Expression] = []
    for n, factor in enumerate(line.factors if line.mode != "given" else (), 1):
        is_price = n == len(line.factors) and "price" in at
        zh = "单价" if is_price else "数额" if "amount" in at else "数量" if n == 1 else f"数量 {n}"
        rows.append(given(f"{name}.factor{n}", f"{line.zh}: {zh}", factor.unit or "比例", factor.value, at["price" if is_price else keys[0]]))
        parts.append(Here(rows[-1].id))
    rows.append(given(f"{name}.fen", f"{line.zh}: 折算为分", "分/单位积", line.fen, Source(text="单位换算")))
    for key, zh, value in line.shares:
        place = at.get(key, Source(at["id"].file, text="默认"))
        rows.append(given(f"{name}.{key}", f"{line.zh}: {zh}", "比例", value, place))
        parts.append(Here(rows[-1].id))
    return rows, reduce(lambda a, b: a * b, [*parts, Here(f"{name}.fen")])


def _repeated(line: Line, due: str, label: str, years: int) -> list[Row]:
    at, name = line.sources, f"line.{line.id}"
    year = at.get("year", Source())
    _, base = _base_rows(line)
    rows = [
        given(f"{name}.from", f"{line.zh}: 起年", "年", line.first, at.get("from", year)),
        given(f"{name}.to", f"{line.zh}: 止年", "年", line.last, at.get("to", year)),
        booked(f"{name}.flag", f"{line.zh}: 发生标志", _PART, both(at_least(Here("time.year"), Here(f"{name}.from")), at_most(Here("time.year"), Here(f"{name}.to"))), unit="标志"),
        scalar(f"{name}.base", f"{line.zh}: 首年金额(未取整)", _PART, base),
    ]  # fmt: skip
    amount: Expression = Here(f"{name}.base") * Here(f"{name}.flag")
    if line.growth:
        rows.append(given(f"{name}.growth", f"{line.zh}: 年增长率", "比例", line.growth, at["growth"]))
        index = choose(at_most(Here("time.year"), Here(f"{name}.from")), 1, Before(f"{name}.index") * (Here(f"{name}.growth") + 1))
        rows.append(booked(f"{name}.index", f"{line.zh}: 价格指数", _PART, index, unit="指数"))
        amount = amount * Here(f"{name}.index")
    if line.ramp:
        rows.append(_ramp(line, years))
        amount = amount * Here(f"{name}.ramp")
    return [*rows, booked(due, label, _PART, rounded(amount))]


def _ramp(line: Line, years: int) -> Row:
    """Factor of every year of the timeline: the listed ones from the first year of the line, then 1."""
    values = ([1.0] * (line.first - 1) + list(line.ramp) + [1.0] * years)[:years]
    return Row(f"line.{line.id}.ramp", f"{line.zh}: 达产率", "比例", "输入", None, tuple(values), True, line.sources["ramp"], "")


def _spread(line: Line, due: str, label: str) -> list[Row]:
    at, name = line.sources, f"line.{line.id}"
    _, base = _base_rows(line)
    share = Here(f"{name}.total") * Here(f"{name}.share_cum")
    return [
        given_years(f"{name}.weight", f"{line.zh}: 分年比例", "比例", line.weights, at["spread"]),
        booked(f"{name}.share_cum", f"{line.zh}: 累计比例", _PART, Before(f"{name}.share_cum") + Here(f"{name}.weight"), unit="比例"),
        scalar(f"{name}.total", f"{line.zh}: 总额", _PART, rounded(base)),
        booked(f"{name}.cum", f"{line.zh}: 累计金额", _PART, rounded(share), total="last"),
        booked(due, label, _PART, Here(f"{name}.cum") - Before(f"{name}.cum")),
    ]


def _lagged(line: Line, due: str) -> list[Row]:
    """Money due through a year comes evenly, so many months later: the part after the year's end in the next year."""
    name = f"line.{line.id}"
    whole, part = divmod(line.lag_months, _MONTHS)
    source = line.sources["lag_months"]
    cum, before = Earlier(f"{name}.due_cum", Here(f"{name}.lag_years")), Earlier(f"{name}.due_cum", Here(f"{name}.lag_years") + 1)
    late = Here(f"{name}.lag_part") / _MONTHS
    return [
        given(f"{name}.lag_years", f"{line.zh}: 滞后整年", "年", whole, source),
        given(f"{name}.lag_part", f"{line.zh}: 滞后余月", "月", part, source),
        running(f"{name}.due_cum", f"{line.zh}: 累计应收", _PART, Here(due)),
        booked(f"{name}.received_cum", f"{line.zh}: 累计实收", _PART, rounded(cum * (1 - late) + before * late), total="last"),
        booked(f"{name}.amount", f"{line.zh}: 金额", _PART, Here(f"{name}.received_cum") - Before(f"{name}.received_cum")),
    ]


def _vat_rows(line: Line) -> list[Row]:
    name, rate = f"line.{line.id}", Here(f"rate.vat.{line.tax}")
    amount = Here(f"{name}.amount")
    if not line.includes_vat:
        return [
            booked(f"{name}.vat", f"{line.zh}: 税额", _PART, rounded(amount * rate)),
            booked(f"{name}.gross", f"{line.zh}: 含税", _PART, amount + Here(f"{name}.vat")),
        ]
    return [
        booked(f"{name}.net", f"{line.zh}: 不含税", _PART, rounded(amount / (rate + 1))),
        booked(f"{name}.vat", f"{line.zh}: 税额", _PART, amount - Here(f"{name}.net")),
    ]


