"""Quality: grades where given, a proxy that is never called a grade elsewhere."""

import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.contiguity import farmland_blocks
from qianmo.evaluation.quality import mean_grade, quality, quality_points


def test_grades_are_used_where_any_is_given_and_the_rest_is_named(patchwork):
    p = patchwork(("0101", 3), ("0101", 6), ("0103", 6), quality_grade=[5, 7, None])
    table = quality(p, farmland_blocks(p, scheme="SD3")).set_index("label")
    assert table["area_m2"].to_dict() == {"5等": 2000.0, "7等": 4000.0, "无等别": 4000.0}
    assert set(table["basis"]) == {"GDDB"}


def test_the_proxy_gives_a_point_each_for_slope_size_and_block_and_says_proxy(patchwork):
    p = patchwork(("0101", 25), ("0101", 4), slope_deg=[3.0, 20.0])
    table = farmland_blocks(p, scheme="SD3")
    assert quality_points(p, table).tolist() == [3.0, 1.0]
    labels = quality(p, table)
    assert labels["basis"].str.startswith("proxy").all()
    assert not labels["label"].str.contains("等").any()


def test_the_proxy_does_not_guess_a_slope(patchwork):
    p = patchwork(("0101", 25))
    table = quality(p, farmland_blocks(p, scheme="SD3")).set_index("label")
    assert table.loc["无坡度数据", "share"] == pytest.approx(1.0)


def test_the_mean_grade_is_weighted_by_area_and_unknown_when_one_is_missing():
    assert mean_grade(pd.DataFrame({"quality_grade": [4, 8]}), np.array([3.0, 1.0])) == 5.0
    assert np.isnan(mean_grade(pd.DataFrame({"quality_grade": [4, None]}), np.array([3.0, 1.0])))
