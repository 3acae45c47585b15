"""Single settlements from a file: swap, quota chain, market entry, land ticket, claims, account of a remainder (读取单项测算文件)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from qianmo.finance.distribution.claims import equal_awards, equal_losses, proportional, talmud
from qianmo.finance.distribution.exact import exact, half_away, whole_amounts
from qianmo.finance.distribution.homestead_swap import (
    HomesteadAreas,
    SwapBalance,
    break_even_occupancy,
    homestead_areas,
    swap_balance,
)
from qianmo.finance.distribution.market_entry import LandTicket, MarketEntry, land_ticket, market_entry
from qianmo.finance.distribution.quota_chain import QuotaLot, QuotaOutcome, quota_chain, quota_income_by_year
from qianmo.finance.distribution.read import amount_fen, area_mu, share
from qianmo.finance.distribution.read_exit import read_spending, read_uses
from qianmo.finance.distribution.remainder import AccountState, assigned_remainder, remainder_account
from qianmo.finance.project.entry import Entry, document
from qianmo.finance.project.positions import key_lines
from qianmo.finance.project.units import fen_factor, quantity
from qianmo.schema.errors import FinanceInputError, SchemaError
from qianmo.schema.rules import parameter

__all__ = ["CLAIM_RULES", "SECTIONS", "Settled", "settled_from"]

SECTIONS = ("swap", "quota", "market_entry", "land_ticket", "claims", "remainder")
"""Sections of the file, each with its settlement."""

CLAIM_RULES: Mapping[str, tuple[str, Callable[..., dict[str, Fraction]]]] = {
    "proportional": ("按比例", proportional), "equal_awards": ("等额清偿", equal_awards), "equal_losses": ("等额减损", equal_losses), "talmud": ("塔木德规则(核仁)", talmud),
}  # fmt: skip
"""Rules of dividing too small an estate."""

_MOST_YEARS = 100
T = TypeVar("T")


@dataclass(frozen=True)
class Settled:
    """What the sections of a file gave (单项测算结果); None for a section that is not written. [fen], [mu]"""

    name: str
    synthetic: bool
    areas: HomesteadAreas | None
    balance: SwapBalance | None
    least_occupancy: Fraction | None
    quota: QuotaOutcome | None
    quota_years_fen: tuple[int, ...]
    entry: MarketEntry | None
    ticket: LandTicket | None
    claims_fen: Mapping[str, Mapping[str, int]] | None
    account: AccountState | None


def settled_from(data: Mapping[str, Any], *, file: str, text: str = "") -> Settled:
    """Settle every section of a file (单项测算).

    Parameters
    ----------
    data : mapping
        Tables ``swap``, ``quota`` with ``lot``, ``market_entry``, ``land_ticket``, ``claims``, ``remainder`` with ``spending``, as in
        ``docs/how-to/settle.md``; at least one.
    file, text : str
        Name and text, for messages.

    Raises
    ------
    FinanceInputError
        A key is missing, unknown or out of range; shares do not sum to 1; a net loss would be divided.
    """
    whole = document(data, file, key_lines(text))
    if not any(whole.has(s) for s in SECTIONS):
        raise FinanceInputError("没有任何测算内容", file=file, expected="[" + "], [".join(SECTIONS) + "] 之一")
    project = whole.child("project")
    name, synthetic = project.text("name", file), project.flag("synthetic", False)
    project.done()
    areas, balance, least = _swap(whole.child("swap")) if whole.has("swap") else (None, None, None)
    quota, by_year = _quota(whole.child("quota")) if whole.has("quota") else (None, ())
    found = Settled(
        name, synthetic, areas, balance, least, quota, by_year,
        _entry(whole.child("market_entry")) if whole.has("market_entry") else None, _ticket(whole.child("land_ticket")) if whole.has("land_ticket") else None,
        _claims(whole.child("claims")) if whole.has("claims") else None, _account(whole.child("remainder")) if whole.has("remainder") else None,
    )  # fmt: skip
    whole.done()
    return found


def _told(entry: Entry, key: str, compute: Callable[[], T]) -> T:
    try:
        return compute()
    except FinanceInputError:
        raise
    except SchemaError as fault:
        entry.fail(key, fault.found, expected=fault.expected, cure=fault.cure)


def _swap(entry: Entry) -> tuple[HomesteadAreas, SwapBalance | None, Fraction | None]:
    households = entry.integer("households", least=0, most=10_000_000)
    old, new = area_mu(entry, "old_area_each"), area_mu(entry, "new_area_each")
    rates = share(entry, "accept_rate", parameter("reclaim_accept_rate")), share(entry, "reserve_ratio", parameter("rural_reserve_ratio"))
    areas = _told(entry, "old_area_each", lambda: homestead_areas(households, old, new, accept_rate=rates[0], reserve_ratio=rates[1]))
    if not entry.has("years"):
        entry.done()
        return areas, None, None
    years = entry.integer("years", least=1, most=_MOST_YEARS)
    one_off, yearly = _series(entry, "one_off", years), _series(entry, "yearly", years)
    uses = entry.child("uses")
    spent = {k: _series(uses, k, years) for k in uses.data}
    let = entry.numbers("occupancy", least=0.0, most=1.0) or (1.0,) * years
    balance = _told(entry, "occupancy", lambda: swap_balance(one_off, yearly, spent, occupancy=let))
    entry.text("unit", "万元")
    uses.done()
    entry.done()
    return areas, balance, break_even_occupancy(one_off, yearly, spent)


def _series(entry: Entry, key: str, years: int) -> list[int]:
    """Amounts by year in 万元, whole fen."""
    values = entry.numbers(key, least=0.0)
    if values and len(values) != years:
        entry.fail(key, f"有 {len(values)} 个数", expected=f"{years} 个, 每年一个 (万元)")
    factor, _ = fen_factor(quantity("1 万元"))
    return [half_away(exact(v) * exact(factor)) for v in values] if values else [0] * years


def _quota(entry: Entry) -> tuple[QuotaOutcome, tuple[int, ...]]:
    lots = [_lot(e) for e in entry.children("lot")]
    if not lots:
        entry.fail("lot", "没有指标批次", expected="至少一个 [[quota.lot]]")
    uses = entry.child("uses")
    shares = {k: share(uses, k) for k in uses.data}
    if not shares:
        entry.fail("uses", "没有用途比例", expected='uses = { "偿还工程款" = 0.6, "产业培育" = 0.4 }')
    years = entry.integer("years", max(lot.accepted_year + lot.payment_years for lot in lots) + 1, least=1, most=_MOST_YEARS)
    outcome = _told(entry, "uses", lambda: quota_chain(lots, shares))
    entry.done()
    return outcome, quota_income_by_year(lots, outcome, years=years)


def _lot(entry: Entry) -> QuotaLot:
    price = entry.amounts("price")
    try:
        factor, _ = fen_factor(quantity("1 亩"), *price)
    except SchemaError as fault:
        entry.fail("price", fault.found, expected='每亩的价格, 如 "15 万元/亩"', cure=fault.cure)
    value = exact(factor) / 100
    for part in price:
        value *= exact(part.value)
    found = QuotaLot(
        entry.text("id"), entry.text("kind", "area", choices=("area", "paddy", "capacity")), area_mu(entry, "area"), share(entry, "not_reclaimable", 0),
        share(entry, "accept_rate", parameter("reclaim_accept_rate")), area_mu(entry, "eligible") if entry.has("eligible") else None, value,
        entry.integer("accepted_year", 0, least=0, most=_MOST_YEARS), entry.integer("payment_years", 0, least=0, most=_MOST_YEARS),
    )  # fmt: skip
    entry.done()
    return found


def _entry(entry: Entry) -> MarketEntry:
    price, cost = amount_fen(entry, "price"), amount_fen(entry, "cost")
    rate = share(entry, "levy_rate", parameter("levy_rate"))
    charge = share(entry, "buyer_charge_rate", 0)
    split = entry.child("split")
    parts = {k: share(split, k) for k in split.data}
    if not parts:
        entry.fail("split", "没有分配方案", expected='split = { "集体公积公益金" = 0.3, "成员分配" = 0.7 }')
    entry.done()
    band = parameter("levy_rate_min"), parameter("levy_rate_max")
    return _told(entry, "levy_rate" if entry.has("levy_rate") else "split", lambda: market_entry(price, cost, levy_rate=rate, levy_band=band, split=parts, buyer_charge_rate=charge))


def _ticket(entry: Entry) -> LandTicket:
    price, cost = amount_fen(entry, "price"), amount_fen(entry, "cost")
    part = share(entry, "farmer_share", parameter("ticket_farmer_share"))
    entry.done()
    return _told(entry, "farmer_share", lambda: land_ticket(price, cost, farmer_share=part))


def _claims(entry: Entry) -> dict[str, dict[str, int]]:
    estate = amount_fen(entry, "estate")
    owed = entry.child("owed")
    claims = {k: amount_fen(owed, k) for k in owed.data}
    entry.done()
    found = {}
    for rule, (_, divide) in CLAIM_RULES.items():
        parts = _told(entry, "estate", lambda divide=divide: divide(estate, claims))  # type: ignore[misc]
        found[rule] = dict(zip(parts, whole_amounts(list(parts.values())), strict=True))
    return found


def _account(entry: Entry) -> AccountState:
    amount = amount_fen(entry, "amount")
    uses = read_uses(entry.child("uses"))
    spendings = tuple(read_spending(e) for e in entry.children("spending"))
    entry.done()
    return remainder_account(_told(entry, "uses", lambda: assigned_remainder(amount, uses)), spendings)
