"""The command `qianmo pv`: one plant by its file, and the parcels of a project."""

from __future__ import annotations

import json
from pathlib import Path

import affine
import numpy as np
import pandas as pd
import pyproj
import pytest

from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.finance.photovoltaic_file import plant_file
from qianmo.jobs.opened import open_for_work
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import JobReport, checked_values
from qianmo.schema.errors import CodeError, FinanceInputError, QianmoError, SchemaError
from qianmo.schema.tables import table_spec
from qianmo.store.write_raster import write_cog


def pv(clock, **values) -> JobReport:
    spec = job_spec("pv")
    return spec.run(Context(user="tester", clock=lambda: clock), checked_values(spec, {k: str(v) if isinstance(v, Path) else v for k, v in values.items()}))


@pytest.fixture(scope="module")
def example(repo) -> Path:
    return repo / "examples" / "finance" / "renhua" / "photovoltaic.toml"


@pytest.fixture(scope="module")
def weather(repo) -> Path:
    return repo / "examples" / "finance" / "renhua" / "CHN_Guangdong.Shaoguan.590820_CSWD.epw"


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pv") / "town"
    spec = job_spec("village")
    spec.run(Context(), checked_values(spec, {"into": str(folder), "patches": 600, "villages": 3, "seed": 3}))
    return folder


def test_the_example_plant_gives_yield_money_and_files(clock, example, tmp_path):
    found = pv(clock, file=example, out=tmp_path / "out")
    figures = found.figures
    assert 43e6 < figures["energy_kwh"] < 46e6 and sum(figures["monthly_kwh"]) == pytest.approx(figures["energy_kwh"])
    assert figures["p90_kwh"] < figures["p75_kwh"] < figures["p50_kwh"] == figures["energy_kwh"]
    assert figures["net_yuan"][0] == -160_000_000.0 and len(figures["net_yuan"]) == 26
    assert {Path(p).name for p, _ in found.files} == {"月发电量.png", "月发电量.csv", "逐年发电与收支.csv"}
    assert all(Path(p).is_file() for p, _ in found.files)
    assert any("时刻与时区相符" in line for line in found.lines)
    json.dumps(figures)


def test_open_ground_without_rows_gives_the_number_checked_against_pvwatts(clock, example, weather, tmp_path):
    text = example.read_text(encoding="utf-8").replace("CHN_", str(weather.parent) + "/CHN_").replace("horizon_deg = [12, 10, 8, 5, 2, 0, 0, 0, 2, 4, 6, 9]", "")
    plain = tmp_path / "plain.toml"
    plain.write_text(text.replace("losses = 0.14", "losses = 0.14\nrow_shading = false"), encoding="utf-8")
    assert pv(clock, file=plain).figures["energy_kwh"] == pytest.approx(45_591_957, rel=0.01)


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("tilt_deg = 20.0", "tilt_deg = 120.0", 9, "plant.tilt_deg"),
        ("tilt_deg = 20.0", 'tilt_deg = "20"', 9, "plant.tilt_deg"),
        ("tilt_deg = 20.0", "slope_deg = 20.0", 9, "plant.slope_deg"),
        ("losses = 0.14", "losses = 14", 13, "plant.losses"),
        ("capacity_mw = 50.0", "capacity_mw = -1", 8, "plant.capacity_mw"),
        ("price_yuan_kwh = 0.38", "price_yuan_kwh = -0.38", 23, "money.price_yuan_kwh"),
        ("years = 25", "years = 2.5", 27, "money.years"),
        ("[land]", "[lands]", 15, "lands"),
        ("horizon_deg = [12,", "horizon_deg = [95,", 20, "terrain.horizon_deg"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_line(clock, example, tmp_path, old, new, line, key):
    text = example.read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(FinanceInputError) as fault:
        pv(clock, file=wrong)
    assert (fault.value.file, fault.value.line, fault.value.key) == ("wrong.toml", line, key)


def test_a_weather_file_with_a_wrong_clock_stops_the_job_until_it_is_accepted(clock, example, weather, tmp_path):
    lines = weather.read_text(encoding="utf-8").splitlines()
    (tmp_path / "wrong.epw").write_text("\n".join([lines[0].replace(",8.0,", ",5.0,"), *lines[1:]]) + "\n", encoding="utf-8")
    text = example.read_text(encoding="utf-8").replace("CHN_Guangdong.Shaoguan.590820_CSWD.epw", "wrong.epw")
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=r"未通过气象检查.*UTC\+8"):
        pv(clock, file=tmp_path / "a.toml")
    assert any("已接受的问题" in line for line in pv(clock, file=tmp_path / "a.toml", accept=True).lines)
    cured, right = pv(clock, file=tmp_path / "a.toml", utc_offset=8.0), pv(clock, file=example)
    assert cured.figures["energy_kwh"] == right.figures["energy_kwh"] and any("改为 UTC+8" in line for line in cured.lines)
    with pytest.raises(SchemaError, match="--sun-minute 500"):
        pv(clock, file=example, sun_minute=500.0)
    with pytest.raises(SchemaError, match="小时标注"):
        pv(clock, file=example, sun_minute=-30.0)


def test_a_project_gets_ranked_parcels_with_lineage_and_a_map(clock, town, weather, tmp_path):
    found = pv(clock, project=town, weather=weather, classes="03,04,01", min_area=3.0, out=tmp_path / "out")
    state = sorted((town / "generations").iterdir())[-1]
    table = pd.read_parquet(state / "tables" / "photovoltaic_parcel.parquet")
    assert list(table.columns) == list(table_spec("photovoltaic_parcel").column_names)
    assert len(table) == found.figures["candidates"] > 20
    assert (table.loc[table["class_code"].str.startswith("01"), "verdict"] == "fail").all()
    free = table[table["rank"] > 0]
    assert free["full_load_h"].is_monotonic_decreasing and (free["area_m2"] >= 2000.0 - 1e-6).all() and (table["slope_deg"] <= 25.0).all()
    assert table["horizon_max_deg"].max() > 1.0 and np.allclose(table["capacity_kw"], table["area_m2"] / 20.0)
    lineage = json.loads((state / "tables" / "photovoltaic.json").read_text(encoding="utf-8"))
    assert lineage["weather"]["sha256"].startswith("36210474") and lineage["elevation"] == "dem" and lineage["choice"]["classes"] == ["03", "04", "01"]
    assert {Path(p).name for p, _ in found.files if "out" in p} == {"光伏候选地块.csv", "月发电量.png", "光伏候选地块图.png"}
    json.dumps(found.figures)


def test_slopes_to_the_south_earn_more_than_slopes_to_the_north(clock, town, weather):
    rows = pd.DataFrame(pv(clock, project=town, weather=weather, classes="03,04", min_area=1.0).figures["parcels"])
    steep = rows[rows["slope_deg"] > 5.0]
    south, north = (steep[np.cos(np.radians(steep["aspect_deg"] - a)) > 0.7] for a in (180.0, 0.0))
    assert len(south) > 3 and len(north) > 3
    assert south["row_loss_share"].mean() < north["row_loss_share"].mean()


def test_words_that_do_not_fit_are_refused_and_nothing_is_kept(clock, town, weather, example):
    before = len(list((town / "generations").iterdir()))
    with pytest.raises(SchemaError, match="其中之一"):
        pv(clock)
    with pytest.raises(SchemaError, match="其中之一"):
        pv(clock, file=example, project=town)
    with pytest.raises(SchemaError, match="--weather"):
        pv(clock, project=town)
    with pytest.raises(CodeError, match="9999"):
        pv(clock, project=town, weather=weather, classes="9999")
    with pytest.raises(SchemaError, match="--max-slope"):
        pv(clock, project=town, weather=weather, max_slope=0.0)
    with pytest.raises(QianmoError):
        pv(clock, project=town, weather=town / "project.toml")
    assert len(list((town / "generations").iterdir())) == before


def test_prices_of_a_project_come_from_its_settings(clock, town, weather):
    settings = town / "project.toml"
    before = settings.read_text(encoding="utf-8")
    plain = pv(clock, project=town, weather=weather, classes="04", min_area=1.0).figures["parcels"][0]
    try:
        settings.write_text(before + "[photovoltaic]\nprice_yuan_kwh = 0.6\n", encoding="utf-8")
        dear = pv(clock, project=town, weather=weather, classes="04", min_area=1.0).figures["parcels"][0]
        settings.write_text(before + "[photovoltaic]\nprice = 0.6\n", encoding="utf-8")
        with pytest.raises(SchemaError, match=r"project\.toml \[photovoltaic\]"):
            pv(clock, project=town, weather=weather, classes="04", min_area=1.0)
    finally:
        settings.write_text(before, encoding="utf-8")
    assert dear["rate_of_return"] > plain["rate_of_return"] and dear["levelised_yuan_kwh"] == plain["levelised_yuan_kwh"]


def test_a_project_without_such_land_says_so(clock, town, weather):
    found = pv(clock, project=town, weather=weather, min_area=100_000.0)
    assert found.figures["candidates"] == 0 and any("没有符合条件的候选地块" in line for line in found.lines)


def hill(folder: Path, *, epsg: int, cell: float, west: float, north: float, wall_m: float) -> Path:
    """A flat model with a wall along its south side."""
    values = np.full((120, 120), 100.0, np.float32)
    values[100:] = 100.0 + wall_m
    path = folder / f"hill{epsg}.tif"
    write_cog(path, Grid(values, affine.Affine(cell, 0.0, west, 0.0, -cell, north), pyproj.CRS.from_epsg(epsg), -9999.0))
    return path


def test_a_plant_takes_its_horizon_from_an_elevation_model_in_degrees(clock, example, weather, tmp_path):
    cell = 1.0 / 3600.0
    hill(tmp_path, epsg=4326, cell=cell, west=113.6 - 60 * cell, north=24.68 + 60 * cell, wall_m=400.0)
    text = example.read_text(encoding="utf-8").replace("CHN_", str(weather.parent) + "/CHN_")
    listed = "horizon_deg = [12, 10, 8, 5, 2, 0, 0, 0, 2, 4, 6, 9]"
    (tmp_path / "hill.toml").write_text(text.replace(listed, 'dem = "hill4326.tif"\nlongitude_deg = 113.6\nlatitude_deg = 24.68'), encoding="utf-8")
    (tmp_path / "open.toml").write_text(text.replace(listed, ""), encoding="utf-8")
    asked = plant_file(tmp_path / "hill.toml")
    south = asked.around.horizon_deg[36]
    away = (40.0 - 0.5) * cell * 110_800.0  # from the place to the first row of the wall, by its edge between cell centres
    assert south == pytest.approx(np.degrees(np.arctan(400.0 / away)), abs=0.8) and asked.around.horizon_deg[0] == 0.0
    assert asked.around.rise_deg == pytest.approx(0.0, abs=1e-6)
    assert pv(clock, file=tmp_path / "hill.toml").figures["energy_kwh"] < pv(clock, file=tmp_path / "open.toml").figures["energy_kwh"]
    for wrong, key in (("latitude_deg = 124.68", "terrain.latitude_deg"), ('latitude_deg = "x"', "terrain.latitude_deg"), ("rise_deg = 2\nlatitude_deg = 24.68", "terrain.rise_deg")):
        bad = text.replace(listed, f'dem = "hill4326.tif"\nlongitude_deg = 113.6\n{wrong}')
        (tmp_path / "bad.toml").write_text(bad, encoding="utf-8")
        with pytest.raises(FinanceInputError) as fault:
            plant_file(tmp_path / "bad.toml")
        assert fault.value.key == key


def test_a_wider_model_shows_hills_that_the_project_does_not_hold(clock, town, weather, tmp_path):
    frame = open_for_work(town).patches
    west, south, east, north = frame.total_bounds
    size = max(east - west, north - south)
    cell = size * 2.0 / 120
    path = hill(tmp_path, epsg=frame.crs.to_epsg(), cell=cell, west=west - size * 0.5, north=north + size * 0.2, wall_m=size)
    plain = pv(clock, project=town, weather=weather, classes="03,04", min_area=3.0).figures
    walled = pv(clock, project=town, weather=weather, classes="03,04", min_area=3.0, dem=path).figures
    assert walled["candidates"] >= plain["candidates"] > 5, "the wide model is flat: no slope is too steep"
    lost, before = (np.mean([p["horizon_loss_share"] for p in found["parcels"]]) for found in (walled, plain))
    assert lost > 0.05 > 5.0 * before
