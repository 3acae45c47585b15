"""Taxes of a project from its table and the dated list (税务设置读取)."""

from __future__ import annotations

from collections.abc import Iterable

from qianmo.finance.project.entry import Entry
from qianmo.finance.project.read_rates import Timeline, policy_series, read_rate
from qianmo.finance.project.records import Rate, TaxSettings
from qianmo.schema.finance_codes import tax_treatments

__all__ = ["read_taxes"]

_CITY = {"urban": "city_maintenance_urban", "town": "city_maintenance_town", "other": "city_maintenance_other"}


def read_taxes(entry: Entry, head: Entry, line: Timeline, used: Iterable[str], land: bool) -> TaxSettings:
    """The table ``[tax]`` with all rates by year (税务设置).

    Parameters
    ----------
    entry, head : Entry
        The tables ``[tax]`` and ``[project]``.
    line : Timeline
    used : iterable of str
        Tax treatments that lines name.
    land : bool
        A line bears land value-added tax.

    Raises
    ------
    FinanceInputError
        A rate that the list does not have for a year, or a wrong value.
    """
    vat: dict[str, Rate] = {}
    city = head.text("city_kind", "urban", choices=_CITY)
    if entry.flag("vat", True):
        for treatment in sorted(used):
            rate_id = tax_treatments()[treatment].vat_rate_id
            if rate_id:
                vat[treatment] = policy_series(entry, "vat", rate_id, line)
    extra: dict[str, Rate] = {}
    if vat and entry.flag("surcharges", True):
        ids = {"city": _CITY[city], "education": "education_surcharge", "local": "local_education_surcharge"}
        extra = {name: policy_series(entry, "surcharges", rate_id, line) for name, rate_id in ids.items()}
    entry.has("surcharges")
    income, losses = _income_tax(entry, line)
    found = TaxSettings(vat, extra, income, losses, entry.text("losses", "carry", choices=("carry", "refund")) == "refund", _land_bands(entry, line) if land else ())
    entry.done()
    return found


def _land_bands(entry: Entry, line: Timeline) -> tuple[tuple[Rate, Rate], ...]:
    """Rate and quick deduction of the four bands of the land value-added tax."""
    ids = [(f"land_value_added_rate_{k}", f"land_value_added_quick_{k}") for k in range(1, 5)]
    return tuple((policy_series(entry, "land", rate, line), policy_series(entry, "land", quick, line)) for rate, quick in ids)


def _income_tax(entry: Entry, line: Timeline) -> tuple[Rate | None, Rate | None]:
    holiday = entry.child("holiday")
    free, half = holiday.integer("free_years", 0, least=0, most=80), holiday.integer("half_years", 0, least=0, most=80)
    first = holiday.integer("first_year", 1, least=1, most=line.years) if free or half else 1
    holiday.done()
    if entry.has("income_tax") and entry.data["income_tax"] == "none":
        return None, None
    if isinstance(entry.data.get("income_tax"), str) and not str(entry.data["income_tax"]).endswith("%"):
        rate = policy_series(entry, "income_tax", entry.text("income_tax"), line)
    else:
        rate = read_rate(entry, "income_tax", line, "企业所得税率", default_id="income_tax")
    losses = policy_series(entry, "income_tax", "loss_carry_years", line)
    if not (free or half):
        return rate, losses
    factor = policy_series(entry, "holiday", "income_tax_holiday_half_factor", line)
    values = rate.values * line.years if len(rate.values) == 1 else rate.values
    reduced = tuple(v * _holiday_factor(t - first, free, half, factor.value) for t, v in enumerate(values, 1))
    words = f"{rate.source.text}; 自第 {first} 年起免 {free} 年、减半 {half} 年"
    return Rate(reduced, rate.zh, entry.source("holiday", words, rate.source.confidence)), losses


def _holiday_factor(since: int, free: int, half: int, factor: float) -> float:
    if 0 <= since < free:
        return 0.0
    return factor if free <= since < free + half else 1.0
