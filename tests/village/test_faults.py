"""Planted faults are where the truth table says, and nowhere else."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.village.faults import FAULT_KINDS, plant_faults
from qianmo.village.make import make_township


@pytest.fixture(scope="module")
def clean() -> gpd.GeoDataFrame:
    return make_township(patches=800, villages=3, rng=np.random.default_rng(7)).landuse_patch


@pytest.fixture(scope="module")
def planted(clean: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    return plant_faults(clean, rng=np.random.default_rng(8))


def test_each_kind_is_planted_once_and_the_input_stays_clean(clean: gpd.GeoDataFrame, planted: tuple) -> None:
    _, truth = planted
    assert sorted(truth["kind"]) == sorted(FAULT_KINDS)
    assert truth["row"].is_unique
    assert shapely.coverage_is_valid(clean.geometry.to_numpy()) and clean["class_code"].notna().all()


def test_only_the_rows_of_the_truth_table_differ(clean: gpd.GeoDataFrame, planted: tuple) -> None:
    frame, truth = planted
    same = frame.iloc[: len(clean)].drop(columns="geometry").eq(clean.drop(columns="geometry"))
    same |= frame.iloc[: len(clean)].drop(columns="geometry").isna() & clean.drop(columns="geometry").isna()
    moved = frame.geometry.iloc[: len(clean)].to_wkb() != clean.geometry.to_wkb()
    changed = set(np.flatnonzero(~same.all(axis=1).to_numpy() | moved.to_numpy()))
    assert changed == (set(truth["row"]) | {truth.set_index("kind").loc["sliver", "other_row"]}) - {len(clean)}


def test_the_overlap_and_the_gap_have_the_area_of_their_place(clean: gpd.GeoDataFrame, planted: tuple) -> None:
    frame, truth = planted
    by = truth.set_index("kind")
    row, other = by.loc["overlap", ["row", "other_row"]]
    both = shapely.intersection(frame.geometry.iloc[row], frame.geometry.iloc[other])
    assert both.area == pytest.approx(by.loc["overlap", "geometry"].area) and both.area > 0.1
    row = by.loc["gap", "row"]
    assert clean.geometry.iloc[row].area - frame.geometry.iloc[row].area == pytest.approx(by.loc["gap", "geometry"].area)


def test_the_bow_tie_and_the_swapped_ring_are_invalid_and_nothing_else_is(planted: tuple) -> None:
    frame, truth = planted
    bad = set(np.flatnonzero(~frame.geometry.is_valid))
    assert bad == set(truth.loc[truth["kind"].isin(["bow_tie", "swapped_ring"]), "row"])


def test_the_sliver_is_a_new_thin_row_that_keeps_the_partition(clean: gpd.GeoDataFrame) -> None:
    frame, truth = plant_faults(clean, rng=np.random.default_rng(1), kinds=["sliver"])
    assert len(frame) == len(clean) + 1 and frame["patch_id"].is_unique
    thin = frame.geometry.iloc[truth["row"].iloc[0]]
    assert 0 < thin.area < 0.01 and 4 * np.pi * thin.area / thin.length**2 < 0.01
    assert frame.area.sum() == pytest.approx(clean.area.sum(), abs=1e-3)
    assert shapely.coverage_is_valid(frame.geometry.to_numpy())


def test_attributes_are_wrong_as_told(clean: gpd.GeoDataFrame, planted: tuple) -> None:
    frame, truth = planted
    row = truth.set_index("kind")["row"]
    assert frame["class_code"].iloc[row["wrong_code"]] == "0199"
    assert set(np.flatnonzero(frame["class_code"].isna())) == {row["null_class"]}
    assert frame["patch_id"].duplicated().sum() == 1
    grown, area = frame["area_m2"].iloc[row["area_mismatch"]], clean["area_m2"].iloc[row["area_mismatch"]]
    assert grown == pytest.approx(1.05 * area, abs=0.006)
    assert frame["owner_name"].iloc[row["mojibake"]] != clean["owner_name"].iloc[row["mojibake"]]


def test_a_kind_can_be_planted_many_times(clean: gpd.GeoDataFrame) -> None:
    frame, truth = plant_faults(clean, rng=np.random.default_rng(2), kinds=["overlap"] * 5)
    assert len(truth) == 5
    pairs = shapely.STRtree(frame.geometry.to_numpy()).query(frame.geometry.to_numpy(), predicate="overlaps")
    found = {(int(i), int(j)) for i, j in pairs.T}
    assert all((r, o) in found for r, o in zip(truth["row"], truth["other_row"], strict=True))


def test_unknown_kinds_and_too_small_frames_are_refused(clean: gpd.GeoDataFrame) -> None:
    with pytest.raises(SchemaError, match="unknown faults"):
        plant_faults(clean, rng=np.random.default_rng(1), kinds=["typo"])
    with pytest.raises(MissingDataError, match="no patch left"):
        plant_faults(clean.iloc[:3], rng=np.random.default_rng(1), kinds=["null_class"] * 4)
