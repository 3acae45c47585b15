"""Shares of cells against shapely: every cell is clipped by every polygon, and areas add up."""

import affine
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.geo.fractions import cell_fractions, weighted_mean, weighted_sum
from qianmo.schema.errors import SchemaError, TopologyError

SHAPE = (9, 12)
PLACES = {
    "north up": affine.Affine(10, 0, 500_000, 0, -10, 3_360_000),
    "south up": affine.Affine(10, 0, 500_000, 0, 10, 3_359_910),
    "turned": affine.Affine.translation(500_000, 3_360_000) * affine.Affine.rotation(17) * affine.Affine.scale(8, -11),
}


def _clipped(geoms, transform):
    """Shares by clipping each cell, dense (n, rows, columns)."""
    out = np.zeros((len(geoms), *SHAPE))
    for r in range(SHAPE[0]):
        for c in range(SHAPE[1]):
            cell = shapely.Polygon([transform * p for p in ((c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1))])
            out[:, r, c] = [0.0 if g is None else shapely.area(shapely.intersection(g, cell)) / cell.area for g in geoms]
    return out


def _dense(found, n):
    out = np.zeros((n, SHAPE[0] * SHAPE[1]))
    out[found.zone(), found.cell] = found.share
    return out.reshape(n, *SHAPE)


def _star(rng, transform, *, spikes):
    """A star with a hole, anywhere around the raster, its vertices in no order of direction."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, spikes))
    radius, centre = rng.uniform(0.5, 7, spikes), rng.uniform((-2, -2), (14, 11))
    ring = np.column_stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)])
    hole = centre + 0.3 * (ring - centre)
    star = shapely.Polygon([transform * tuple(p) for p in ring], [[transform * tuple(p) for p in hole]])
    return shapely.reverse(star) if rng.random() < 0.5 else star


@pytest.mark.parametrize("place", PLACES)
def test_shares_are_those_of_clipping_each_cell(rng, place):
    transform = PLACES[place]
    drawn = [s for s in (_star(rng, transform, spikes=int(rng.integers(3, 12))) for _ in range(80)) if s.is_valid]
    edge_on = shapely.box(*(transform * (2, 3)), *(transform * (5, 7))) if place != "turned" else drawn[0]
    pair = shapely.union_all([shapely.buffer(shapely.Point(transform * (2.2, 2.2)), 9), shapely.buffer(shapely.Point(transform * (9, 6)), 14)])
    whole = shapely.Polygon([transform * p for p in ((-3, -3), (15, -3), (15, 12), (-3, 12))])
    geoms = np.array([*drawn, edge_on, pair, whole, None, shapely.Polygon()], dtype=object)
    found = cell_fractions(geoms, transform, SHAPE)
    assert len(drawn) > 40 and pair.geom_type == "MultiPolygon"
    assert np.abs(_dense(found, len(geoms)) - _clipped(geoms, transform)).max() < 1e-9
    assert (found.share > 0).all() and (found.share <= 1).all() and found.start[-1] == len(found.share) == found.start[-2]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 60.0))
def test_a_coverage_shares_out_each_cell_once(seed, size):
    """Cells of a Voronoi diagram that covers the raster: the shares of every cell add to 1, whatever their size."""
    rng = np.random.default_rng(seed)
    transform = PLACES["north up"]
    frame = shapely.box(500_000 - size, 3_359_910 - size, 500_120 + size, 3_360_000 + size)
    points = shapely.MultiPoint(rng.uniform((500_000, 3_359_910), (500_120, 3_360_000), (25, 2)))
    parts = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=frame))
    found = cell_fractions(shapely.intersection(parts, frame), transform, SHAPE)
    assert np.allclose(_dense(found, len(parts)).sum(axis=0), 1.0, atol=1e-9)


def test_a_polygon_wider_than_the_working_strip_keeps_its_area():
    transform, shape = affine.Affine(1, 0, 0, 0, -1, 1300), (1300, 1400)
    disc = shapely.buffer(shapely.Point(700, 650), 640, quad_segs=64)
    found = cell_fractions(np.array([disc]), transform, shape)
    assert found.covered()[0] == pytest.approx(disc.area, rel=1e-12)
    assert (np.diff(found.cell) > 0).all() and shape[0] * shape[1] > 1 << 20


def test_means_weigh_cells_by_their_share_and_leave_gaps_out():
    transform = affine.Affine(10, 0, 0, 0, -10, 20)
    half = shapely.box(5, 0, 20, 20)  # half of column 0, all of column 1
    far = shapely.box(100, 100, 110, 110)
    found = cell_fractions(np.array([half, far]), transform, (2, 2))
    values = np.array([[[1.0, 4.0], [1.0, 4.0]], [[np.nan, 4.0], [np.nan, 8.0]]])
    mean, seen = weighted_mean(found, values)
    assert mean[:, 0].tolist() == [3.0, 6.0] and seen[:, 0].tolist() == [1.0, pytest.approx(2 / 3)]
    assert np.isnan(mean[:, 1]).all() and np.isnan(seen[:, 1]).all()
    assert weighted_sum(found, values)[:, 0].tolist() == [9.0, 12.0]
    with pytest.raises(SchemaError, match="格网"):
        weighted_mean(found, np.ones((3, 2)))


def test_a_polygon_that_crosses_itself_is_refused_by_its_row():
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(TopologyError, match=r"\[1\]"):
        cell_fractions(np.array([shapely.box(0, 0, 1, 1), bow]), affine.Affine(1, 0, 0, 0, -1, 10), (10, 10))
