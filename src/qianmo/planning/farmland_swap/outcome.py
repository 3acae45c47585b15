"""What a swap does, unit by unit and township by township (永农调整成果表)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.planning.farmland_swap.eligibility import NO_DATA, Eligibility
from qianmo.planning.farmland_swap.formulate import SwapFormulation, after_swap
from qianmo.planning.farmland_swap.land import SwapLand
from qianmo.planning.farmland_swap.settings import SwapSettings, reason_rows
from qianmo.planning.problem import hundredths
from qianmo.planning.solve import Solution

__all__ = ["swap_balance", "swap_parcels"]

ALL = "*"
"""Township code of the rows of the whole area."""

_DECISIONS = {"stay": "保留", "leave": "调出", "enter": "调入", "refused": "不得调入", "not_chosen": "未选入"}
_SHOWN = {"stay": ("must_stay", "may_leave"), "leave": ("must_leave", "may_leave"), "enter": ("favour",), "refused": ("refuse",), "not_chosen": ("favour",)}
_SIDE = {"stay": "out", "leave": "out", "enter": "in", "refused": "in", "not_chosen": "in"}


def swap_parcels(formulation: SwapFormulation, solution: Solution) -> pd.DataFrame:
    """One row a unit: decision, reasons, rules, what must be confirmed (永农调整清单).

    Returns
    -------
    DataFrame, table ``swap_parcel``, rows in the order of the units
    """
    land, found = formulation.land, formulation.eligibility
    decision = _decisions(land, found, after_swap(formulation, solution.choice))
    codes, rules, words = _reasons(found, decision)
    grade = pd.array(np.where(np.isfinite(land.grade), land.grade, 0).astype(int), dtype="Int64")
    grade[~np.isfinite(land.grade)] = pd.NA
    lead = np.array([_DECISIONS[d] for d in decision], object)
    lead[found.must_leave] = "必须调出"
    plain = np.where(decision == "enter", "与保护地块连片,在各项约束内使布局最优", np.where(decision == "not_chosen", "符合条件,与其他图斑权衡后未选入", "维持保护"))
    reason = lead + ":" + np.where(words == "", plain.astype(object), words)
    return pd.DataFrame(
        {
            "unit_id": land.unit_id, "decision": decision, "area_m2": land.area, "village_code": land.village, "township_code": land.township,
            "class_code": land.class_code, "quality_grade": grade, "reason_codes": codes, "rule_ids": rules, "reason": reason,
            "to_confirm": _open(found, decision),
        }
    )  # fmt: skip


def swap_balance(land: SwapLand, after: np.ndarray, *, settings: SwapSettings) -> pd.DataFrame:
    """Protected area before and after by township and item, in whole square decimetres (永农调整前后平衡表).

    Returns
    -------
    DataFrame, table ``swap_balance``
        Items: total; each grade that occurs and ``grade:none``; paddy, irrigated, dry; steep (surely above
        ``swap_steep_area_deg``); high_standard where the flag is known. Township ``*`` is the sum of all.
    """
    town, place = np.unique(land.township.astype(str), return_inverse=True)
    cents = hundredths(land.area)
    rows = []
    for item, zh, member in _items(land, settings):
        sums = [
            np.bincount(place[s & member], cents[s & member], len(town)).astype(np.int64)
            for s in (land.protected, land.protected & ~after, ~land.protected & after)
        ]
        for k, code in enumerate([ALL, *town]):
            before, out, into = (int(s.sum() if k == 0 else s[k - 1]) for s in sums)
            rows.append((code, item, zh, before / 100, out / 100, into / 100, (before - out + into) / 100))
    table = pd.DataFrame(rows, columns=["township_code", "item", "zh", "before_m2", "out_m2", "in_m2", "after_m2"])
    order = {code: k for k, code in enumerate([ALL, *town])}
    return table.iloc[np.argsort(table["township_code"].map(order).to_numpy(), kind="stable")].reset_index(drop=True)


def _decisions(land: SwapLand, found: Eligibility, after: np.ndarray) -> np.ndarray:
    idle = np.where(found.may_enter, "not_chosen", "refused")
    return np.where(land.protected, np.where(after, "stay", "leave"), np.where(after, "enter", idle)).astype(object)


def _reasons(found: Eligibility, decision: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    codes, rules, words = (np.full(len(decision), "", object) for _ in range(3))
    for (side, code), mask in found.reasons.items():
        row = reason_rows()[side, code]
        shown = [d for d, effects in _SHOWN.items() if _SIDE[d] == side and row["effect"] in effects]
        here = mask & np.isin(decision, shown)
        if here.any():
            _append(codes, here, code, ";")
            _append(rules, here, row["rule_id"], ";")
            _append(words, here, f"{row['zh']}({row['rule_id']})", "、")
    return codes, rules, words


def _open(found: Eligibility, decision: np.ndarray) -> np.ndarray:
    """Questions of the units that move, and of those refused for want of data."""
    out = np.full(len(decision), "", object)
    moves = np.isin(decision, ("leave", "enter"))
    for q in found.questions:
        refused = np.zeros(len(decision), bool) if q.whole else decision == "refused"
        here = q.units & (moves | refused)
        _append(out, here, f"{reason_rows()[q.side, q.code]['zh']}:{NO_DATA}({q.rule_id})", ";")
    return out


def _append(texts: np.ndarray, here: np.ndarray, text: str, sign: str) -> None:
    first = here & (texts == "")
    more = here & ~first
    texts[more] = texts[more] + (sign + text)
    texts[first] = text


def _items(land: SwapLand, settings: SwapSettings) -> list[tuple[str, str, np.ndarray]]:
    every = np.ones(land.n, bool)
    marked = settings.value("swap_steep_area_deg")
    grades = [(f"grade:{g:g}", f"{g:g}等", land.grade == g) for g in np.unique(land.grade[np.isfinite(land.grade)])]
    items = [("total", "永久基本农田", every), *grades]
    if not np.isfinite(land.grade).all():
        items.append(("grade:none", "无等别", ~np.isfinite(land.grade)))
    items += [("paddy", "水田", land.paddy), ("irrigated", "水浇地", land.irrigated & ~land.paddy), ("dry", "旱地", land.farmland & ~land.irrigated)]
    items.append(("steep", f"坡度{marked:g}°以上", (land.slope_low >= marked) & (land.slope_high > marked)))
    if np.isfinite(land.high_standard).all():
        items.append(("high_standard", "高标准农田", land.high_standard == 1.0))
    return items
