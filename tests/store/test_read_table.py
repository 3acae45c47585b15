"""Tables of coordinates: columns recognised, numbers read, rings closed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from qianmo.schema.errors import UnsafeInputError
from qianmo.store.guard_limits import default_limits
from qianmo.store.raw import RawLayer
from qianmo.store.read_coordinates import coordinate_columns, number_of
from qianmo.store.read_vector import read_layers
from qianmo.store.sources import list_sources

LIMITS = default_limits()


def _read(tmp_path: Path, text: str, name: str = "a.csv") -> RawLayer:
    (tmp_path / name).write_text(text, encoding="utf-8")
    source = list_sources([tmp_path / name], workdir=tmp_path, limits=LIMITS).sources[0]
    return read_layers(source, workdir=tmp_path, limits=LIMITS, encoding="utf-8")[0]


@pytest.mark.parametrize(
    ("header", "kind", "first", "second"),
    [
        (["id", "经度", "纬度"], "lonlat", 1, 2), (["Lat", "Lon"], "lonlat", 1, 0), (["纵坐标(X)", "横坐标(Y)"], "eastnorth", 1, 0),
        (["X坐标（米）", "Y坐标（米）"], "xy", 0, 1), (["北坐标", "东坐标", "X", "Y"], "eastnorth", 1, 0), (["POINT_X", "POINT_Y"], "xy", 0, 1),
        (["id", "WKT"], "wkt", 1, None), (["id", "面积"], "", None, None),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_names(header: list[str], kind: str, first: int | None, second: int | None) -> None:
    found = coordinate_columns(header)
    assert (found.kind, found.first, found.second) == (kind, first, second)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("119.5", 119.5),
        (" -3.25e2 ", -325.0),
        ("119°30′36″", 119.51),
        ("26°6'0\"S", -26.1),
        ("118d30m15.6s", 118.504333333333333),
        ("'7", 7.0),
    ],
)
def test_numbers_are_decimal_or_sexagesimal(text: str, value: float) -> None:
    assert number_of(text, "x") == pytest.approx(value, abs=1e-12)


def test_a_blank_is_no_number_and_no_error() -> None:
    assert math.isnan(number_of("  ", "x"))
    assert math.isnan(number_of(None, "x"))


@pytest.mark.parametrize("text", ["1,5", "inf", "nan", "0x10", "1_000", "119°70′0″", "甲"])
def test_other_words_are_refused_with_their_place(text: str) -> None:
    with pytest.raises(UnsafeInputError, match="row 3"):
        number_of(text, "a.csv: row 3")


def test_attributes_stay_text(tmp_path: Path) -> None:
    layer = _read(tmp_path, "码,金额,lon,lat\n000123,1.50,119,26\n350123456789012345,,120,27\n")
    assert layer.frame["码"].tolist() == ["000123", "350123456789012345"]
    assert layer.frame["金额"].iloc[0] == "1.50"
    assert layer.geometry_type == "Point"
    assert layer.declared_crs_wkt is None


def test_a_boundary_table_gives_the_area_of_the_shoelace_formula(tmp_path: Path) -> None:
    ring = [(0.0, 0.0), (30.0, 5.0), (28.0, 40.0), (10.0, 35.0)]
    shoelace = abs(sum(a * d - b * c for (a, b), (c, d) in zip(ring, [*ring[1:], ring[0]]))) / 2
    rows = "".join(f"P1,张三,J{i},{3300000 + y},{40500000 + x}\n" for i, (x, y) in enumerate(ring, 1))
    layer = _read(tmp_path, "地块号,权利人,点号,X,Y\n" + rows)
    assert layer.frame.area.tolist() == [pytest.approx(shoelace)]
    assert layer.frame["权利人"].tolist() == ["张三"]
    assert layer.frame.total_bounds.tolist() == [40500000.0, 3300000.0, 40500030.0, 3300040.0]


def test_plots_keep_their_order_and_columns_that_vary_are_named(tmp_path: Path) -> None:
    square = [(0, 0), (0, 1), (1, 1), (1, 0)]
    rows = "".join(f"{p},{i},{x + k},{y},n{i}\n" for k, p in enumerate("BA") for i, (x, y) in enumerate(square))
    layer = _read(tmp_path, "地块号,点号,东坐标,北坐标,备注\n" + rows)
    assert layer.frame["地块号"].tolist() == ["B", "A"]
    assert [n.found for n in layer.notes if n.kind == "columns_dropped"] == ["备注"]
