"""Overlay against cutting every pair with the geometry engine."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.geo.edge_index import edge_index
from qianmo.geo.edge_relation import ACROSS, APART, INSIDE, UNCLEAR, box_relation, edge_relation
from qianmo.geo.local_parts import local_parts
from qianmo.geo.overlay import intersection_pairs, majority, share_inside
from qianmo.geo.polygons import valid_polygons

ORIGIN = np.array([40_512_345.678, 2_812_345.679])


def plain(a: np.ndarray, b: np.ndarray) -> dict[tuple[int, int], shapely.Geometry]:
    """Common part of every pair by the engine, without those smaller than a square millimetre."""
    i, j = shapely.STRtree(b).query(a, predicate="intersects")
    common = shapely.intersection(a[i], b[j])
    return {(int(p), int(q)): g for p, q, g in zip(i, j, common) if g.area > 1e-6}


def assert_as_plain(a: np.ndarray, b: np.ndarray) -> dict[tuple[int, int], shapely.Geometry]:
    expected = plain(a, b)
    found = intersection_pairs(a, b)
    assert list(zip(found["i"], found["j"])) == sorted(expected)
    for row in found.itertuples():
        part = expected[row.i, row.j]
        assert row.area_m2 == pytest.approx(part.area, abs=1e-6) and row.geometry.area == row.area_m2
        assert row.geometry.geom_type in ("Polygon", "MultiPolygon") and row.geometry.is_valid
        assert row.geometry.symmetric_difference(part).area < 1e-6
    return expected


def mosaic(rng: np.random.Generator, n: int, *, size: float = 2000.0) -> np.ndarray:
    """A partition of a square: Voronoi cells whose borders are bent at points that both neighbours have."""
    frame = shapely.box(*ORIGIN, *(ORIGIN + size))
    points = shapely.MultiPoint(ORIGIN + rng.uniform(0, size, (n, 2)))
    cells = shapely.get_parts(shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=frame)), frame))
    lines = shapely.segmentize(shapely.get_parts(shapely.line_merge(shapely.union_all(shapely.boundary(cells)))), 20.0)
    bent = shapely.transform(lines, lambda p: np.round(p + 3.0 * np.sin(p[:, ::-1] / 17.0), 3))
    return shapely.get_parts(shapely.polygonize(list(bent)))


def zones_of(cells: np.ndarray, rng: np.random.Generator, k: int) -> np.ndarray:
    """Cells dissolved by a random number: large polygons of many parts and holes."""
    group = rng.integers(0, k, len(cells))
    return np.array([shapely.coverage_union_all(cells[group == g]) for g in range(k)], dtype=object)


def test_cells_lie_in_the_zones_that_were_made_of_them(rng):
    cells = mosaic(rng, 400)
    zones = zones_of(cells, rng, 3)
    assert shapely.get_num_coordinates(zones).min() > 2000
    expected = assert_as_plain(cells, zones)
    assert len(expected) == len(cells)
    assert_as_plain(zones, cells)
    some = edge_relation(edge_index(zones), edge_index(cells), np.repeat([0, 1, 2], len(cells)), np.tile(np.arange(len(cells)), 3))
    assert np.bincount(some, minlength=4).tolist() == [2 * len(cells), len(cells), 0, 0]


def test_zones_of_two_divisions_are_cut_with_each_other(rng):
    cells = mosaic(rng, 300)
    expected = assert_as_plain(zones_of(cells, rng, 4), zones_of(cells, rng, 5))
    assert len(expected) == 20


def test_rings_of_many_vertices_are_cut_near_each_field(rng):
    angle = np.linspace(0, 2 * np.pi, 6000, endpoint=False)
    radius = 600 + 40 * np.sin(angle * 97) + 5 * np.sin(angle * 811)
    wheel = shapely.polygons(ORIGIN + 1000 + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))
    ring = shapely.difference(wheel, shapely.transform(wheel, lambda p: ORIGIN + 1000 + (p - ORIGIN - 1000) * 0.7))
    cells = mosaic(rng, 500)
    expected = assert_as_plain(cells, np.array([ring, wheel], dtype=object))
    crossed = [g for (i, _), g in expected.items() if g.area < cells[i].area - 1]
    assert len(crossed) > 200
    assert share_inside(cells, [ring]) == pytest.approx(shapely.area(shapely.intersection(cells, ring)) / shapely.area(cells), abs=1e-9)
    parts = local_parts(np.array([wheel] * len(cells), dtype=object), cells)
    assert shapely.get_num_coordinates(parts).max() < 600
    same = shapely.area(shapely.symmetric_difference(shapely.intersection(parts, cells), shapely.intersection(wheel, cells)))
    assert same.max() < 1e-6


def test_fields_that_match_only_in_part_are_asked_of_the_engine(rng):
    x, y = (v.ravel() for v in np.meshgrid(np.arange(0, 90, 10.0), np.arange(0, 90, 10.0)))
    fine = shapely.box(x, y, x + 10, y + 10)
    coarse = np.array([shapely.box(u, v, u + 15, v + 30) for u in range(0, 90, 15) for v in range(0, 90, 30)], dtype=object)
    expected = assert_as_plain(fine, coarse)
    assert len(expected) == 9 * 9 + 9 * 3  # every other column of fields lies in two blocks
    turned = [shapely.transform(g, lambda p: ORIGIN + p @ np.array([[0.8, 0.6], [-0.6, 0.8]]) * 3.7) for g in (fine, coarse)]
    assert_as_plain(*turned)


def test_lids_islands_and_equals_are_told_apart():
    outer, inner = shapely.box(0, 0, 10, 10), shapely.box(3, 3, 7, 7)
    frame = outer.difference(inner)
    corner = shapely.box(10, 10, 20, 20)
    two = shapely.MultiPolygon([shapely.box(0, 0, 3, 3), shapely.box(3, 3, 7, 7)])
    shapes = np.array([outer, inner, frame, corner, two, shapely.box(1, 1, 2, 2), shapely.box(-5, -5, 15, 15)], dtype=object)
    n = len(shapes)
    h, m = (v.ravel() for v in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    found = edge_relation(edge_index(shapes), edge_index(shapes), h, m).reshape(n, n)
    assert np.diag(found).tolist() == [INSIDE] * n
    assert (found[0, 1], found[1, 0], found[2, 1], found[1, 2], found[0, 2], found[2, 0]) == (INSIDE, ACROSS, APART, APART, INSIDE, ACROSS)
    assert (found[0, 3], found[6, 0], found[0, 6], found[4, 1], found[1, 4]) == (APART, INSIDE, ACROSS, INSIDE, ACROSS)
    assert (found[4, 0], found[2, 4]) == (UNCLEAR, UNCLEAR)  # the small box ends within a side of the outer one
    assert_as_plain(shapes, shapes)


def test_a_vertex_on_an_edge_or_next_to_it_is_unclear():
    field = shapely.box(0, 0, 10, 10)
    near = [shapely.Polygon([(10 + d, 5), (20, 0), (20, 10)]) for d in (0.0, 1e-15, -1e-15, 1e-2, -1e-2)]
    found = edge_relation(edge_index(np.array([field])), edge_index(np.array(near)), np.zeros(5, int), np.arange(5))
    assert found.tolist() == [UNCLEAR, UNCLEAR, UNCLEAR, APART, ACROSS]
    assert intersection_pairs([field], near)["j"].tolist() == [4]


def test_boxes_far_from_the_border_are_told_by_one_point(rng):
    zone = zones_of(mosaic(rng, 200), rng, 2)[:1]
    low = ORIGIN + rng.uniform(-200, 2200, (400, 2))
    boxes = np.hstack([low, low + rng.uniform(1, 60, (400, 2))])
    found = box_relation(edge_index(zone), boxes, np.zeros(400, int))
    shapes = shapely.box(*boxes.T)
    assert {APART, INSIDE, ACROSS} == set(found.tolist())
    assert shapely.disjoint(zone[0], shapes[found == APART]).all() and shapely.covers(zone[0], shapes[found == INSIDE]).all()


def test_a_layer_checked_once_gives_the_same_pairs(rng):
    cells = mosaic(rng, 150)
    circles = shapely.buffer(shapely.points(ORIGIN + rng.uniform(0, 2000, (40, 2))), 90)
    assert_as_plain(cells, circles)
    kept = intersection_pairs(valid_polygons(cells, which="cells", keep=True), valid_polygons(circles, which="circles", keep=True))
    fresh = intersection_pairs(cells, circles)
    assert kept.drop(columns="geometry").equals(fresh.drop(columns="geometry"))
    best = majority(cells, circles)
    for i, j in enumerate(best):
        mine = fresh[fresh["i"] == i]
        assert j == (mine.loc[mine["area_m2"].idxmax(), "j"] if len(mine) else -1)
    union = shapely.union_all(circles)
    assert share_inside(cells, circles) == pytest.approx(shapely.area(shapely.intersection(cells, union)) / shapely.area(cells), abs=1e-9)
