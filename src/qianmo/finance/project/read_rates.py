"""Rates of a project: written in the file, or taken from the dated policy list (费率读取)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from qianmo.finance.project.entry import Entry
from qianmo.finance.project.records import Rate
from qianmo.finance.sheet.row import Source
from qianmo.schema.errors import RuleError
from qianmo.schema.policy_rates import PolicyRate, policy_rate, yearly_policy_rates
from qianmo.schema.rules import source_words

__all__ = ["Timeline", "policy_series", "read_rate"]


@dataclass(frozen=True)
class Timeline:
    """Years of the project and how rates are dated (时间轴): each year by itself, or all as of `rates_on`."""

    base_year: int
    years: int
    region: str
    rates_on: date | None

    @property
    def calendar(self) -> range:
        """The calendar years."""
        return range(self.base_year, self.base_year + self.years)


def policy_series(entry: Entry, key: str, rate_id: str, line: Timeline, *, factor: float = 1.0, plus: float = 0.0) -> Rate:
    """A policy rate for every year (逐年政策费率).

    Raises
    ------
    FinanceInputError
        The list has no such rate for a year of the project; the place in the file is that of `key`.
    """
    try:
        if line.rates_on is None:
            found: tuple[PolicyRate, ...] = yearly_policy_rates(rate_id, line.calendar, line.region)
        else:
            found = (policy_rate(rate_id, line.rates_on, line.region),)
    except RuleError as fault:
        entry.fail(key, fault.found, expected=fault.expected, cure="改用当年有效的费率, 或以 [project] rates_on 指定统一的取值日期")
    values = tuple(r.value * factor + plus for r in found)
    if len(set(values)) == 1:
        values = values[:1]
    texts = list(dict.fromkeys(f"{r.zh} {r.value:g} ({r.span()}; {source_words(r.source)})" for r in found))
    worst = min((r.confidence for r in found), key=("low", "medium", "high").index)
    return Rate(values, found[0].zh, entry.source(key, " / ".join(texts), worst))


def read_rate(entry: Entry, key: str, line: Timeline, zh: str, *, default_id: str = "", least: float = 0.0, most: float = 1.0) -> Rate:
    """A rate written as number, percentage, or ``{ policy = "lpr_five_year", plus = "0.3 %" }`` (读取利率).

    Raises
    ------
    FinanceInputError
        Not written and without default, outside its bounds, or no policy rate for the date.
    """
    if not entry.has(key):
        if not default_id:
            entry.fail(key, f"缺少 {key} ({zh})", expected='数值、百分数, 或 { policy = "费率编号" }')
        return policy_series(entry, key, default_id, line)
    if isinstance(entry.data[key], dict):
        inner = entry.child(key)
        rate_id, plus = inner.text("policy"), inner.number("plus", 0.0, least=-1.0, most=1.0)
        inner.done()
        return policy_series(entry, key, rate_id, line, plus=plus)
    return Rate((entry.number(key, least=least, most=most),), zh, _written(entry, key))


def _written(entry: Entry, key: str) -> Source:
    return entry.source(key)
