"""From an answer to tables whose money adds up to the fen (资金结算)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.integration.candidates import Candidate, agreed_shares
from qianmo.planning.integration.settings import IntegrationSettings
from qianmo.planning.integration.solve import Answer
from qianmo.planning.integration.titles import Titles

__all__ = ["Settlement", "settle"]

FUND = "fund"


@dataclass(frozen=True, eq=False)
class Settlement:
    """Blocks, outcomes and books of an integration (整合结算)."""

    blocks: gpd.GeoDataFrame
    outcome: gpd.GeoDataFrame
    ledger: pd.DataFrame


def settle(answer: Answer, titles: Titles, blocks: list[Candidate], *, settings: IntegrationSettings, crs: object) -> Settlement:
    """Whole decimetres and fen: nobody below what is due, no block overfilled, payments and receipts equal (整合结算).

    Land and equity are rounded up, for which the programme kept a little land back; cash makes up what is then missing
    to the fen. All land that neither holders nor the pool of a block take is sold in the year after its assembly and
    cleaning.
    """
    outcome = _outcomes(answer, titles, blocks, settings)
    table = _block_table(answer, titles, blocks, outcome, settings)
    frame = gpd.GeoDataFrame(outcome.drop(columns=["plot", "is_mixed"]), geometry=list(titles.shape), crs=crs)
    shape = [shapely.union_all(titles.shape[list(blocks[answer.model.plots[q].candidate].members)]) for q in answer.plots]
    return Settlement(gpd.GeoDataFrame(table, geometry=shape, crs=crs), frame, _ledger(answer, titles, blocks, outcome, table, settings))


def block_name(candidate: int) -> str:
    """Name of a candidate block, the same in every round."""
    return f"IB{candidate + 1:03d}"


def _outcomes(answer: Answer, titles: Titles, blocks: list[Candidate], s: IntegrationSettings) -> pd.DataFrame:
    taken = {answer.model.options[n].title: k for k, n in enumerate(answer.options)}
    price = round(s.price_yuan_m2 * 100)
    land = _whole_land(answer, price)
    rows = []
    for k in range(len(titles)):
        before = int(titles.value_fen[k])
        if k not in taken:
            rows.append((titles.name[k], titles.holder[k], "keep", "", 0, before, 0, 0, 0, 0, before, 0.0, "", -1, False))
            continue
        at = taken[k]
        x = answer.model.options[answer.options[at]]
        plot = answer.model.plots[x.plot]
        dm2, equity = int(land[at]), ceil(answer.equity_fen[at] - 1e-3)
        worth = dm2 * price // 100
        cash = max(round(answer.cash_fen[at]), int(titles.need_fen[k]) - worth - equity)
        after = worth + equity + cash
        route = _route(bool(titles.is_state[k]), x.mode) if x.is_mixed else ""
        rows.append((titles.name[k], titles.holder[k], x.mode, block_name(plot.candidate), plot.year, before, dm2, worth, equity, cash, after,
                     after / before - 1, route, x.plot, x.is_mixed))  # fmt: skip
    columns = ["title_id", "holder_id", "mode", "block_id", "year", "value_before_fen", "land_dm2", "land_fen", "equity_fen", "cash_fen",
               "value_after_fen", "gain", "legal_route", "plot", "is_mixed"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _whole_land(answer: Answer, price: int) -> np.ndarray:
    """Land of each option in whole square decimetres, rounded up while block and pool have room. [dm2]"""
    up = np.ceil(answer.land_m2 * 100 - 1e-4).astype(np.int64)
    for q in answer.plots:
        mine = [k for k, n in enumerate(answer.options) if answer.model.options[n].plot == q]
        pool = -(-sum(ceil(answer.equity_fen[k] - 1e-3) for k in mine) * 100 // price)
        over = int(up[mine].sum()) + pool - floor(answer.model.plots[q].usable_m2 * 100 + 1e-6)
        for k in sorted(mine, key=lambda k: -up[k])[: max(over, 0)]:
            up[k] = max(up[k] - 1, 0)
    return up


def _route(is_state: bool, mode: str) -> str:
    """The step the law asks for where state and collective land meet (法定程序)."""
    if is_state:
        return "国有土地使用权收回或置换, 经批准后与集体建设用地统一规划 (须依法报批)"
    return "集体土地依法征收转为国有, 或以集体经营性建设用地入市方式参与 (须经本集体成员或代表三分之二以上同意)" if mode != "transfer" else "集体土地依法征收或集体经营性建设用地使用权转让 (须依法报批)"


def _block_table(answer: Answer, titles: Titles, blocks: list[Candidate], outcome: pd.DataFrame, s: IntegrationSettings) -> pd.DataFrame:
    price = round(s.price_yuan_m2 * 100)
    rows = []
    for q in answer.plots:
        plot = answer.model.plots[q]
        b = blocks[plot.candidate]
        mine = outcome[outcome["plot"] == q]
        usable = floor(plot.usable_m2 * 100 + 1e-6)
        pool = -(-int(mine["equity_fen"].sum()) * 100 // price)
        sold = max(usable - int(mine["land_dm2"].sum()) - pool, 0)
        heads, area = agreed_shares(titles, b.members)
        rows.append((block_name(plot.candidate), plot.year, len(b.members), b.area_m2, usable / 100, sold, "state" if b.is_state else "collective", heads, area))
    return pd.DataFrame(rows, columns=["block_id", "year", "titles", "area_m2", "usable_m2", "sold_dm2", "land_kind", "consent_heads", "consent_area"])


def _ledger(
    answer: Answer, titles: Titles, blocks: list[Candidate], outcome: pd.DataFrame, table: pd.DataFrame, s: IntegrationSettings
) -> pd.DataFrame:
    rows: list[tuple[int, str, str, str, str, str, int]] = []

    def pay(year: int, payer: str, payee: str, kind: str, block: str, title: str, fen: int) -> None:
        if fen > 0:
            rows.append((year, payer, payee, kind, block, title, -fen))
            rows.append((year, payee, payer, kind, block, title, fen))

    for year, yuan in enumerate(s.budget_yuan, 1):
        pay(year, "treasury", FUND, "budget", "", "", floor(yuan * 100 + 1e-6))
    for r in outcome.itertuples():
        if r.mode == "keep":
            continue
        holder = f"holder:{r.holder_id}"
        pay(r.year, FUND, holder, "compensation", r.block_id, r.title_id, r.cash_fen)
        pay(r.year, holder, FUND, "pay_in", r.block_id, r.title_id, -r.cash_fen)
        fee = round((s.transaction_yuan + (s.route_yuan if r.is_mixed else 0.0)) * 100)
        pay(r.year, FUND, "contractor", "transaction", r.block_id, r.title_id, fee)
    for q, row in zip(answer.plots, table.itertuples()):
        b = blocks[answer.model.plots[q].candidate]
        for k in b.members:
            pay(row.year, FUND, "contractor", "remediation", row.block_id, titles.name[k], int(titles.remediation_fen[k]))
        pay(row.year, FUND, "contractor", "works", row.block_id, "", round((s.works_yuan_m2 * b.area_m2 + s.block_yuan) * 100))
        pay(row.year + 1 + b.delay, "investor", FUND, "land_sale", row.block_id, "", row.sold_dm2 * round(s.price_yuan_m2 * 100) // 100)
    columns = ["year", "account", "counterpart", "kind", "block_id", "title_id", "amount_fen"]
    return pd.DataFrame(rows, columns=columns).sort_values("year", kind="stable", ignore_index=True)
