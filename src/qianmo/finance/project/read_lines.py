"""Lines of money from their tables, units checked (读取资金科目行)."""

from __future__ import annotations

import itertools
import math
from typing import Any

from qianmo.finance.project.entry import Entry
from qianmo.finance.project.read_rates import Timeline
from qianmo.finance.project.records import Line
from qianmo.finance.project.units import Quantity, fen_factor, quantity
from qianmo.finance.sheet.evaluate import fen_of
from qianmo.schema.errors import SchemaError
from qianmo.schema.finance_codes import kinds, natures, tax_treatments

__all__ = ["MOST_FEN", "construction_weights", "read_line", "read_quota", "spread_weights"]

MOST_FEN = 1e14
"""Largest amount of a line: a hundred of them still sum exactly in a float (below 2**53)."""


def read_line(entry: Entry, line: Timeline, months: int) -> Line:
    """One ``[[line]]`` (一行资金).

    Parameters
    ----------
    entry : Entry
    line : Timeline
    months : int
        Months of construction, for ``spread = "months"``.

    Raises
    ------
    FinanceInputError
        An unknown kind, nature, treatment or unit; units that do not give money; years outside the project; a share outside
        0 to 1; weights that do not sum to 1.
    """
    kind = entry.text("kind", choices=kinds())
    shares = tuple(
        (key, zh, entry.number(key, least=0.0, most=1.0)) for key, zh in (("share", "计入比例"), ("accepted_share", "验收比例")) if entry.has(key)
    )
    return _line(entry, line, months, kind, shares)


def read_quota(entry: Entry, line: Timeline, months: int) -> Line:
    """One ``[[quota]]``: area × accepted share × price × (1 − levy), paid after a lag (一行指标交易).

    Raises
    ------
    FinanceInputError
        As in `read_line`.
    """
    shares = [("accepted_share", "验收比例", entry.number("accepted_share", 1.0, least=0.0, most=1.0))]
    if entry.has("levy"):
        shares.append(("levy", "扣除规费后比例", 1.0 - entry.number("levy", least=0.0, most=1.0)))
    return _line(entry, line, months, "quota_income", tuple(shares), area="area")


def _line(entry: Entry, line: Timeline, months: int, kind: str, shares: tuple[tuple[str, str, float], ...], *, area: str = "quantity") -> Line:
    known = kinds()[kind]
    name = entry.text("id")
    if not name.isidentifier() or not name.isascii():
        entry.fail("id", f"{name!r} 不能作编号", expected="字母、数字、下划线, 以字母开头; 中文名写在 zh")
    factors, fen, amounts, yearly = _money(entry, line, area)
    mode, first, last, weights = _timing(entry, line, months, bool(amounts))
    if yearly and mode == "spread":
        entry.fail("price", "每年金额不能按比例分摊", expected="from 与 to", cure="去掉单价中的 /年, 或改用 from、to")
    nature = entry.text("nature", known.nature, choices=natures())
    ramp = entry.numbers("ramp", least=0.0, most=10.0)
    if ramp and mode != "each":
        entry.fail("ramp", "达产率只用于逐年重复的行", expected="from 与 to")
    deductions = _deductions(entry, kind)
    keys = [*entry.data]
    found = Line(
        name, entry.text("zh", known.zh), entry.text("sub_project"), entry.text("party", ""), kind, nature,
        entry.text("tax", known.tax, choices=tax_treatments()), factors, fen, shares, mode, first, last,
        entry.number("growth", 0.0, least=-0.9, most=0.5), ramp, weights, amounts, entry.integer("lag_months", 0, least=0, most=12 * line.years),
        entry.flag("includes_vat", True), entry.integer("life_years", 1, least=1, most=100) if entry.has("life_years") else None,
        entry.number("salvage", least=0.0, most=1.0) if entry.has("salvage") else None, entry.text("source", ""),
        {key: entry.source(key, entry.data.get("source", "") if key in (area, "price", "amount", "by_year") else "") for key in keys},
        deductions,
    )  # fmt: skip
    entry.done()
    return found


def _deductions(entry: Entry, kind: str) -> float:
    """Deductible items of a transfer of land in fen, 0 when none are written."""
    if not entry.has("deductions"):
        return 0.0
    if kind != "land_income":
        entry.fail("deductions", f"科目 {kind} 不计土地增值税", expected="kind = \"land_income\"")
    factors = entry.amounts("deductions")
    fen, yearly = _factor(entry, "deductions", *factors)
    if yearly:
        entry.fail("deductions", "扣除项目写成了每年金额", expected="金额")
    return fen_of(math.prod((*(f.value for f in factors), fen)))


def _money(entry: Entry, line: Timeline, area: str) -> tuple[tuple[Quantity, ...], float, tuple[float, ...], bool]:
    """Factors, fen in one unit of their product, amounts by year, and whether the product is money a year."""
    given = [key for key in (area, "amount", "by_year") if entry.has(key)]
    if len(given) != 1:
        entry.fail(given[1] if given else area, f"同时写了 {' 与 '.join(given)}" if given else "没有金额", expected=f"三者之一: {area} 与 price, amount, by_year 与 unit")
    if given == ["by_year"]:
        unit = entry.text("unit")
        amounts = entry.numbers("by_year", least=0.0)
        if len(amounts) != line.years:
            entry.fail("by_year", f"有 {len(amounts)} 个数", expected=f"{line.years} 个, 每年一个")
        fen = _factor(entry, "unit", _unit(entry, unit))[0]
        _check_size(entry, "by_year", max(amounts) * fen)
        return (_unit(entry, unit),), fen, amounts, False
    factors = entry.amounts(given[0])
    if given == [area]:
        factors = (*factors, *entry.amounts("price"))
    fen, yearly = _factor(entry, "price" if given == [area] else "amount", *factors)
    _check_size(entry, given[0], math.prod((*(f.value for f in factors), fen)))
    return factors, fen, (), yearly


def _check_size(entry: Entry, key: str, amount_fen: float) -> None:
    """Sums of such amounts must stay whole in a float."""
    if amount_fen > MOST_FEN:
        entry.fail(key, f"金额 {amount_fen / 1e10:,.0f} 亿元过大", expected=f"一行至多 {MOST_FEN / 1e10:,.0f} 亿元", cure="核对单位")


def _unit(entry: Entry, unit: str) -> Quantity:
    try:
        return quantity(f"1 {unit}")
    except SchemaError as fault:
        entry.fail("unit", fault.found, expected=fault.expected)


def _factor(entry: Entry, key: str, *factors: Quantity) -> tuple[float, bool]:
    try:
        return fen_factor(*factors)
    except SchemaError as fault:
        entry.fail(key, fault.found, expected=fault.expected, cure=fault.cure)


def _timing(entry: Entry, line: Timeline, months: int, given: bool) -> tuple[str, int, int, tuple[float, ...]]:
    """Mode, first and last year, weights by year of the timeline."""
    if given:
        return "given", 1, line.years, ()
    if entry.has("year"):
        year = entry.integer("year", least=1, most=line.years)
        return "each", year, year, ()
    first, last = entry.integer("from", 1, least=1, most=line.years), entry.integer("to", line.years, least=1, most=line.years)
    if last < first:
        entry.fail("to", f"止年 {last} 早于起年 {first}", expected="to 不早于 from")
    if not entry.has("spread"):
        if not (entry.has("from") or entry.has("to")):
            entry.fail("year", "没有写发生年份", expected="year, 或 from 与 to, 或 spread")
        return "each", first, last, ()
    if "from" not in entry.data and "to" not in entry.data:
        last = -(-months // 12) if entry.data["spread"] in ("months", "even") else line.years
    return "spread", first, last, spread_weights(entry, "spread", line.years, first, last, months)


def spread_weights(entry: Entry, key: str, years: int, first: int, last: int, months: int) -> tuple[float, ...]:
    """Share of each year of the timeline: ``even`` from `first` to `last`, by ``months`` of construction, or as listed from `first`.

    Raises
    ------
    FinanceInputError
        Neither word nor list, a list too long, or a sum other than 1.
    """
    how: Any = entry.data.get(key, "months")
    entry.asked.add(key)
    if how == "months":
        return construction_weights(months, years)
    if how == "even":
        count = last - first + 1
        return tuple(1.0 / count if first <= t <= last else 0.0 for t in range(1, years + 1))
    if not isinstance(how, list):
        entry.fail(key, f"{how!r} 不是分摊方式", expected='"even", "months", 或各年比例 [0.5, 0.5]')
    weights = entry.numbers(key, least=0.0, most=1.0)
    if len(weights) > years - first + 1:
        entry.fail(key, f"有 {len(weights)} 年的比例", expected=f"至多 {years - first + 1} 年")
    if abs(math.fsum(weights) - 1.0) > 1e-9:
        entry.fail(key, f"各年比例合计 {math.fsum(weights):g}", expected="合计为 1")
    return (*itertools.repeat(0.0, first - 1), *weights, *itertools.repeat(0.0, years - first + 1 - len(weights)))


def construction_weights(months: int, years: int) -> tuple[float, ...]:
    """Share of the months of construction that falls into each year (按建设月数分摊)."""
    return tuple(max(0, min(12, months - 12 * t)) / months for t in range(years))
