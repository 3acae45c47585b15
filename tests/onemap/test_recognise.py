"""Layer recognition by fields, names, values, geometry and profiles."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyogrio
import pytest

from qianmo.onemap.profiles import Profile
from qianmo.onemap.recognise import KINDS, OTHER, recognise
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec

HOME = {
    "DLTB": "landuse_patch",
    "YJJBNTTB": "basic_farmland",
    "YJJBNTBHTB": "basic_farmland",
    "STBHHX": "eco_redline",
    "STBHHX_DELIVERY": "eco_redline",
    "XZQ": "village",
    "CJDCQ": "village",
    "GHYDYH": "planning_zone",
    "XS_XMKJFW": "approved_use",
    "PDT": OTHER,
    "CZCDYD": OTHER,
    "WFDK": OTHER,
}


def fields(layer: str, column: str = "field") -> list[str]:
    return [r[column] for r in shipped_rows("codes", "standard_fields") if r["layer"] == layer]


def kind_of(columns: list[str], *, name: str = "layer1", sample: pd.DataFrame | None = None, geometry: str = "Polygon") -> str:
    return recognise(columns, sample, geometry, name).chosen


@pytest.mark.parametrize(("layer", "kind"), HOME.items())
def test_standard_fields_alone_tell_the_layer(layer: str, kind: str) -> None:
    assert kind_of(fields(layer)) == kind


@pytest.mark.parametrize(("layer", "kind"), HOME.items())
def test_field_names_count_in_any_case(layer: str, kind: str) -> None:
    assert kind_of([f.lower() for f in fields(layer)]) == kind


@pytest.mark.parametrize("codec", ["gbk", "utf-8"])
@pytest.mark.parametrize("layer", ["DLTB", "YJJBNTTB", "STBHHX", "XZQ", "CJDCQ", "GHYDYH", "XS_XMKJFW"])
def test_chinese_names_cut_to_ten_bytes_tell_the_layer(layer: str, codec: str) -> None:
    cut = [z.encode(codec)[:10].decode(codec, "ignore") for z in fields(layer, "name_zh")]
    assert kind_of(cut) == HOME[layer]


def test_basic_farmland_is_not_taken_for_survey_patches() -> None:
    decision = recognise(fields("YJJBNTBHTB"), None, "MultiPolygon", "x")
    scores = {c.value: c.score for c in decision.candidates}
    assert decision.chosen == "basic_farmland"
    assert scores["landuse_patch"] < 0.1
    assert any("against" in r for c in decision.candidates if c.value == "landuse_patch" for r in c.reasons)


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_tables_are_recognised_whole_and_cut_to_ten_characters(kind: str) -> None:
    own = list(table_spec(kind).column_names)
    assert kind_of(own) == kind
    assert kind_of([c[:10] for c in own]) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("DLTB_350821_2023", "landuse_patch"),
        ("三调地类图斑", "landuse_patch"),
        ("STBHHX", "eco_redline"),
        ("生态保护红线2022", "eco_redline"),
        ("CZKFBJ", "urban_boundary"),
        ("CSKFBJ", "urban_boundary"),
        ("永久基本农田储备区", OTHER),
        ("YJJBNTCBQ", OTHER),
        ("DLTBGXGC", OTHER),
        ("XMFW", "project_area"),
        ("LSYD_XMZDFW", "approved_use"),
        ("LSYD", OTHER),
        ("untitled", OTHER),
    ],
)
def test_layer_names_count(name: str, kind: str) -> None:
    assert kind_of(["OBJECTID"], name=name) == kind


def test_protection_targets_with_survey_fields_are_kept_as_another_layer_by_their_name() -> None:
    assert kind_of(fields("GDBHMB"), name="GDBHMB") == OTHER


def test_zone_fields_without_a_name_tie_between_plan_and_boundary() -> None:
    decision = recognise(fields("CZKFBJ"), None, "Polygon", "layer1")
    assert decision.chosen == ""
    assert {c.value for c in decision.candidates[:2]} == {"planning_zone", "urban_boundary"}


def test_zone_values_break_that_tie() -> None:
    sample = pd.DataFrame({"GHFQDM": ["410", "420", "430", "410"]})
    assert kind_of(fields("CZKFBJ"), sample=sample) == "urban_boundary"


def test_a_column_of_land_class_codes_alone_is_too_little() -> None:
    sample = pd.DataFrame({"code": ["0101", "0103", "0301", "1006"]})
    decision = recognise(["code"], sample, "Polygon", "layer1")
    assert decision.chosen == ""
    assert decision.candidates[0].value == "landuse_patch"


def test_points_and_lines_are_never_a_table_of_areas() -> None:
    assert kind_of(fields("DLTB"), geometry="Point") == OTHER
    assert kind_of(fields("XZQ"), geometry="LineString") == OTHER


def test_nothing_known_is_another_layer() -> None:
    decision = recognise(["a", "b"], None, "Polygon", "x")
    assert decision.chosen == OTHER
    assert all(c.score == 0.0 for c in decision.candidates)


def test_a_saved_profile_recognises_a_foreign_layer() -> None:
    profile = Profile("nl_brk", "parcel", fields={"parcel_id": ("perceel",)}, required=("perceel", "kadgrootte"))
    assert recognise(["PERCEEL", "KadGrootte"], None, "Polygon", "x", profiles=(profile,)).chosen == "parcel"
    assert recognise(["PERCEEL"], None, "Polygon", "x", profiles=(profile,)).chosen == OTHER


@pytest.mark.parametrize(
    ("path", "layer", "kind"),
    [
        ("/vsizip/{}/cadastre-fr-village/cadastre.gpkg.zip", "parcels", "parcel"),
        ("/vsizip/{}/cadastre-fr-village/cadastre.gpkg.zip", "buildings", "building"),
        ("/vsizip/{}/cadastre-fr-village/cadastre.gpkg.zip", "sections", OTHER),
        ("/vsizip/{}/cadastre-fr-village/cadastre.gpkg.zip", "boundary_marks", OTHER),
        ("{}/cadastre-cz-saladin/parcels.gpkg", "parcels", "parcel"),
        ("/vsizip/{}/zoning-tw/K0303.gpkg.zip", "zoning", "planning_zone"),
        ("/vsizip/{}/zoning-tw/M0106.gpkg.zip", "zoning", "planning_zone"),
        ("/vsizip/{}/admin-zhejiang-fujian/admin.gpkg.zip", "county", OTHER),
    ],
)
def test_real_layers_are_recognised_under_a_neutral_name(shared_data: Path, path: str, layer: str, kind: str) -> None:
    frame = pyogrio.read_dataframe(path.format(shared_data), layer=layer, max_features=100)
    geometry = str(frame.geometry.geom_type.iloc[0])
    assert recognise([c for c in frame.columns if c != "geometry"], frame, geometry, "layer1").chosen == kind
