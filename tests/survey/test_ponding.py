"""Standing water: a hollow holds what its lowest outlet keeps back; motion adds what it deepens; slopes stay dry."""

import numpy as np
import pytest

from qianmo.schema.errors import SchemaError
from qianmo.survey.insar.ponding import depression_depth_m, ponding_gain_m


def test_a_hollow_holds_water_up_to_its_lowest_outlet():
    height = np.full((9, 9), 10.0)
    height[3:6, 3:6] = 8.0
    height[4, 0:3] = 9.2
    depth = depression_depth_m(height)
    assert np.allclose(depth[3:6, 3:6], 1.2, atol=1e-5) and depth[:3].max() == 0.0


def test_a_bowl_sinking_in_a_plain_ponds_and_on_a_slope_it_does_not():
    y, x = np.mgrid[0:41, 0:41]
    sunk = 0.8 * np.exp(-((x - 20) ** 2 + (y - 20) ** 2) / 30)
    plain = ponding_gain_m(np.zeros((41, 41)), sunk)
    assert plain.max() == pytest.approx(0.8, abs=0.01) and plain[0, 0] < 1e-4
    assert ponding_gain_m(0.5 * y.astype(float), sunk).max() == 0.0
    kept = sunk.copy()
    kept[18:22, 18:22] = np.nan
    assert np.isfinite(ponding_gain_m(np.zeros((41, 41)), kept)).all()


def test_grids_that_differ_and_no_height_at_all_are_refused():
    with pytest.raises(SchemaError, match="同一格网"):
        ponding_gain_m(np.zeros((3, 3)), np.zeros((3, 4)))
    with pytest.raises(SchemaError, match="高程"):
        depression_depth_m(np.full((3, 3), np.nan))
