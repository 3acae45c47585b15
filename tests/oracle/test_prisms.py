"""Cut and fill against closed forms: planes, a pyramid, a plane through zero, a bowl that converges."""

import affine
import numpy as np
import pyproj
import pytest
import shapely

from qianmo.geo.prisms import check_same_grid, cut_and_fill
from qianmo.geo.raster import Grid
from qianmo.schema.errors import CrsError, SchemaError, TopologyError

CRS = pyproj.CRS.from_epsg(4549)
X0, Y0 = 500_000.0, 3_400_000.0


def grid(depth, cell=1.0, size=60, *, nodata=None):
    """Heights −depth(x, y) at the cell centres of a square whose south-west corner is (X0, Y0)."""
    at = (np.arange(size) + 0.5) * cell
    x, y = np.meshgrid(at, at[::-1])
    return Grid(-depth(x, y), affine.Affine(cell, 0, X0, 0, -cell, Y0 + size * cell), CRS, nodata)


def moved(shape):
    return np.array([shapely.transform(shape, lambda c: c + [X0, Y0])], object)


FLAT = grid(lambda x, y: 0 * x)


def test_a_plane_under_any_outline_is_area_times_depth_at_the_centroid():
    shape = shapely.Polygon([(7.3, 9.1), (41.7, 12.2), (33.3, 50.4), (20.0, 31.0), (8.8, 44.1)])
    tilted = grid(lambda x, y: 2.0 + 0.013 * x - 0.021 * y)
    row = cut_and_fill(FLAT, tilted, moved(shape), largest_m=15).iloc[0]
    middle = shape.centroid
    assert row["cut_m3"] == pytest.approx(shape.area * (2.0 + 0.013 * middle.x - 0.021 * middle.y), rel=1e-9)
    assert row["fill_m3"] == 0 and row["covered_m2"] == pytest.approx(row["area_m2"], rel=1e-9)


def test_a_plane_through_zero_is_cut_on_one_side_and_filled_on_the_other():
    shape = shapely.box(10.25, 10.25, 50.25, 30.25)  # 40 wide, 20 high, zero on the skew line x + y/2 = 40
    tilted = grid(lambda x, y: 0.05 * (x + y / 2 - 40.0))
    row = cut_and_fill(FLAT, tilted, moved(shape), largest_m=15).iloc[0]
    # by hand: slices of constant y, the positive part of a line from x = 10.25 to 50.25
    y = np.polynomial.legendre.leggauss(8)
    at = 20.25 + 10 * y[0]
    cut = sum(10 * w * 0.05 * (50.25 + v / 2 - 40) ** 2 / 2 for v, w in zip(at, y[1]))
    fill = sum(10 * w * 0.05 * (10.25 + v / 2 - 40) ** 2 / 2 for v, w in zip(at, y[1]))
    assert row["cut_m3"] == pytest.approx(cut, rel=1e-9) and row["fill_m3"] == pytest.approx(fill, rel=1e-9)


def test_a_pyramid_on_the_lattice_is_a_third_of_base_times_height():
    # edges along axes and diagonals through cell centres: with the fixed diagonal two of the four ridges are exact, so the error is that of the other two
    pyramid = grid(lambda x, y: np.maximum(0.0, 10.0 - np.maximum(abs(x - 30.5), abs(y - 30.5))) * 0.3)
    row = cut_and_fill(FLAT, pyramid, moved(shapely.box(5, 5, 55, 55)), largest_m=15).iloc[0]
    exact = 20 * 20 * 3.0 / 3
    # along the two ridges across the diagonal each of the 10 squares a ridge loses d·a²/6 with the fold d = 0.3
    assert row["cut_m3"] == pytest.approx(exact - 2 * 10 * 0.3 / 6, rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.37])
def test_a_bowl_converges_to_half_of_the_cylinder_with_the_square_of_the_cell(shift):
    errors = []
    for cell in (2.0, 1.0, 0.5):
        size = int(60 / cell)
        bowl = grid(lambda x, y: 4.0 * (1 - ((x - 30 - shift) ** 2 + (y - 30) ** 2) / 400.0), cell, size)
        circle = shapely.Point(30 + shift, 30).buffer(20, quad_segs=512)
        row = cut_and_fill(grid(lambda x, y: 0 * x, cell, size), bowl, moved(circle), largest_m=20).iloc[0]
        errors.append(abs(row["cut_m3"] - np.pi * 400 * 4 / 2))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1) and errors[1] / errors[2] == pytest.approx(4, rel=0.1)
    assert errors[2] < 0.001 * np.pi * 800


def test_cut_less_fill_is_the_same_however_the_outline_is_divided(rng):
    rough = Grid(rng.normal(0, 0.5, (60, 60)), FLAT.transform, CRS, None)
    left, right = shapely.box(5, 5, 23.7, 55), shapely.box(23.7, 5, 55, 55)
    one = cut_and_fill(FLAT, rough, moved(shapely.box(5, 5, 55, 55)), largest_m=15)[["cut_m3", "fill_m3"]].sum()
    two = cut_and_fill(FLAT, rough, np.r_[moved(left), moved(right)], largest_m=15)[["cut_m3", "fill_m3"]].sum()
    assert np.allclose(one, two, rtol=1e-9) and one["cut_m3"] > 0 and one["fill_m3"] > 0


def test_what_has_no_height_is_not_covered_and_counts_nothing():
    holed = grid(lambda x, y: 1.0 + 0 * x, nodata=-1.0e5)
    holed.values[20:30, 20:30] = -1.0e5
    row = cut_and_fill(FLAT, holed, moved(shapely.box(5, 5, 55, 55)), largest_m=15).iloc[0]
    # 10 x 10 heights missing: 11 x 11 squares, of which two corner squares keep the triangle that does not touch them
    assert row["covered_m2"] == pytest.approx(2500 - 120) and row["cut_m3"] == pytest.approx(2500 - 120)
    assert cut_and_fill(FLAT, FLAT, moved(shapely.box(500, 500, 510, 510)), largest_m=15).iloc[0].tolist() == [0.0, 0.0, 100.0, 0.0]


def test_grids_that_do_not_fit_and_values_that_cannot_be_meant_are_refused():
    with pytest.raises(TopologyError, match="像元不一致"):
        check_same_grid(FLAT, grid(lambda x, y: 0 * x, size=50))
    with pytest.raises(TopologyError):
        check_same_grid(FLAT, Grid(FLAT.values, FLAT.transform * affine.Affine.translation(0.4, 0), CRS, None))
    with pytest.raises(CrsError):
        check_same_grid(FLAT, Grid(FLAT.values, FLAT.transform, pyproj.CRS.from_epsg(4490), None))
    with pytest.raises(SchemaError, match="nodata"):
        cut_and_fill(FLAT, grid(lambda x, y: 9999.0 + 0 * x), moved(shapely.box(5, 5, 9, 9)), largest_m=15)
    with pytest.raises(SchemaError, match="厘米"):
        cut_and_fill(FLAT, grid(lambda x, y: 150.0 + 0 * x), moved(shapely.box(5, 5, 9, 9)), largest_m=15)
