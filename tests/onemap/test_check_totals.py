"""Sums: village, township, register against ellipsoid."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.area import ellipsoid_area_of
from qianmo.onemap.check_totals import check_register, check_township_sums, check_village_sums

CRS = "EPSG:4549"


def patches() -> gpd.GeoDataFrame:
    boxes = [shapely.box(500000 + 100 * i, 3360000, 500100 + 100 * i, 3360100) for i in range(3)]
    frame = gpd.GeoDataFrame({"patch_id": ["a", "b", "c"], "village_code": "330110001001"}, geometry=boxes, crs=CRS)
    return frame.assign(area_m2=np.round(ellipsoid_area_of(frame), 2))


def villages(control: float | None) -> pd.DataFrame:
    return pd.DataFrame({"village_code": ["330110001001"], "village_name": ["径山村"], "control_area_m2": [control]})


def test_a_village_that_closes_has_no_fault() -> None:
    frame = patches()
    assert check_village_sums(frame, villages(round(float(frame["area_m2"].sum()), 2))).empty


def test_a_village_off_by_one_hundredth_is_a_fault_with_its_code() -> None:
    frame = patches()
    faults = check_village_sums(frame, villages(round(float(frame["area_m2"].sum()) + 0.01, 2)))
    assert list(faults["what"]) == ["village_sum"] and list(faults["feature_id"]) == ["330110001001"]
    assert "-0.01" in faults["found"].iloc[0]


def test_a_village_without_control_area_is_said_and_not_guessed() -> None:
    assert list(check_village_sums(patches(), villages(None))["what"]) == ["no_control_area"]


def test_patches_of_no_village_are_named() -> None:
    faults = check_village_sums(patches().assign(village_code=["330110001001", "x", None]), villages(None))
    assert list(faults.loc[faults["what"] == "village_unknown", "row"]) == [1, 2]


def test_a_register_within_one_square_metre_passes_and_beyond_it_fails() -> None:
    frame = patches()
    frame["area_m2"] += [0.9, 10.5, -0.9]
    faults = check_register(frame, "landuse_patch")
    assert list(faults["row"]) == [1]
    frame["area_m2"] *= 100
    assert len(check_register(frame, "landuse_patch", overrides={"area_diff_rel": 0.995})) == 0


def test_villages_of_a_township_must_sum_to_it() -> None:
    codes = ["330110001", "330110001001", "330110001002", "330110002001"]
    table = pd.DataFrame({"village_code": codes, "village_name": codes, "control_area_m2": [300.0, 100.0, 199.99, 50.0]})
    assert list(check_township_sums(table)["row"]) == [0]
    table.loc[2, "control_area_m2"] = 200.0
    assert check_township_sums(table).empty


def test_an_unsafe_datum_is_said_and_the_check_goes_on() -> None:
    faults = check_register(patches().set_crs("EPSG:2437", allow_override=True), "landuse_patch")
    assert list(faults["what"]) == ["area_not_checked"]
