"""Flows between classes and balances of land (地类变化与平衡)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.evaluation.classes import RIDGE_CLASS, class_table, ridge_area
from qianmo.schema.errors import SchemaError

__all__ = ["aligned", "balance", "flow_matrix"]

ITEMS = (
    ("耕地", "group", "farmland"),
    ("园地", "group", "garden"),
    ("林地", "group", "forest"),
    ("草地", "group", "grass"),
    ("湿地", "group", "wetland"),
    ("建设用地", "construction", True),
    ("农用地", "big_class", "农用地"),
    ("未利用地", "big_class", "未利用地"),
    ("生态用地", "eco", True),
)


def flow_matrix(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Area that goes from each class to each class (地类变化流量表).

    Parameters
    ----------
    before, after : DataFrame, table ``landuse_patch``
        The same patches in any order, matched by patch_id; register areas must not change.

    Returns
    -------
    DataFrame
        from_class, to_class, patches, area_m2. Unchanged land is included, so that the sum is the register area. What
        ridges (class 1203) lose to farmland or farmland to ridges is a flow of its own with no patch counted.

    Raises
    ------
    SchemaError
        The tables hold different patches or areas.
    """
    after = aligned(before, after)
    c0, c1 = (t["class_area_m2"].to_numpy(float) for t in (before, after))
    r0, r1 = ridge_area(before), ridge_area(after)
    old, new = before["class_code"].astype(str).to_numpy(), after["class_code"].astype(str).to_numpy()
    ridge = np.full(len(before), RIDGE_CLASS, dtype=object)
    count = np.ones(len(before), dtype=int)
    none = np.zeros(len(before), dtype=int)
    parts = [
        (old, new, count, np.minimum(c0, c1)),
        (ridge, new, none, np.maximum(c1 - c0, 0.0)),
        (old, ridge, none, np.maximum(c0 - c1, 0.0)),
        (ridge, ridge, none, np.minimum(r0, r1)),
    ]
    flows = pd.concat([pd.DataFrame({"from_class": a, "to_class": b, "patches": n, "area_m2": m}) for a, b, n, m in parts])
    flows = flows[(flows["area_m2"] > 0) | (flows["patches"] > 0)]
    flows = flows.groupby(["from_class", "to_class"], as_index=False)[["patches", "area_m2"]].sum()
    flows["area_m2"] = flows["area_m2"].round(2)
    return flows


def balance(
    flows: pd.DataFrame,
    *,
    scheme: str,
    basic_farmland_m2: float | None = None,
    basic_farmland_in_m2: float = 0.0,
    basic_farmland_out_m2: float = 0.0,
) -> pd.DataFrame:
    """Balance of farmland, basic farmland, construction land and others (用地平衡表).

    Parameters
    ----------
    flows : DataFrame
        Result of :func:`flow_matrix`.
    basic_farmland_m2 : float, optional
        Basic farmland before the plan [m2]; without it that row is left out, never guessed.
    basic_farmland_in_m2, basic_farmland_out_m2 : float
        Moved in and out by the layout adjustment [m2].

    Returns
    -------
    DataFrame
        item, before_m2, increase_m2, decrease_m2, after_m2, net_m2; after = before + increase - decrease.
    """
    table = class_table(scheme)
    old, new = flows["from_class"].to_numpy(), flows["to_class"].to_numpy()
    area = flows["area_m2"].to_numpy(float)
    rows = []
    for item, column, value in ITEMS:
        member = (table[column] == value).to_dict()
        a = np.array([member[c] for c in old], dtype=bool)
        b = np.array([member[c] for c in new], dtype=bool)
        rows.append((item, area[a].sum(), area[b & ~a].sum(), area[a & ~b].sum()))
    if basic_farmland_m2 is not None:
        rows.insert(1, ("永久基本农田", basic_farmland_m2, basic_farmland_in_m2, basic_farmland_out_m2))
    out = pd.DataFrame(rows, columns=["item", "before_m2", "increase_m2", "decrease_m2"]).round(2)
    out["net_m2"] = (out["increase_m2"] - out["decrease_m2"]).round(2)
    out.insert(4, "after_m2", (out["before_m2"] + out["net_m2"]).round(2))
    return out


def aligned(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """`after` in the row order of `before` (按标识码对齐).

    Raises
    ------
    SchemaError
        The tables hold different patches, an id twice, or another register area; the message names patches.
    """
    ids = pd.Index(before["patch_id"].astype(str))
    new = after.set_index(after["patch_id"].astype(str))
    if ids.has_duplicates or new.index.has_duplicates or len(ids) != len(new) or not ids.isin(new.index).all():
        odd = [*ids.difference(new.index)[:3], *new.index.difference(ids)[:3]]
        raise SchemaError(
            f"patches before ({len(ids)}) and after ({len(new)}) differ, e.g. {', '.join(map(str, odd)) or 'ids occur twice'}",
            expected="the same patch ids, each once",
            cure="make the plan from the same patches (规划前后须为同一套图斑)",
        )
    new = new.loc[ids]
    gap = np.abs(new["area_m2"].to_numpy(float) - before["area_m2"].to_numpy(float))
    if len(gap) and gap.max() > 0.005:
        worst = ids[int(gap.argmax())]
        raise SchemaError(
            f"register area of patch {worst} changes by {gap.max():.2f} m2 between before and after",
            expected="the same register area",
            cure="a plan changes classes, not register areas (规划不改变图斑面积)",
        )
    return new.set_index(before.index)
