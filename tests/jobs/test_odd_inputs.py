"""Odd words of the user: refused in words, or stored so that the project can be opened again."""

from __future__ import annotations

from pathlib import Path

import pytest

from qianmo.cli.main import main
from qianmo.store.durable import toml_key, toml_value
from qianmo.store.project import open_project

SOURCE = """{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"BSM":"350821000000000001","DLBM":"0101","DLMC":"水田",
"ZLDWDM":"3508211002000000000","ZLDWMC":"河田镇","TBMJ":11131.0,"ZZSXDM":"LS","CZCSXM":null},"geometry":{"type":"Polygon","coordinates":
[[[116.45,25.68],[116.451,25.68],[116.451,25.681],[116.45,25.681],[116.45,25.68]]]}}]}"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.geojson"
    path.write_text(SOURCE, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["a\\qb", "换\n行", '引"号', "制\t表", "删\x7f除", "x" * 3000, "']\"\\\n[plan]\nbudget_wan = 1"])
def test_any_name_of_a_project_can_be_read_again(source: Path, tmp_path: Path, name: str):
    folder = tmp_path / "p"
    assert main(["ingest", "--quiet", str(source), "--into", str(folder), "--name", name]) == 0
    project = open_project(folder)
    assert project.name == name
    assert "budget_wan" not in project.settings["plan"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--crs", "北京54"], 2, "不是已知的坐标系"),
        (["--crs", "EPSG:999999"], 2, "不是已知的坐标系"),
        (["--accept", "everything"], 2, "没有这一项"),
        (["--helmert", "nan,1,2"], 2, "有限的数值"),
        (["--helmert", "1e999,1,2"], 2, "有限的数值"),
        (["--helmert", "1,2"], 2, "3 个或 7 个"),
        (["--as-table", "xx"], 2, "没有图层类型"),
        (["--classes", "a=b"], 2, "像元"),
        (["--project-crs", "999999"], 2, "坐标系"),
    ],
)
def test_wrong_words_are_refused_with_a_cure_and_nothing_is_left(source: Path, tmp_path: Path, capsys, words: list[str], code: int, said: str):
    assert main(["ingest", "--quiet", str(source), "--into", str(tmp_path / "p"), *words]) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "text",
    [
        "", "[[source]]\npath = 5", "source = 3", '[[source]]\npath = "a.geojson"\nsynthetic = "maybe"', '[[source]]\npath = "a.geojson"\n[source.classes]\nx = "0101"',
        '[helmert]\nfoo = 1\n[[source]]\npath = "a.geojson"', '[helmert]\ndx = "a"\n[[source]]\npath = "a.geojson"', '[[source]]\npath = "a.geojson"\ncolour = 1',
        '[invent]\nvillages = "x"\n[[source]]\npath = "a.geojson"', '[helmert]\ndx = nan\ndy = 1\ndz = 1\n[[source]]\npath = "a.geojson"', "[[source", '[[source]]\npath = "../../etc/passwd"',
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_refused_and_nothing_is_left(source: Path, tmp_path: Path, capsys, text: str):
    recipe = tmp_path / "r.toml"
    recipe.write_text(text, encoding="utf-8")
    assert main(["ingest", "--quiet", "--recipe", str(recipe), "--into", str(tmp_path / "p")]) in (2, 5)
    assert "未完成" in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_settings_that_were_edited_wrongly_name_the_line(source: Path, tmp_path: Path, capsys):
    folder = tmp_path / "p"
    assert main(["ingest", "--quiet", str(source), "--into", str(folder)]) == 0
    settings = folder / "project.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n[plan]\nbudget = 二千\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["evaluate", "--quiet", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "project.toml" in said and "line" in said and "办法" in said


def test_values_of_a_settings_file_are_escaped():
    assert toml_value('a"b\\c\n') == '"a\\"b\\\\c\\n"'
    assert (toml_value(True), toml_value(["a", 1]), toml_key("Z-01"), toml_key("a b")) == ("true", '["a", 1]', "Z-01", '"a b"')
