"""Areas: rounding, ridges, levelling, registers made anew."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.onemap.check_totals import check_village_sums
from qianmo.onemap.level import (
    compute_areas,
    control_areas,
    deduct_ridges,
    hundredths,
    level_areas,
    level_to_villages,
    new_register_areas,
)
from qianmo.schema.errors import MissingDataError, SchemaError, TopologyError

CRS = "EPSG:4549"


def patches() -> gpd.GeoDataFrame:
    boxes = [shapely.box(500000 + 100 * i, 3360000, 500100 + 100 * i, 3360100) for i in range(4)]
    data = {
        "patch_id": list("abcd"),
        "class_code": ["0101", "0103", "0301", "0103"],
        "village_code": ["v1", "v1", "v2", "v2"],
        "farmland_type": ["", "TT", "", "PD"],
        "slope_class": ["1", "3", "", "2"],
    }
    return gpd.GeoDataFrame(data, geometry=boxes, crs=CRS)


@pytest.mark.parametrize(
    ("area", "cents"), [(1.005, 101), (0.125, 13), (2.675, 268), (1.0049999, 100), (12345.67, 1234567), (0.0, 0)]
)
def test_halves_are_rounded_up_as_written(area: float, cents: int) -> None:
    assert hundredths([area]).tolist() == [cents]


def test_an_area_that_is_not_a_number_is_refused_with_its_row() -> None:
    with pytest.raises(MissingDataError, match="rows 1"):
        hundredths([1.0, np.nan])


def test_the_largest_patches_take_the_odd_hundredths() -> None:
    assert level_areas([100000.0, 200000.0, 300000.0], 600000.05).tolist() == [100000.01, 200000.02, 300000.02]


def test_levelling_down_takes_as_it_would_give() -> None:
    assert level_areas([100000.0, 200000.0, 300000.0], 599999.96).tolist() == [99999.99, 199999.99, 299999.98]


def test_a_difference_above_the_limit_is_refused() -> None:
    with pytest.raises(TopologyError, match="control area"):
        level_areas([1000.0, 1000.0], 2001.0)
    assert sum(level_areas([1000.0, 1000.0], 2001.0, max_rel=0.001)) == 2001.0


def test_no_patch_is_levelled_below_zero() -> None:
    with pytest.raises(TopologyError, match="negative"):
        level_areas([0.0, 100.0], 99.0, max_rel=0.1)


def test_a_coefficient_of_one_or_more_is_refused() -> None:
    with pytest.raises(SchemaError, match="rows 0"):
        deduct_ridges([100.0], [1.0])


def test_three_areas_stand_side_by_side_and_are_close() -> None:
    out = compute_areas(patches())
    assert np.allclose(out["ellipsoid_area_m2"], out["geodesic_area_m2"], rtol=1e-4)
    assert np.allclose(out["planar_area_m2"], 10000.0)


def test_every_village_closes_exactly_and_the_log_says_how() -> None:
    frame = new_register_areas(patches())
    sums = frame.groupby("village_code")["area_m2"].sum().round(2)
    villages = pd.DataFrame(
        {
            "village_code": ["v1", "v2", "v3"],
            "village_name": ["一", "二", "三"],
            "control_area_m2": [sums["v1"] + 0.03, np.nan, 7.0],
        }
    )
    out, log = level_to_villages(frame, villages)
    assert hundredths(out["area_m2"][:2]).sum() == hundredths([sums["v1"] + 0.03])[0]
    assert (out["area_m2"][2:] == frame["area_m2"][2:]).all()
    assert list(log["status"]) == ["levelled", "no_control", "no_patches"]
    assert log["diff_m2"].tolist() == [0.03, 0.0, 0.0] and log["step_m2"].iloc[0] == 0.01 and log["remainder"].iloc[0] == 1


def test_all_villages_that_cannot_be_levelled_are_named() -> None:
    frame = new_register_areas(patches())
    villages = pd.DataFrame({"village_code": ["v1", "v2"], "village_name": ["一", "二"], "control_area_m2": [1.0, 2.0]})
    with pytest.raises(TopologyError, match=r"v1.*v2"):
        level_to_villages(frame, villages)


def test_a_patch_of_an_unknown_village_is_refused() -> None:
    villages = pd.DataFrame({"village_code": ["v1"], "village_name": ["一"], "control_area_m2": [1.0]})
    with pytest.raises(MissingDataError, match="rows 2, 3"):
        level_to_villages(new_register_areas(patches()), villages)


def test_a_county_table_deducts_ridges_from_sloping_farmland_only() -> None:
    table = pd.DataFrame({"farmland_type": ["TT", "PD"], "slope_class": ["3", "2"], "coefficient": [0.1234, 0.05]})
    out = new_register_areas(patches(), coefficients=table)
    assert out["ridge_coefficient"].tolist() == [0.0, 0.1234, 0.0, 0.05]
    assert (hundredths(out["area_m2"]) == hundredths(out["ridge_area_m2"]) + hundredths(out["class_area_m2"])).all()
    with pytest.raises(MissingDataError, match="PD 2"):
        new_register_areas(patches(), coefficients=table.iloc[:1])


def test_missing_control_areas_are_the_ellipsoidal_ones() -> None:
    villages = (
        patches()[["village_code", "geometry"]].dissolve("village_code").reset_index().assign(control_area_m2=[5.0, np.nan])
    )
    out = control_areas(villages)
    assert out["control_area_m2"].iloc[0] == 5.0 and out["control_area_m2"].iloc[1] == pytest.approx(20000, rel=1e-3)


def _land_and_island() -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    frame = patches().assign(village_code="v1", island_code=["00", None, "01", "01"], area_m2=[10000.0, 10000.0, 10000.0, 10000.0], ridge_coefficient=0.0)
    villages = pd.DataFrame(
        {"village_code": ["v1", "v1"], "village_name": ["甲村", "甲村海岛"], "island_code": ["00", "01"], "control_area_m2": [20000.02, 19999.99]}
    )
    return frame, villages


def test_land_and_islands_of_a_village_close_to_their_own_control_areas() -> None:
    frame, villages = _land_and_island()
    levelled, log = level_to_villages(frame, villages)
    assert levelled["area_m2"].round(2).tolist() == [10000.01, 10000.01, 9999.99, 10000.0]
    assert log["village_code"].tolist() == ["v1", "v1"]


def test_the_check_sees_land_and_islands_apart() -> None:
    frame, villages = _land_and_island()
    faults = check_village_sums(frame, villages)
    assert sorted(faults["found"]) == ["v1 甲村 图斑面积之和 20000.00 m2, 差 -0.02 m2", "v1 甲村海岛 图斑面积之和 20000.00 m2, 差 +0.01 m2"]
    assert check_village_sums(level_to_villages(frame, villages)[0], villages).empty


def test_an_island_patch_without_a_control_unit_is_named() -> None:
    frame, villages = _land_and_island()
    with pytest.raises(MissingDataError, match="2 patches"):
        level_to_villages(frame, villages.iloc[:1])
    assert any("描述说明 01" in f for f in check_village_sums(frame, villages.iloc[:1])["found"])
