"""What a sub-project frees and restores is summed from its parcels, to the square centimetre."""

from __future__ import annotations

import pandas as pd
import pytest

from qianmo.planning.subproject_gains import subproject_gains
from qianmo.schema.errors import CodeError

ROWS = [
    ("A", "0702", "0103", "reclaim_homestead", 1200.03), ("A", "0702", "0103", "reclaim_homestead", 0.01), ("A", "0201", "0103", "restore_farmland", 500.0),
    ("B", "1104", "1108", "pond_to_wetland", 300.5), ("C", "0601", "0602", "redevelop_industry", 900.0), ("", "0702", "0702", "keep", 7000.0), (None, "0702", "0702", "keep", 1.0),
]  # fmt: skip
COLUMNS = ["subproject_id", "class_code", "target_class", "measure", "class_area_m2"]


def test_building_land_that_ends_is_freed_and_ecological_measures_restore():
    found = subproject_gains(pd.DataFrame(ROWS, columns=COLUMNS), scheme="SD3")
    assert found["parcels"].to_dict() == {"A": 3, "B": 1, "C": 1}
    assert found["freed_construction_m2"].to_dict() == {"A": 1200.04, "B": 0.0, "C": 0.0}
    assert found["ecological_m2"].to_dict() == {"A": 0.0, "B": 300.5, "C": 0.0}


def test_the_order_of_the_parcels_does_not_matter_and_none_gives_none():
    frame = pd.DataFrame(ROWS, columns=COLUMNS)
    pd.testing.assert_frame_equal(subproject_gains(frame, scheme="SD3"), subproject_gains(frame[::-1], scheme="SD3"))
    assert subproject_gains(frame.iloc[:0], scheme="SD3").empty


def test_an_unknown_class_is_refused():
    with pytest.raises(CodeError):
        subproject_gains(pd.DataFrame([("A", "XXXX", "0103", "restore_farmland", 1.0)], columns=COLUMNS), scheme="SD3")
