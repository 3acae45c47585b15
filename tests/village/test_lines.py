"""The rules that invent villages, lines, zones and tenure keep their promises."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from qianmo.geo.adjacency import shared_borders
from qianmo.schema.errors import CodeError, MissingDataError, SchemaError
from qianmo.village.lines import (
    invent_basic_farmland,
    invent_eco_redline,
    invent_planning_zones,
    invent_tenure,
    invent_urban_boundary,
    invent_villages,
)

SIDE = 100.0


def board(rows: list[str]) -> gpd.GeoDataFrame:
    """Squares of 1 ha from letters: P paddy, S steep dry land, F steep forest, G gentle forest, H homestead, W river."""
    code = {"P": "0101", "S": "0103", "F": "0301", "G": "0301", "H": "0702", "W": "1101"}
    slope = {"P": 1.0, "S": 30.0, "F": 22.0, "G": 5.0, "H": 2.0, "W": 0.0}
    cells = [(c, x, len(rows) - 1 - y) for y, row in enumerate(rows) for x, c in enumerate(row)]
    frame = gpd.GeoDataFrame({
        "patch_id": [f"{k:018d}" for k in range(len(cells))],
        "class_code": [code[c] for c, _, _ in cells],
        "slope_deg": [slope[c] for c, _, _ in cells],
        "area_m2": SIDE**2, "class_area_m2": SIDE**2,
    }, geometry=[shapely.box(x * SIDE, y * SIDE, (x + 1) * SIDE, (y + 1) * SIDE) for _, x, y in cells], crs=4527)  # fmt: skip
    return frame


MAP = board([
    "FFFFFFFS",
    "FFFFGFFF",
    "PPPPPWPP",
    "PHHPPWPP",
    "PHPPPWPH",
])  # fmt: skip


def test_every_patch_lies_in_one_village_and_sums_close() -> None:
    patches, villages = invent_villages(MAP, count=2)
    assert list(villages["village_code"]) == ["990101100200", "990101100201"]
    assert list(villages["village_name"]) == ["甲子村", "乙丑村"]
    sums = patches.groupby("village_code")["area_m2"].sum()
    assert (sums == villages.set_index("village_code")["control_area_m2"]).all() and sums.sum() == 40 * SIDE**2
    assert shapely.coverage_is_valid(villages.geometry.to_numpy())
    assert villages.area.sum() == pytest.approx(MAP.area.sum())
    assert (patches["location_code"].str.len() == 19).all()


def test_the_largest_cluster_seeds_the_first_village() -> None:
    patches, _ = invent_villages(MAP, count=2)
    home = patches[patches["class_code"] == "0702"]
    assert list(home.sort_index()["village_code"].str[-1]) == ["0", "0", "0", "1"]


def test_an_island_goes_to_the_village_of_the_nearest_patch() -> None:
    far = gpd.GeoDataFrame(MAP.iloc[[16]].assign(patch_id="island"), geometry=[shapely.box(1200, 0, 1300, 100)], crs=4527)
    both = gpd.GeoDataFrame(pd.concat([MAP, far], ignore_index=True), crs=4527)
    patches, _ = invent_villages(both, count=2)
    assert patches["village_code"].iloc[-1].endswith("201")


def test_more_villages_than_clusters_are_refused() -> None:
    with pytest.raises(MissingDataError, match="2 residential clusters"):
        invent_villages(MAP, count=3)


def test_basic_farmland_reaches_its_share_flattest_and_largest_first() -> None:
    made = invent_basic_farmland(MAP, parameters={"synthetic_basic_farmland_share": 0.6})
    farm = MAP["class_code"].isin(["0101", "0103"]).sum()
    assert 0.6 * farm <= len(made) < 0.6 * farm + 1
    assert set(made["class_code"]) == {"0101"} and set(made["slope_class"]) == {"1"} and made["patch_id"].is_unique
    west = made[made.geometry.representative_point().x < 500]
    assert len(west) == 11, "all of the larger western block enters before the eastern one"


def test_steep_farmland_never_becomes_basic_farmland() -> None:
    made = invent_basic_farmland(MAP, parameters={"synthetic_basic_farmland_share": 1.0})
    assert "0103" not in set(made["class_code"])


def test_the_redline_takes_steep_forest_blocks_and_leaves_gentle_forest() -> None:
    made = invent_eco_redline(MAP, parameters={"synthetic_redline_share": 0.5, "synthetic_redline_block_ha": 2.0})
    assert len(made) == 1 and made["area_m2"].iloc[0] == 14 * SIDE**2
    assert made["reserve_zone"].iloc[0] == "一般控制区"
    gentle = MAP.geometry.iloc[12].centroid
    assert not made.geometry.iloc[0].contains(gentle)


def test_a_redline_block_beyond_the_share_is_passed_over() -> None:
    assert invent_eco_redline(MAP, parameters={"synthetic_redline_share": 0.2}).empty


def test_the_urban_boundary_keeps_its_expansion_and_spares_basic_farmland() -> None:
    farmland = invent_basic_farmland(MAP)
    made = invent_urban_boundary(MAP, basic_farmland=farmland)
    assert made["area_m2"].iloc[0] <= 1.3 * 3 * SIDE**2 and made["zone_code"].iloc[0] == "410"
    assert shapely.intersection(made.geometry.iloc[0], shapely.union_all(farmland.geometry.to_numpy())).area == 0


def test_a_notch_in_the_town_is_filled_while_the_expansion_allows() -> None:
    town = board(["HHH", "HPH", "HHH"])
    assert invent_urban_boundary(town)["area_m2"].iloc[0] == 9 * SIDE**2
    assert invent_urban_boundary(town, parameters={"udb_expansion_max": 1.0})["area_m2"].iloc[0] == 8 * SIDE**2


def test_no_built_land_gives_no_boundary() -> None:
    assert invent_urban_boundary(board(["PF"])).empty


def test_zones_partition_the_patches() -> None:
    patches, _ = invent_villages(MAP, count=2)
    farmland = invent_basic_farmland(patches)
    redline = invent_eco_redline(patches, basic_farmland=farmland, parameters={"synthetic_redline_share": 0.5})
    town = invent_urban_boundary(patches, basic_farmland=farmland, eco_redline=redline)
    zones = invent_planning_zones(patches, basic_farmland=farmland, eco_redline=redline, urban_boundary=town)
    assert zones["area_m2"].sum() == MAP["area_m2"].sum()
    assert shapely.coverage_is_valid(zones.geometry.to_numpy())
    area = zones.groupby("zone_code")["area_m2"].sum()
    assert area["100"] == redline["area_m2"].sum() and area["300"] == farmland["patch_area_m2"].sum()
    assert area["410"] == town["area_m2"].sum() and area["200"] == 3 * SIDE**2


def test_missing_slope_or_farmland_is_named() -> None:
    blank = MAP.copy()
    blank.loc[16, "slope_deg"] = np.nan
    with pytest.raises(MissingDataError, match=r"rows \[16\]"):
        invent_basic_farmland(blank)
    with pytest.raises(MissingDataError, match="no farmland"):
        invent_basic_farmland(board(["FF"]))
    with pytest.raises(SchemaError, match="slope_deg"):
        invent_eco_redline(MAP.drop(columns="slope_deg"))


@pytest.mark.parametrize("code", [None, "33"])
def test_missing_and_foreign_classes_are_refused_with_their_rows(code: str | None) -> None:
    bad = MAP.copy()
    bad.loc[[3, 7], "class_code"] = code
    for rule in (invent_basic_farmland, invent_eco_redline, invent_urban_boundary):
        with pytest.raises(CodeError, match=r"rows \[3, 7\]"):
            rule(bad)


def test_known_borders_give_the_same_lines() -> None:
    borders = shared_borders(MAP.geometry.to_numpy())
    assert invent_basic_farmland(MAP, borders=borders).equals(invent_basic_farmland(MAP))


def test_parcels_have_legal_codes_and_a_register_that_is_a_little_off(rng: np.random.Generator) -> None:
    patches, parcels = invent_tenure(invent_villages(MAP, count=2)[0], rng=rng)
    assert parcels["parcel_id"].is_unique and (parcels["parcel_id"].str.len() == 19).all()
    assert set(patches.loc[patches["class_code"] == "1101", "tenure_code"]) == {"10"}
    assert patches["owner_name"].str.contains("村民小组").sum() == 37
    error = parcels["registered_area_m2"] / parcels.area - 1
    assert 0 < error.abs().max() < 0.05
    assert all(frame.attrs["synthetic"] for frame in (patches, parcels))


def test_the_real_catchment_gets_villages_and_lines_that_do_not_overlap(shared_data) -> None:  # type: ignore[no-untyped-def]
    rasterio = pytest.importorskip("rasterio")
    from qianmo.geo.grid import Grid, polygonize, slope_deg, zonal_mean

    folder = shared_data / "youwuzhen-watershed" / "spatial"

    def grid(name: str) -> Grid:
        with rasterio.open(folder / name) as src:
            return Grid(src.read(1), src.transform, gpd.GeoSeries([], crs=src.crs).crs, src.nodata)

    found = polygonize(grid("ywzlanduse30m_upd.tif"), crop_zero=True)
    code = {4: "0201", 6: "0301", 8: "0301", 18: "1104", 33: "0101", 104: "0702", 106: "0601"}
    found = found[found["value"].isin(list(code))].reset_index(drop=True)
    slope = zonal_mean(slope_deg(grid("ywzdem30m.tif")), found.geometry.to_numpy())
    patches = gpd.GeoDataFrame({
        "patch_id": [f"{k:018d}" for k in range(len(found))], "class_code": found["value"].map(code),
        "slope_deg": slope, "area_m2": found.area, "class_area_m2": found.area,
    }, geometry=found.geometry, crs=found.crs)  # fmt: skip
    patches, villages = invent_villages(patches, count=4)
    assert villages["control_area_m2"].sum() == pytest.approx(patches["area_m2"].sum())
    farmland = invent_basic_farmland(patches)
    redline = invent_eco_redline(patches, basic_farmland=farmland)
    town = invent_urban_boundary(patches, basic_farmland=farmland, eco_redline=redline)
    share = farmland["area_m2"].sum() / patches.loc[patches["class_code"] == "0101", "area_m2"].sum()
    assert 0.8 <= share < 0.95
    assert len(redline) and len(town) == 1
    unions = [shapely.union_all(f.geometry.to_numpy()) for f in (farmland, redline, town)]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert shapely.intersection(unions[a], unions[b]).area < 1e-6
    zones = invent_planning_zones(patches, basic_farmland=farmland, eco_redline=redline, urban_boundary=town)
    assert zones.area.sum() == pytest.approx(patches.area.sum())
