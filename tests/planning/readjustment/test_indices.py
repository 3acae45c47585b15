"""Fragmentation indices on holdings that can be worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.planning.readjustment.indices import holding_indices, igozurike, januszewski, schmook, simpson, total_indices


def test_one_plot_is_not_fragmented():
    assert simpson(np.array([7.0])) == 0.0 and januszewski(np.array([7.0])) == 1.0


def test_four_equal_plots():
    area = np.full(4, 100.0)
    assert simpson(area) == pytest.approx(0.75)
    assert januszewski(area) == pytest.approx(0.5)


def test_unequal_plots_by_hand():
    """Plots of 1, 4 and 4: 1 - 33/81 and 3/(1+2+2)."""
    area = np.array([1.0, 4.0, 4.0])
    assert simpson(area) == pytest.approx(48 / 81)
    assert januszewski(area) == pytest.approx(3 / 5)


def test_igozurike_by_hand():
    """Two plots of 2 ha, 1 and 3 km away: round trips 8 km over 0.02."""
    assert igozurike(np.array([20_000.0, 20_000.0]), np.array([1000.0, 3000.0])) == pytest.approx(400.0)


def test_schmook_by_hand():
    """Two unit squares with one between them: hull 3 over 2."""
    assert schmook(np.array([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])) == pytest.approx(1.5)


def test_holdings_are_measured_over_blocks():
    land = np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(50, 0, 60, 10)])
    found = holding_indices(land, np.array([0, 0, 0]), np.array([4, 4, 9]), np.array([[10.0, 5.0]]), np.array(["A"], object)).iloc[0]
    assert (found["plots"], found["blocks"]) == (3, 2)
    assert found["simpson"] == pytest.approx(1 - (200**2 + 100**2) / 300**2)
    assert found["mean_distance_m"] == pytest.approx((0 * 200 + 45 * 100) / 300)
    assert found["shape"] == pytest.approx(40 / (2 * np.sqrt(np.pi * 100)))


def test_totals_weigh_distance_by_area():
    land = np.array([shapely.box(0, 0, 10, 10), shapely.box(0, 0, 20, 20)])
    anchor = np.array([[5.0, 5.0], [10.0, 20.0]])
    found = holding_indices(land, np.array([0, 1]), np.array([0, 1]), anchor, np.array(["A", "B"], object))
    total = total_indices(found, found).set_index("index")
    assert total.loc["mean_distance_m", "before"] == pytest.approx(8.0)
    assert (total["change"] == 0).all()
