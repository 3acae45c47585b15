"""A line of before and after never has a blank side."""

from __future__ import annotations

import math

import pytest

from qianmo.reports.before_after import change_text


@pytest.mark.parametrize(
    ("before", "after", "options", "said"),
    [
        (2.0, 3.0, {}, "2.00 → 3.00 等"),
        (math.nan, 3.0, {"absent": "无"}, "无 → 3.00 等"),
        (math.nan, 3.0, {}, "缺数据 → 3.00 等"),
        (2.0, math.nan, {}, "2.00 等"),
        (2.0, math.nan, {"both_sides": True}, "2.00 → 缺数据 等"),
        (math.nan, math.nan, {}, "缺数据"),
        (math.nan, math.nan, {"neither": "无"}, "无"),
    ],
)
def test_a_missing_side_says_so_and_an_arrow_never_stands_beside_a_blank(before, after, options, said):
    assert change_text(before, after, "{:.2f}".format, unit="等", **options) == said
