"""Evaluation against brute force: shares by union, blocks by distance, borders by intersection, mesh by random points."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.evaluation.contiguity import contiguity_index, farmland_blocks
from qianmo.evaluation.eligibility import Ground
from qianmo.evaluation.fields import farmland_borders
from qianmo.evaluation.fragmentation import fragmentation
from qianmo.evaluation.idle import isolated
from qianmo.evaluation.potential import ground
from qianmo.evaluation.zones import zone_areas

ORIGIN = np.array([500_000.0, 2_800_000.0])


@pytest.fixture
def mosaic(rng: np.random.Generator) -> gpd.GeoDataFrame:
    """A Voronoi partition of a square of 1 km with random classes."""
    points = shapely.MultiPoint(ORIGIN + rng.uniform(0, 1000, (80, 2)))
    frame = shapely.box(500_000, 2_800_000, 501_000, 2_801_000)
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=frame))
    cells = shapely.intersection(cells, frame)
    codes = rng.choice(["0101", "0103", "0201", "0301", "0702"], len(cells), p=[0.25, 0.25, 0.2, 0.2, 0.1])
    area = shapely.area(cells).round(2)
    return gpd.GeoDataFrame(
        {"patch_id": [f"P{i}" for i in range(len(cells))], "class_code": codes, "area_m2": area, "class_area_m2": area},
        geometry=cells,
        crs=4547,
    )


def test_zone_shares_equal_the_cut_with_the_dissolved_zone(mosaic, rng):
    circles = shapely.buffer(shapely.points(ORIGIN + rng.uniform(0, 1000, (12, 2))), 130)
    layer = gpd.GeoDataFrame({"patch_id": range(12)}, geometry=circles, crs=4547)
    union = shapely.union_all(circles)
    geoms = mosaic.geometry.to_numpy()
    expected = shapely.area(shapely.intersection(geoms, union)) / shapely.area(geoms) * mosaic["area_m2"].to_numpy()
    got = zone_areas(mosaic, {"basic_farmland": layer})["basic_farmland"].to_numpy()
    assert got == pytest.approx(expected, abs=1e-3)


def test_blocks_equal_chains_of_farmland_nearer_than_the_gap(mosaic):
    table = farmland_blocks(mosaic, scheme="SD3")
    geoms = mosaic.geometry.to_numpy()[table["row"]]
    near = shapely.distance(geoms[:, None], geoms[None, :]) <= 20.0
    reach = np.eye(len(geoms), dtype=bool)
    for _ in range(len(geoms)):
        reach = reach | (reach.astype(int) @ near.astype(int) > 0)
    same = table["block"].to_numpy()[:, None] == table["block"].to_numpy()[None, :]
    assert (same == reach).all()
    sizes = {b: g["area_m2"].sum() for b, g in table.groupby("block")}
    shares = np.array(list(sizes.values())) / sum(sizes.values())
    assert contiguity_index(table) == pytest.approx((shares**2).sum())


def test_borders_equal_the_length_of_the_common_boundary(mosaic):
    farm = np.flatnonzero(mosaic["class_code"].isin(["0101", "0103"]))
    geoms = mosaic.geometry.to_numpy()
    expected = {}
    for n, i in enumerate(farm):
        for j in farm[n + 1 :]:
            length = shapely.length(shapely.intersection(shapely.boundary(geoms[i]), shapely.boundary(geoms[j])))
            if length >= 1.0:
                expected[i, j] = length
    found = {(r.i, r.j): r.length_m for r in farmland_borders(mosaic, scheme="SD3").itertuples()}
    assert found.keys() == expected.keys()
    assert all(found[k] == pytest.approx(v, abs=1e-3) for k, v in expected.items())
    known: Ground = ground(mosaic, scheme="SD3")
    for i in farm:
        assert known.neighbours[i] == sum(i in pair for pair in expected)


def test_the_mesh_size_is_the_chance_that_two_random_points_share_a_field(mosaic, rng):
    row = fragmentation(mosaic, None, scheme="SD3").iloc[-1]
    points = shapely.points(ORIGIN + rng.uniform(0, 1000, (60_000, 2)))
    tree = shapely.STRtree(mosaic.geometry.to_numpy())
    cell = np.full(len(points), -1)
    at, found = tree.query(points, predicate="intersects")
    cell[at] = found
    farm = mosaic["class_code"].isin(["0101", "0103"]).to_numpy()
    a, b = cell[:30_000], cell[30_000:]
    chance = ((a == b) & farm[a]).mean()
    assert row["effective_mesh_ha"] == pytest.approx(chance * 100.0, abs=0.25)


@pytest.mark.parametrize("distance", [4.0, 60.0, 150.0, 400.0])
def test_a_patch_is_isolated_where_every_other_building_is_farther(mosaic, distance):
    built = np.flatnonzero(mosaic["class_code"] == "0702")
    geoms = mosaic.geometry.to_numpy()[built]
    away = shapely.distance(geoms[:, None], geoms[None, :]) + np.where(np.eye(len(built), dtype=bool), np.inf, 0.0)
    found = isolated(mosaic, built, scheme="SD3", overrides={"isolated_built_distance_m": distance})
    assert found.tolist() == (away.min(axis=1) > distance).tolist()
