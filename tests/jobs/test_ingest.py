"""Ingest: the real catchment, GBK shapefiles, FileGDB, refusals that leave the project as it was."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from qianmo.jobs.ingest.base import ingest
from qianmo.jobs.recipe import recipe_from_options
from qianmo.schema.errors import ChoiceNeededError, CrsError, MissingDataError, NotAllowedError, QianmoError, SchemaError
from qianmo.store.geopackage import check_geopackage
from qianmo.store.parquet import read_frame
from qianmo.store.project import history, open_project, redo, undo
from qianmo.store.stage import read_catalog


def options(*sources: Path, **more: object) -> dict[str, object]:
    names = ("as_table", "crs", "datum", "helmert", "encoding", "class_scheme", "classes", "county", "vintage", "name", "project_crs", "synthetic")
    return {"sources": [str(s) for s in sources], **dict.fromkeys(names), **more}


def survey(n: int = 3, *, scheme_mark: bool = True) -> gpd.GeoDataFrame:
    """A small survey layer with standard fields and Chinese values in CGCS2000 zone 39."""
    cells = [shapely.box(39_444_000 + 100 * i, 2_840_000 + 100 * j, 39_444_100 + 100 * i, 2_840_100 + 100 * j) for i in range(n) for j in range(n)]
    k = len(cells)
    frame = gpd.GeoDataFrame(
        {
            "BSM": [f"350821{i:012d}" for i in range(k)], "DLBM": ["0101" if i % 2 else "0201" for i in range(k)],
            "DLMC": ["水田" if i % 2 else "果园" for i in range(k)], "ZLDWDM": ["3508211002000000000"] * k, "ZLDWMC": ["河田镇游坊村"] * k,
            "TBMJ": [10000.0] * k, "KCMJ": [0.0] * k, "TBDLMJ": [10000.0] * k, "SJNF": [2024] * k,
        },
        geometry=cells, crs=4527,
    )  # fmt: skip
    if scheme_mark:
        frame["ZZSXDM"] = ["LS" if i % 2 else None for i in range(k)]
        frame["CZCSXM"] = None
    return frame


def fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and p.name != ".lock"):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def test_the_real_catchment_has_the_areas_of_its_readme(youwuzhen):
    """Counted in the 30 m map [km2]: 4: 0.6876, 6 and 8: 4.2534, 18: 0.0567, 33: 1.1961, 104: 0.27, 106: 0.1152."""
    patches = read_frame(open_project(youwuzhen).state / "layers" / "landuse_patch.parquet")
    found = patches.groupby("class_code")["planar_area_m2"].sum() / 1e6
    want = {"0201": 0.6876, "0301": 1.4121 + 2.8413, "1104": 0.0567, "0101": 1.1961, "0702": 0.27, "0601": 0.1152}
    for code, area in want.items():
        assert found[code] == pytest.approx(area, rel=2e-4)
    assert shapely.coverage_is_valid(patches.geometry.to_numpy())
    assert patches["area_m2"].sum() == pytest.approx(patches["ellipsoid_area_m2"].sum(), abs=1e-6)


def test_every_dataset_tells_where_it_came_from(youwuzhen):
    catalog = read_catalog(open_project(youwuzhen).state)
    base = catalog["landuse_patch"]
    assert len(base.lineage.source_sha256) == 64 and base.class_scheme == "SD3" and base.lineage.user == "测试员"
    assert base.lineage.parameters["helmert"]["source"].startswith("EPSG:15918")
    assert {n for n, d in catalog.items() if d.synthetic} == {"village", "parcel", "basic_farmland", "eco_redline", "urban_boundary", "planning_zone"}
    assert not base.synthetic and "village_code" in base.lineage.parameters["synthetic_columns"]


def test_the_geopackage_is_sound_and_styled(youwuzhen):
    path = open_project(youwuzhen).geopackage
    assert check_geopackage(path) == []
    styles = pyogrio.read_dataframe(path, layer="layer_styles")
    assert {"landuse_patch", "basic_farmland"} <= set(styles["f_table_name"]) and styles["styleQML"].str.contains("renderer-v2").all()


@pytest.mark.parametrize("with_cpg", [True, False])
def test_a_gbk_shapefile_is_read_with_or_without_cpg(tmp_path, context, with_cpg):
    survey().to_file(tmp_path / "图斑.shp", encoding="GBK")
    if not with_cpg:
        (tmp_path / "图斑.cpg").unlink()
    ingest(context, recipe_from_options(options(tmp_path / "图斑.shp")), tmp_path / "p")
    patches = read_frame(open_project(tmp_path / "p").state / "layers" / "landuse_patch.parquet")
    assert set(patches["location_name"]) == {"河田镇游坊村"} and set(patches["class_name"]) == {"水田", "果园"}


@pytest.mark.parametrize("kind", ["gdb", "gpkg", "geojson", "zip"])
def test_the_same_layer_gives_the_same_numbers_from_every_format(tmp_path, context, kind):
    frame = survey()
    if kind == "gdb":
        path = tmp_path / "库.gdb"
        pyogrio.write_dataframe(frame, path, layer="DLTB", driver="OpenFileGDB")
    elif kind == "gpkg":
        path = tmp_path / "库.gpkg"
        frame.to_file(path, layer="DLTB")
    elif kind == "geojson":
        path = tmp_path / "DLTB.geojson"
        frame.to_crs(4490).to_file(path, driver="GeoJSON", RFC7946="NO")
    else:
        folder = tmp_path / "shp"
        folder.mkdir()
        frame.to_file(folder / "DLTB.shp", encoding="GBK")
        path = tmp_path / "资料.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part in folder.iterdir():
                archive.write(part, part.name)
    more = {"project_crs": 4527, "datum": "CGCS2000"} if kind == "geojson" else {}
    ingest(context, recipe_from_options(options(path, **more)), tmp_path / "p")
    patches = read_frame(open_project(tmp_path / "p").state / "layers" / "landuse_patch.parquet")
    assert len(patches) == 9 and patches["area_m2"].sum() == 90000.0
    scale = 1 + ((39_444_150 - 39_500_000) / 6_371_000) ** 2 / 2  # Gauss-Krüger point scale, closed form
    assert patches["ellipsoid_area_m2"].sum() == pytest.approx(90000 / scale**2, abs=0.2)
    assert patches["patch_id"].str.len().eq(18).all()


def test_old_coordinates_without_parameters_are_refused_and_nothing_is_left(tmp_path, context):
    survey().set_crs(2415, allow_override=True).to_file(tmp_path / "old.shp", encoding="UTF-8")
    with pytest.raises(CrsError, match="parameters"):
        ingest(context, recipe_from_options(options(tmp_path / "old.shp")), tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_coordinates_without_a_declared_system_stop_with_the_choices(tmp_path, context):
    frame = survey().drop(columns=["ZLDWDM"])
    frame.to_file(tmp_path / "a.shp", encoding="UTF-8")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(ChoiceNeededError) as error:
        ingest(context, recipe_from_options(options(tmp_path / "a.shp")), tmp_path / "p")
    assert any("4527" in c for c in error.value.choices) and any("2363" in c or "2415" in c for c in error.value.choices)
    ingest(context, recipe_from_options(options(tmp_path / "a.shp", crs="EPSG:4527")), tmp_path / "p")
    decisions = read_catalog(open_project(tmp_path / "p").state)["landuse_patch"].lineage.decisions
    assert any(d.chosen == "EPSG:4527" and len(d.candidates) > 1 for d in decisions)


def test_a_refused_source_leaves_the_project_as_it_was(tmp_path, context):
    survey().to_file(tmp_path / "good.gpkg", layer="DLTB")
    ingest(context, recipe_from_options(options(tmp_path / "good.gpkg")), tmp_path / "p")
    before = fingerprint(tmp_path / "p")
    (tmp_path / "bad.geojson").write_text("<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>", encoding="utf-8")
    with pytest.raises(QianmoError) as error:
        ingest(context, recipe_from_options(options(tmp_path / "bad.geojson")), tmp_path / "p")
    assert error.value.cure and fingerprint(tmp_path / "p") == before


def test_a_repair_is_logged_and_can_be_undone(tmp_path, context):
    frame = survey()
    frame.loc[0, "BZ"] = "果\x01园"
    grown = shapely.box(39_444_000, 2_840_000, 39_444_100.002, 2_840_100)
    frame.loc[0, "geometry"] = grown  # 0.2 m2 over its neighbour: small enough to be given back
    frame.to_file(tmp_path / "a.gpkg", layer="DLTB")
    report = ingest(context, recipe_from_options(options(tmp_path / "a.gpkg")), tmp_path / "p", repair=True)
    made = [g.what for g in history(tmp_path / "p")]
    assert len(made) == 2 and "修复" in made[1] and report.figures["repairs"] >= 1
    log = read_frame(open_project(tmp_path / "p").state / "tables" / "repair_log.parquet")
    assert {"row", "before", "after"} <= set(log.columns)
    undo(tmp_path / "p")
    assert open_project(tmp_path / "p").generation == 1
    redo(tmp_path / "p")
    assert open_project(tmp_path / "p").generation == 2
    undo(tmp_path / "p")
    with pytest.raises(NotAllowedError, match="nothing to undo"):
        undo(tmp_path / "p")


def test_a_folder_with_other_files_is_never_taken_over(tmp_path, context):
    survey().to_file(tmp_path / "a.gpkg", layer="DLTB")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "重要.docx").write_bytes(b"x")
    with pytest.raises(NotAllowedError, match="no project"):
        ingest(context, recipe_from_options(options(tmp_path / "a.gpkg")), tmp_path / "p")
    assert [p.name for p in (tmp_path / "p").iterdir()] == ["重要.docx"]


def test_a_project_lives_under_a_path_with_blanks_and_chinese(tmp_path, context):
    survey().to_file(tmp_path / "a.gpkg", layer="DLTB")
    folder = tmp_path / "数据 测试" / "我的 项目"
    ingest(context, recipe_from_options(options(tmp_path / "a.gpkg")), folder)
    moved = tmp_path / "搬走"
    shutil.copytree(folder, moved, symlinks=True)
    assert open_project(moved).generation == 1 and len(read_frame(open_project(moved).state / "layers" / "landuse_patch.parquet")) == 9


def test_a_second_layer_is_checked_against_the_first(tmp_path, context):
    survey().to_file(tmp_path / "a.gpkg", layer="DLTB")
    ingest(context, recipe_from_options(options(tmp_path / "a.gpkg")), tmp_path / "p")
    line = gpd.GeoDataFrame(
        {"BSM": ["1"], "HXMC": ["红线"], "HXLX": ["水源涵养"], "ZRBHDFQ": ["一般控制区"], "XZQDM": ["350821"]},
        geometry=[shapely.box(39_444_000, 2_840_000, 39_444_150, 2_840_150)], crs=4527,
    )  # fmt: skip
    line.to_file(tmp_path / "b.gpkg", layer="STBHHX")
    ingest(context, recipe_from_options(options(tmp_path / "b.gpkg")), tmp_path / "p")
    catalog = read_catalog(open_project(tmp_path / "p").state)
    assert {"landuse_patch", "eco_redline"} <= set(catalog)
    assert np.isclose(catalog["eco_redline"].lineage.parameters["lonlat_box"][0], 116.44, atol=0.1)


def test_a_layer_without_features_says_so(tmp_path, context):
    survey().head(0).to_file(tmp_path / "空.gpkg", layer="DLTB", driver="GPKG")
    with pytest.raises(MissingDataError, match="没有要素"):
        ingest(context, recipe_from_options(options(tmp_path / "空.gpkg")), tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_a_layer_without_class_codes_names_the_field_that_is_missing_and_those_that_are_there(tmp_path, context):
    survey().drop(columns=["DLBM", "DLMC"]).to_file(tmp_path / "a.gpkg", layer="DLTB", driver="GPKG")
    with pytest.raises(SchemaError) as told:
        ingest(context, recipe_from_options(options(tmp_path / "a.gpkg", as_table="landuse_patch")), tmp_path / "p")
    assert "地类编码 (DLBM)" in told.value.found and "ZLDWDM" in told.value.found and "a.gpkg" in told.value.found
    assert told.value.cure


def test_a_declared_web_map_system_that_cannot_hold_the_numbers_stops_with_the_choices(tmp_path, context):
    """Eastings of 39 million lie outside the web map; its inverse would wrap them into the Gulf of Guinea."""
    survey().drop(columns=["ZLDWDM"]).set_crs(3857, allow_override=True).to_file(tmp_path / "a.gpkg", layer="DLTB", driver="GPKG")
    with pytest.raises(ChoiceNeededError) as told:
        ingest(context, recipe_from_options(options(tmp_path / "a.gpkg")), tmp_path / "p")
    assert any(c.startswith("EPSG:4527") for c in told.value.choices)
    assert any("EPSG:3857" in c and "矛盾" in c for c in told.value.choices)


def test_data_outside_china_without_a_project_system_name_the_option(tmp_path, context):
    survey().drop(columns=["ZLDWDM"]).set_crs(2154, allow_override=True).assign(geometry=lambda f: f.translate(-38_600_000, 3_900_000)).to_file(
        tmp_path / "a.gpkg", layer="DLTB", driver="GPKG"
    )
    with pytest.raises(CrsError) as told:
        ingest(context, recipe_from_options(options(tmp_path / "a.gpkg")), tmp_path / "p")
    assert "--project-crs" in told.value.cure
