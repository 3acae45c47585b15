"""True for any class map and any set of boxes."""

from __future__ import annotations

from itertools import combinations

import affine
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from qianmo.geo.adjacency import shared_borders
from qianmo.geo.blocks import blocks
from qianmo.geo.grid import Grid, polygonize, zonal_majority
from qianmo.geo.shift import bd09_to_gcj02, gcj02_to_bd09, gcj02_to_wgs84, wgs84_to_gcj02
from qianmo.geo.topology import gaps, is_coverage, overlaps

CRS = pyproj.CRS.from_epsg(4549)
MAPS = arrays(np.int16, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9), elements=st.integers(0, 3))
BOX = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 12), st.integers(1, 12))
BOXES = st.lists(BOX, min_size=1, max_size=14).map(lambda b: np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in b], dtype=object))


@settings(max_examples=40, deadline=None)
@given(MAPS)
def test_a_class_map_becomes_a_coverage_that_loses_nothing(values):
    grid = Grid(values, affine.Affine(30.0, 0.0, 40_500_000.0, 0.0, -30.0, 3_300_000.0), CRS)
    found = polygonize(grid)
    geoms = found.geometry.to_numpy()
    assert shapely.is_valid(geoms).all() and is_coverage(geoms)
    for value in np.unique(values):
        assert found.area[found["value"] == value].sum() == 900.0 * (values == value).sum()
    assert (zonal_majority(grid, geoms) == found["value"]).all()
    steps = (np.diff(values, axis=0) != 0).sum() + (np.diff(values, axis=1) != 0).sum()
    assert shared_borders(geoms)["length_m"].sum() == 30.0 * steps


@settings(max_examples=40, deadline=None)
@given(BOXES, st.sampled_from([0.0, 3.5]))
def test_overlaps_are_those_of_all_pairs(boxes, min_area):
    found = {(i, j): a for i, j, a, _ in overlaps(boxes, min_area=min_area).itertuples(index=False)}
    brute = {(i, j): boxes[i].intersection(boxes[j]).area for i, j in combinations(range(len(boxes)), 2)}
    assert found == {pair: a for pair, a in brute.items() if a > min_area}


@settings(max_examples=40, deadline=None)
@given(BOXES)
def test_gaps_of_any_width_are_all_holes_of_the_union(boxes):
    union = shapely.union_all(boxes)
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(union)])
    assert gaps(boxes, max_width=1e3)["area_m2"].sum() == pytest.approx(filled.area - union.area)


@settings(max_examples=25, deadline=None)
@given(BOXES, st.floats(0, 5), st.floats(0, 5))
def test_a_wider_gap_never_makes_more_blocks_and_never_parts_a_block(boxes, gap, more):
    fine, coarse = blocks(boxes, gap_m=gap), blocks(boxes, gap_m=gap + more)
    assert coarse.max() <= fine.max() and len({(a, b) for a, b in zip(fine, coarse)}) == fine.max() + 1


@settings(max_examples=25, deadline=None)
@given(BOXES, st.randoms(use_true_random=False))
def test_shared_borders_follow_the_rows_wherever_they_stand(boxes, random):
    order = list(range(len(boxes)))
    random.shuffle(order)
    moved = {tuple(sorted((order[int(i)], order[int(j)]))): m for i, j, m in shared_borders(boxes[order]).itertuples(index=False)}
    assert moved == {(int(i), int(j)): m for i, j, m in shared_borders(boxes).itertuples(index=False)}


@settings(max_examples=50, deadline=None)
@given(st.floats(73, 135), st.floats(4, 53))
def test_web_map_shifts_close(lon, lat):
    assert gcj02_to_wgs84(*wgs84_to_gcj02(lon, lat)) == pytest.approx((lon, lat), abs=1e-9)
    assert bd09_to_gcj02(*gcj02_to_bd09(lon, lat)) == pytest.approx((lon, lat), abs=1e-9)
