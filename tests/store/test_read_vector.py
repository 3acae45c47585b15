"""Vector reading against GDAL read directly: the same shapes, the same values, only safer."""

from __future__ import annotations

import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from qianmo.schema.errors import EncodingError, MissingDataError
from qianmo.store.guard_limits import default_limits
from qianmo.store.read_vector import needs_encoding, read_layers, read_sources, text_samples
from qianmo.store.sources import list_sources

LIMITS = default_limits()


@pytest.fixture
def patches(rng: np.random.Generator) -> gpd.GeoDataFrame:
    n = 200
    x, y = 40500000 + 50.0 * (np.arange(n) % 20), 3300000 + 50.0 * (np.arange(n) // 20)
    table = {
        "BSM": [350123456789012345 + i for i in range(n)], "DLBM": rng.choice(["0101", "0102", "0703"], n),
        "DLMC": rng.choice(["水田", "旱地", "农村宅基地", None], n), "TBMJ": rng.uniform(1, 9999, n).round(2), "SJNF": np.where(rng.random(n) < 0.1, None, 2023),
    }  # fmt: skip
    return gpd.GeoDataFrame(pd.DataFrame(table).astype({"SJNF": "Int32"}), geometry=shapely.box(x, y, x + 50, y + 50), crs=4528)


def _written(frame: gpd.GeoDataFrame, path: Path, driver: str, **more: object) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyogrio.write_dataframe(frame, path, driver=driver, **more)
    return path


def _plain(column: pd.Series) -> list[object]:
    return [None if pd.isna(v) else v for v in column.tolist()]


@pytest.mark.parametrize(
    ("name", "driver", "more"),
    [
        ("图斑.shp", "ESRI Shapefile", {"encoding": "GBK"}),
        ("图斑.gpkg", "GPKG", {"layer": "DLTB"}),
        ("图斑.gdb", "OpenFileGDB", {"layer": "DLTB", "layer_options": {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"}}),
    ],
)
def test_shapes_and_values_equal_those_of_gdal(
    tmp_path: Path, patches: gpd.GeoDataFrame, name: str, driver: str, more: dict[str, object]
) -> None:
    path = _written(patches, tmp_path / name, driver, **more)
    expected = pyogrio.read_dataframe(path, **({"encoding": "GBK"} if driver == "ESRI Shapefile" else {}))
    source = list_sources([path], workdir=tmp_path, limits=LIMITS).sources[0]
    layer = read_layers(source, workdir=tmp_path, limits=LIMITS, encoding="GBK" if needs_encoding(source) else None)[0]
    assert layer.frame.crs is None
    assert "4528" in str(layer.declared_crs_wkt) or "Zone_40" in str(layer.declared_crs_wkt)
    assert shapely.equals_exact(
        shapely.normalize(np.asarray(layer.frame.geometry.array)), shapely.normalize(np.asarray(expected.geometry.array)), 1e-6
    ).all()
    for column in ("DLBM", "DLMC", "TBMJ", "SJNF"):
        assert _plain(layer.frame[column]) == _plain(expected[column]), column
    assert layer.frame["BSM"].tolist() == patches["BSM"].tolist()
    assert layer.sha256 == source.sha256
    assert len(layer.frame) == layer.feature_count_header == 200


def test_samples_are_the_raw_bytes_of_names_and_values(tmp_path: Path, patches: gpd.GeoDataFrame) -> None:
    path = _written(patches.rename(columns={"DLMC": "地类名称"}), tmp_path / "a.shp", "ESRI Shapefile", encoding="GBK")
    source = list_sources([path], workdir=tmp_path, limits=LIMITS).sources[0]
    assert source.declared_encoding == "GBK"
    assert set(text_samples(source)) == {s.encode("gbk") for s in ("地类名称", "水田", "旱地", "农村宅基地")}


def test_ascii_text_needs_no_decision(tmp_path: Path, patches: gpd.GeoDataFrame) -> None:
    path = _written(patches.drop(columns="DLMC"), tmp_path / "a.shp", "ESRI Shapefile")
    source = list_sources([path], workdir=tmp_path, limits=LIMITS).sources[0]
    assert not needs_encoding(source)
    assert len(read_layers(source, workdir=tmp_path, limits=LIMITS)[0].frame) == 200


def test_an_undecided_encoding_stops_one_source_and_not_the_others(tmp_path: Path, patches: gpd.GeoDataFrame) -> None:
    first = _written(patches, tmp_path / "a.shp", "ESRI Shapefile", encoding="GBK")
    second = _written(patches, tmp_path / "b.gpkg", "GPKG")
    sources = list_sources([first, second], workdir=tmp_path, limits=LIMITS).sources
    bad, good = read_sources(sources, workdir=tmp_path, limits=LIMITS)
    assert isinstance(bad.error, EncodingError)
    assert good.error is None
    assert len(good.layers[0].frame) == 200


def test_every_layer_of_a_database_is_read_and_tables_have_no_geometry(tmp_path: Path, patches: gpd.GeoDataFrame) -> None:
    path = _written(patches, tmp_path / "a.gpkg", "GPKG", layer="DLTB")
    _written(patches.head(5), path, "GPKG", layer="XZQ", append=False)
    pyogrio.write_dataframe(pd.DataFrame({"code": ["0101", "0102"]}), path, driver="GPKG", layer="codes")
    source = list_sources([path], workdir=tmp_path, limits=LIMITS).sources[0]
    layers = {x.name: x for x in read_layers(source, workdir=tmp_path, limits=LIMITS)}
    assert {n: len(x.frame) for n, x in layers.items()} == {"DLTB": 200, "XZQ": 5, "codes": 2}
    assert layers["codes"].geometry_type is None
    assert not isinstance(layers["codes"].frame, gpd.GeoDataFrame)


def test_a_folder_lists_its_sources_and_names_what_it_passes_over(tmp_path: Path, patches: gpd.GeoDataFrame) -> None:
    folder = tmp_path / "资料"
    folder.mkdir()
    _written(patches, folder / "a.shp", "ESRI Shapefile")
    (folder / "说明.txt").write_text("请先阅读\n", encoding="utf-8")
    listing = list_sources([folder], workdir=tmp_path, limits=LIMITS)
    assert [s.origin for s in listing.sources] == ["资料/a.shp"]
    assert set(listing.ignored) == {"资料/说明.txt", "资料/a.prj", "资料/a.cpg"}


def test_refusals_can_be_gathered(tmp_path: Path, patches: gpd.GeoDataFrame) -> None:
    good = _written(patches, tmp_path / "a.gpkg", "GPKG")
    listing = list_sources([good, tmp_path / "no.shp"], workdir=tmp_path, limits=LIMITS, gather=True)
    assert len(listing.sources) == 1
    assert [(n, type(e)) for n, e in listing.refused] == [("no.shp", MissingDataError)]


def test_two_sources_of_one_name_never_share_an_encoding_by_name(tmp_path: Path, patches: gpd.GeoDataFrame) -> None:
    for part, encoding in (("a", "GBK"), ("b", "UTF-8")):
        (tmp_path / part).mkdir()
        _written(patches, tmp_path / part / "图斑.shp", "ESRI Shapefile", encoding=encoding)
    sources = list_sources([tmp_path / "a" / "图斑.shp", tmp_path / "b" / "图斑.shp"], workdir=tmp_path, limits=LIMITS).sources
    by_name = read_sources(sources, workdir=tmp_path, limits=LIMITS, encodings={"图斑.shp": "gbk"})
    assert [type(r.error) for r in by_name] == [EncodingError, EncodingError]
    by_hash = read_sources(sources, workdir=tmp_path, limits=LIMITS, encodings={s.sha256: e for s, e in zip(sources, ("gbk", "utf-8"))})
    assert by_hash[0].layers[0].frame["DLMC"].equals(by_hash[1].layers[0].frame["DLMC"])
