"""Exchange of parcels: exact values, certificate, fairness, bad input."""

from __future__ import annotations

import copy
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.planning.readjustment.agreements import agreements, consents, owner_balance, piece_table
from qianmo.planning.readjustment.exchange import Exchange, ExchangeSettings, exchange
from qianmo.planning.readjustment.exchange_certificate import exchange_certificate
from qianmo.planning.readjustment.exchange_verify import count_blocks, verify_exchange
from qianmo.planning.readjustment.holdings import holdings, required_values
from qianmo.planning.readjustment.make_village_exchange import village_exchange
from qianmo.planning.readjustment.standing import block_labels
from qianmo.schema.errors import CrsError, SchemaError


def silent(words: str, share: float) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def solved() -> Exchange:
    parcels, owners = village_exchange(600, 30, rng=np.random.default_rng(3), homes="scattered")
    return exchange(holdings(parcels, owners), settings=ExchangeSettings(), progress=silent, stop=lambda: False)


@pytest.fixture(scope="module")
def record(solved: Exchange) -> dict:
    return json.loads(json.dumps(exchange_certificate(solved, ExchangeSettings())))


def test_scattered_holdings_become_blocks_of_the_same_value(solved):
    assert solved.before["blocks"].sum() > 400 and solved.after["blocks"].sum() <= 1.05 * 30
    assert (solved.after["value_fen"] == solved.before["value_fen"]).all()
    error = np.abs(solved.after["value_cut_fen"] / solved.before["value_fen"] - 1)
    assert error.max() < 1e-9
    assert (solved.after["mean_distance_m"] <= solved.before["mean_distance_m"] + 1e-6).all()
    assert (solved.after["blocks"] <= solved.before["blocks"]).all()


def test_land_is_conserved_to_the_unit_and_to_the_drawing(solved):
    p, h = solved.pieces, solved.problem
    assert p.area_dm2.sum() == h.area_dm2.sum() and p.value_fen.sum() == h.value_fen.sum()
    for j in np.unique(p.parcel[p.is_cut])[:20]:
        parts = p.geometry[p.parcel == j]
        assert p.area_dm2[p.parcel == j].sum() == h.area_dm2[j]
        assert shapely.area(shapely.symmetric_difference(shapely.union_all(parts), h.geometry[j])) < 1e-6
        assert shapely.area(parts).sum() == pytest.approx(shapely.area(h.geometry[j]), rel=1e-10)


def test_at_most_owners_less_one_parcels_are_cut(solved):
    assert 0 < len(np.unique(solved.pieces.parcel[solved.pieces.is_cut])) <= 29


def test_blocks_counted_by_another_route_agree(solved):
    counted = count_blocks(solved.pieces.geometry, solved.pieces.owner, owners=30)
    assert counted.tolist() == solved.after["blocks"].tolist()


def test_the_certificate_stands_by_itself_and_proves_the_cost_least(record):
    checks = verify_exchange(record)
    assert all(c["ok"] for c in checks) and len(checks) > 10
    assert record["gap"] == 0 and record["objective"] < record["status_quo"]


@pytest.mark.parametrize("seed", range(25))
def test_a_broken_certificate_is_refused(record, seed):
    rng = np.random.default_rng(seed)
    broken = copy.deepcopy(record)
    pool, where = broken["pools"][0], ("price", "ship_fen", "value_fen", "wanted_fen", "ship_owner", "site_x", "owner_before")[seed % 7]
    at = int(rng.integers(len(pool[where])))
    if where in ("ship_owner", "owner_before"):
        pool[where][at] = (pool[where][at] + 1) % len(pool["owner_id"])
    else:
        pool[where][at] += 1_000_003
    assert not all(c["ok"] for c in verify_exchange(broken))


def test_a_piece_given_to_somebody_else_is_refused(record):
    broken = copy.deepcopy(record)
    names = broken["owners"]["owner_id"]
    broken["pieces"]["owner_id"][5] = next(n for n in names if n != broken["pieces"]["owner_id"][5])
    assert not all(c["ok"] for c in verify_exchange(broken))


def test_what_one_gives_others_take(solved):
    label = block_labels(solved.pieces.geometry, solved.pieces.owner, gap_m=0.0, least_border_m=0.5)
    table = piece_table(solved.problem, solved.pieces, label)
    deals, balance = agreements(table), owner_balance(solved.before, solved.after)
    given, taken = deals.groupby("giver")["value_yuan"].sum(), deals.groupby("taker")["value_yuan"].sum()
    assert (given.sub(taken, fill_value=0.0).abs() < 0.01).all()
    assert balance["cash_yuan"].sum() == 0 and (balance["cash_yuan"] == 0).all()
    assert set(consents(table)["owner_id"]) == set(deals["giver"]) | set(deals["taker"])


def test_land_stays_in_its_class_and_collective_and_bonds_hold():
    parcels, owners = village_exchange(480, 20, rng=np.random.default_rng(5), classes=2, collectives=2, kept_share=0.05, homes="scattered")
    problem = holdings(parcels, owners)
    found = exchange(problem, settings=ExchangeSettings(), progress=silent, stop=lambda: False)
    pool, p = problem.pool, found.pieces
    got = np.zeros_like(required_values(problem))
    free = problem.is_free[p.parcel]
    np.add.at(got, (pool[p.parcel[free]], p.owner[free]), p.value_fen[free])
    assert (got == required_values(problem)).all()
    bound = p.parcel[problem.reason[p.parcel] == "encumbered"]
    assert len(bound) and (p.owner[np.isin(p.parcel, bound)] == problem.owner[p.parcel[np.isin(p.parcel, bound)]]).all()
    assert (found.after["blocks"] <= found.before["blocks"]).all()


def test_stopping_at_once_still_gives_a_fair_exchange():
    parcels, owners = village_exchange(300, 15, rng=np.random.default_rng(6), homes="scattered")
    found = exchange(holdings(parcels, owners), settings=ExchangeSettings(), progress=silent, stop=lambda: True)
    assert (found.after["mean_distance_m"] <= found.before["mean_distance_m"] + 1e-6).all()
    assert (found.after["blocks"] <= found.before["blocks"]).all() and (found.after["value_fen"] == found.before["value_fen"]).all()


def small() -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    return village_exchange(40, 5, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("area_m2", -1.0, "area_m2 不是正数: P000003"), ("value_yuan_m2", float("nan"), "value_yuan_m2 不是正数: P000003"),
        ("owner_id", "nobody", "权利人不在名单中: P000003"), ("reason", "because", "reason 不在代码表中: P000003"),
        ("parcel_id", "P000004", "parcel_id 重复: P000004, P000004"), ("geometry", shapely.Point(0, 0), "不是有效多边形: P000003"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named(column, value, words):
    parcels, owners = small()
    parcels.loc[3, column] = value
    with pytest.raises(SchemaError, match=words):
        holdings(parcels, owners)


def test_owners_without_land_or_anchor_are_named_together():
    parcels, owners = small()
    owners.loc[5] = ["H99999", 1.0, 1.0]
    owners.loc[2, "anchor_x"] = np.nan
    with pytest.raises(SchemaError, match=r"权利人没有地块: H99999; .*anchor\): H00002"):
        holdings(parcels, owners)


def test_degrees_are_refused():
    parcels, owners = small()
    with pytest.raises(CrsError):
        holdings(parcels.to_crs(4490), owners)
