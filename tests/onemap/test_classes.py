"""Land-class schemes: told apart, never mixed."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely.geometry import box

from qianmo.onemap.classes import class_key, crosswalk, detect_class_scheme, map_classes
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import CodeError


@pytest.mark.parametrize("scheme", ["SD3", "GBT21010_2017", "GBT21010_2007", "LANDSEA_2023"])
def test_a_complete_scheme_with_its_names_is_told_from_the_others(scheme: str) -> None:
    classes = land_classes(scheme)
    assert detect_class_scheme(list(classes), [c.zh for c in classes.values()]).chosen == scheme


@pytest.mark.parametrize("code", ["05H1", "08H2A", "0201K", "1104A", "0508"])
def test_codes_of_the_third_survey_alone_decide(code: str) -> None:
    assert detect_class_scheme(["0101", "0301", code]).chosen == "SD3"


def test_shared_codes_with_shared_names_are_unclear_and_list_the_schemes() -> None:
    decision = detect_class_scheme(["0101", "0103", "1006"], ["水田", "旱地", "农村道路"])
    assert decision.chosen == ""
    assert {c.value for c in decision.candidates if c.score > 0.5} == {"SD3", "GBT21010_2017"}


def test_fields_of_the_third_survey_settle_shared_codes() -> None:
    decision = detect_class_scheme(["0101", "0103"], ["水田", "旱地"], columns=["dlbm", "zzsxdm", "TBXHDM"])
    assert decision.chosen == "SD3"


def test_the_same_number_with_another_name_is_another_scheme() -> None:
    assert detect_class_scheme(["0303", "0101"], ["灌木林地", "水田"]).chosen == "LANDSEA_2023"
    assert detect_class_scheme(["0303", "0101", "0506"], ["红树林地", "水田", "娱乐用地"]).chosen == "GBT21010_2017"


def test_a_mixture_of_schemes_is_refused_with_codes_and_rows() -> None:
    with pytest.raises(CodeError, match=r"05H1 \(1 rows\) belong to SD3"):
        detect_class_scheme(["0101", "0502", "0502", "05H1"])


def test_lost_zeros_do_not_make_paddy_a_railway() -> None:
    assert detect_class_scheme([101, 103, 1006], ["水田", "旱地", "农村道路"], columns=["ZZSXDM"]).chosen == "SD3"
    assert detect_class_scheme(["101", "104"], ["铁路用地", "农村道路"]).chosen == "GBT21010_2007"
    assert detect_class_scheme([101, 103]).chosen == ""


def test_stray_codes_are_left_to_the_check_but_many_of_them_are_unclear() -> None:
    assert detect_class_scheme(["05H1"] * 20 + ["9999"]).chosen == "SD3"
    assert detect_class_scheme(["05H1"] * 4 + ["9999"]).chosen == ""


def test_an_empty_column_has_no_scheme() -> None:
    assert detect_class_scheme([None, "", float("nan")]).chosen == ""


def test_codes_are_folded() -> None:
    assert [class_key(c) for c in ("０１０１", " 0201k ", 101.0, None)] == ["0101", "0201K", "101", ""]


def test_crosswalk_gives_single_counterparts() -> None:
    assert crosswalk(["0101", "0305", "1006", "1203"], "SD3", "LANDSEA_2023") == {
        "0101": "0101",
        "0305": "0303",
        "1006": "0601",
        "1203": "2303",
    }
    assert crosswalk(["0501", "0801", "0604"], "GBT21010_2017", "SD3") == {"0501": "05H1", "0801": "08H1", "0604": "0508"}


def test_crosswalk_refuses_one_to_many_and_lists_the_choices() -> None:
    with pytest.raises(CodeError, match="05H1 -> 0901 or 0902 or 0903 or 0904"):
        crosswalk(["0101", "05H1"], "SD3", "LANDSEA_2023")
    with pytest.raises(CodeError, match="0809 -> 1301 or"):
        crosswalk(["0809"], "SD3", "LANDSEA_2023")
    with pytest.raises(CodeError, match="nothing"):
        crosswalk(["011"], "GBT21010_2007", "SD3")


def test_every_single_counterpart_is_a_class_of_the_target() -> None:
    for target in ("LANDSEA_2023", "GBT21010_2017"):
        for code in land_classes("SD3"):
            try:
                found = crosswalk([code], "SD3", target)[code]
            except CodeError:
                continue
            assert found in land_classes(target)


def test_map_classes_replaces_codes_and_names_and_refuses_gaps() -> None:
    frame = gpd.GeoDataFrame({"class_code": ["0305", "0101"], "class_name": ["灌木林地", "水田"]}, geometry=[box(0, 0, 1, 1)] * 2)
    out = map_classes(frame, {"0305": "0303", "0101": "0101"}, scheme="LANDSEA_2023")
    assert list(out["class_code"]) == ["0303", "0101"]
    assert list(out["class_name"]) == ["灌木林地", "水田"]
    assert list(frame["class_code"]) == ["0305", "0101"]
    with pytest.raises(CodeError, match=r"0101 \(1 rows\)"):
        map_classes(frame, {"0305": "0303"}, scheme="LANDSEA_2023")
    with pytest.raises(CodeError, match="not in LANDSEA_2023"):
        map_classes(frame, {"0305": "0305K", "0101": "0101"}, scheme="LANDSEA_2023")
