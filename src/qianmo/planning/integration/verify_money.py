"""Checking the payments of an integration: every entry, every balance, every year (资金独立核验)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

__all__ = ["check_row", "filled", "money_checks"]


def money_checks(
    t: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, outcome: pd.DataFrame, ledger: pd.DataFrame, inside: Mapping[str, list[str]], s: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """All accounts add to zero, the fund is never overdrawn, every entry follows from outcomes, blocks and budgets (资金核验).

    Parameters
    ----------
    t : GeoDataFrame, table ``title``, index title_id
    blocks, outcome, ledger : tables ``industrial_block``, ``title_outcome``, ``integration_ledger``
    inside : mapping of block_id to the ids of the titles in it
    s : mapping
        Fields of `IntegrationSettings` by name.
    """
    total = sum(int(a) for a in ledger["amount_fen"])
    two_sided: dict[tuple[Any, ...], int] = {}
    for r in ledger.itertuples():
        pair = (int(r.year), *sorted((r.account, r.counterpart)), r.kind, r.block_id, r.title_id)
        two_sided[pair] = two_sided.get(pair, 0) + int(r.amount_fen)
    lone = [str(k) for k, v in two_sided.items() if v != 0]
    fund = ledger[ledger["account"] == "fund"].groupby("year")["amount_fen"].sum().sort_index().cumsum()
    lowest = int(fund.min()) if len(fund) else 0
    wrong = _entries(t, blocks, outcome, ledger, inside, s)
    return [
        check_row("zero", "各账户收支之和为零, 精确到分", total == 0 and not lone, total if not lone else lone[:3], 0),
        check_row("solvent", "基金各年累计不透支", lowest >= 0, lowest, "不小于 0"), check_row("entries", "台账与处置、地块、预算逐笔一致", not wrong, wrong[:5], []),
    ]  # fmt: skip


def _entries(
    t: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, outcome: pd.DataFrame, ledger: pd.DataFrame, inside: Mapping[str, list[str]], s: Mapping[str, Any]
) -> list[str]:
    """Every amount the fund should have paid or got, gathered again, against the ledger."""
    due: dict[tuple[Any, ...], int] = {}

    def owe(year: int, kind: str, block: str, title: str, fen: int) -> None:
        if fen:
            key = (int(year), kind, block, title)
            due[key] = due.get(key, 0) + int(fen)

    for k, yuan in enumerate(s["budget_yuan"], 1):
        owe(k, "budget", "", "", int(yuan * 100 + 1e-6))
    for r in outcome.itertuples():
        if r.mode != "keep":
            owe(r.year, "compensation" if r.cash_fen > 0 else "pay_in", r.block_id, r.title_id, -int(r.cash_fen))
            owe(r.year, "transaction", r.block_id, r.title_id, -round((s["transaction_yuan"] + (s["route_yuan"] if r.legal_route else 0.0)) * 100))
    for b in blocks.itertuples():
        mine = t.loc[inside[b.block_id]]
        for n, yuan in zip(mine.index, filled(mine, "remediation_yuan")):
            owe(b.year, "remediation", b.block_id, n, -round(yuan * 100))
        owe(b.year, "works", b.block_id, "", -round((s["works_yuan_m2"] * b.area_m2 + s["block_yuan"]) * 100))
        sale = int(b.sold_dm2) * round(s["price_yuan_m2"] * 100) // 100
        owe(int(b.year) + 1 + int(filled(mine, "delay_years").max()), "land_sale", b.block_id, "", sale)
    have: dict[tuple[Any, ...], int] = {}
    for r in ledger[ledger["account"] == "fund"].itertuples():
        key = (int(r.year), r.kind, r.block_id, r.title_id)
        have[key] = have.get(key, 0) + int(r.amount_fen)
    return [str(k) for k in sorted(set(due) | set(have)) if due.get(k, 0) != have.get(k, 0)]


def filled(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as numbers; 0 where it is empty or missing."""
    if column not in frame.columns:
        return np.zeros(len(frame))
    return pd.to_numeric(frame[column], errors="coerce").fillna(0.0).to_numpy(dtype=float)


def check_row(check: str, zh: str, ok: bool, found: Any, expected: Any) -> dict[str, Any]:
    """One line of a check."""
    return {"id": check, "zh": zh, "ok": bool(ok), "found": found, "expected": expected}
