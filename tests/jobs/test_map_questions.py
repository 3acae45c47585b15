"""What the map asks beyond a click: changes, measures, notations, initials, rasters, sheets; against other routes."""

from __future__ import annotations

import importlib.util
import io
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from PIL import Image

from qianmo.geo.area import ellipsoid_area_of
from qianmo.geo.crs import CGCS2000, transform
from qianmo.geo.tile_rings import tile_of
from qianmo.jobs.context import Context
from qianmo.jobs.queries.changes import change_totals, changes, side
from qianmo.jobs.queries.initials import initials
from qianmo.jobs.queries.layers import MapLayers
from qianmo.jobs.queries.measured import measured
from qianmo.jobs.queries.notation import readings
from qianmo.jobs.queries.rasters import raster_of, raster_tile
from qianmo.jobs.queries.search import search
from qianmo.jobs.queries.states import kept_states, undoable
from qianmo.jobs.queries.tiles import vector_tile
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.errors import MissingDataError, SchemaError

_spec = importlib.util.spec_from_file_location("planned", Path(__file__).resolve().parents[1] / "web" / "planned.py")
planned = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(planned)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare") / "town"
    survey = planned.planned_township(folder)
    return folder, survey


def _at(folder: Path, word: str):
    asked = side(word)
    kept = MapLayers(folder, generation=asked.generation) if asked.generation else MapLayers(folder)
    return kept.layer(asked.layer), asked.column


def _between(folder: Path, left: str, right: str):
    return changes(*_at(folder, left), *_at(folder, right))


class TestChanges:
    def test_a_plan_changes_the_patches_it_aims_elsewhere(self, town):
        folder, survey = town
        aimed = survey[(survey.index % planned.PLANNED == 0) & (survey["class_code"] != "0103")]
        shown = _between(folder, "1", "2-plan")
        assert shown.table.num_rows == len(aimed)
        assert shown.table.column("area_m2").to_numpy().sum() == pytest.approx(ellipsoid_area_of(aimed).sum(), rel=1e-9)
        assert {t.after for t in change_totals(shown)} == {"0103"}

    def test_two_plans_differ_where_one_of_them_aims_elsewhere(self, town):
        folder, survey = town
        one, two = survey.index % planned.PLANNED == 0, survey.index % planned.REPLANNED == 0
        expected = survey[(one != two) & (survey["class_code"] != "0103").to_numpy()]
        assert _between(folder, "2-plan", "plan").table.num_rows == len(expected)

    def test_two_states_differ_where_overlaying_them_says_so(self, town):
        folder, survey = town
        edited = gpd.read_parquet(folder / "generations" / "0003" / "layers" / "landuse_patch.parquet")
        common = gpd.overlay(survey[["class_code", "geometry"]], edited[["class_code", "geometry"]], keep_geom_type=True)
        common = common[(common["class_code_1"] != common["class_code_2"]) & (common.area > 0.5)]
        expected = common.assign(a=ellipsoid_area_of(common)).groupby(["class_code_1", "class_code_2"])["a"].sum()
        found = {(t.before, t.after): t.area_m2 for t in change_totals(_between(folder, "1", "now"))}
        assert set(found) == set(expected.index)
        for pair, area in expected.items():
            assert found[pair] == pytest.approx(area, rel=1e-6, abs=0.5)

    def test_the_way_back_is_the_same_land(self, town):
        there = {(t.before, t.after): round(t.area_m2, 2) for t in change_totals(_between(town[0], "1", "now"))}
        back = {(t.after, t.before): round(t.area_m2, 2) for t in change_totals(_between(town[0], "now", "1"))}
        assert there == back and there

    def test_nothing_differs_from_itself(self, town):
        assert _between(town[0], "now", "3").table.num_rows == 0

    def test_land_that_one_state_lacks_comes_from_nothing(self, town, tmp_path):
        shown, column = _at(town[0], "1")
        kept = [n for n in range(shown.table.num_rows) if n != 3]
        less = type(shown)(shown.head, shown.table.take(kept), shown.rings, shown.box[:, kept])
        found = change_totals(changes(less, column, shown, column))
        assert [t.before for t in found] == [""] and found[0].area_m2 == pytest.approx(ellipsoid_area_of(town[1].iloc[[3]])[0], rel=1e-6)

    def test_a_place_tells_from_and_to_and_a_region_hides_it(self, town):
        folder, survey = town
        row = survey[(survey.index % planned.PLANNED == 0) & (survey["class_code"] != "0103")].iloc[0]
        point = transform(np.array([shapely.point_on_surface(row.geometry)], dtype=object), survey.crs, CGCS2000)[0]
        shown = _between(folder, "1", "2-plan")
        assert [(t.before, t.after) for t in change_totals(shown, place=(point.x, point.y))] == [(row["class_code"], "0103")]
        assert change_totals(shown, place=(point.x, point.y), region=row["village_code"])
        assert not change_totals(shown, place=(point.x, point.y), region="1234")

    def test_its_tile_holds_the_changed_patches_alone(self, town):
        import mapbox_vector_tile

        folder, survey = town
        row = survey[(survey.index % planned.PLANNED == 0) & (survey["class_code"] != "0103")].iloc[0]
        point = transform(np.array([shapely.point_on_surface(row.geometry)], dtype=object), survey.crs, CGCS2000)[0]
        tile = mapbox_vector_tile.decode(vector_tile(_between(folder, "1", "2-plan"), 15, *tile_of(point.x, point.y, 15)))
        properties = [f["properties"] for f in tile["changes"]["features"]]
        assert {"b": row["class_code"], "a": "0103"} in properties and {p["a"] for p in properties} == {"0103"}

    @pytest.mark.parametrize("word", ["0", "-1", "plan-3", "3-now", "", "999999999999", "now-plan"])
    def test_words_that_name_no_side_are_refused(self, word):
        with pytest.raises(MissingDataError):
            side(word)

    def test_a_state_that_is_not_kept_is_refused(self, town):
        with pytest.raises(MissingDataError):
            _at(town[0], "9")

    def test_the_list_of_states_begins_with_the_newest(self, town):
        assert [s.number for s in kept_states(town[0])] == [3, 2, 1] and undoable(town[0]).what == "变更调查"


class TestMeasures:
    def test_a_length_is_that_of_the_geodesic(self):
        found = measured({"type": "LineString", "coordinates": [[117.0, 28.0], [117.1, 28.05], [117.2, 28.0]]})
        geod = pyproj.Geod(ellps="GRS80")
        assert found.length_m == pytest.approx(geod.line_length([117.0, 117.1, 117.2], [28.0, 28.05, 28.0]), abs=1e-6) and found.area_m2 == 0

    def test_an_area_is_that_of_the_ellipsoid(self):
        ring = [[117.0, 28.0], [117.01, 28.0], [117.01, 28.01], [117.0, 28.01], [117.0, 28.0]]
        area, length = pyproj.Geod(ellps="GRS80").polygon_area_perimeter(*zip(*ring, strict=True))
        found = measured({"type": "Polygon", "coordinates": [ring]})
        assert found.area_m2 == pytest.approx(area, rel=1e-6) and found.length_m == pytest.approx(length, abs=1e-6)

    def test_an_outline_that_crosses_itself_has_no_area(self):
        ring = [[117.0, 28.0], [117.01, 28.01], [117.01, 28.0], [117.0, 28.01], [117.0, 28.0]]
        found = measured({"type": "Polygon", "coordinates": [ring]})
        assert found.crosses and found.area_m2 == 0 and found.length_m > 0

    @pytest.mark.parametrize("shape", [{}, {"type": "Point", "coordinates": [117, 28]}, {"type": "LineString", "coordinates": [[5e5, 3e6], [5e5, 3.1e6]]}, {"type": "LineString", "coordinates": "x"}])
    def test_what_is_no_line_is_refused(self, shape):
        with pytest.raises(SchemaError):
            measured(shape)


HERE = [(117.2, 27.9, 117.3, 28.1)]


class TestNotation:
    @pytest.mark.parametrize(
        ("words", "notation", "order", "system"),
        [("117.25, 28.0", "degrees", "lon", ""), ("28.0 117.25", "degrees", "lat", ""), ("28°00′00″N 117°15′00″E", "dms", "lat", ""),
         ("东经117度15分0秒，北纬28度", "dms", "lon", ""), ("E117°15' N28°", "dms", "lon", ""), ("X=3098466.93 Y=39524590.51", "zone", "north", "EPSG:4527"),
         ("39524590.51 3098466.93", "zone", "east", "EPSG:4527"), ("20524590.51, 3098466.93", "zone", "east", "EPSG:4498"), ("3098466.93, 524590.51", "plain", "north", "EPSG:4548")],
    )  # fmt: skip
    def test_a_notation_is_named_with_its_order_and_zone(self, words, notation, order, system):
        found = readings(words, systems=["EPSG:4527"], boxes=HERE)
        assert [(r.notation, r.order, r.system) for r in found] == [(notation, order, system)]
        assert (found[0].lon, found[0].lat) == pytest.approx((117.25, 28.0), abs=1e-5)

    def test_an_easting_without_zone_far_from_the_project_offers_every_zone_near_it(self):
        found = readings("3098466.93, 524590.51", systems=["EPSG:4527"], boxes=[(116.0, 30.0, 118.0, 31.0)])
        assert len(found) > 2 and {r.notation for r in found} == {"plain"} and found[0].lon == pytest.approx(117.25, abs=1e-5)
        assert len({r.system for r in found}) == len(found)

    def test_two_numbers_of_the_size_of_an_easting_are_read_both_ways(self):
        found = readings("450000 560000", systems=[], boxes=[])
        assert {r.order for r in found} == {"north", "east"}

    @pytest.mark.parametrize("words", ["117°75′0″ 28°", "N28° N29°", "200 300", "39524590.51 9999999", "60524590 3098466", "117.25 28 5"])
    def test_what_cannot_be_is_no_place(self, words):
        assert not readings(words, systems=["EPSG:4527"], boxes=HERE)

    def test_projected_readings_agree_with_pyproj(self):
        back = pyproj.Transformer.from_crs(4490, 4527, always_xy=True)
        rng = np.random.default_rng(5)
        for lon, lat in rng.uniform((116, 20), (118.4, 40), (40, 2)):
            east, north = back.transform(lon, lat)
            found = readings(f"{north:.4f}, {east:.4f}")
            assert len(found) == 1 and (found[0].lon, found[0].lat) == pytest.approx((lon, lat), abs=2e-9)


class TestInitials:
    def test_initials_read_words_with_several_sounds_by_the_phrase(self):
        assert initials(["重庆", "东溪村", "A区3组", ""]) == ("cq", "dxc", "aq3z", "")

    def test_a_village_is_found_by_its_initials_and_a_hidden_owner_is_not(self, town):
        shown = MapLayers(town[0]).layer("village")
        name = shown.table.column("village_name").to_pylist()[0]
        asked = initials([name])[0]
        assert name in [p.text for p in search([shown], asked)] and name in [p.text for p in search([shown], asked.upper())]
        assert name not in [p.text for p in search([shown], asked, hidden=frozenset({"village_name", "location_name"}))]


class TestRasters:
    def test_a_tile_lies_where_a_direct_warp_puts_it(self, tmp_path):
        from rasterio.warp import Resampling, reproject

        from qianmo.geo.raster import Grid
        from qianmo.store.map_raster import map_raster, raster_block
        from qianmo.store.write_raster import write_cog

        values = (np.indices((300, 300)).sum(axis=0) // 30 % 2).astype(np.int16)
        grid = Grid(values, rasterio.transform.from_origin(39_500_000, 3_100_000, 10, 10), pyproj.CRS(4527), None)
        write_cog(tmp_path / "r.tif", grid)
        raster = map_raster(tmp_path / "r.tif", tmp_path / "m" / "r.tif", is_height=False)
        assert raster.how == "class" and raster.values == (0.0, 1.0)
        lon, lat = pyproj.Transformer.from_crs(4527, 4490, always_xy=True).transform(39_501_500, 3_098_500)
        column, row = tile_of(lon, lat, raster.zoom)
        span = 2 * np.pi * 6378137 / (1 << raster.zoom)
        direct = np.zeros((256, 256), np.uint8)
        reproject(values.astype(np.uint8) + 1, direct, src_transform=grid.transform, src_crs="EPSG:4527", src_nodata=0, dst_nodata=0, dst_crs="EPSG:3857",
                  dst_transform=rasterio.transform.from_origin(column * span - np.pi * 6378137, np.pi * 6378137 - row * span, span / 256, span / 256),
                  resampling=Resampling.nearest)  # fmt: skip
        found = raster_block(raster, raster.zoom, column, row)
        assert (found == direct).mean() > 0.97, "more than half a pixel off would change one cell in seven"

    def test_a_tile_of_the_terrain_is_a_picture_made_once_in_time(self, town):
        kept = MapLayers(town[0])
        raster = raster_of(kept, "dem")
        made = raster.path.stat().st_mtime_ns
        middle = ((raster.box[0] + raster.box[2]) / 2, (raster.box[1] + raster.box[3]) / 2)
        tile = tile_of(*middle, raster.zoom)
        picture = Image.open(io.BytesIO(raster_tile(raster, raster.zoom, *tile)))
        assert picture.size == (256, 256) and raster.how == "shade" and len(set(np.asarray(picture).ravel().tolist())) > 5
        assert raster_of(kept, "dem").path.stat().st_mtime_ns == made
        assert raster_tile(raster, raster.zoom, 0, 0) == b""
        start = time.process_time()
        for _ in range(10):
            raster_tile(raster, raster.zoom, *tile)
        assert (time.process_time() - start) / 10 < 0.05

    def test_a_name_that_is_no_raster_is_refused(self, town):
        with pytest.raises(MissingDataError):
            raster_of(MapLayers(town[0]), "landuse_patch")


class TestSheet:
    def test_a_sheet_holds_scale_legend_north_and_mark(self, town, tmp_path):
        import pypdfium2

        box = town[1].to_crs(4490).total_bounds
        given = {"project": str(town[0]), "layer": ["landuse_patch", "village"], "out": str(tmp_path / "s.pdf"), "title": "东溪图",
                 **dict(zip(("west", "south", "east", "north"), box.tolist(), strict=True))}  # fmt: skip
        report = job_spec("sheet").run(Context(clock=lambda: planned.NOW), checked_values(job_spec("sheet"), given))
        document = pypdfium2.PdfDocument(tmp_path / "s.pdf")
        assert len(document) == 1 and document[0].get_size() == pytest.approx((420 / 25.4 * 72, 297 / 25.4 * 72), abs=1)
        assert np.asarray(document[0].render(scale=0.5).to_pil()).std() > 20
        assert report.figures["scale"] > 0 and "图层 2 个" in report.lines[0]

    def test_a_box_where_nothing_lies_is_refused_and_writes_nothing(self, town, tmp_path):
        given = {"project": str(town[0]), "layer": ["village"], "west": 100.0, "south": 30.0, "east": 100.01, "north": 30.01, "out": str(tmp_path / "s.pdf")}
        with pytest.raises((MissingDataError, Exception)):
            job_spec("sheet").run(Context(), checked_values(job_spec("sheet"), given))
        assert not (tmp_path / "s.pdf").exists()
