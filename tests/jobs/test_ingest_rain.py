"""Rain into a project: from the shipped files, a clean general table, an Excel workbook; refused input changes nothing."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pandas as pd
import pytest

from qianmo.jobs.evaluation import evaluate_area
from qianmo.jobs.ingest.base import ingest
from qianmo.jobs.recipe import Recipe, SourceRecipe
from qianmo.schema.errors import EncodingError, SchemaError, UnsafeInputError
from qianmo.store.parquet import read_frame
from qianmo.store.project import history, open_project, undo
from qianmo.store.stage import read_catalog


@pytest.fixture
def project(youwuzhen: Path, tmp_path: Path) -> Path:
    """A copy of the example project."""
    return Path(shutil.copytree(youwuzhen, tmp_path / "p", symlinks=True))


def table(project: Path, name: str) -> pd.DataFrame:
    return read_frame(open_project(project).state / "tables" / f"{name}.parquet")


def recipe(tmp_path: Path, rain: str, stations: str = "", **more: object) -> Recipe:
    (tmp_path / "雨量.csv").write_text(rain, encoding="gbk")
    sources = [SourceRecipe(tmp_path / "雨量.csv", role="rain", **more)]  # type: ignore[arg-type]
    if stations:
        (tmp_path / "站表.csv").write_text(stations, encoding="gbk")
        sources.append(SourceRecipe(tmp_path / "站表.csv", role="rain_station"))
    return Recipe(tuple(sources))


def test_the_shipped_rain_is_in_the_project_with_its_lineage(youwuzhen):
    days, stations = table(youwuzhen, "rain_day"), table(youwuzhen, "rain_station")
    assert len(days) == 2192 and days["day"].iloc[0] == datetime.date(2012, 1, 1) and days["rain_mm"].sum() == pytest.approx(10257.8)
    assert stations.iloc[0].tolist() == ["81502750", "河田站", 116.4, 25.683333, 298.0]
    record = read_catalog(open_project(youwuzhen).state)["rain_day"].lineage
    assert record.source == "pcp_daily.csv" and len(record.source_sha256) == 64 and record.user == "测试员" and record.tool.endswith("ingest")
    assert record.parameters["unit"] == "mm" and any("#UTCTIME" in r for r in record.parameters["remarks"])
    assert table(youwuzhen, "soil_type")["soil_name"].tolist() == ["WNT", "HSNT", "SXYHR", "SXYQSHR", "SXYCGXHR"]


def test_a_clean_table_in_gbk_joins_what_is_there_and_undo_takes_it_out(project, tmp_path, context):
    made = recipe(tmp_path, "日期,甲站(毫米)\n2016-01-01,1.5\n2016-01-03,2\n", "站号,站名,经度,纬度\nA1,甲站,116.5,25.7\n")
    told = ingest(context, made, project)
    assert set(table(project, "rain_day")["station_id"]) == {"81502750", "A1"} and len(table(project, "rain_station")) == 2
    assert set(table(project, "rain_year")["station_id"]) == {"81502750", "A1"}
    record = read_catalog(open_project(project).state)["rain_day"].lineage
    assert record.source == "pcp_daily.csv; 雨量.csv" and len(record.source_sha256.split("; ")) == 2
    assert record.parameters["earlier"]["source"] == "pcp_daily.csv"
    assert any("缺测 1 天 (2016-01-02)" in n for n in context.notes) and any("逐日降水量" in x for x in told.lines)
    undo(project)
    assert set(table(project, "rain_day")["station_id"]) == {"81502750"}


def test_a_station_that_comes_again_replaces_its_days(project, tmp_path, context):
    ingest(context, recipe(tmp_path, "日期,81502750\n2018-01-01,3\n", unit="mm"), project)
    assert table(project, "rain_day")["rain_mm"].tolist() == [3.0]
    assert table(project, "rain_year")["year"].tolist() == [2018]


def test_rain_alone_leaves_the_evaluation_and_new_layers_leave_the_rain(project, tmp_path, context):
    evaluate_area.run(context, {"project": str(project)})
    ingest(context, recipe(tmp_path, "日期,81502750\n2018-01-01,3\n", unit="mm"), project)
    assert len(table(project, "land_structure")) and table(project, "rain_summary")["days"].tolist() == [1]
    villages = read_frame(open_project(project).state / "layers" / "village.parquet")
    villages.to_file(tmp_path / "村.gpkg", driver="GPKG")
    ingest(context, Recipe((SourceRecipe(tmp_path / "村.gpkg", table="village"),)), project)
    assert not (open_project(project).state / "tables" / "land_structure.parquet").exists()
    assert table(project, "rain_day")["rain_mm"].tolist() == [3.0] and table(project, "rain_summary")["days"].tolist() == [1]


def test_an_excel_sheet_of_rain_is_read(project, tmp_path, context):
    pd.DataFrame({"日期": [datetime.datetime(2016, 1, 1), datetime.datetime(2016, 1, 2)], "81502750": [1.5, 0]}).to_excel(tmp_path / "雨量.xlsx", index=False)
    ingest(context, Recipe((SourceRecipe(tmp_path / "雨量.xlsx", table="rain_day", unit="mm"),)), project)
    assert table(project, "rain_day")["rain_mm"].tolist() == [1.5, 0.0]


@pytest.mark.parametrize(
    ("text", "error", "word"),
    [
        ("日期,81502750\n2016-02-30,1\n", SchemaError, "不存在"),
        ("日期,81502750\n2016-02-01,-1\n", SchemaError, "负值"),
        ("日期,99999\n2016-02-01,1\n", SchemaError, "没有坐标"),
        ("日期,81502750\n2016-02-01,1,2\n", UnsafeInputError, "cells"),
        ("日期,81502750\n2016-02-01,1\x00\n", UnsafeInputError, "binary"),
        ("", UnsafeInputError, "empty"),
        ("# 只有说明\n", UnsafeInputError, "no line of text"),
    ],
)
def test_refused_rain_leaves_the_project_as_it_was(project, tmp_path, context, text, error, word):
    before = [g.number for g in history(project)]
    with pytest.raises(error, match=word):
        ingest(context, recipe(tmp_path, text, unit="mm"), project)
    assert [g.number for g in history(project)] == before and len(table(project, "rain_day")) == 2192


def test_two_files_with_the_same_day_are_refused(project, tmp_path, context):
    (tmp_path / "b.csv").write_text("date,81502750\n2018-01-01,3\n", encoding="ascii")
    made = recipe(tmp_path, "日期,81502750\n2018-01-01,3\n", unit="mm")
    with pytest.raises(SchemaError, match="几个来源有重复记录 2 条"):
        ingest(context, Recipe((*made.sources, SourceRecipe(tmp_path / "b.csv", role="rain", unit="mm"))), project)


def test_tables_alone_make_no_project(tmp_path, context):
    made = recipe(tmp_path, "日期,A1(mm)\n2016-01-01,1.5\n", "站号,经度,纬度\nA1,116.5,25.7\n")
    with pytest.raises(SchemaError, match="只有表格"):
        ingest(context, made, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_text_that_is_not_what_is_said_is_refused(project, tmp_path, context):
    with pytest.raises(EncodingError):
        ingest(context, recipe(tmp_path, "日期,81502750\n2016-02-01,1\n", unit="mm", encoding="utf-8"), project)


def test_evaluation_takes_the_thresholds_of_the_project(project, context):
    settings = project / "project.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("[parameters]\n", "[parameters]\nerosion_rain_threshold_mm = 13\n"), encoding="utf-8")
    before = table(project, "rain_summary")["mean_erosive_days"].iloc[0]
    evaluate_area.run(context, {"project": str(project)})
    assert table(project, "rain_summary")["mean_erosive_days"].iloc[0] < before
    soil = table(project, "soil_area")
    assert soil["cells"].sum() == 7310 and soil["soil_code"].tolist() == ["204", "203", "205", "202", "201"]
