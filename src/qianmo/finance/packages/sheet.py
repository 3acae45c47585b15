"""The sheet of a package: figures in groups, each with its unit and words (组合包情况表)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qianmo.finance.packages.variants import Variant
from qianmo.finance.project.entry import Entry
from qianmo.finance.project.records import Project
from qianmo.finance.project.units import Quantity, measured, quantity
from qianmo.schema.errors import SchemaError

__all__ = ["Item", "PackageSheet", "amount_in", "compared_items", "line_total"]


@dataclass(frozen=True)
class Item:
    """One figure of a package (一项数值): money in yuan; `words` says how it was found."""

    id: str
    zh: str
    value: float
    unit: str
    words: str = ""


@dataclass(frozen=True)
class PackageSheet:
    """Groups of figures, yearly rows [yuan] and checks that must hold (组合包情况表)."""

    groups: Mapping[str, Sequence[Item]]
    yearly: Mapping[str, Sequence[float]] = field(default_factory=dict)
    checks: Sequence[tuple[str, bool]] = ()


def amount_in(entry: Entry, key: str, unit: str) -> float:
    """A quantity of ``[package]`` in a unit (读取数量).

    Raises
    ------
    FinanceInputError
        Missing, without unit, negative, or of another kind.
    """
    total = 0.0
    value = entry.data.get(key)
    for amount in entry.amounts(key) if not isinstance(value, list) else [a for v in value for a in _one(entry, key, v)]:
        try:
            total += measured(amount, unit)
        except SchemaError as fault:
            entry.fail(key, fault.found, expected=fault.expected)
    return round(total, 9)


def _one(entry: Entry, key: str, value: object) -> tuple[Quantity]:
    if not isinstance(value, str):
        entry.fail(key, f"{value!r} 没有单位", expected='带引号的数值与单位, 如 "1000 亩"')
    try:
        return (quantity(value),)
    except SchemaError as fault:
        entry.fail(key, fault.found, expected=fault.expected)


def line_total(project: Project, values: Mapping[str, Sequence[float]], name: str) -> float:
    """Money of a line over all years [yuan].

    Raises
    ------
    SchemaError
        The project has no such line.
    """
    if f"line.{name}.amount" not in values:
        raise SchemaError(f"没有科目 {name!r}", expected=", ".join(ln.id for ln in project.lines))
    return sum(values[f"line.{name}.amount"]) / 100.0


def compared_items(prefix: str, zh: str, found: Variant) -> list[Item]:
    """Main figures of a variant (变动方案的主要指标)."""
    wanted = ("npv_before_tax", "irr_before_tax", "npv_after_tax", "irr_after_tax", "feedback_ratio", "dscr_min", "lowest_cash", "short_term_peak")
    names = [n for n in found.figures if n in wanted or n.startswith("lowest_account")]
    return [
        Item(f"{prefix}.{n}", f"{zh}: {found.figures[n].zh}", found.figures[n].value / (100.0 if found.figures[n].unit == "分" else 1.0),
             "元" if found.figures[n].unit == "分" else found.figures[n].unit, found.figures[n].note) for n in names
    ]  # fmt: skip
