"""The national form, side by side and row by row."""

import pytest

from qianmo.evaluation.basic_farmland_form import basic_farmland_form, conclusions, moved_areas, side, slope_bins
from qianmo.schema.errors import MissingDataError
from qianmo.schema.shipped import shipped_rows


def test_the_slope_bins_come_from_rule_z06():
    assert slope_bins() == (15.0, 25.0)


def test_bins_are_closed_above(patchwork):
    p = patchwork(("0101", 5), ("0102", 5.1), ("0103", 20.1), slope_deg=[15.0, 25.0, 25.1], quality_grade=[5, 5, 8])
    fields = side(p, prefix="dc", scheme="SD3")
    ha = [round(a / 10_000, 6) for a in p["area_m2"]]
    assert [fields[k] for k in ("dcPdLe15Mj", "dcPdGe15Le25", "dcPdGe25")] == pytest.approx(ha)
    blocks = [fields[k] for k in ("dcLpLe5", "dcLpGe5Le10", "dcLpGe10Le20", "dcLpGe20")]
    assert blocks == pytest.approx([ha[0], ha[1], 0.0, ha[2]])
    assert [fields[k] for k in ("dcXzStmj", "dcXzSjdmj", "dcXzHdmj")] == pytest.approx(ha)


def test_what_is_not_known_is_none_and_not_zero(patchwork):
    fields = side(patchwork(("0101", 5)), prefix="dr", scheme="SD3")
    assert fields["drPdGe25"] is None
    assert fields["drPjzldb"] is None
    assert fields["drHyGbntMj"] is None


def test_every_row_of_the_form_is_there_in_its_order(patchwork):
    p = patchwork(("0101", 15), ("0301", 15), ("0101", 45), quality_grade=[8, 8, 6])
    form = basic_farmland_form(p.iloc[:2], p.iloc[2:], base_m2=1e6, scheme="SD3", texts={"xmmc": "某镇整治"})
    assert len(form) == len(shipped_rows("codes", "basic_farmland_form"))
    values = dict(zip(form["field"], form["value"]))
    assert values["xmmc"] == "某镇整治"
    assert values["scjg1"] == "增加15.00亩,增加比例50.0000%"
    assert values["scjg2"] == 2.0
    assert values["dcXzFgnyd"] == pytest.approx(1.0)
    assert values["dcMjbl"] == pytest.approx(2.0)


def test_nothing_moved_gives_no_ratio():
    with pytest.raises(MissingDataError, match="above zero"):
        conclusions(out_ha=0, in_ha=5, out_patches=0, in_patches=3, base_ha=100)


def test_a_missing_register_area_is_computed_on_the_ellipsoid_and_without_a_drawing_refused(patchwork):
    p = patchwork(("0101", 15), ("0101", 15))
    area = moved_areas(p.drop(columns="area_m2"))
    assert area == pytest.approx([10_000.0] * 2, rel=1e-3)
    assert area[0] != 10_000.0
    with pytest.raises(MissingDataError, match="2 个图斑"):
        moved_areas(p.drop(columns=["area_m2", "geometry"]))
