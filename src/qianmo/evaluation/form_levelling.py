"""The review form with figures of four decimals whose sums close (审查表数字取位与平差)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.basic_farmland_form import (
    BLOCK_FIELDS,
    CLASS_FIELDS,
    OTHER_FIELDS,
    SIDES,
    SLOPE_FIELDS,
    basic_farmland_form,
)

__all__ = ["levelled_form", "levelled_parts"]

PARTS = (
    ("Zmj", ("XzGdmj", "XzFgdmj")), ("XzGdmj", tuple(CLASS_FIELDS.values())), ("XzFgdmj", tuple(OTHER_FIELDS.values())),
    ("Zmj", SLOPE_FIELDS), ("Zmj", BLOCK_FIELDS),
)  # fmt: skip
"""Figures of the form that are the sum of others, in the order in which they are rounded."""

DM2_PER_HA, DM2_PER_STEP = 1_000_000, 100
"""Exact areas are whole square decimetres; a printed figure of 0.0001 ha is a square metre."""


def levelled_form(
    moved_out: pd.DataFrame, moved_in: pd.DataFrame, *, base_m2: float, scheme: str, texts: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """The form as it is printed: areas of four decimals, parts that add up to their total (平差后的审查情况汇总表).

    Parameters and columns are those of :func:`basic_farmland_form`. A total is rounded from its exact value; its parts are
    rounded down and the square metres that are left go to the largest remainders. Means and shares come from exact areas.
    """
    form = basic_farmland_form(moved_out, moved_in, base_m2=base_m2, scheme=scheme, texts=texts)
    value = {f: v for f, v in zip(form["field"], form["value"]) if f}
    exact = {f: round(v * DM2_PER_HA) for f, v in value.items() if isinstance(v, (int, float)) and not isinstance(v, bool) and f[:2] in SIDES}
    for prefix in SIDES:
        shown = {"Zmj": _rounded(exact[f"{prefix}Zmj"])}
        for whole, parts in PARTS:
            names = [prefix + p for p in parts]
            if whole in shown and all(n in exact for n in names):
                shown |= dict(zip(parts, levelled_parts([exact[n] for n in names], shown[whole])))
        value |= {prefix + k: v / 10_000 for k, v in shown.items()}
        for name in ("Pjzldb", "Pjdgtbmj", "HyGbntMj", "XzSfssTzgz", "XzSfXzgd"):
            if isinstance(value.get(prefix + name), (int, float)):
                value[prefix + name] = round(float(value[prefix + name]), 4)
    for name in ("yyjjbntzmj", "dcMjbl"):
        value[name] = round(float(value[name]), 4)
    return form.assign(value=[value.get(f, v) for f, v in zip(form["field"], form["value"])])


def levelled_parts(exact_dm2: Sequence[int], total_steps: int) -> list[int]:
    """Parts in whole steps that add up to a given total (最大余数法).

    Parameters
    ----------
    exact_dm2 : sequence of int
        Exact parts. [dm2]
    total_steps : int
        Their sum, rounded to steps of 100 dm2 before.

    Examples
    --------
    >>> levelled_parts([33, 33, 34], 1)
    [0, 0, 1]
    """
    floor = [p // DM2_PER_STEP for p in exact_dm2]
    rest = np.array([p % DM2_PER_STEP for p in exact_dm2])
    missing = total_steps - sum(floor)
    for k in np.argsort(-rest, kind="stable")[:missing]:
        floor[int(k)] += 1
    return floor


def _rounded(dm2: int) -> int:
    """Whole steps, halves up."""
    return (2 * dm2 + DM2_PER_STEP) // (2 * DM2_PER_STEP)
