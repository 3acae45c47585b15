"""The plan book with every survey a project can hold: its figures are those of the tables and of the commands; without surveys it is silent."""

from __future__ import annotations

import json
import shutil

import affine
import docx
import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio
import shapely

from qianmo.cli.main import main
from qianmo.reports.typography import cell_text
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project
from qianmo.survey.insar.simulate import simulate_stack
from qianmo.survey.radar.forward import Body, radar_section


@pytest.fixture(scope="module")
def surveyed(planned_youwuzhen, tmp_path_factory):
    """Erosion, mining, radar, motion and change of the real catchment, all invented but the erosion; the figures that each command told."""
    base = tmp_path_factory.mktemp("survey")
    folder = base / "project"
    shutil.copytree(planned_youwuzhen, folder, symlinks=True)
    patches = read_frame(open_project(folder).state / "layers" / "landuse_patch.parquet")
    told = {}

    def ran(name, *arguments):
        out = base / f"{name}.json"
        with pytest.MonkeyPatch.context() as patch, out.open("w", encoding="utf-8") as stream:
            patch.setattr("sys.stdout", stream)
            assert main([*map(str, arguments), "--quiet", "--json"]) == 0
        told[name] = json.loads(out.read_text(encoding="utf-8"))["figures"]

    ran("erosion", "erosion", folder)
    _faces(base / "面.gpkg", patches)
    ran("subside", "subside", "--project", folder, "--faces", base / "面.gpkg", "--cell", "30")
    _stack(base / "pairs", patches)
    ran("motion", "motion", base / "pairs", "--into", folder, "--incidence", "39", "--edge", "20", "--levels", "50")
    _radar(base, patches)
    ran("probe", "probe", base / "物探.toml", "--into", folder)
    pair = _images(base, patches)
    ran("detect", "detect", *pair, "--into", folder, "--bands", "green,red,nir", "--threshold", "15", "--before-date", "2024-05-01", "--after-date", "2025-05-03")
    assert main(["book", str(folder), "--quiet"]) == 0
    return folder, told


def _middle(patches):
    west, south, east, north = patches.total_bounds
    return (west + east) / 2, (south + north) / 2


def _faces(path, patches):
    x, y = _middle(patches)
    table = {"face_name": ["1101"], "depth_m": [250.0], "thickness_m": [2.5], "q": [0.75], "tan_beta": [2.0], "b": [0.3], "s1": [0.0], "s2": [0.0], "s3": [0.0], "s4": [0.0]}
    gpd.GeoDataFrame(table, geometry=[shapely.box(x - 150, y - 400, x + 150, y + 400)], crs=patches.crs).to_file(path, layer="working_face")


def _stack(folder, patches):
    folder.mkdir()
    stack = simulate_stack((40, 40), rng=np.random.default_rng(4), dates=10, steps=(1, 2), bowl_mm_yr=120.0, turbulence_mm=2.0)
    x, y = _middle(patches)
    profile = {"driver": "GTiff", "height": 40, "width": 40, "count": 1, "dtype": "float32", "crs": patches.crs.to_wkt(), "nodata": 0.0,
               "transform": affine.Affine(60, 0, x - 1200, 0, -60, y + 1200)}  # fmt: skip
    for k, (a, b) in enumerate(zip(stack.network.first, stack.network.second)):
        for kind, values in (("unw", stack.unwrapped[k]), ("cc", stack.coherence[k])):
            with rasterio.open(folder / f"{stack.network.dates[a]:%Y%m%d}-{stack.network.dates[b]:%Y%m%d}_{kind}.tif", "w", **profile) as out:
                out.write(values.reshape(40, 40).astype(np.float32), 1)


def _radar(base, patches):
    x0, y0 = _middle(patches)
    x = np.arange(0.0, 29.95, 0.1)
    wave = radar_section(x, 256, sample_ns=0.8, velocity_m_ns=0.1, centre_mhz=100.0, bodies=[Body(8.0, 2.5), Body(20.0, 5.0, 3.0)], zero_ns=24.0, direct=15.0, drift=5.0,
                         noise=0.15, rng=np.random.default_rng(4))  # fmt: skip
    (base / "一.rd3").write_bytes(np.round(wave * 1500).clip(-32000, 32000).astype("<i2").T.tobytes())
    (base / "一.rad").write_text(f"SAMPLES:256\nFREQUENCY:1250\nDISTANCE INTERVAL:0.1\nANTENNAS:100 MHz\nANTENNA SEPARATION:0\nTIMEWINDOW:204.8\nLAST TRACE:{len(x)}\n", encoding="utf-8")
    mine = "[mine]\nthickness_m = 2.5\nmining_ended = 2019-06-30\nextraction = 0.75\nvoid_rate = 0.25\nfinal_subsidence_mm = 1500\n"
    line = f'[[line]]\nname = "雷达1"\nmethod = "gpr"\nfile = "一.rd3"\npath = [[{x0}, {y0}], [{x0 + 30}, {y0}]]\nhalf_width_m = 3\n'
    (base / "物探.toml").write_text(f"date = 2026-01-01\nsynthetic = true\n{mine}{line}", encoding="utf-8")


def _images(base, patches):
    """Three bands in which a square over fields turns bare."""
    west, south, east, north = patches.total_bounds
    rows, columns = int((north - south) / 30) + 1, int((east - west) / 30) + 1
    rng = np.random.default_rng(3)
    before = np.array([0.08, 0.06, 0.35])[:, None, None] * (1 + rng.normal(0, 0.05, (3, rows, columns)))
    after = before + rng.normal(0, 0.004, before.shape)
    field = patches[patches["class_code"].astype(str).str.startswith("01")].geometry
    x, y = shapely.get_coordinates(shapely.point_on_surface(field.iloc[field.area.argmax()]))[0]
    row, column = int((north - y) / 30), int((x - west) / 30)
    after[:, row - 3 : row + 4, column - 3 : column + 4] = np.array([0.17, 0.20, 0.25])[:, None, None]
    paths = []
    for name, image in (("前.tif", before), ("后.tif", after)):
        profile = {"driver": "GTiff", "height": rows, "width": columns, "count": 3, "dtype": "float32", "crs": patches.crs.to_wkt(), "transform": affine.Affine(30, 0, west, 0, -30, north)}
        with rasterio.open(base / name, "w", **profile) as out:
            out.write(image.astype(np.float32))
        paths.append(base / name)
    return paths


@pytest.fixture(scope="module")
def printed(surveyed):
    """Words of the Word document, tables of the workbook by title."""
    folder, _ = surveyed
    text = "\n".join(p.text for p in docx.Document(str(folder / "book" / "实施方案.docx")).paragraphs)
    return text, openpyxl.load_workbook(folder / "book" / "附表.xlsx", data_only=True)


def test_the_words_say_the_figures_of_each_command(surveyed, printed):
    _, told = surveyed
    text, _ = printed
    e, s, m, d = (told[k] for k in ("erosion", "subside", "motion", "detect"))
    for said in (
        f"全区土壤流失量{cell_text(e['loss_t_yr'], '0.0')}吨/年", f"平均侵蚀模数{cell_text(e['modulus_t_km2'], '0.0')}", f"进入沟道的泥沙{cell_text(e['sediment_t_yr'], '0.0')}吨/年",
        f"由{cell_text(e['loss_t_yr'], '0.0')}吨/年变为{cell_text(e['loss_after_t_yr'], '0.0')}吨/年", f"{e['region']}容许土壤流失量为{e['tolerance_t_km2']:g}",
        f"最大下沉{cell_text(s['subsidence_largest'], '0.0')}毫米", f"边界内{cell_text(s['basin_ha'], '0.00')}公顷",
        f"{m['dates']}期雷达影像、{m['pairs']}个干涉对", f"最大沉降速率{cell_text(-m['lowest_vertical_mm_yr'], '0.00')}毫米/年",
        f"中误差中位数{cell_text(m['sigma_median_mm_yr'], '0.00')}毫米/年（68%）", f"沉陷盆地{cell_text(m['area_ha'], '0.00')}公顷",
        f"发现异常{told['probe']['anomalies']}处", f"合成异常区{len(told['probe']['zones'])}处", f"发现变化图斑{d['patches']}个，面积{cell_text(d['changed_m2'] / 1e4, '0.00')}公顷",
    ):  # fmt: skip
        assert said in text, said


def test_what_is_not_known_is_said(printed):
    text, _ = printed
    for said in ("没有误差区间", "项目没有实测采样点，模型值未经检核", "预计参数未经反演", "单轨不能区分水平移动", "不代表没有形变", "未判断积水风险", "未作去云处理", "须经钻探验证"):
        assert said in text, said
    assert "nan" not in text and "None" not in text and "〓" not in text


def _numbers(book, title, name):
    """Cells of one column of a sheet below its heads, without the total row."""
    sheet = next(w for w in book.worksheets if title in str(w["A1"].value))
    rows = [[c.value for c in row] for row in sheet.iter_rows()]
    head = next(k for k, row in enumerate(rows) if name in row)
    column, first = rows[head].index(name), head + 2
    last = next(k for k in range(first, len(rows)) if rows[k][0] in (None, "合计") or "注：" in str(rows[k][0]))
    return [row[column] for row in rows[first:last]]


def test_the_sheets_hold_the_tables_to_the_last_digit(surveyed, printed):
    folder, told = surveyed
    _, book = printed
    state = open_project(folder).state
    area = read_frame(state / "tables" / "erosion_area.parquet")
    whole = area[area["zone"] == "全区"]
    for name, column in (("面积", "area_ha"), ("占比", "share"), ("土壤流失量", "loss_t_yr")):
        assert _numbers(book, "土壤侵蚀强度分级面积表", name) == pytest.approx(whole[column].tolist(), abs=1e-9)
    assert sum(_numbers(book, "图斑土壤流失表", "土壤流失量")) == pytest.approx(told["erosion"]["loss_t_yr"])
    land = read_frame(state / "tables" / "land_damage.parquet")
    assert _numbers(book, "土地损毁面积统计表", "面积") == pytest.approx(land["area_ha"].tolist(), abs=1e-9)
    zones = read_frame(state / "layers" / "goaf_zone.parquet")
    for name, column in (("深度", "depth_m"), ("深度中误差", "sigma_m"), ("注浆量", "grout_m3"), ("面积", "area_m2"), ("置信度", "confidence")):
        blank = [np.nan if v in (None, "") else v for v in _numbers(book, "采空区综合异常评价表", name)]
        assert blank == pytest.approx(zones[column].tolist(), abs=1e-9, nan_ok=True)
    motion = read_frame(state / "tables" / "motion_patch.parquet")
    assert dict(zip(_numbers(book, "图斑地表形变分级统计表", "沉降等级"), _numbers(book, "图斑地表形变分级统计表", "图斑数"))) == motion["grade"].replace("", "无数据").value_counts().to_dict()
    fields = read_frame(state / "tables" / "change_signal.parquet").query("farmland")
    assert sum(_numbers(book, "耕地图斑变化红绿灯统计表", "图斑数")) == len(fields)
    assert sum(_numbers(book, "耕地图斑变化红绿灯统计表", "变化面积")) * 1e4 == pytest.approx(fields["changed_m2"].sum())


def test_every_survey_has_its_sheet_and_the_section_of_the_line(surveyed):
    folder, _ = surveyed
    names = [p.stem.split("_", 1)[1] for p in sorted((folder / "book" / "图件").glob("*.png"))]
    for title in ("土壤侵蚀强度分级图", "方案后土壤侵蚀强度分级图", "地表下沉预计图", "土地与房屋损坏等级图", "采空区分区图", "雷达1物探剖面图", "地表形变速率图", "变化图斑与红绿灯图"):
        assert title in names


def test_a_book_without_surveys_does_not_speak_of_them(planned_youwuzhen, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(planned_youwuzhen, folder, symlinks=True)
    assert main(["book", str(folder), "--quiet"]) == 0
    text = "\n".join(p.text for p in docx.Document(str(folder / "book" / "实施方案.docx")).paragraphs)
    assert not any(word in text for word in ("侵蚀强度", "概率积分法", "采空区", "干涉对", "红绿灯", "物探"))
    titles = " ".join(str(w["A1"].value) for w in openpyxl.load_workbook(folder / "book" / "附表.xlsx").worksheets)
    assert not any(word in titles for word in ("侵蚀", "沉陷", "采空区", "形变", "红绿灯"))
