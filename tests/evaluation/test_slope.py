"""Slope classes: limits from the code list, unknown slopes kept apart."""

import numpy as np
import pytest

from qianmo.evaluation.slope import slope_bounds, slope_class, slope_classes, slope_limits


def test_limits_come_from_the_code_list():
    assert slope_limits() == (2.0, 6.0, 15.0, 25.0)


@pytest.mark.parametrize(("degrees", "expected"), [(0, "1"), (2, "1"), (2.1, "2"), (15, "3"), (25, "4"), (25.01, "5")])
def test_a_slope_on_a_limit_belongs_to_the_lower_class(patchwork, degrees, expected):
    assert slope_class(patchwork(("0101", 1), slope_deg=[degrees])).tolist() == [expected]


def test_the_register_class_wins_over_the_mean_slope_in_tables_but_not_in_bounds(patchwork):
    p = patchwork(("0101", 1), slope_deg=[3.0], slope_class=["4"])
    assert slope_class(p).tolist() == ["4"]
    assert [b.tolist() for b in slope_bounds(p)] == [[3.0], [3.0]]


def test_a_class_alone_gives_its_limits_and_nothing_gives_nan(patchwork):
    low, high = slope_bounds(patchwork(("0101", 1), ("0101", 1), slope_class=["3", None]))
    assert [low[0], high[0]] == [6.0, 15.0]
    assert np.isnan([low[1], high[1]]).all()


def test_unknown_slopes_stand_in_a_row_of_their_own_so_that_sums_close(patchwork):
    p = patchwork(("0101", 3), ("0101", 3), ("0301", 3), slope_deg=[1.0, np.nan, 30.0])
    table = slope_classes(p, scheme="SD3")
    assert table["label"].iloc[-1] == "无坡度数据"
    assert table["farmland_m2"].sum() == 4000.0
    assert table["total_m2"].sum() == 6000.0
    assert len(slope_classes(p.iloc[[0, 2]], scheme="SD3")) == 5
