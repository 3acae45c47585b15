"""Tables that are asked for as tables: lines before the header, coordinate columns, sheets without coordinates."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from qianmo.store.guard import Consent, inspect
from qianmo.store.guard_limits import default_limits
from qianmo.store.raw import RawLayer
from qianmo.store.read_vector import read_layers, read_sources
from qianmo.store.sandbox_table import without_comments


def plain(path: Path, workdir: Path) -> RawLayer:
    source = inspect(path, limits=default_limits())
    reading = read_sources([source], workdir=workdir, limits=default_limits(), plain={source.sha256})[0]
    if reading.error is not None:
        raise reading.error
    return reading.layers[0]


def test_lines_before_the_header_are_passed_over_and_told(tmp_path):
    (tmp_path / "a.csv").write_text("#UTCTIME,\n# second\ndate,lon,lat\n2016-01-01,116,25\n", encoding="ascii")
    layer = plain(tmp_path / "a.csv", tmp_path)
    assert list(layer.frame.columns) == ["date", "lon", "lat"] and layer.frame.iloc[0].tolist() == ["2016-01-01", "116", "25"]
    assert [n.found for n in layer.notes if n.kind == "comment_lines"] == ["#UTCTIME | # second"]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "a,b\n#1,2\n", ""])
def test_a_text_without_such_lines_is_left_alone(text):
    assert without_comments(text) == (text, [])


def test_an_excel_sheet_without_coordinates_keeps_its_rows_where_tables_are_agreed_to(tmp_path):
    book = openpyxl.Workbook()
    for row in (["owner", "share"], ["甲", 0.5], ["乙", 0.5]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    source = inspect(tmp_path / "t.xlsx", limits=default_limits())
    layer = read_layers(source, workdir=tmp_path, limits=default_limits(), consent=Consent(plain_tables=True))[0]
    assert layer.frame["owner"].tolist() == ["甲", "乙"]
