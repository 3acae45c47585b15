"""The plan book with every survey a project can hold: its figures are those of the tables and of the commands; without surveys it is silent."""

from __future__ import annotations

import json
import shutil
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

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
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.store.parquet import read_frame
from qianmo.store.project import change, open_project
from qianmo.survey.insar.simulate import simulate_stack
from qianmo.survey.radar.forward import Body, radar_section
from qianmo.survey.subsidence.face import Face
from qianmo.survey.subsidence.parameters import SubsidenceParameters
from qianmo.survey.subsidence.predict import predict


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

    ran("erosion", "erosion", folder, "--samples", _samples(base / "采样.csv", patches), "--survey", _kinds(base / "调查.csv", patches))
    _faces(base / "面.gpkg", patches)
    _houses(folder, patches)
    ran("subside", "subside", "--project", folder, "--faces", base / "面.gpkg", "--cell", "30", "--observations", _levelled(base / "水准.csv", patches))
    _stack(base / "pairs", patches, -1)
    _stack(base / "down", patches, 1)
    two = ("--second", base / "down", "--second-incidence", "34", "--heading", "-12", "--second-heading", "-168", "--breaks")
    ran("motion", "motion", base / "pairs", "--into", folder, "--incidence", "39", "--edge", "20", "--levels", "50", *two)
    _radar(base, patches)
    ran("probe", "probe", base / "物探.toml", "--into", folder)
    pair = _images(base, patches)
    ran("detect", "detect", *pair, "--into", folder, "--bands", "green,red,nir", "--threshold", "15", "--before-date", "2024-05-01", "--after-date", "2025-05-03")
    ran("watch", "watch", *_series(base, patches), "--into", folder)
    assert main(["book", str(folder), "--quiet"]) == 0
    return folder, told


def _samples(path, patches):
    at = shapely.get_coordinates(shapely.point_on_surface(patches.geometry.iloc[:40:4]))
    path.write_text("x,y,modulus_t_km2,sample\n" + "\n".join(f"{x},{y},{300 + 90 * k},样{k}" for k, (x, y) in enumerate(at)), encoding="utf-8")
    return path


def _kinds(path, patches):
    path.write_text("patch_id,collapse_percent,wind_t_km2\n" + "\n".join(f"{p},{c},{w}" for p, c, w in zip(patches["patch_id"][:4], (12, 25, "", ""), ("", "", 3000, 100))), encoding="utf-8")
    return path


def _houses(folder, patches):
    x, y = _middle(patches)
    shapes = [shapely.box(x + 145, y, x + 155, y + 8), shapely.box(x + 60, y, x + 70, y + 8), shapely.box(x, y, x + 40, y + 8)]
    houses = gpd.GeoDataFrame({"building_id": ["边", "中", "长"], "storeys": [2, 2, 1]}, geometry=shapes, crs=patches.crs)
    with change(folder, what="房屋", user="测试员", now=datetime(2026, 1, 1, tzinfo=UTC)) as stage:
        stage.put_layer(houses, Dataset("building", "building", "房屋", f"EPSG:{patches.crs.to_epsg()}", "", "", True, 3, Lineage("", "", "", "", "")))


def _levelled(path, patches):
    """A line of marks across the face that sank as a somewhat gentler basin would."""
    x, y = _middle(patches)
    face = Face(shapely.box(x - 150, y - 400, x + 150, y + 400), depth_m=250.0, thickness_m=2.5, dip_deg=0.0, dip_azimuth_deg=0.0, parameters=SubsidenceParameters(0.7, 1.9), name="1101")
    at = np.column_stack([np.linspace(x - 350, x + 350, 36), np.full(36, y)])
    sunk = predict(at, [face]).subsidence_mm + np.random.default_rng(2).normal(0, 5, 36)
    path.write_text("x,y,subsidence_mm,sigma_mm\n" + "\n".join(f"{a},{b},{w:.1f},5" for (a, b), w in zip(at, sunk)), encoding="utf-8")
    return path


def _series(base, patches):
    """64 dates of an index in which the largest field drops for good."""
    west, south, east, north = patches.total_bounds
    cell = 60
    rows, columns = int((north - south) / cell) + 1, int((east - west) / cell) + 1
    days = [date(2020, 1, 1) + timedelta(12 * k) for k in range(64)]
    season = 0.5 + 0.2 * np.sin(2 * np.pi * np.array([(d - days[0]).days for d in days]) / 365.25)
    stack = season[:, None, None] + np.random.default_rng(1).normal(0, 0.02, (64, rows, columns))
    x0, y0, x1, y1 = patches.geometry.iloc[patches.area.to_numpy().argmax()].bounds
    stack[44:, int((north - y1) / cell) : int((north - y0) / cell) + 1, int((x0 - west) / cell) : int((x1 - west) / cell) + 1] -= 0.4
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": 64, "dtype": "float32", "crs": patches.crs.to_wkt(), "transform": affine.Affine(cell, 0, west, 0, -cell, north)}
    with rasterio.open(base / "序列.tif", "w", **profile) as out:
        out.write(stack.astype(np.float32))
    (base / "日期.csv").write_text("date\n" + "\n".join(map(str, days)), encoding="utf-8")
    return base / "序列.tif", "--dates", base / "日期.csv", "--history", days[40]


def _middle(patches):
    west, south, east, north = patches.total_bounds
    return (west + east) / 2, (south + north) / 2


def _faces(path, patches):
    x, y = _middle(patches)
    table = {"face_name": ["1101"], "depth_m": [250.0], "thickness_m": [2.5], "q": [0.75], "tan_beta": [2.0], "b": [0.3], "s1": [0.0], "s2": [0.0], "s3": [0.0], "s4": [0.0]}
    gpd.GeoDataFrame(table, geometry=[shapely.box(x - 150, y - 400, x + 150, y + 400)], crs=patches.crs).to_file(path, layer="working_face")


def _stack(folder, patches, side):
    """One track; the ground inside the bowl also moves east, towards the satellite of the second."""
    folder.mkdir()
    stack = simulate_stack((40, 40), rng=np.random.default_rng(4), dates=10, steps=(1, 2), bowl_mm_yr=120.0, turbulence_mm=2.0)
    east = -0.3 * side * stack.rate_mm_yr * (stack.network.days[stack.network.second] - stack.network.days[stack.network.first])[:, None] / 365.25
    stack = replace(stack, unwrapped=(stack.unwrapped - east * 4 * np.pi / 55.466).astype(np.float32))
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
    for said in ("没有误差区间", "看不见南北向移动", "不代表没有形变", "未判断积水风险", "未作去云处理", "须经钻探验证", "须专门鉴定", "告警为线索"):
        assert said in text, said
    assert "nan" not in text and "None" not in text and "〓" not in text


def _flat(text: str) -> str:
    """Without line breaks, Roman numerals as letters: as a reader takes it, wherever the line ends."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def test_what_the_surveys_may_add_is_in_the_words(surveyed, printed):
    folder, told = surveyed
    text, book = printed
    state, m, e, w = open_project(folder).state, told["motion"], told["erosion"], told["watch"]
    fit = read_frame(state / "tables" / "subsidence_fit.parquet")
    alarm = read_frame(state / "tables" / "motion_patch.parquet")["mine_alarm"].value_counts()
    for said in (
        f"与{e['samples']}个实测点相比，模型平均偏差{cell_text(e['sample_bias_t_km2'], '0.0')}", "轻度以上侵蚀按主导类型为", "重力侵蚀",
        f"在{cell_text(m['east_p5_mm_yr'], '0.00')}至{cell_text(m['east_p95_mm_yr'], '0.00')}毫米/年之间", "趋势发生转折的像元占", f"红色{alarm['红']}个",
        f"由观测反演的参数为{fit['zh'].iloc[0]}{cell_text(fit['value'].iloc[0], '0.0000')}±{cell_text(fit['sigma'].iloc[0], '0.0000')}",
        f"以后告警{w['alarms']}个", "其中1栋长度超过20米", "房屋II级1栋",
    ):  # fmt: skip
        assert _flat(said) in _flat(text), said
    assert w["alarms"] >= 1 and "按正北与正南飞行" not in text
    damage = read_frame(state / "tables" / "building_damage.parquet")
    assert sum(_numbers(book, "房屋损坏等级统计表", "房屋")) == len(damage) == 3
    assert _numbers(book, "沉陷预计参数反演表", "反演值") == pytest.approx(fit["value"].tolist(), abs=1e-9)
    assert _numbers(book, "侵蚀模数实测点检核表", "残差") == pytest.approx(read_frame(state / "tables" / "erosion_sample.parquet")["residual_t_km2"].tolist(), abs=1e-9)
    kinds = read_frame(state / "tables" / "erosion_kind.parquet").query("grade >= 2")
    assert sum(_numbers(book, "侵蚀类型面积表", "图斑数")) == len(kinds)
    series = read_frame(state / "tables" / "change_series.parquet").query("alarm_day != ''")
    assert sorted(_numbers(book, "时序告警图斑表", "图斑")) == sorted(series["patch_id"])


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
    for title in (
        "土壤侵蚀强度分级图", "方案后土壤侵蚀强度分级图", "土壤侵蚀采样点残差图", "地表下沉预计图", "土地与房屋损坏等级图", "主断面下沉曲线图", "参数权衡曲线图",
        "采空区分区图", "雷达1物探剖面图", "地表形变速率图", "地表形变速率与时序图", "变化图斑与红绿灯图",
    ):  # fmt: skip
        assert title in names


def test_a_book_without_surveys_does_not_speak_of_them(planned_youwuzhen, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(planned_youwuzhen, folder, symlinks=True)
    assert main(["book", str(folder), "--quiet"]) == 0
    text = "\n".join(p.text for p in docx.Document(str(folder / "book" / "实施方案.docx")).paragraphs)
    assert not any(word in text for word in ("侵蚀强度", "概率积分法", "采空区", "干涉对", "红绿灯", "物探"))
    titles = " ".join(str(w["A1"].value) for w in openpyxl.load_workbook(folder / "book" / "附表.xlsx").worksheets)
    assert not any(word in titles for word in ("侵蚀", "沉陷", "采空区", "形变", "红绿灯"))
