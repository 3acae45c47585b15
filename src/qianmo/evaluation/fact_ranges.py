"""Figures that cannot be meant, and what works change in them (指标值检查与措施效果)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.own_tables import Rows
from qianmo.schema.errors import RuleError, SchemaError

__all__ = ["changed_by_works", "check_ranges"]


def check_ranges(facts: pd.DataFrame, rows: Rows, *, label: str = "patch_id", words: Sequence[str] = ()) -> None:
    """Refuse figures that cannot be meant, most often for their units (指标值检查).

    Parameters
    ----------
    facts : DataFrame
        A column a `fact` of the rows, and `label` that names each row.
    rows : rows with fact, name_zh, unit, valid_min, valid_max, optionally largest_min
        The largest value of a column below ``largest_min`` is taken for another unit (0.8 m given as cm).
    words : facts that hold words, not numbers

    Raises
    ------
    SchemaError
        A figure that is no number, is below ``valid_min`` or above ``valid_max``, or a whole column that looks like another unit; the rows are named.
    """
    for row in {r["fact"]: r for r in rows}.values():
        if row["fact"] not in facts or row["fact"] in words:
            continue
        told = facts[row["fact"]]
        values = pd.to_numeric(told, errors="coerce").to_numpy(float, na_value=np.nan)
        blank = np.array([v is None or v != v or v == "" for v in told.to_numpy(object)], bool)
        low, high = (float(row[k]) if row.get(k) else other for k, other in (("valid_min", -np.inf), ("valid_max", np.inf)))
        bad = np.flatnonzero((values < low) | (values > high) | np.isinf(values) | (np.isnan(values) & ~blank))
        names = facts[label].to_numpy(object)
        if len(bad):
            first = ", ".join(f"{names[k]}: {told.iloc[k]:g}" if values[k] == values[k] else f"{names[k]}: {told.iloc[k]!r}" for k in bad[:3])
            raise SchemaError(f"{row['name_zh']} ({row['fact']}) 有 {len(bad)} 个图斑超出范围, 如 {first}", expected=f"{low:g} 至 {high:g} {row['unit']}".strip(), cure="核对单位与无数据值")
        least = float(row.get("largest_min") or -np.inf)
        known = np.flatnonzero(np.isfinite(values))
        if len(known) and values[known].max() < least and values[known].max() > 0:
            worst = known[values[known].argmax()]
            raise SchemaError(
                f"{row['name_zh']} ({row['fact']}) 最大只有 {values[worst]:g} ({names[worst]}), 像是用了别的单位", expected=f"以 {row['unit']} 计, 最大值不小于 {least:g}",
                cure="换算为所列单位后重试",
            )  # fmt: skip


def changed_by_works(facts: pd.DataFrame, measure: np.ndarray, effects: Rows, ranks: Mapping[tuple[str, str], float], *, what: str) -> pd.DataFrame:
    """Facts after works, by a table of effects (措施后指标).

    ``at_least`` raises a number, or a word to a better rank; ``at_most`` lowers a number; ``set`` replaces. What is unknown stays unknown.

    Parameters
    ----------
    effects : rows of measure, fact, relation, value
    ranks : mapping of (fact, word) to how good the word is
    what : str
        Name of the table, for the message.

    Raises
    ------
    RuleError
        An effect names a relation that is not one of these.
    """
    out = facts.copy()
    for effect in effects:
        rows = np.flatnonzero(measure == effect["measure"])
        name, how, told = effect["fact"], effect["relation"], effect["value"]
        if how not in ("at_least", "at_most", "set"):
            raise RuleError(f"{what} {effect['measure']}: {how}", expected="at_least, at_most 或 set")
        if not len(rows) or name not in out:
            continue
        column = out[name].to_numpy(copy=True)
        column[rows] = [_changed(name, v, how, told, ranks) for v in column[rows]]
        out[name] = column
    return out


def _changed(name: str, value: Any, how: str, told: str, ranks: Mapping[tuple[str, str], float]) -> Any:
    if value is None or value != value or value == "":
        return value
    if how == "set":
        return told
    if (name, told) in ranks:
        return value if ranks[name, str(value)] >= ranks[name, told] else told
    number, limit = float(value), float(told)
    return max(number, limit) if how == "at_least" else min(number, limit)
