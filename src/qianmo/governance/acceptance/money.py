"""What a cut costs: contract, payable and deducted amounts to the fen (核减的资金影响)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from qianmo.governance.acceptance.form import accepted_lines
from qianmo.governance.blank import is_blank
from qianmo.schema.acceptance import acceptance_fields, cut_reasons

__all__ = ["Settlement", "settled"]


@dataclass(frozen=True)
class Settlement:
    """Money of an accepted form (结算), in fen: contract - deducted = payable, line by line and in sum.

    `lines` is the form with its money filled in; `words` says for every deduction why.
    """

    lines: pd.DataFrame
    contract_fen: int
    payable_fen: int
    deducted_fen: int
    words: tuple[str, ...]


def settled(frame: pd.DataFrame, *, over_share: float = 0.0) -> Settlement:
    """Fill in the money of a form (核定金额).

    Each line with a price: the contract is planned quantity times price; payable is the accepted quantity, at most the planned one and
    the share above it that is still paid, times price. Every amount is rounded to the fen once, half away from zero.

    Parameters
    ----------
    frame : DataFrame, table ``acceptance_line``
        Without faults. A line that was not measured pays nothing.
    over_share : float
        Share of the planned quantity above it that is still paid, from 0. [1]

    Returns
    -------
    Settlement
    """
    lines = accepted_lines(frame)
    most = 1 + Decimal(repr(float(over_share)))
    money: list[tuple[int, int, int] | None] = []
    words = []
    for r in lines.to_dict("records"):
        if is_blank(r["price_yuan"]):
            money.append(None)
            continue
        planned, price = _decimal(r["planned"]), _decimal(r["price_yuan"])
        paid = min(_decimal(r["accepted"]), planned * most)
        contract, payable = _fen(planned * price), _fen(paid * price)
        money.append((contract, payable, contract - payable))
        if contract != payable:
            words.append(_words(r, contract - payable))
    for k, name in enumerate(("contract_yuan", "payable_yuan", "deducted_yuan")):
        lines[name] = [None if m is None else m[k] / 100 for m in money]
        lines[name] = lines[name].astype("float64")
    total = [sum(m[k] for m in money if m is not None) for k in range(3)]
    return Settlement(lines, total[0], total[1], total[2], tuple(words))


def _words(r: dict[str, Any], fen: int) -> str:
    field = acceptance_fields().field(str(r["field"]))
    short = _decimal(r["planned"]) - _decimal(r["measured"])
    parts = [f"核减 {_decimal(r['cut'])} {field.unit} ({cut_reasons().get(str(r['reason_code']), ('', ''))[0]}: {r['reason']})"] if _decimal(r["cut"]) > 0 else []
    if short > 0:
        parts.append(f"实测比计划少 {short} {field.unit}")
    elif short < 0:
        parts.append(f"实测比计划多 {-short} {field.unit}")
    return f"{field.zh}: {'; '.join(parts)}, {'扣减' if fen > 0 else '增加'} {abs(fen) / 100:.2f} 元"


def _fen(amount: Decimal) -> int:
    return int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _decimal(value: Any) -> Decimal:
    return Decimal(0) if is_blank(value) else Decimal(repr(float(value)))

