"""The printed form closes (审查表平差)."""

from __future__ import annotations

import pandas as pd
import pytest

from qianmo.evaluation.basic_farmland_form import basic_farmland_form
from qianmo.evaluation.form_levelling import levelled_form, levelled_parts


def side(areas: list[float], codes: list[str], slopes: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"patch_id": [f"P{k}" for k in range(len(areas))], "area_m2": areas, "class_code": codes, "slope_deg": slopes, "quality_grade": [7] * len(areas)}
    )


def test_parts_take_the_square_metres_that_rounding_leaves_over():
    assert levelled_parts([133, 133, 134], 4) == [1, 1, 2]
    assert levelled_parts([50, 50], 1) == [1, 0]
    assert levelled_parts([], 0) == []


def test_printed_parts_add_up_where_plain_rounding_would_not():
    moved = side([1000.5, 1000.5, 1000.5], ["0101", "0102", "0103"], [3.0, 20.0, 26.0])
    form = levelled_form(moved, moved.assign(area_m2=moved["area_m2"] * 2), base_m2=1e6, scheme="SD3").set_index("field")["value"]
    assert form["dcZmj"] == 0.3002
    parts = [form[f] for f in ("dcXzStmj", "dcXzSjdmj", "dcXzHdmj")]
    assert round(sum(parts), 4) == form["dcXzGdmj"] == 0.3002 and sorted(parts) == [0.1, 0.1001, 0.1001]
    assert round(sum(form[f] for f in ("dcPdLe15Mj", "dcPdGe15Le25", "dcPdGe25")), 4) == 0.3002


def test_levelling_moves_no_figure_by_more_than_a_square_metre():
    moved = side([1234.56, 3333.33, 6666.67, 12_000.01], ["0101", "0103", "0201", "0702"], [1.0, 16.0, 15.0, 40.0])
    entered = side([20_000.55, 9_999.99], ["0101", "0103"], [5.0, 5.0])
    plain = basic_farmland_form(moved, entered, base_m2=5e6, scheme="SD3").set_index("field")["value"]
    shown = levelled_form(moved, entered, base_m2=5e6, scheme="SD3").set_index("field")["value"]
    for name, value in plain.items():
        if isinstance(value, float) and value == value and name.startswith(("dc", "dr")):
            assert shown[name] == pytest.approx(value, abs=1.01e-4), name
    assert shown["scjg1"] == plain["scjg1"] and shown["scjg2"] == plain["scjg2"]


def test_what_is_not_known_stays_open():
    moved = side([1000.0], ["0101"], [3.0]).drop(columns=["quality_grade", "slope_deg"])
    form = levelled_form(moved, moved, base_m2=1e6, scheme="SD3").set_index("field")["value"]
    assert form["dcPjzldb"] is None and form["dcPdGe25"] is None and form["dcZmj"] == 0.1
