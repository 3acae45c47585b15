"""Shares a block at a time are those of the whole raster at once, and agree with exactextract."""

import affine
import numpy as np
import pytest
import shapely

from qianmo.geo.fraction_blocks import fraction_blocks
from qianmo.geo.fractions import cell_fractions, weighted_mean
from qianmo.schema.errors import SchemaError

TURNED = affine.Affine.translation(500_000, 3_360_000) * affine.Affine.rotation(17) * affine.Affine.scale(8, -11)
NORTH = affine.Affine(10, 0, 500_000, 0, -10, 3_360_000)


def _parcels(rng, transform, rows, columns, count):
    at = rng.uniform((-2, -2), (columns + 2, rows + 2), (count, 2))
    points = [shapely.Point(transform * tuple(p)) for p in at]
    return np.array([*shapely.buffer(points, rng.uniform(3, 60, count), quad_segs=3), None, shapely.Polygon()], dtype=object)


@pytest.mark.parametrize("transform", [NORTH, TURNED], ids=["north up", "turned"])
@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_blocks_give_the_shares_of_the_whole(rng, transform, at_once):
    shape = (31, 24)
    geoms = _parcels(rng, transform, *shape, 60)
    whole, values = cell_fractions(geoms, transform, shape), rng.normal(size=(3, *shape))
    values[rng.random(values.shape) < 0.2] = np.nan
    mean, seen, met = np.full((3, len(geoms)), np.nan), np.full((3, len(geoms)), np.nan), []
    for block in fraction_blocks(geoms, transform, shape, at_once=at_once):
        assert len(block.polygon) <= at_once
        mean[:, block.polygon], seen[:, block.polygon] = weighted_mean(block.fractions, values[:, block.rows])
        met += block.polygon.tolist()
    assert len(met) == len(set(met)) and set(np.flatnonzero(np.diff(whole.start))) <= set(met)
    expected = weighted_mean(whole, values)
    np.testing.assert_allclose(mean, expected[0], atol=1e-9)
    np.testing.assert_allclose(seen, expected[1], atol=1e-9)


def test_single_and_double_precision_are_read_alike(rng):
    shape = (20, 20)
    shares = cell_fractions(_parcels(rng, NORTH, *shape, 30), NORTH, shape)
    single = rng.normal(size=(2, *shape)).astype(np.float32)
    np.testing.assert_array_equal(weighted_mean(shares, single)[0], weighted_mean(shares, single.astype(float))[0])


def test_a_block_of_none_is_refused():
    with pytest.raises(SchemaError, match="至少 1"):
        next(fraction_blocks(np.array([shapely.box(0, 0, 1, 1)]), NORTH, (2, 2), at_once=0))


def test_shares_and_means_are_those_of_exactextract_to_a_millionth(rng):
    peer = pytest.importorskip("exactextract", reason="exactextract is not installed: the extra `test` brings it")
    from exactextract.raster import NumPyRasterSource

    rows, columns = 60, 50
    geoms = _parcels(rng, NORTH, rows, columns, 150)[:-2]
    box = shapely.box(500_000, 3_360_000 - 10 * rows, 500_000 + 10 * columns, 3_360_000)
    geoms = geoms[shapely.intersects(geoms, box)]
    values = rng.uniform(size=(rows, columns))
    source = NumPyRasterSource(values, 500_000, 3_360_000 - 10 * rows, 500_000 + 10 * columns, 3_360_000)
    features = [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(g)} for g in geoms]
    found = peer.exact_extract(source, features, ["cell_id", "coverage", "mean"])
    ours = cell_fractions(geoms, NORTH, (rows, columns))
    mean = weighted_mean(ours, values)[0]
    worst = 0.0
    for k, feature in enumerate(found):
        told = np.zeros(rows * columns)
        told[feature["properties"]["cell_id"]] = feature["properties"]["coverage"]
        mine = np.zeros(rows * columns)
        part = slice(ours.start[k], ours.start[k + 1])
        mine[ours.cell[part]] = ours.share[part]
        worst = max(worst, float(np.abs(told - mine).max()))
        assert mean[k] == pytest.approx(feature["properties"]["mean"], abs=1e-6)
    assert len(geoms) > 100 and worst < 1e-6
