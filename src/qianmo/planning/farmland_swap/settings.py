"""What the user may set for a swap (永农调整设置)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from qianmo.schema.errors import RuleError
from qianmo.schema.rules import parameter, rule
from qianmo.schema.shipped import shipped_rows

__all__ = ["SwapSettings", "limit_rows", "reason_rows"]


@dataclass(frozen=True)
class SwapSettings:
    """Settings of one swap; whatever is left out takes the shipped default (永农调整设置).

    Parameters
    ----------
    surplus : float, optional
        Least (in - out) / out; by default parameter ``pbf_net_gain_min`` (Z-02). [0..1]
    cap : float, optional
        Greatest out / base; by default parameter ``pbf_adjust_share_max`` (Z-03). [0..1]
    base_m2 : float, optional
        Denominator of the cap; by default the protected area of the units. [m2]
    parameters : mapping name → value
        Local values of shipped parameters.
    rule_values : mapping rule id → threshold
        Local values of editable rules, e.g. ``{"Z-02": 0.08}``; they stand below `surplus` and `cap`.
    waived : tuple of text
        Limits of ``codes/swap_limits.csv`` left out on purpose; named in the certificate.
    leave_without_reason : bool
        Protected land may leave although no reason speaks for it. Off by default: only bad land leaves (优进劣出).
    fewest_changes : bool
        The score counts changed patches and nothing else.
    reserve_first : bool
        Entrants come mainly from the reserve zone, as rule Y-08 says.
    class_scheme : str
        Land-class scheme of the units.

    Raises
    ------
    RuleError
        A share outside 0..1, an unknown limit, or one that cannot be waived.
    """

    surplus: float | None = None
    cap: float | None = None
    base_m2: float | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    rule_values: Mapping[str, float] = field(default_factory=dict)
    waived: tuple[str, ...] = ()
    leave_without_reason: bool = False
    fewest_changes: bool = False
    reserve_first: bool = False
    class_scheme: str = "SD3"

    def __post_init__(self) -> None:
        for name in ("surplus", "cap"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise RuleError(f"{name} {value}", expected="a share from 0 to 1, e.g. 0.05 for 5 %")
        if self.base_m2 is not None and not self.base_m2 > 0.0:
            raise RuleError(f"base area {self.base_m2} m2", expected="an area above zero")
        may = {r["limit"] for r in limit_rows() if r["waivable"] == "1"}
        wrong = sorted(set(self.waived) - may)
        if wrong:
            raise RuleError(f"limits {', '.join(wrong)} cannot be waived", expected=", ".join(sorted(may)))

    def value(self, name: str) -> float:
        """Parameter by name: the user's value, else the shipped default (参数)."""
        return parameter(name, self.parameters)

    @property
    def surplus_share(self) -> float:
        """Least net gain on the area moved out, Z-02 (净增比例)."""
        return self._first(self.surplus, "Z-02", "pbf_net_gain_min")

    @property
    def cap_share(self) -> float:
        """Greatest share moved out, Z-03 (调出比例上限)."""
        return self._first(self.cap, "Z-03", "pbf_adjust_share_max")

    @property
    def reserve_share(self) -> float:
        """Least share of the entrants inside the reserve zone, Y-08 (储备区补划比例)."""
        return float(self.rule_values.get("Y-08", rule("Y-08").value()))

    def _first(self, told: float | None, rule_id: str, name: str) -> float:
        if told is not None:
            return told
        return float(self.rule_values[rule_id]) if rule_id in self.rule_values else self.value(name)


@cache
def reason_rows() -> dict[tuple[str, str], Mapping[str, str]]:
    """Reasons by (side, code), from ``codes/swap_reasons.csv`` (理由表)."""
    return {(r["side"], r["code"]): r for r in shipped_rows("codes", "swap_reasons")}


@cache
def limit_rows() -> tuple[Mapping[str, str], ...]:
    """Limits of a swap in the order they are reported, from ``codes/swap_limits.csv`` (约束表)."""
    return shipped_rows("codes", "swap_limits")
