"""The command change: two projects overlaid to a matrix, patches and a sheet; accuracy of a classified one; refusals leave nothing."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import geopandas as gpd
import openpyxl
import pytest
import shapely

from qianmo.cli.main import main
from qianmo.geo.area import ellipsoid_area_of
from qianmo.store.parquet import read_frame
from qianmo.store.project import change, open_project
from qianmo.store.stage import read_catalog

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def two(youwuzhen, tmp_path_factory):
    """The example, and a later state: its two largest fields built over, its smallest field under water."""
    folder = tmp_path_factory.mktemp("change")
    for name in ("before", "after"):
        shutil.copytree(youwuzhen, folder / name, symlinks=True)
    state = open_project(folder / "after").state
    patches = read_frame(state / "layers" / "landuse_patch.parquet")
    farm = patches[patches["class_code"].astype(str) == "0101"].sort_values("area_m2")
    code = patches["class_code"].astype(str)
    code.loc[farm.index[-2:]] = "0601"
    code.loc[farm.index[0]] = "1104"
    with change(folder / "after", what="变更", user="测试员", now=NOW) as stage:
        stage.put_layer(patches.assign(class_code=code), stage.datasets["landuse_patch"])
    return folder, farm


def tables(folder, *names):
    state = open_project(folder).state
    return [read_frame(state / "tables" / f"{n}.parquet") for n in names]


def test_changed_land_is_told_by_matrix_class_patch_and_sheet(two, capsys):
    folder, farm = two
    assert main(["change", str(folder / "before"), str(folder / "after"), "--years", "4", "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["figures"]
    built, pond = (ellipsoid_area_of(farm.iloc[k]).sum() for k in (slice(-2, None), slice(0, 1)))
    whole = ellipsoid_area_of(read_frame(open_project(folder / "before").state / "layers" / "landuse_patch.parquet")).sum()
    assert said["changed_ha"] == pytest.approx((built + pond) / 1e4, rel=1e-9) and said["area_ha"] == pytest.approx(whole / 1e4, rel=1e-9) and said["outside_ha"] == 0
    assert said["comprehensive_yr"] == pytest.approx((built + pond) / whole / 4 * 100) and said["patches"] + said["small"] == 3
    wide, kinds, flow, patch = tables(folder / "after", "land_change_matrix", "land_change_class", "land_change_flow", "land_change_patch")
    wide = wide.set_index("from_class")
    assert wide.loc["0101", "0601"] == pytest.approx(built / 1e4, rel=1e-9) and wide.to_numpy().sum() == pytest.approx(whole / 1e4, rel=1e-9)
    field = kinds.set_index("class_code").loc["0101"]
    assert field["outflow_ha"] == pytest.approx((built + pond) / 1e4, rel=1e-9) and field["dynamic_yr"] == pytest.approx(-field["outflow_ha"] / field["before_ha"] / 4)
    assert set(patch["suspected_zh"]) == {"建/构筑物", "坑塘"} and patch["area_m2"].sum() == pytest.approx(built + pond, rel=1e-9) and len(flow) > 3
    layer = read_frame(open_project(folder / "after").state / "layers" / "land_change.parquet")
    assert isinstance(layer, gpd.GeoDataFrame) and len(layer) == 3 and read_catalog(open_project(folder / "after").state)["land_change"].lineage.parameters["years"] == 4
    record = json.loads((open_project(folder / "after").state / "tables" / "land_change_lineage.json").read_text(encoding="utf-8"))
    assert record["before"]["sha256"] and record["by"] == "class"
    book = openpyxl.load_workbook(folder / "after" / "change" / "土地利用变化附表.xlsx", data_only=True)
    words = {str(c.value) for sheet in book.worksheets[1:] for line in sheet.iter_rows() for c in line}
    assert len(book.sheetnames) == 6 and not {"nan", "mixed"} & words and (folder / "after" / "change" / "土地利用变化图.png").read_bytes()[:4] == b"\x89PNG"


def test_a_classified_map_is_checked_against_the_reference(two, capsys):
    folder, farm = two
    assert main(["change", str(folder / "before"), str(folder / "after"), "--check", "--by", "group", "--quiet", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["figures"]
    wrong, whole = ellipsoid_area_of(farm.iloc[[0, -2, -1]]).sum() / 1e4, said["area_ha"]
    assert said["overall"] == pytest.approx(1 - wrong / whole) and 0.5 < said["kappa"] < said["overall"]
    found = tables(folder / "after", "land_change_accuracy")[0].set_index("class_code")
    field = found.loc["farmland"]
    assert field["precision"] == 1 and field["recall"] == pytest.approx(1 - wrong / field["reference_ha"]) and field["f1"] == pytest.approx(2 * field["recall"] / (1 + field["recall"]))
    assert not (open_project(folder / "after").state / "tables" / "land_change_class.parquet").exists()


def test_years_that_are_not_known_and_schemes_that_differ_are_refused_and_nothing_is_written(two, tmp_path, capsys):
    folder, _ = two
    other = tmp_path / "other"
    shutil.copytree(folder / "before", other, symlinks=True)
    state = open_project(other).state
    assert main(["change", str(folder / "before"), str(other), "--quiet"]) != 0
    assert "--years" in capsys.readouterr().err and open_project(other).state == state
    assert main(["change", str(folder / "before"), str(other), "--years", "-3", "--quiet"]) != 0
    assert "--years" in capsys.readouterr().err and open_project(other).state == state
    patches = read_frame(state / "layers" / "landuse_patch.parquet")
    with change(other, what="变更", user="测试员", now=NOW) as stage:
        found = stage.datasets["landuse_patch"]
        stage.put_layer(patches, type(found)(**{**vars(found), "class_scheme": "GBT21010_2017"}))
    assert main(["change", str(folder / "before"), str(other), "--years", "3", "--quiet"]) != 0
    assert "--by group" in capsys.readouterr().err


def test_a_layer_that_overlaps_itself_is_refused(two, tmp_path, capsys):
    folder, _ = two
    other = tmp_path / "other"
    shutil.copytree(folder / "before", other, symlinks=True)
    patches = read_frame(open_project(other).state / "layers" / "landuse_patch.parquet")
    shapes = patches.geometry.to_numpy().copy()
    shapes[0] = shapely.buffer(shapes[0], 50.0)
    with change(other, what="变更", user="测试员", now=NOW) as stage:
        stage.put_layer(patches.set_geometry(gpd.GeoSeries(shapes, crs=patches.crs)), stage.datasets["landuse_patch"])
    state = open_project(other).state
    assert main(["change", str(folder / "before"), str(other), "--years", "3", "--quiet"]) != 0
    assert "重叠" in capsys.readouterr().err and open_project(other).state == state
