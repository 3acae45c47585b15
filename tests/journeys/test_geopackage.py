"""The GeoPackage of a whole project opens clean: OGC requirements, GDAL without a warning, valid shapes, a style a layer."""

from __future__ import annotations

import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import lxml.etree
import pyogrio
import pytest

from qianmo.store.geopackage import check_geopackage
from qianmo.store.project import open_project


@pytest.fixture(scope="module")
def package(made: Path) -> Path:
    return open_project(made / "project").geopackage


def test_it_meets_the_requirements_that_can_be_read_off_the_file(package):
    assert check_geopackage(package) == []


def test_gdal_reads_every_layer_without_a_warning_and_every_shape_is_valid(package):
    names = [str(n) for n in pyogrio.list_layers(package)[:, 0]]
    assert {"landuse_patch", "plan_parcel", "subproject", "fault", "layer_styles", "qianmo_dataset"} <= set(names)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        frames = {n: pyogrio.read_dataframe(package, layer=n) for n in names}
    assert [str(w.message) for w in said] == []
    for name, frame in frames.items():
        if "geometry" in frame.columns:
            shapes = frame.geometry.dropna()
            assert bool(shapes.is_valid.all()) and frame.crs.to_epsg() == 4527, name
            assert name == "fault" or len(shapes) == len(frame), name


def test_each_layer_has_a_default_style_that_is_well_formed(package):
    with closing(sqlite3.connect(package)) as db:
        styles = dict(db.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1").fetchall())
        layers = {r[0] for r in db.execute("SELECT table_name FROM gpkg_contents WHERE data_type = 'features'")}
    assert set(styles) == layers
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    for text in styles.values():
        assert lxml.etree.fromstring(text.encode(), parser).find("renderer-v2") is not None


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("PRAGMA application_id = 1", "application_id"),
        ("PRAGMA user_version = 1", "user_version"),
        ("UPDATE gpkg_contents SET last_change = 'gestern' WHERE table_name = 'village'", "last_change"),
        ("UPDATE gpkg_contents SET srs_id = 0 WHERE table_name = 'village'", "two different srs_id"),
        ("DELETE FROM gpkg_extensions WHERE table_name = 'village'", "not registered"),
        ("DELETE FROM gpkg_spatial_ref_sys WHERE srs_id = -1", "no reference system -1"),
        ("UPDATE layer_styles SET id = id; DROP TABLE qianmo_dataset", "qianmo_dataset is registered and missing"),
    ],
)
def test_the_check_sees_damage(package, tmp_path, damage, fault):
    copy = tmp_path / "a.gpkg"
    copy.write_bytes(package.read_bytes())
    with closing(sqlite3.connect(copy)) as db, db:
        db.executescript(damage)
    assert any(fault in f for f in check_geopackage(copy)), check_geopackage(copy)
