"""Depths of picks against the vectors of the notes; units that cannot be are refused."""

import pytest

from qianmo.schema.errors import SchemaError
from qianmo.survey.sounding import radar_depth_m, transient_depth_m


def test_depths_are_those_of_the_vectors():
    assert radar_depth_m(80, 0.1) == pytest.approx(4.0) and transient_depth_m(100, 10) == pytest.approx(885.438, abs=1e-3)


@pytest.mark.parametrize("pick", [(0, 0.1), (80, 100.0), (float("nan"), 0.1)])
def test_a_radar_pick_out_of_range_is_refused(pick):
    with pytest.raises(SchemaError, match="走时"):
        radar_depth_m(*pick)


def test_resistivity_and_time_must_be_above_zero():
    with pytest.raises(SchemaError, match="电阻率"):
        transient_depth_m(-1, 10)
