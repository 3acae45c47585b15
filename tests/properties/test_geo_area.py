"""True for any plot: where the ring starts, which way it turns and how it is cut do not change its area."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.geo.area import ellipsoid_area

PLOT = st.tuples(st.floats(74, 135), st.floats(4, 53), st.floats(1e-4, 0.05), st.floats(1e-4, 0.05))


@settings(max_examples=25, deadline=None)
@given(PLOT, st.integers(0, 3), st.booleans())
def test_start_and_sense_of_the_ring_do_not_matter(plot, start, reverse):
    lon, lat, width, height = plot
    ring = np.array([[lon, lat], [lon + width, lat + height / 3], [lon + width / 2, lat + height], [lon - width / 3, lat + height / 2]])
    turned = np.roll(ring[::-1] if reverse else ring, start, axis=0)
    one, other = ellipsoid_area(np.array([shapely.Polygon(ring), shapely.Polygon(turned)]))
    assert one == pytest.approx(other, rel=1e-9) and one > 0


@settings(max_examples=25, deadline=None)
@given(PLOT, st.floats(0.05, 0.95))
def test_the_parts_of_a_plot_cut_along_a_straight_line_add_up(plot, cut):
    # a cut along a meridian or parallel, or any line straight in longitude and latitude
    lon, lat, width, height = plot
    a, b, c, d = (lon, lat), (lon + width, lat), (lon + width, lat + height), (lon, lat + height)
    e, f = (lon + cut * width, lat), (lon + (1 - cut) * width, lat + height)
    whole, left, right = ellipsoid_area(np.array([shapely.Polygon([a, b, c, d]), shapely.Polygon([a, e, f, d]), shapely.Polygon([e, b, c, f])]))
    # parallels are straight, meridians are straight; the slanting cut is the same edge for both
    assert left + right == pytest.approx(whole, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(PLOT, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(plots, random):
    geoms = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in plots], dtype=object)
    order = list(range(len(geoms)))
    random.shuffle(order)
    assert np.array_equal(ellipsoid_area(geoms)[order], ellipsoid_area(geoms[order]))
