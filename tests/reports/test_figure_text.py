"""Figures in sentences are plain digits: no powers of ten, thousands set off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianmo.reports.figure_text import figure_text


@pytest.mark.parametrize(
    ("value", "said"),
    [(12345.6, "12,346"), (1e7, "10,000,000"), (9999.6, "10,000"), (1234.56, "1,235"), (0.5, "0.5"), (3.12e-5, "0.0000312"), (0.0, "0"), (-0.0, "0"), (-4321.0, "-4,321"),
     (float("inf"), "无穷大"), (float("nan"), "未知")],
)
def test_a_figure_is_written_as_a_person_would(value, said):
    assert figure_text(value) == said


@given(st.floats(-1e12, 1e12, allow_nan=False).filter(lambda v: v == 0 or abs(v) > 1e-12))
def test_the_text_is_the_number_to_four_digits(value):
    said = figure_text(value)
    assert "e" not in said and float(said.replace(",", "")) == pytest.approx(value, rel=5.01e-4)
    assert figure_text(np.float32(0.25)) == "0.25"
