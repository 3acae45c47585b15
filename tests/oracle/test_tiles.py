"""Tiles against the common decoder and against areas cut with GEOS in web mercator."""

from __future__ import annotations

import math

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.geo.tile_picture import picture_codes, tile_picture
from qianmo.geo.tile_rings import EXTENT, TileField, joined_rings, tile_of, tile_rings, tile_window
from qianmo.geo.vector_tile import layer_tile, rows_in

HALF = math.pi * 6378137.0
LON, LAT = 117.25, 28.0


def _place() -> tuple[float, float]:
    return HALF * LON / 180.0, math.log(math.tan(math.pi / 4 + math.radians(LAT) / 2)) * 6378137.0


def _cells(count: int, side_m: float, seed: int) -> np.ndarray:
    """A partition by a jittered Voronoi diagram, some cells with a hole that another polygon fills."""
    rng = np.random.default_rng(seed)
    x, y = _place()
    points = shapely.multipoints(rng.uniform(-0.5, 0.5, (count, 2)) * side_m + (x, y))
    box = shapely.box(x - side_m / 2, y - side_m / 2, x + side_m / 2, y + side_m / 2)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box)), box)
    ponds = shapely.buffer(shapely.point_on_surface(cells[::7]), 3.0)
    ponds = shapely.intersection(ponds, cells[::7])
    cells[::7] = shapely.difference(cells[::7], ponds)
    return np.concatenate([cells, ponds])


def _box_of(zoom: int, column: int, row: int) -> shapely.Geometry:
    side = 2 * HALF / (1 << zoom)
    return shapely.box(column * side - HALF, HALF - (row + 1) * side, (column + 1) * side - HALF, HALF - row * side)


def _tile(rings, zoom: int, column: int, row: int, fields=None, **options) -> bytes:
    rows = rows_in(rings, tile_window(zoom, column, row))
    return layer_tile(rings, rows, (zoom, column, row), name="layer", fields=fields or {}, **options)


def _decoded(tile: bytes) -> list[dict]:
    return mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})["layer"]["features"] if tile else []


@pytest.mark.parametrize("zoom", [13, 14, 16, 18])
def test_every_polygon_of_a_tile_has_the_area_it_has_on_the_map(zoom):
    cells = _cells(300, 3000.0, 1)
    rings = tile_rings(cells)
    column, row = tile_of(LON, LAT, zoom)
    tile = shapely.box(0, 0, EXTENT, EXTENT)
    unit = 2 * HALF / (1 << zoom) / EXTENT
    drawn = {f["id"]: shapely.make_valid(shapely.geometry.shape(f["geometry"])) for f in _decoded(_tile(rings, zoom, column, row))}
    whole = shapely.area(shapely.intersection(cells, _box_of(zoom, column, row))) / unit**2
    for number, area in enumerate(whole):
        found = drawn[number].intersection(tile).area if number in drawn else 0.0
        border = shapely.length(cells[number]) / unit
        assert found == pytest.approx(area, abs=1.0 * border + 2.0), number
    assert sum(g.intersection(tile).area for g in drawn.values()) == pytest.approx(whole.sum(), rel=1e-4)


def test_neighbours_in_a_tile_leave_no_gap_and_do_not_overlap():
    cells = _cells(200, 1500.0, 2)
    column, row = tile_of(LON, LAT, 15)
    shapes = [shapely.make_valid(shapely.geometry.shape(f["geometry"])) for f in _decoded(_tile(tile_rings(cells), 15, column, row))]
    inner = shapely.box(*shapely.union_all(shapes).bounds).intersection(shapely.box(0, 0, EXTENT, EXTENT))
    total = sum(s.intersection(inner).area for s in shapes)
    assert total == pytest.approx(shapely.union_all(shapes).intersection(inner).area, rel=1e-9)


def test_values_of_a_feature_come_back_as_they_were():
    cells = _cells(50, 400.0, 3)
    codes = np.arange(len(cells)) % 3
    column, row = tile_of(LON, LAT, 17)
    found = _decoded(_tile(tile_rings(cells), 17, column, row, {"c": TileField(codes, ["", "水田", "0101"]), "n": TileField(codes[::-1].copy(), ["一", "二", "三"])}))
    assert found
    for feature in found:
        number = feature["id"]
        assert feature["properties"] == {"c": ["", "水田", "0101"][codes[number]], "n": ["一", "二", "三"][codes[::-1][number]]}


def test_a_large_polygon_is_clipped_and_keeps_its_area_inside():
    x, y = _place()
    large = np.array([shapely.Point(x, y).buffer(50_000).difference(shapely.Point(x, y).buffer(40.0))], dtype=object)
    column, row = tile_of(LON, LAT, 17)
    found = shapely.make_valid(shapely.geometry.shape(_decoded(_tile(tile_rings(large), 17, column, row))[0]["geometry"]))
    bounds = found.bounds
    assert bounds[0] >= -1024 and bounds[3] <= EXTENT + 1024
    unit = 2 * HALF / (1 << 17) / EXTENT
    inside = large[0].intersection(_box_of(17, column, row)).area / unit**2
    assert found.intersection(shapely.box(0, 0, EXTENT, EXTENT)).area == pytest.approx(inside, rel=1e-3)


@pytest.mark.parametrize(("shape", "kind"), [(shapely.LineString([(0, 0), (300, 200), (600, 0)]), "LineString"), (shapely.Point(10, 10), "Point")])
def test_lines_and_points_come_back(shape, kind):
    moved = shapely.transform(shape, lambda xy: xy + _place())
    column, row = tile_of(LON, LAT, 15)
    found = _decoded(_tile(tile_rings(np.array([moved], dtype=object)), 15, column, row))
    assert [f["geometry"]["type"] for f in found] == [kind]


def test_parts_of_a_layer_joined_are_the_layer():
    cells = _cells(120, 900.0, 4)
    cells[5] = None
    whole, joined = tile_rings(cells), joined_rings([tile_rings(part) for part in np.array_split(cells, 5)])
    for name in ("kind", "xy", "start", "ring_row", "hole", "row_start", "box"):
        assert np.array_equal(getattr(whole, name), getattr(joined, name)), name


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 18), st.integers(3, 40))
def test_any_tile_can_be_decoded_and_has_rings_that_run_as_the_standard_says(seed, zoom, count):
    cells = _cells(count, 200.0 * 2 ** (18 - zoom) ** 0.5, seed)
    column, row = tile_of(LON, LAT, zoom)
    for feature in _decoded(_tile(tile_rings(cells), zoom, column, row)):
        assert feature["geometry"]["type"] in ("Polygon", "MultiPolygon")
        polygons = feature["geometry"]["coordinates"] if feature["geometry"]["type"] == "MultiPolygon" else [feature["geometry"]["coordinates"]]
        for polygon in polygons:
            for number, ring in enumerate(polygon):
                x, y = np.array(ring[:-1], float).T
                area = (x * np.roll(y, -1) - np.roll(x, -1) * y).sum()
                assert (area < 0) == (number > 0) and area != 0


def _near(rings, zoom: int, column: int, row: int) -> set[int]:
    x0, y0, x1, y1 = tile_window(zoom, column, row)
    b = rings.box
    return set(np.flatnonzero((b[0] <= x1) & (b[2] >= x0) & (b[1] <= y1) & (b[3] >= y0)).tolist())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(10, 18))
def test_the_rows_near_a_tile_are_those_whose_box_meets_it_in_order(seed, zoom):
    cells = _cells(400, 4000.0, seed)
    cells[::11] = None
    rings = tile_rings(np.random.default_rng(seed).permutation(cells))
    column, row = tile_of(LON, LAT, zoom)
    found = rows_in(rings, tile_window(zoom, column, row))
    assert set(found.tolist()) == _near(rings, zoom, column, row)
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("zoom", [13, 15, 17])
def test_every_vertex_of_a_tile_lies_within_half_a_unit_of_the_polygon_it_draws(zoom):
    cells = _cells(150, 2000.0, 9)
    column, row = tile_of(LON, LAT, zoom)
    unit = 2 * HALF / (1 << zoom) / EXTENT
    corner = np.array([column * 2 * HALF / (1 << zoom) - HALF, HALF - row * 2 * HALF / (1 << zoom)])
    checked = 0
    for feature in _decoded(_tile(tile_rings(cells), zoom, column, row)):
        drawn = shapely.get_coordinates(shapely.geometry.shape(feature["geometry"]))
        inside = drawn[((drawn >= -512) & (drawn <= EXTENT + 512)).all(axis=1)]
        truth = (shapely.get_coordinates(cells[feature["id"]]) - corner) / (unit, -unit)
        # a vertex of the layer itself is first kept to 2^-(18 - zoom) of a unit
        apart = np.abs(inside[:, None, :] - truth[None, :, :]).max(axis=2).min(axis=1, initial=np.inf) if len(inside) else np.empty(0)
        assert (apart <= 0.5 + 0.5 / (1 << (18 - zoom)) + 1e-9).all(), feature["id"]
        checked += len(inside)
    assert checked > 50


def test_a_full_tile_is_drawn_coarser_until_it_fits_and_neighbours_stay_side_by_side():
    cells = shapely.segmentize(_cells(2500, 4000.0, 10), 6.0)
    column, row = tile_of(LON, LAT, 13)
    rings = tile_rings(cells)
    codes = {"c": TileField(np.arange(len(cells)) % 7, [f"0{n}01" for n in range(7)])}
    whole = _tile(rings, 13, column, row, codes)
    most = len(whole) * 2 // 3
    smaller = _tile(rings, 13, column, row, codes, most=most)
    assert 0 < len(smaller) <= most < len(whole)
    shapes = [shapely.make_valid(shapely.geometry.shape(f["geometry"])) for f in _decoded(smaller)]
    assert sum(s.area for s in shapes) == pytest.approx(shapely.union_all(shapes).area, rel=1e-3)
    assert {f["properties"]["c"] for f in _decoded(smaller)} == set(codes["c"].values)


def test_a_line_that_leaves_the_tile_and_comes_back_is_drawn_in_parts():
    unit = 2 * HALF / (1 << 17) / EXTENT
    column, row = tile_of(LON, LAT, 17)
    corner = np.array([column * 2 * HALF / (1 << 17) - HALF, HALF - row * 2 * HALF / (1 << 17)])
    away = 20_000
    places = np.array([(100, 100), (200, away), (300, away), (400, 100), (away, 300), (away, away), (-away, 500)])
    line = np.array([shapely.LineString(corner + places * (unit, -unit))], dtype=object)
    found = shapely.geometry.shape(_decoded(_tile(tile_rings(line), 17, column, row))[0]["geometry"])
    window = shapely.box(-1024, -1024, EXTENT + 1024, EXTENT + 1024)
    true = shapely.LineString(places).intersection(window)
    assert len(shapely.get_parts(found)) == len(shapely.get_parts(true)) == 2
    assert shapely.hausdorff_distance(found, true) <= 1.0
    assert found.length == pytest.approx(true.length, abs=4.0)


def test_polygons_cut_at_the_window_have_the_area_that_geos_cuts():
    rng = np.random.default_rng(12)
    column, row = tile_of(LON, LAT, 17)
    unit = 2 * HALF / (1 << 17) / EXTENT
    corner = np.array([column * 2 * HALF / (1 << 17) - HALF, HALF - row * 2 * HALF / (1 << 17)])
    stars = []
    for _ in range(60):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 40))
        reach = rng.uniform(500, 9000, 40)
        places = rng.uniform(-2000, 6000, 2) + np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None]
        stars.append(shapely.make_valid(shapely.Polygon(corner + places * (unit, -unit))))
    tile = shapely.box(0, 0, EXTENT, EXTENT)
    drawn = {f["id"]: shapely.make_valid(shapely.geometry.shape(f["geometry"])) for f in _decoded(_tile(tile_rings(np.array(stars, dtype=object)), 17, column, row))}
    for number, star in enumerate(stars):
        true = shapely.transform(star, lambda xy: (xy - corner) / (unit, -unit)).intersection(tile)
        found = drawn[number].intersection(tile) if number in drawn else shapely.Polygon()
        assert found.symmetric_difference(true).area <= 1.5 * true.length + 2, number


@pytest.mark.parametrize("zoom", [8, 10, 12])
def test_a_picture_shows_the_polygon_at_the_centre_of_each_cell(zoom):
    cells = _cells(400, 60_000.0, 5)
    codes = np.arange(1, len(cells) + 1)
    column, row = tile_of(LON, LAT, zoom)
    picture = tile_picture(tile_rings(cells), codes, zoom=12)
    shown = picture_codes(picture, zoom, column, row)
    box = np.array(_box_of(zoom, column, row).bounds)
    step = (box[2] - box[0]) / 256
    tree = shapely.STRtree(cells)
    rng = np.random.default_rng(6)
    wrong = 0
    for i, j in rng.integers(0, 256, (300, 2)):
        point = shapely.Point(box[0] + (j + 0.5) * step, box[3] - (i + 0.5) * step)
        held = {int(k) + 1 for k in tree.query(point.buffer(2 * picture.cell * 2 * HALF / (EXTENT << 18)), predicate="intersects")}
        wrong += int(shown[i, j]) not in (held or {0}) and not (shown[i, j] == 0 and len(held) < 2)
    assert wrong == 0


def test_shares_of_classes_in_a_picture_are_those_of_the_map():
    cells = _cells(2000, 20_000.0, 7)
    codes = np.random.default_rng(8).integers(1, 6, len(cells))
    picture = tile_picture(tile_rings(cells), codes, zoom=12)
    drawn = np.bincount(picture.codes.ravel(), minlength=6)[1:] / (picture.codes > 0).sum()
    true = np.bincount(codes, weights=shapely.area(cells), minlength=6)[1:] / shapely.area(cells).sum()
    assert np.abs(drawn - true).max() < 0.005
