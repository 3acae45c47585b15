"""Policy rates by date and region, each with source and confidence (政策性税费率, 利率)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from qianmo.schema.errors import RuleError
from qianmo.schema.shipped import shipped_rows

__all__ = ["PolicyRate", "policy_rate", "policy_rate_ids", "policy_rates", "policy_rates_from", "yearly_policy_rates"]


@dataclass(frozen=True)
class PolicyRate:
    """One rate in force from a date, `until` None for open (政策性费率).

    `region` is '' for the whole country or a province in Chinese; `unit` fraction, ratio, years or yuan/m2.
    """

    id: str
    zh: str
    value: float
    unit: str
    since: date
    until: date | None
    region: str
    source: str
    confidence: str
    note: str

    def holds_on(self, day: date) -> bool:
        """In force on a day."""
        return self.since <= day and (self.until is None or day <= self.until)

    def span(self) -> str:
        """The dates in words, as in messages."""
        return f"{self.region or '全国'} {self.since} – {self.until or '至今'}"


@cache
def policy_rates() -> tuple[PolicyRate, ...]:
    """All shipped rates in the order of ``schema/parameters/policy_rates.csv`` (全部费率)."""
    return policy_rates_from(shipped_rows("parameters", "policy_rates"), "schema/parameters/policy_rates.csv")


def policy_rate_ids() -> tuple[str, ...]:
    """Ids of the shipped rates, sorted (费率编号)."""
    return tuple(sorted({r.id for r in policy_rates()}))


def policy_rate(rate_id: str, on: date, region: str = "", *, own: Sequence[PolicyRate] = ()) -> PolicyRate:
    """The rate in force on a date (某日有效费率).

    Parameters
    ----------
    rate_id : str
        Id of the rate, as ``vat_goods``.
    on : date
        Day on which it is needed.
    region : str
        Province in Chinese without 省 or 市; its own row is taken before the row of the whole country.
    own : sequence of PolicyRate
        Rows of the user, taken before the shipped ones, see `policy_rates_from`.

    Returns
    -------
    PolicyRate
        One row with its value, source and confidence.

    Raises
    ------
    RuleError
        Unknown id; or no row for that date and region, then the dates that exist are named.

    Examples
    --------
    >>> policy_rate("vat_goods", date(2018, 6, 1)).value
    0.16
    """
    for rows in (own, policy_rates()):
        mine = [r for r in rows if r.id == rate_id and r.holds_on(on)]
        for wanted in (region, "") if region else ("",):
            found = [r for r in mine if r.region == wanted]
            if found:
                return found[-1]
    raise _missing(rate_id, on, region, [r for r in (*own, *policy_rates()) if r.id == rate_id])


def yearly_policy_rates(
    rate_id: str, years: Iterable[int], region: str = "", *, month: int = 7, day: int = 1, own: Sequence[PolicyRate] = ()
) -> tuple[PolicyRate, ...]:
    """The rate of every calendar year, taken on one day of the year (逐年费率).

    Parameters
    ----------
    rate_id, region, own
        As in `policy_rate`.
    years : iterable of int
        Calendar years.
    month, day : int
        Day of the year that decides, 1 July unless told.

    Returns
    -------
    tuple of PolicyRate
        One a year.

    Raises
    ------
    RuleError
        A year without a rate; a relief that ends within the timeline is not drawn out in silence.
    """
    return tuple(policy_rate(rate_id, date(y, month, day), region, own=own) for y in years)


def policy_rates_from(rows: Iterable[Mapping[str, str]], where: str) -> tuple[PolicyRate, ...]:
    """Rates from rows of text with the columns of the shipped list (读取费率表).

    Parameters
    ----------
    rows : iterable of mapping
        ``rate_id, zh, value, unit, from, until, region, source, confidence, note``.
    where : str
        Name of the list, for messages.

    Returns
    -------
    tuple of PolicyRate
        In the order of the rows.

    Raises
    ------
    RuleError
        A column is missing, a value is no number, a date is none, no source is named, or the dates of one rate in one
        region overlap; the row is named.
    """
    found = tuple(_rate(row, f"{where} row {k}") for k, row in enumerate(rows, 2))
    _check_overlaps(found, where)
    return found


def _rate(row: Mapping[str, str], where: str) -> PolicyRate:
    try:
        until = row["until"].strip()
        rate = PolicyRate(
            row["rate_id"].strip(), row["zh"], float(row["value"]), row["unit"], date.fromisoformat(row["from"].strip()),
            date.fromisoformat(until) if until else None, row["region"].strip(), row["source"].strip(), row["confidence"].strip(), row["note"],
        )  # fmt: skip
    except KeyError as missing:
        raise RuleError(f"{where} lacks the column {missing}", expected="the columns of schema/parameters/policy_rates.csv") from None
    except ValueError as wrong:
        raise RuleError(f"{where}: {wrong}", expected="a number in value, dates YYYY-MM-DD in from and until") from None
    if not rate.id or not rate.source or rate.confidence not in ("high", "medium", "low") or abs(rate.value) == float("inf") or rate.value != rate.value:
        raise RuleError(f"{where} ({rate.id})", expected="an id, a finite value, a source, and confidence high, medium or low")
    if rate.until and rate.until < rate.since:
        raise RuleError(f"{where} ({rate.id}) ends on {rate.until} before it begins on {rate.since}")
    return rate


def _check_overlaps(rates: Sequence[PolicyRate], where: str) -> None:
    ordered = sorted(rates, key=lambda r: (r.id, r.region, r.since))
    for before, after in zip(ordered, ordered[1:], strict=False):
        if (before.id, before.region) == (after.id, after.region) and (before.until is None or before.until >= after.since):
            raise RuleError(f"{where}: {after.id} has two rows in force on {after.since}: {before.span()} and {after.span()}")


def _missing(rate_id: str, on: date, region: str, known: Sequence[PolicyRate]) -> RuleError:
    if not known:
        return RuleError(f"没有费率 {rate_id!r} (no such rate)", expected=", ".join(policy_rate_ids()))
    place = f"({region})" if region else ""
    spans = "; ".join(r.span() for r in known)
    return RuleError(
        f"费率 {rate_id} ({known[0].zh}) 在 {on}{place} 没有记录 (no rate on that day)", expected=f"有记录的时段: {spans}",
        cure="用 rates_on 取有记录的日期, 或直接写数值并在 source 注明来源",
    )  # fmt: skip
