"""The invented township is a legal survey database."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qianmo.geo.area import ellipsoid_area
from qianmo.geo.crs import lonlat
from qianmo.schema.codes import FARMLAND_CODES, domain_codes, land_classes
from qianmo.schema.errors import CrsError, SchemaError
from qianmo.schema.tables import table_spec
from qianmo.village.make import Township, make_township


@pytest.fixture(scope="module")
def town() -> Township:
    return make_township(patches=1500, villages=5, rng=np.random.default_rng(11))


def test_the_patches_are_exactly_as_many_as_asked(town: Township) -> None:
    assert len(town.landuse_patch) == 1500
    assert len(town.village) == 5
    assert town.landuse_patch["village_code"].nunique() == 5


def test_the_patches_partition_the_villages_without_gap_or_overlap(town: Township) -> None:
    shapes = town.landuse_patch.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    for code, outline in zip(town.village["village_code"], town.village.geometry, strict=True):
        mine = shapely.coverage_union_all(shapes[(town.landuse_patch["village_code"] == code).to_numpy()])
        assert shapely.equals(mine, outline)


def test_every_coordinate_lies_on_the_millimetre_grid(town: Township) -> None:
    xy = shapely.get_coordinates(town.landuse_patch.geometry.to_numpy())
    assert np.abs(xy * 1000 - np.round(xy * 1000)).max() < 1e-4


def test_each_village_is_one_piece(town: Township) -> None:
    assert set(town.village.geom_type) == {"Polygon"}


def test_village_sums_equal_the_control_areas_to_the_cent(town: Township) -> None:
    cents = (town.landuse_patch["area_m2"] * 100).round().astype("int64")
    control = (town.village.set_index("village_code")["control_area_m2"] * 100).round().astype("int64")
    assert (cents.groupby(town.landuse_patch["village_code"]).sum() == control).all()


def test_register_areas_are_ellipsoidal_to_a_few_cents(town: Township) -> None:
    assert np.abs(town.landuse_patch["area_m2"] - ellipsoid_area(lonlat(town.landuse_patch))).max() < 0.03


def test_all_columns_of_the_table_but_the_computed_ones_are_there(town: Township) -> None:
    missing = set(table_spec("landuse_patch").column_names) - set(town.landuse_patch.columns)
    assert missing <= {"geodesic_area_m2"}
    for name, frame in town.layers().items():
        spec = table_spec(name)
        for column in spec.columns:
            if column.required:
                assert column.name in frame and frame[column.name].notna().all(), (name, column.name)


def test_ids_are_unique_and_codes_have_their_lengths(town: Township) -> None:
    patches = town.landuse_patch
    assert patches["patch_id"].is_unique and (patches["patch_id"].str.len() == 18).all()
    assert (patches["location_code"].str.len() == 19).all() and (patches["owner_code"].str.len() == 19).all()
    assert (patches["village_code"] == patches["location_code"].str[:12]).all()
    assert patches["location_code"].str.startswith("990101").all()
    assert not patches.duplicated(["village_code", "patch_number"]).any()


def test_ridges_are_deducted_from_sloping_farmland_only(town: Township) -> None:
    p = town.landuse_patch
    farm = p["class_code"].isin(FARMLAND_CODES)
    assert (p.loc[~farm, "ridge_area_m2"] == 0).all() and (p.loc[p["slope_class"] == "1", "ridge_area_m2"] == 0).all()
    assert (p.loc[farm & (p["slope_class"] > "1"), "ridge_area_m2"] > 0).all()
    np.testing.assert_allclose(p["ridge_area_m2"], (p["area_m2"] * p["ridge_coefficient"]).round(2), atol=0.0051)
    np.testing.assert_allclose(p["class_area_m2"], p["area_m2"] - p["ridge_area_m2"], atol=0.0051)
    assert (p.loc[farm & (p["slope_class"] > "1"), "farmland_type"].isin(list(domain_codes("GDLX")))).all()


def test_codes_are_those_of_their_lists_and_stand_where_they_may(town: Township) -> None:
    p = town.landuse_patch
    classes = land_classes("SD3")
    assert p["class_code"].isin(list(classes)).all()
    assert (p["class_name"] == p["class_code"].map(lambda c: classes[c].zh)).all()
    assert p["tenure_code"].isin(list(domain_codes("QSXZ"))).all()
    farm = p["class_code"].isin(FARMLAND_CODES)
    assert p.loc[farm, "slope_class"].isin(list("12345")).all() and (p.loc[~farm, "slope_class"] == "").all()
    assert p.loc[farm, "quality_grade"].between(1, 15).all() and p.loc[~farm, "quality_grade"].isna().all()
    wide = p["linear_width_m"].notna()
    assert p.loc[wide, "class_code"].map(lambda c: classes[c].linear_width_applies).all() and wide.any()


def test_paddy_lies_flat_and_forest_steep(town: Township) -> None:
    slope = town.landuse_patch.groupby("class_code")["slope_deg"].mean()
    assert slope["0101"] < 6 < slope["0301"]


def test_rivers_and_roads_are_thin(town: Township) -> None:
    p = town.landuse_patch
    strips = p[p["class_code"].isin(["1101", "1003", "1006", "1107"])]
    thinness = 4 * np.pi * strips.area / strips.length**2
    assert len(strips) > 5 and thinness.median() < 0.35


def test_the_three_lines_never_overlap(town: Township) -> None:
    unions = [shapely.union_all(f.geometry.to_numpy()) for f in (town.basic_farmland, town.eco_redline, town.urban_boundary)]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert shapely.area(shapely.intersection(unions[a], unions[b])) == pytest.approx(0, abs=1e-6)


def test_the_dem_covers_the_township(town: Township) -> None:
    x0, y0, x1, y1 = town.landuse_patch.total_bounds
    t, (ny, nx) = town.dem.transform, town.dem.values.shape
    left, top, right, bottom = t.c, t.f, t.c + nx * t.a, t.f + ny * t.e
    assert left < x0 and right > x1 and bottom < y0 and top > y1
    assert np.isfinite(town.dem.values).all()


def test_all_layers_say_that_they_are_synthetic(town: Township) -> None:
    assert all(frame.attrs.get("synthetic") is True for frame in town.layers().values())


def test_the_same_seed_gives_the_same_township() -> None:
    a, b = (make_township(patches=300, villages=2, rng=np.random.default_rng(3)) for _ in range(2))
    assert (a.landuse_patch.geometry.to_wkb() == b.landuse_patch.geometry.to_wkb()).all()
    assert a.landuse_patch.drop(columns="geometry").equals(b.landuse_patch.drop(columns="geometry"))


def test_a_township_can_lie_in_another_zone() -> None:
    made = make_township(patches=200, villages=2, rng=np.random.default_rng(5), epsg=4549, lon=119.9, lat=45.0)
    assert made.landuse_patch.crs.to_epsg() == 4549
    assert np.abs(shapely.get_coordinates(lonlat(made.village)).mean(axis=0) - [119.9, 45.0]).max() < 0.1


def test_too_few_patches_and_foreign_zones_are_refused() -> None:
    with pytest.raises(SchemaError, match="at least 40"):
        make_township(patches=50, villages=5, rng=np.random.default_rng(1))
    with pytest.raises(CrsError, match="2415"):
        make_township(patches=100, villages=1, rng=np.random.default_rng(1), epsg=2415)
    with pytest.raises(CrsError, match="longitude"):
        make_township(patches=100, villages=1, rng=np.random.default_rng(1), lon=100.0)
