"""What the user may set for a plan (规划设置)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qianmo.schema.errors import RuleError
from qianmo.schema.rules import parameter, rule
from qianmo.schema.units import M2_PER_HA

__all__ = ["AIM_IDS", "SERVICE_AIM_IDS", "PlanSettings", "Window"]

SERVICE_AIM_IDS = ("carbon", "soil_conservation", "service_value")
"""Optional aims, left out of a plan while their weight is 0 (the shipped default)."""

AIM_IDS = ("new_farmland", "fewer_fragments", "contiguity", "quality", "ecology", "revitalisation", "cost", *SERVICE_AIM_IDS)
"""Declared aims, in the order they are reported."""


@dataclass(frozen=True)
class Window:
    """Area window of one measure in one village, or everywhere when `village_code` is '' (分村规模上下限) [m2]."""

    measure: str
    village_code: str = ""
    min_m2: float = 0.0
    max_m2: float = float("inf")


@dataclass(frozen=True)
class PlanSettings:
    """Settings of one plan; whatever is left out takes the shipped default (规划设置).

    Parameters
    ----------
    start_year : int
        First year of works.
    weights : mapping aim → weight
        Replaces ``aim_weight_<aim>`` of the parameters; aims are those of `AIM_IDS`.
    budget_yuan : float, optional
        Total investment (works, fees and contingency) that may be spent; none means no limit. [yuan]
    windows : tuple of Window
        Areas a measure must reach or must not pass.
    floors : mapping quantity → minimum
        Policy floors on a quantity of the plan, e.g. ``{"high_standard_m2": 2e5}``.
    rule_values : mapping rule id → threshold
        Local values of editable rules, e.g. ``{"Z-01": 0.03, "G-09": 15}``.
    parameters : mapping name → value
        Local values of shipped parameters.
    waived : tuple of rule ids
        Limits left out on purpose; named in the certificate.
    new_farmland_basis : 'net' or 'gross'
        How Z-01 counts: after less before, or all newly made farmland.
    retirement_is_exempt : bool
        State programmes of retirement do not enter the in/out balance (G-02).
    class_scheme : str
        Land-class scheme of the patches.
    village_names : mapping village code → name
        Names for the sub-projects.
    """

    start_year: int
    weights: Mapping[str, float] = field(default_factory=dict)
    budget_yuan: float | None = None
    windows: tuple[Window, ...] = ()
    floors: Mapping[str, float] = field(default_factory=dict)
    rule_values: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    waived: tuple[str, ...] = ()
    new_farmland_basis: str = "net"
    retirement_is_exempt: bool = False
    class_scheme: str = "SD3"
    village_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weights) - set(AIM_IDS))
        if unknown:
            raise RuleError(f"no aim called {', '.join(unknown)}", expected=", ".join(AIM_IDS))
        negative = sorted(a for a in AIM_IDS if self.weight(a) < 0)
        if negative:
            raise RuleError(f"negative weight of {', '.join(negative)}", expected="weights of at least 0")
        if self.new_farmland_basis not in ("net", "gross"):
            raise RuleError(f"new_farmland_basis {self.new_farmland_basis!r}", expected="net or gross")
        if self.budget_yuan is not None and not self.budget_yuan >= 0:
            raise RuleError(f"budget {self.budget_yuan}", expected="a number of yuan of at least 0, or none")

    def weight(self, aim: str) -> float:
        """Weight of one aim (目标权重)."""
        return float(self.weights[aim]) if aim in self.weights else self.value(f"aim_weight_{aim}")

    def value(self, name: str) -> float:
        """Parameter by name: the user's value, else the shipped default (参数)."""
        return parameter(name, self.parameters)

    def threshold(self, rule_id: str) -> float:
        """Threshold of a rule in its own unit: the user's value, else the shipped one (规则阈值)."""
        found = rule(rule_id)
        return float(self.rule_values[rule_id]) if rule_id in self.rule_values else found.value()

    def threshold_m2(self, rule_id: str) -> float:
        """Threshold of a rule on an area, in m2 (规则阈值).

        Raises
        ------
        RuleError
            The rule does not limit an area.
        """
        unit = rule(rule_id).unit
        if unit not in ("m2", "ha"):
            raise RuleError(f"rule {rule_id} has unit {unit!r}", expected="m2 or ha")
        return self.threshold(rule_id) * (M2_PER_HA if unit == "ha" else 1.0)
