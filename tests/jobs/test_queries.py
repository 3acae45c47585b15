"""Questions to a project: catalogue, tiles, what lies here, search, red lines; against the layers read with GeoPandas."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.geo.area import ellipsoid_area
from qianmo.geo.crs import CGCS2000, transform
from qianmo.geo.tile_rings import tile_of
from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.queries import tiles
from qianmo.jobs.queries.catalogue import catalogue, subjects
from qianmo.jobs.queries.identify import identify, one_row, row_number
from qianmo.jobs.queries.layers import MapLayers
from qianmo.jobs.queries.notation import readings
from qianmo.jobs.queries.red_line import over_layers, red_line_from
from qianmo.jobs.queries.search import search
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.errors import MissingDataError
from qianmo.store.project import change


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> MapLayers:
    folder = tmp_path_factory.mktemp("queries") / "town"
    context = Context(user="测试", clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    make_village(context, checked_values(job_spec("village"), {"into": str(folder), "patches": 400, "villages": 3}))
    return MapLayers(folder)


@pytest.fixture(scope="module")
def patches(town) -> gpd.GeoDataFrame:
    return gpd.read_parquet(town.project().state / "layers" / "landuse_patch.parquet")


def _shown(town: MapLayers) -> list:
    return [town.layer(e.name) for e in town.entries() if e.is_drawn]


def test_the_catalogue_is_ordered_by_legal_rank(town):
    found = [e.subject for e in catalogue(town.project())]
    order = list(subjects())
    assert found == sorted(found, key=order.index) and found[0] == "control"


def test_a_place_tells_the_patch_that_holds_it(town, patches):
    points = shapely.point_on_surface(patches.geometry.to_numpy())
    lonlat = transform(points, patches.crs, CGCS2000)
    for number in range(0, len(patches), 37):
        found = identify([town.layer("landuse_patch")], lonlat[number].x, lonlat[number].y)
        assert [r.key for r in found] == [patches["patch_id"][number]]
        assert found[0].value("class_code") == patches["class_code"][number] and found[0].synthetic


def test_a_code_is_found_first_and_leads_to_its_row(town, patches):
    code = patches["patch_id"][123]
    first = search(_shown(town), code)[0]
    assert (first.layer, first.row, first.key) == ("landuse_patch", 123, code)
    shown = town.layer("landuse_patch")
    assert row_number(shown, code) == 123
    assert one_row(shown, 123).key == code
    box = shapely.box(*first.box)
    inner = shapely.Point(first.lon, first.lat)
    assert box.contains(inner)


@pytest.mark.parametrize(
    "words",
    ["117.25, 28.0", "28.0 117.25", "117°15′E 28°N", "北纬28°0'0\" 东经117°15'0\"", "117.25；28", "L: 117.25 B: 28.0", "39524590.51,3098466.93", "3098466.93 39524590.51"],
)
def test_coordinates_are_read_in_any_usual_notation(words):
    found = readings(words)
    assert len(found) == 1
    lon, lat = found[0].lon, found[0].lat
    assert lon == pytest.approx(117.25, abs=1e-5) and lat == pytest.approx(28.0, abs=1e-5)


@pytest.mark.parametrize("words", ["0101", "甲子村", "990101100201", "1 2", "12 34 56", "117.25", "", "东溪 12 号"])
def test_codes_and_names_are_no_coordinates(words):
    assert not readings(words)


def test_a_red_line_counts_what_cutting_every_patch_counts(town, patches):
    middle = transform(np.array([shapely.box(*patches.total_bounds).centroid], dtype=object), patches.crs, CGCS2000)[0]
    outline = middle.buffer(0.003, quad_segs=120)
    line = red_line_from(shapely.geometry.mapping(outline))
    shape = transform(np.array([outline], dtype=object), CGCS2000, patches.crs)[0]
    common = shapely.intersection(patches.geometry.to_numpy(), shape)
    held = shapely.area(common) > 0
    area = np.zeros(len(common))
    area[held] = ellipsoid_area(transform(common[held], patches.crs, CGCS2000))
    covered = next(c for c in over_layers(_shown(town), line) if c.layer == "landuse_patch")
    assert covered.rows == held.sum()
    assert covered.area_m2 == pytest.approx(area.sum(), rel=2e-6)
    by_class = {g.value: (g.rows, g.area_m2) for g in covered.groups}
    for code in set(patches["class_code"][held]):
        mine = held & (patches["class_code"] == code).to_numpy()
        assert by_class[code][0] == mine.sum() and by_class[code][1] == pytest.approx(area[mine].sum(), abs=0.006 * mine.sum())  # stored areas are rounded to 0.01
    assert covered.area_m2 == pytest.approx(line.area_m2, rel=1e-5)


def test_a_region_hides_rows_everywhere(town, patches):
    shown = town.layer("landuse_patch")
    villages = patches["village_code"].to_numpy()
    own = villages[0]
    foreign = int(np.flatnonzero(villages != own)[0])
    key = patches["patch_id"][foreign]
    point = transform(shapely.point_on_surface(patches.geometry.to_numpy()[[foreign]]), patches.crs, CGCS2000)[0]
    assert not identify([shown], point.x, point.y, region=own) and identify([shown], point.x, point.y)
    assert not search([shown], key, region=own)
    with pytest.raises(MissingDataError):
        row_number(shown, key, region=own)
    line = red_line_from(shapely.geometry.mapping(shapely.box(117.0, 27.8, 117.5, 28.2)))
    assert over_layers([shown], line, region=own)[0].rows == (villages == own).sum()


def test_a_region_hides_features_in_tiles(town, patches):
    import mapbox_vector_tile

    shown = town.layer("landuse_patch")
    villages = patches["village_code"].to_numpy()
    own = villages[0]
    west, south, east, north = tiles.bounds_lonlat(shown.head)
    tile = tiles.vector_tile(shown, 12, *tile_of((west + east) / 2, (south + north) / 2, 12), region=own)
    numbers = {f["id"] for f in mapbox_vector_tile.decode(tile)["landuse_patch"]["features"]}
    assert numbers and {villages[n] for n in numbers} == {own}


def test_a_picture_of_a_region_paints_less(town, monkeypatch):
    shown = town.layer("landuse_patch")
    west, south, east, north = tiles.bounds_lonlat(shown.head)
    tile = tile_of((west + east) / 2, (south + north) / 2, 12)
    whole, part = tiles.picture_tile(shown, 12, *tile), tiles.picture_tile(shown, 12, *tile, region=shown.coded("village_code").values[1])
    assert whole[:8] == part[:8] == b"\x89PNG\r\n\x1a\n" and whole != part


def test_a_change_of_the_project_shows_in_the_next_tile(town, patches):
    from dataclasses import replace

    shown = town.layer("village")
    version, kept = town.version("village"), town.layer("landuse_patch")
    less = gpd.read_parquet(town.project().state / "layers" / "village.parquet").iloc[:1]
    with change(Path(town.folder), what="改界", user="测试", now=datetime(2026, 1, 3, tzinfo=UTC)) as stage:
        stage.put_layer(less, replace(shown.dataset, rows=1))
    assert town.layer("village").table.num_rows == 1 and town.version("village") != version
    assert town.layer("landuse_patch") is kept, "an untouched layer stays ready"


def test_a_tile_that_would_be_too_large_is_drawn_coarser(town, monkeypatch):
    shown = town.layer("landuse_patch")
    west, south, east, north = tiles.bounds_lonlat(shown.head)
    tile = tile_of((west + east) / 2, (south + north) / 2, 12)
    full = len(tiles.vector_tile(shown, 12, *tile))
    monkeypatch.setattr(tiles, "MAX_TILE_BYTES", full - 2000)
    assert 0 < len(tiles.vector_tile(shown, 12, *tile)) <= full - 2000


def test_layers_that_were_warmed_are_ready_and_a_missing_one_is_left_to_who_asks(town):
    fresh = MapLayers(town.folder)
    fresh.warm(["ghost", "village"]).join(timeout=30)
    assert fresh.layer("village") is fresh.layer("village") and set(fresh._ready) == {"village"}


def test_a_layer_that_is_not_there_is_named(town):
    with pytest.raises(MissingDataError, match="no layer 'ghost'"):
        town.layer("ghost")
