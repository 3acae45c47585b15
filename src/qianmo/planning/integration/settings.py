"""Prices, limits and budgets of a property-right integration (产权整合设置)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.rules import parameter

__all__ = ["MODES", "IntegrationSettings", "integration_settings"]

MODES = ("merge", "swap", "cooperate", "transfer")
"""What may become of a title besides being kept: 原地归并, 置换入块, 合作入股, 转让."""


@dataclass(frozen=True)
class IntegrationSettings:
    """Prices, limits and budgets (产权整合设置); each is the parameter ``integrate_*`` of that name.

    `budget_yuan` is the public money of each year, `legal_mixed` says whether state and collective land may be brought
    together with the legal route named ('flag') or not at all ('forbid'), `share_rule` who gets what is left over:
    'fund' gives holders what they need, 'maxmin' raises the smallest relative gain as far as it goes.
    """

    budget_yuan: tuple[float, ...]
    legal_mixed: str
    share_rule: str
    price_yuan_m2: float
    public_share: float
    plot_ratio_max: float
    block_area_min_m2: float
    block_area_max_m2: float
    lot_area_min_m2: float
    gain_min: float
    in_kind_share_min: float
    pay_in_share_max: float
    consent_heads_min: float
    consent_area_min: float
    transaction_yuan: float
    route_yuan: float
    works_yuan_m2: float
    block_yuan: float
    discount_rate: float
    value_before_weight: float
    reach_m: float
    candidates_max: int
    gap_rel: float
    time_limit_s: float


def integration_settings(
    overrides: Mapping[str, float] | None = None, *, budget_yuan: Sequence[float] = (0.0,), legal_mixed: str = "flag", share_rule: str = "fund"
) -> IntegrationSettings:
    """Settings from the shipped parameters ``integrate_*``, some of them overridden (产权整合设置取值).

    Raises
    ------
    RuleError
        A number is negative or a share above 1.
    SchemaError
        An unknown word, no year, or limits of area that contradict each other.
    """
    if legal_mixed not in ("flag", "forbid") or share_rule not in ("fund", "maxmin"):
        raise SchemaError(f"legal_mixed {legal_mixed!r}, share_rule {share_rule!r}", expected="flag or forbid; fund or maxmin")
    if not budget_yuan or not all(0 <= b < float("inf") for b in budget_yuan):
        raise SchemaError(f"budget {list(budget_yuan)}", expected="one amount of at least 0 a year", cure="给出各年度资金 (元)")

    def number(name: str, most: float = 1e12) -> float:
        value = parameter(f"integrate_{name}", overrides)
        if not 0 <= value <= most:
            raise RuleError(f"integrate_{name} is {value}", expected=f"a number from 0 to {most:g}", cure="改正参数")
        return value

    made = IntegrationSettings(
        tuple(float(b) for b in budget_yuan), legal_mixed, share_rule, number("price_yuan_m2"), number("public_share", 0.99), number("plot_ratio_max"),
        number("block_area_min_m2"), number("block_area_max_m2"), number("lot_area_min_m2"), number("gain_min"), number("in_kind_share_min", 1.0),
        number("pay_in_share_max", 1.0), number("consent_heads_min", 1.0), number("consent_area_min", 1.0), number("transaction_yuan"),
        number("route_yuan"), number("works_yuan_m2"), number("block_yuan"), number("discount_rate", 1.0), number("value_before_weight", 1.0), number("reach_m"),
        int(number("candidates_max")), number("gap_rel", 1.0), number("time_limit_s"),
    )  # fmt: skip
    if made.block_area_min_m2 > made.block_area_max_m2:
        raise SchemaError(
            f"blocks of at least {made.block_area_min_m2:g} m2 and at most {made.block_area_max_m2:g} m2", expected="least below largest", cure="改正面积上下限"
        )
    if made.plot_ratio_max <= 0 or made.price_yuan_m2 <= 0:
        raise RuleError("plot ratio or price is 0", expected="above 0", cure="改正容积率或地价")
    return made
