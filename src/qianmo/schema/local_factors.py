"""Local factors of a project in place of the shipped tables (本地系数): ``[factors]`` of ``project.toml``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from qianmo.schema.errors import SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["FACTOR_TABLES", "factor_overrides", "factor_values"]

FACTOR_TABLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "carbon_density": (("carbon_class", "pool"), ("low", "default", "high")),
    "carbon_flow": (("flow",), ("low", "default", "high")),
    "soil_cover": (("carbon_class",), ("cover_low", "cover", "cover_high")),
    "water_balance": (("carbon_class",), ("kc_low", "kc", "kc_high")),
    "habitat_suitability": (("carbon_class",), ("suitability_low", "suitability", "suitability_high")),
    "service_equivalent": (("esv_class", "service"), ("equivalent",)),
}
"""Tables whose factors a project may replace: the columns that name a row, and those of its low, middle and high value, or of its one value."""

_SIGNED = ("carbon_flow", "service_equivalent")
"""Tables that hold negative values: uptake of carbon, the water that paddies take."""


def factor_overrides(told: Mapping[str, Any]) -> dict[str, float]:
    """Local factors as flat overrides ``table.row.column`` (本地系数展开).

    Parameters
    ----------
    told : mapping
        Table, then row (class, for densities class and pool), then ``[low, middle, high]`` or one number for all three, e.g.
        ``{"carbon_density": {"forest_arbor": {"SOC": [80, 95, 110]}}}``. Equivalents of services have no range: one number a class and service.

    Raises
    ------
    SchemaError
        No such table or row, not numbers, or not in order; every fault is named.
    """
    if not isinstance(told, Mapping):
        raise SchemaError("project.toml [factors] 不是表", expected="表.行 = [低值, 缺省值, 高值]")
    out: dict[str, float] = {}
    faults = []
    for name, value in _leaves(told):
        table, _, row = name.partition(".")
        columns = FACTOR_TABLES[table][1] if table in FACTOR_TABLES else ()
        if not columns or row not in _rows(table):
            faults.append(f"{name}: 没有这个系数")
            continue
        ends = list(value) if isinstance(value, list | tuple) else [value] * len(columns)
        if len(ends) != len(columns) or any(isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) for v in ends):
            faults.append(f"{name} = {value}: 不是{'三个数' if len(columns) > 1 else '一个数 (当量没有高低值)'}")
        elif list(ends) != sorted(ends):
            faults.append(f"{name} = {value}: 次序不对")
        elif ends[0] < 0 and table not in _SIGNED:
            faults.append(f"{name} = {value}: 小于 0")
        else:
            out |= {f"{name}.{c}": float(v) for c, v in zip(columns, ends)}
    if faults:
        raise SchemaError(
            f"project.toml [factors]: {'; '.join(faults[:6])}", expected=f"{'、'.join(FACTOR_TABLES)} 中的行, 值为 [低值, 缺省值, 高值] 或一个数",
            cure="表名与行名见 schema/parameters/ 中的同名 CSV, 如 carbon_density.forest_arbor.SOC = [80, 95, 110]",
        )  # fmt: skip
    return out


def factor_values(table: str, column: str, overrides: Mapping[str, Any] | None = None) -> dict[str, float]:
    """One column of a factor table by the name of its row, local values first (系数表的一列)."""
    shipped = _column(table, column)
    if not overrides:
        return dict(shipped)
    return {row: float(overrides.get(f"{table}.{row}.{column}", value)) for row, value in shipped.items()}


@cache
def _column(table: str, column: str) -> Mapping[str, float]:
    keys = FACTOR_TABLES[table][0]
    return {".".join(r[k] for k in keys): float(r[column]) for r in shipped_rows("parameters", table) if r[column] != ""}


@cache
def _rows(table: str) -> frozenset[str]:
    columns = FACTOR_TABLES[table][1]
    return frozenset(_column(table, columns[len(columns) // 2]))


def _leaves(told: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for key, value in told.items():
        name = f"{before}.{key}" if before else str(key)
        out += _leaves(value, name) if isinstance(value, Mapping) else [(name, value)]
    return out
