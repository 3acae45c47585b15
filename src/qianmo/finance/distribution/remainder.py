"""Account of what stays with collective and government after an exit: three uses, vouchers, never overdrawn (剩余收益使用台账)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from qianmo.finance.distribution.exact import exact, largest_remainder
from qianmo.schema.errors import SchemaError

__all__ = ["USE_WORDS", "AccountLine", "AccountState", "Spending", "assigned_remainder", "remainder_account"]

USE_WORDS = MappingProxyType({"infrastructure": "基础设施", "public_service": "公共服务", "industry": "产业发展"})
"""The three uses (三项用途)."""


@dataclass(frozen=True)
class Spending:
    """One payment out of the account (支出记录)."""

    day: date
    use: str
    amount_fen: int
    voucher: str
    what: str = ""


@dataclass(frozen=True)
class AccountLine:
    """One line of the account (台账行): the payment, what is left of its use, what is left in all, and what is wrong with it."""

    spending: Spending
    left_of_use_fen: int
    left_fen: int
    faults: tuple[str, ...]


@dataclass(frozen=True)
class AccountState:
    """The account (台账): assigned, spent and left by use, its lines, and all faults. [fen]"""

    assigned_fen: Mapping[str, int]
    spent_fen: Mapping[str, int]
    left_fen: Mapping[str, int]
    lines: tuple[AccountLine, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Every fault of every line, refused payments included."""
        return tuple(f for line in self.lines for f in line.faults)


def assigned_remainder(remainder_fen: int, plan: Mapping[str, Any]) -> dict[str, int]:
    """The remainder assigned to the three uses, all of it (剩余收益分配).

    Raises
    ------
    SchemaError
        The remainder is negative, a use is unknown, a share is negative, or shares do not sum to 1.

    Examples
    --------
    >>> assigned_remainder(101, {"infrastructure": 0.5, "public_service": 0.3, "industry": 0.2})
    {'infrastructure': 51, 'public_service': 30, 'industry': 20}
    """
    shares = {use: exact(s) for use, s in plan.items()}
    if remainder_fen < 0 or set(shares) - set(USE_WORDS) or min(shares.values(), default=Fraction(-1)) < 0 or sum(shares.values(), Fraction(0)) != 1:
        raise SchemaError(
            f"剩余 {remainder_fen} 分, 比例 {({k: float(v) for k, v in shares.items()})}",
            expected=f"剩余不小于 0, {', '.join(USE_WORDS)} 的比例合计 1", cure="三项用途的比例之和应为 1",
        )  # fmt: skip
    return dict(zip(shares, largest_remainder(remainder_fen, list(shares.values())), strict=True))


def remainder_account(assigned_fen: Mapping[str, int], spendings: Sequence[Spending]) -> AccountState:
    """The account after the payments in order of day; a payment with a fault is refused and moves nothing (台账登记).

    Faults: no voucher, voucher used before, unknown use, amount not above 0, more than is left of the use.

    Returns
    -------
    AccountState
        What is left is never negative; assigned = spent + left for each use.
    """
    left, spent = dict(assigned_fen), dict.fromkeys(assigned_fen, 0)
    vouchers: set[str] = set()
    lines = []
    for s in sorted(spendings, key=lambda s: s.day):
        wrong = {
            f"{s.day}: 没有凭证号": not s.voucher.strip(), f"{s.day}: 凭证 {s.voucher} 重复": s.voucher in vouchers and bool(s.voucher.strip()),
            f"{s.day}: 用途 {s.use} 不在计划内": s.use not in left, f"{s.day}: 金额须大于零": s.amount_fen <= 0,
            f"{s.day}: 超出 {USE_WORDS.get(s.use, s.use)} 余额": s.use in left and s.amount_fen > left[s.use],
        }  # fmt: skip
        faults = tuple(text for text, found in wrong.items() if found)
        if not faults:
            left[s.use] -= s.amount_fen
            spent[s.use] += s.amount_fen
            vouchers.add(s.voucher)
        lines.append(AccountLine(s, left.get(s.use, 0), sum(left.values()), faults))
    return AccountState(dict(assigned_fen), spent, left, tuple(lines))
