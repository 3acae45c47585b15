"""Fragmentation of a real register, and a real exchange between the owners of a real cadastre."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from qianmo.jobs.planning.exchange_input import exchange_tables, holders_by_share
from qianmo.planning.readjustment.exchange import ExchangeSettings, exchange
from qianmo.planning.readjustment.exchange_certificate import exchange_certificate
from qianmo.planning.readjustment.exchange_verify import count_blocks, verify_exchange
from qianmo.planning.readjustment.holdings import holdings
from qianmo.planning.readjustment.indices import januszewski, simpson
from qianmo.schema.errors import SchemaError


def test_indices_of_the_japanese_register(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "farmland-register-jp" / "farmland.csv")
    plots = frame.groupby("farmer")["area_register_m2"].apply(lambda a: a.to_numpy(float))
    largest = plots["F0081"]
    assert (len(frame), len(plots), int(sum(len(p) == 1 for p in plots))) == (1106, 291, 118)
    assert (len(largest), largest.sum()) == (33, 38455.0) and max(p.sum() for p in plots) == largest.sum()
    assert round(simpson(largest), 4) == 0.9599 and round(januszewski(largest), 4) == 0.1808


def saladin(shared_data: Path) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    folder = shared_data / "cadastre-cz-saladin"
    raw = gpd.read_file(folder / "parcels.gpkg").rename(columns={"area_register_m2": "registered_area_m2", "title_no": "title_number"})
    soil = pd.read_csv(folder / "soil_units.csv", dtype={"parcel_id": str, "bpej": str})
    price = pd.read_csv(folder / "bpej_prices.csv", dtype={"bpej": str}).set_index("bpej")["price_czk_m2"]
    soil["value"] = soil["area_m2"] * soil["bpej"].map(price)
    assert soil["area_m2"].sum() == 711021 and soil["bpej"].nunique() == 17 and round(soil["value"].sum(), 2) == 2090621.00
    sums = soil.groupby("parcel_id")[["value", "area_m2"]].sum()
    values = pd.DataFrame({"parcel_id": sums.index, "value_yuan_m2": (sums["value"] / sums["area_m2"]).to_numpy(), "use_class": "agricultural"})
    rights = pd.read_csv(folder / "rights.csv", dtype=str)
    parcels, owners, _ = exchange_tables(raw, rights=rights, values=values, anchors=None, register_diff_max=0.1)
    return parcels, owners


def test_owners_of_saladin_exchange_whole_parcels_within_the_czech_tolerances(shared_data: Path) -> None:
    """Value 4 %, area 10 %, distance 20 % (README of the data set); roads and ditches up to 10 m do not split a block."""
    parcels, owners = saladin(shared_data)
    assert (len(parcels), len(owners)) == (44, 14)
    problem = holdings(parcels, owners)
    limits = ExchangeSettings(value_tolerance=0.04, area_tolerance=0.10, distance_tolerance=0.20, may_split=False, gap_m=10.0)
    found = exchange(problem, settings=limits, progress=lambda words, share: None, stop=lambda: False)
    b, a = found.before, found.after
    moved = int((found.pieces.owner != problem.owner).sum())
    assert moved >= 5 and a["blocks"].sum() < b["blocks"].sum()
    assert np.abs(a["value_fen"] / b["value_fen"] - 1).max() <= 0.04 and np.abs(a["area_dm2"] / b["area_dm2"] - 1).max() <= 0.10
    assert (a["mean_distance_m"] <= 1.2 * b["mean_distance_m"] + 1e-6).all() and (a["blocks"] <= b["blocks"]).all()
    assert (b["value_fen"] - a["value_fen"]).sum() == 0
    assert all(c["ok"] for c in verify_exchange(exchange_certificate(found, limits)))
    assert (count_blocks(found.pieces.geometry, found.pieces.owner, gap_m=10.0, owners=14) <= a["blocks"]).all()


def test_shares_that_do_not_sum_to_one_are_named() -> None:
    rights = pd.DataFrame({"title_no": ["7", "7", "8"], "owner": ["A", "B", "C"], "share_num": [1, 1, 1], "share_den": [2, 3, 1]})
    with pytest.raises(SchemaError, match=r"7 \(0\.8333\)"):
        holders_by_share(rights, "title_no")
    whole = holders_by_share(rights.assign(share_den=[2, 2, 1]), "title_no")
    assert whole.to_dict() == {"7": "A+B", "8": "C"}


def test_the_same_exchange_from_files_through_the_job(shared_data: Path, repo: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("exchange_saladin", repo / "examples" / "exchange_saladin.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    lines = example.main(shared_data / "cadastre-cz-saladin", tmp_path)
    assert lines[0].startswith("调换: 44 宗地, 14 户; 9 块易主") and "26 → 23" in lines[1]
    assert (tmp_path / "project" / "exchange" / "调换后权属图.png").stat().st_size > 20_000
