"""Share of patches in control zones."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.zones import zone_areas
from qianmo.schema.errors import CrsError


def test_the_share_inside_is_applied_to_the_register_area(patchwork, square):
    p = patchwork(("0101", 15))
    p["area_m2"] = 10_100.0
    areas = zone_areas(p, {"urban_boundary": square(75, 900, boundary_id="u")})
    assert areas["udb_inside"].tolist() == [2525.0]


def test_a_missing_layer_is_nan_not_zero(patchwork):
    assert zone_areas(patchwork(("0101", 15)), {}).isna().all(axis=None)


def test_the_redline_is_split_into_core_other_and_unzoned(patchwork, square):
    p = patchwork(("0301", 15), ("0301", 15), ("0301", 15))
    parts = [square(i * 100, i * 100 + 100, reserve_zone=z) for i, z in enumerate(["核心保护区", "一般控制区", None])]
    areas = zone_areas(p, {"eco_redline": pd.concat(parts, ignore_index=True)})
    assert areas[["eco_core", "eco_other", "eco_unzoned"]].to_numpy().round(2).tolist() == (np.eye(3) * 10_000).tolist()


def test_polygons_of_a_layer_that_overlap_each_other_count_once(patchwork, square):
    twice = pd.concat([square(0, 60), square(40, 80)], ignore_index=True)
    areas = zone_areas(patchwork(("0101", 15)), {"basic_farmland": twice})
    assert areas["basic_farmland"].tolist() == [8000.0]


def test_a_zone_drawn_as_a_patch_touches_its_neighbours_only(patchwork):
    p = patchwork(("0101", 15), ("0301", 15), ("0101", 15))
    areas = zone_areas(p, {"basic_farmland": p.iloc[[0, 2]]})
    assert areas["basic_farmland"].tolist() == [10_000.0, 0.0, 10_000.0]
    assert zone_areas(p, {"basic_farmland": p.iloc[[0, 2]]}, is_partition=False).equals(areas)


def test_patches_that_overlap_are_cut_when_told_so(patchwork):
    p = patchwork(("0101", 15), ("0301", 15))
    p.loc[1, "geometry"] = p.geometry.iloc[0]
    areas = zone_areas(p.iloc[:1], {"basic_farmland": p.iloc[1:]}, is_partition=False)
    assert areas["basic_farmland"].tolist() == [10_000.0]


def test_layers_in_another_system_are_refused(patchwork, square):
    other = gpd.GeoDataFrame(square(0, 50)).set_crs(4548, allow_override=True)
    with pytest.raises(CrsError):
        zone_areas(patchwork(("0101", 15)), {"urban_boundary": other})
