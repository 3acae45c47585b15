"""Indicators before and after."""

import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.facts import Facts
from qianmo.evaluation.indicators import INDICATOR_COLUMNS, change, indicators


def test_the_five_of_jingshan_are_marked_and_measured(patchwork):
    p = patchwork(("0101", 2), ("0101", 9), ("0702", 3), ("0601", 6), ("0201", 15))
    after = p.copy()
    after.loc[[2, 4], "class_code"] = "0103"
    works = pd.DataFrame({
        "patch_id": ["P0", "P2", "P3", "P4", "P1"],
        "measure": ["merge_fields", "reclaim_homestead", "redevelop_industry", "restore_farmland", "keep"],
    })  # fmt: skip
    table = indicators(Facts(p, {"basic_farmland": p.iloc[:2]}, "SD3", after=after, works=works))
    assert tuple(table.columns) == INDICATOR_COLUMNS
    five = table[table["group"] == "jingshan"].set_index("key")
    assert len(five) == 5
    mu = {k: v * 15 for k, v in five["after"].items()}
    assert mu["farmland_area"] == pytest.approx(29.0, abs=1e-3)
    assert five.loc["small_patches", ["before", "after"]].tolist() == [1.0, 0.0]
    assert mu["basic_farmland_area"] == pytest.approx(11.0, abs=1e-3)
    assert mu["inefficient_land_revitalised"] == pytest.approx(6.0, abs=1e-3)
    assert mu["stock_construction_revitalised"] == pytest.approx(9.0, abs=1e-3)


def test_without_a_plan_the_second_column_is_empty_and_without_the_layer_basic_farmland_is_unknown(patchwork):
    table = indicators(Facts(patchwork(("0101", 3)), {}, "SD3")).set_index("key")
    assert table["after"].isna().all()
    assert np.isnan(table.loc["basic_farmland_area", "before"])


def test_the_rate_of_change_from_zero_does_not_exist():
    gain, rate = change(0.0, 5.0)
    assert gain == 5.0
    assert np.isnan(rate)


def test_adjusted_basic_farmland_counts_in_and_out(patchwork):
    p = patchwork(("0101", 150), ("0101", 15), ("0103", 30))
    layers = {"basic_farmland": p.iloc[:2], "basic_farmland_out": p.iloc[1:2], "basic_farmland_in": p.iloc[2:]}
    table = indicators(Facts(p, layers, "SD3", after=p)).set_index("key")
    assert table.loc["basic_farmland_area", ["before", "after"]].tolist() == pytest.approx([11.0, 12.0])
