"""Checking an integration from its tables alone, with nothing of the code that made it (整合独立核验)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.integration.verify_money import check_row, filled, money_checks

__all__ = ["recomputed_objective_fen", "verify_integration"]


def verify_integration(
    titles: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, outcome: pd.DataFrame, ledger: pd.DataFrame, settings: Mapping[str, Any],
    claimed: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Recompute every limit and every sum of money (整合独立核验).

    Parameters
    ----------
    titles : GeoDataFrame, table ``title``
        As handed in.
    blocks, outcome, ledger : tables ``industrial_block``, ``title_outcome``, ``integration_ledger``
    settings : mapping
        Fields of `IntegrationSettings` by name.
    claimed : mapping, optional
        Certificate: ``objective_fen`` and ``solver_bound_claimed_fen`` are checked too.

    Returns
    -------
    list of dict, keys id, zh, ok, found, expected
    """
    t = titles.set_index(titles["title_id"].astype(str))
    inside = _inside(t, blocks)
    rows = [*_identity(t, outcome, inside), *_places(t, blocks, outcome, inside, settings), *_worth(t, outcome, settings)]
    rows += [*_consents(t, blocks, outcome, inside, settings), *_room(t, blocks, outcome, settings), *money_checks(t, blocks, outcome, ledger, inside, settings)]
    if claimed is not None:
        found = recomputed_objective_fen(titles, blocks, outcome, settings)
        slack = 1e-9 * abs(found) + 200.0 * (len(t) + 1) * float(settings["price_yuan_m2"])
        rows.append(check_row("objective", "目标值可由成果表复算", found == claimed["objective_fen"], found, claimed["objective_fen"]))
        rows.append(check_row("bound", "目标值不超过求解器声称的上界", found <= claimed["solver_bound_claimed_fen"] + slack, found, claimed["solver_bound_claimed_fen"]))
    return rows


def recomputed_objective_fen(titles: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, outcome: pd.DataFrame, settings: Mapping[str, Any]) -> int:
    """Usable contiguous land at its discounted price, less cash to holders, cleaning, works and fees, in whole fen (目标值复算)."""
    t = titles.set_index(titles["title_id"].astype(str))
    inside = _inside(t, blocks)
    total = 0
    for b in blocks.itertuples():
        mine = t.loc[inside[b.block_id]]
        delay = int(filled(mine, "delay_years").max())
        total += round(b.usable_m2 * settings["price_yuan_m2"] * 100 / (1 + settings["discount_rate"]) ** (int(b.year) - 1 + delay))
        total -= round(float(filled(mine, "remediation_yuan").sum()) * 100) + round((settings["works_yuan_m2"] * b.area_m2 + settings["block_yuan"]) * 100)
    for r in outcome.itertuples():
        if r.mode != "keep":
            fee = settings["transaction_yuan"] + (settings["route_yuan"] if r.legal_route else 0.0)
            total -= max(int(r.cash_fen), 0) + round(fee * 100) + round(settings["value_before_weight"] * int(r.value_before_fen))
    return int(total)


def _inside(t: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame) -> dict[str, list[str]]:
    """Titles that lie in each block by area, whatever the tables say."""
    out = {}
    for b in blocks.itertuples():
        share = shapely.area(shapely.intersection(t.geometry.to_numpy(), b.geometry)) / shapely.area(t.geometry.to_numpy())
        out[b.block_id] = [n for n, s in zip(t.index, share) if s > 0.5]
    return out


def _identity(t: gpd.GeoDataFrame, outcome: pd.DataFrame, inside: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    names = outcome["title_id"].astype(str).tolist()
    wrong = sorted(set(names) ^ set(t.index)) + sorted({n for n in names if names.count(n) > 1})
    moved = [r.title_id for r in outcome.itertuples() if r.title_id in t.index and str(t.loc[r.title_id, "holder_id"]) != str(r.holder_id)]
    in_blocks = [n for group in inside.values() for n in group]
    double = sorted({n for n in in_blocks if in_blocks.count(n) > 1})
    return [
        check_row("once", "每项产权恰有一个处置", not wrong, wrong[:5], []), check_row("holder", "权利人未变", not moved, moved[:5], []),
        check_row("disjoint", "没有产权同在两个整合地块", not double, double[:5], []),
    ]  # fmt: skip


def _places(t: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, outcome: pd.DataFrame, inside: Mapping[str, list[str]], s: Mapping[str, Any]) -> list[dict[str, Any]]:
    mode, to = dict(zip(outcome["title_id"], outcome["mode"])), dict(zip(outcome["title_id"], outcome["block_id"]))
    year = dict(zip(outcome["title_id"], outcome["year"]))
    built = dict(zip(blocks["block_id"], blocks["year"]))
    home = {n: b for b, group in inside.items() for n in group}
    kept = [n for n in home if mode.get(n) == "keep"]
    lost = [n for n, m in mode.items() if m != "keep" and (to[n] not in built or int(year[n]) != int(built[to[n]]))]
    astray = [n for n, m in mode.items() if m in ("merge", "cooperate", "transfer") and home.get(n) != to[n]]
    astray += [n for n, m in mode.items() if m == "swap" and home.get(n) == to[n]]
    homeless = [n for n, m in mode.items() if m == "swap" and n in home and int(year[n]) > int(built[home[n]])]
    parted, sized, areas = [], [], []
    for b in blocks.itertuples():
        mine = t.loc[inside[b.block_id]]
        area = float(shapely.area(mine.geometry.to_numpy()).sum())
        if abs(area - b.area_m2) > 1e-6 * area or int(b.titles) != len(mine) or abs(b.geometry.area - area) > 1e-3 * area:
            areas.append(b.block_id)
        if not s["block_area_min_m2"] * (1 - 1e-9) <= area <= s["block_area_max_m2"] * (1 + 1e-9):
            sized.append(b.block_id)
        if not _connected(mine.geometry.to_numpy(), float(s["reach_m"])):
            parted.append(b.block_id)
    return [
        check_row("assembled", "整合地块内产权全部调整", not kept, kept[:5], []), check_row("target", "去向地块存在且年序一致", not lost, lost[:5], []),
        check_row("side", "归并、合作、转让在本地块内, 置换在地块外", not astray, astray[:5], []),
        check_row("order", "先置换后腾退", not homeless, homeless[:5], []), check_row("connected", "整合地块集中连片", not parted, parted, []),
        check_row("size", "整合地块面积在上下限之间", not sized, sized, []), check_row("members", "整合地块面积与产权数一致", not areas, areas, []),
    ]  # fmt: skip


def _connected(shape: np.ndarray, reach: float) -> bool:
    seen, stack = {0}, [0]
    while stack:
        near = np.flatnonzero(shapely.distance(shape[stack.pop()], shape) <= reach + 1e-9)
        fresh = set(near.tolist()) - seen
        seen |= fresh
        stack += list(fresh)
    return len(seen) == len(shape)


def _worth(t: gpd.GeoDataFrame, outcome: pd.DataFrame, s: Mapping[str, Any]) -> list[dict[str, Any]]:
    price = round(s["price_yuan_m2"] * 100)
    sums, before, poor, kind, paying = [], [], [], [], []
    asked = dict(zip(t.index, np.maximum(filled(t, "gain_min"), s["gain_min"])))
    for r in outcome.itertuples():
        value = round(float(t.loc[r.title_id, "value_yuan"]) * 100)
        if int(r.value_before_fen) != value:
            before.append(r.title_id)
        if int(r.land_fen) != int(r.land_dm2) * price // 100 or int(r.value_after_fen) != int(r.land_fen) + int(r.equity_fen) + int(r.cash_fen) + (value if r.mode == "keep" else 0):
            sums.append(r.title_id)
        due = value if r.mode == "keep" else value * (1 + asked[r.title_id])
        if int(r.value_after_fen) < due - 1e-3:
            poor.append(r.title_id)
        if r.mode in ("merge", "swap", "cooperate") and int(r.land_fen) + int(r.equity_fen) < s["in_kind_share_min"] * value - price:
            kind.append(r.title_id)
        if -int(r.cash_fen) > s["pay_in_share_max"] * value + 1 or (r.mode in ("transfer", "keep") and int(r.cash_fen) < 0):
            paying.append(r.title_id)
        wrong_kind = (r.mode in ("merge", "swap") and int(r.equity_fen)) or (r.mode == "cooperate" and int(r.land_dm2))
        if wrong_kind or (r.mode in ("transfer", "keep") and (int(r.land_dm2) or int(r.equity_fen))):
            kind.append(r.title_id)
    return [
        check_row("before", "处置前价值与评估一致", not before, before[:5], []), check_row("after", "处置后价值等于土地、股权与现金之和", not sums, sums[:5], []),
        check_row("rational", "每个权利人处置后不低于应得", not poor, poor[:5], []), check_row("in_kind", "实物与股权比例、方式相符", not kind, kind[:5], []),
        check_row("pay_in", "补缴不超过上限", not paying, paying[:5], []),
    ]  # fmt: skip


def _consents(t: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, outcome: pd.DataFrame, inside: Mapping[str, list[str]], s: Mapping[str, Any]) -> list[dict[str, Any]]:
    forced, few, unnamed = [], [], []
    state = dict(zip(blocks["block_id"], blocks["land_kind"]))
    for r in outcome.itertuples():
        if r.mode == "keep":
            continue
        said = t.loc[r.title_id, "accepts"] if "accepts" in t.columns else ""
        modes = [w.strip() for w in str(said).replace("；", ";").split(";")] if isinstance(said, str) and said.strip() else None
        if t.loc[r.title_id, "consent"] == "no" or (modes is not None and r.mode not in modes):
            forced.append(r.title_id)
        meets = t.loc[r.title_id, "land_kind"] != state.get(r.block_id)
        if meets != bool(r.legal_route) or (meets and s["legal_mixed"] == "forbid"):
            unnamed.append(r.title_id)
    for b in blocks.itertuples():
        mine = t.loc[inside[b.block_id]]
        area = shapely.area(mine.geometry.to_numpy())
        yes = (mine["consent"] == "yes").to_numpy()
        heads = 1 - len(set(mine["holder_id"][~yes])) / len(set(mine["holder_id"]))
        share = float(area[yes].sum() / area.sum())
        short = heads < s["consent_heads_min"] - 1e-9 or share < s["consent_area_min"] - 1e-9
        if short or abs(heads - b.consent_heads) > 1e-9 or abs(share - b.consent_area) > 1e-9:
            few.append(b.block_id)
        largest = "state" if area[(mine["land_kind"] == "state").to_numpy()].sum() >= area.sum() / 2 else "collective"
        if largest != b.land_kind:
            few.append(b.block_id)
    return [
        check_row("voluntary", "无强制: 只用权利人接受的方式", not forced, forced[:5], []), check_row("consent", "同意比例 (人数与面积) 达到门槛", not few, few, []),
        check_row("legal", "国有与集体土地相遇处均注明法定程序", not unnamed, unnamed[:5], []),
    ]  # fmt: skip


def _room(t: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, outcome: pd.DataFrame, s: Mapping[str, Any]) -> list[dict[str, Any]]:
    price = round(s["price_yuan_m2"] * 100)
    full, small, public = [], [], []
    for b in blocks.itertuples():
        mine = outcome[(outcome["block_id"] == b.block_id) & (outcome["mode"] != "keep")]
        used = int(mine["land_dm2"].sum()) + int(b.sold_dm2) + int(mine["equity_fen"].sum()) * 100 / price
        if used > b.usable_m2 * 100 + 1e-6 or int(b.sold_dm2) < 0 or (mine["land_dm2"] < 0).any() or (mine["equity_fen"] < 0).any():
            full.append(b.block_id)
        if b.usable_m2 > b.area_m2 * (1 - s["public_share"]) + 1e-6:
            public.append(b.block_id)
    floor_area = dict(zip(t.index, filled(t, "floor_area_m2")))
    for r in outcome.itertuples():
        least = max(s["lot_area_min_m2"], floor_area[r.title_id] / s["plot_ratio_max"])
        if r.mode in ("merge", "swap") and int(r.land_dm2) < least * 100 - 1:
            small.append(r.title_id)
    return [
        check_row("capacity", "整合地块土地够分", not full, full, []), check_row("public", "公共用地贡献足额", not public, public, []),
        check_row("plot_ratio", "最小用地与容积率", not small, small[:5], []),
    ]  # fmt: skip
