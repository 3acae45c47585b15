"""Service coefficients and their exact recomputation, by hand on a row of fields."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from qianmo.evaluation.carbon_stock import carbon_density, carbon_stock
from qianmo.evaluation.habitat import habitat_area, threat_share
from qianmo.evaluation.land import land_of, slope_length
from qianmo.evaluation.service_check import service_check
from qianmo.evaluation.service_classes import service_classes
from qianmo.evaluation.service_value import service_value
from qianmo.evaluation.services import QUANTITIES, service_coefficients, service_notes
from qianmo.evaluation.soil_loss import soil_loss
from qianmo.geo.slope_length import slope_length_factor
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import CodeError, SchemaError
from qianmo.schema.tables import table_spec

HA = 15.0
"""One hectare in mu."""

Make = Callable[..., gpd.GeoDataFrame]


def beside(n: int) -> pd.DataFrame:
    return pd.DataFrame({"i": range(n - 1), "j": range(1, n), "length_m": 100.0})


def option(patch: str, measure: str, target: str) -> pd.DataFrame:
    return pd.DataFrame({"patch_id": [patch], "measure": [measure], "target_class": [target]})


def carried_out(patches: gpd.GeoDataFrame, works: dict[str, tuple[str, str]], **columns: Any) -> pd.DataFrame:
    """The map after: classes and measures set, ridges kept as they are."""
    after = pd.DataFrame(patches.drop(columns="geometry")).assign(measure="keep", field_group=range(len(patches)))
    for patch, (measure, target) in works.items():
        after.loc[after["patch_id"] == patch, ["measure", "class_code"]] = [measure, target]
    return after.assign(**columns)


def by_name(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {r["quantity"]: r for r in table.to_dict("records")}


def test_one_hectare_of_dry_land_made_forest_gains_the_difference_of_the_densities(patchwork: Make) -> None:
    found = service_coefficients(patchwork(("0103", HA), slope_deg=[10.0]), option("P0", "retire_steep", "0301"), beside(1), scheme="SD3")
    # forest 40+10+110+4, dry land 0.7+85+0.5 without its yearly harvest
    assert found["carbon_t"].tolist() == pytest.approx([164.0 - 86.2])


def test_ridges_store_carbon_as_their_own_class(patchwork: Make) -> None:
    patches = patchwork(("0103", HA), slope_deg=[10.0]).assign(class_area_m2=[9000.0])
    stock = carbon_stock(land_of(patches, scheme="SD3"))
    assert stock.tolist() == pytest.approx([0.9 * 86.2 + 0.1 * 69.0])


def test_soil_loss_of_one_field_is_the_product_of_the_factors(patchwork: Make) -> None:
    patches = patchwork(("0103", HA), slope_deg=[12.0], rain_erosivity=[5000.0], soil_erodibility=[0.006])
    sine = math.sin(math.radians(12.0))
    by_hand = 5000 * 0.006 * math.sqrt(100 / 22.13) * (21.91 * sine - 0.96) * 0.30 * 0.305 * 1.0
    assert soil_loss(land_of(patches, scheme="SD3")).tolist() == pytest.approx([by_hand])


def test_service_value_of_one_hectare_of_wetland_is_its_equivalents_times_the_unit_value(patchwork: Make) -> None:
    assert service_value(land_of(patchwork(("1108", HA)), scheme="SD3")).tolist() == pytest.approx([52.02 * 2600.0])


def test_works_gain_grades_and_new_farmland_has_none_until_assessed(patchwork: Make) -> None:
    patches = patchwork(("0103", HA), ("0201", HA), ("0103", HA), quality_grade=[8, None, 7], slope_deg=[3.0] * 3)
    options = pd.concat([option("P0", "high_standard", "0103"), option("P1", "restore_farmland", "0103"), option("P2", "retire_steep", "0307")])
    found = service_coefficients(patches, options, beside(3), scheme="SD3")["grade_area_ha"].to_numpy()
    assert found[0] == pytest.approx(1.0) and np.isnan(found[1]) and found[2] == pytest.approx(-8.5)


def test_a_patch_against_a_village_loses_habitat_and_far_ones_do_not(patchwork: Make) -> None:
    patches = patchwork(("0702", HA), ("0301", HA), ("0301", HA))
    share = threat_share(patches["class_code"].to_numpy(object), beside(3), scheme="SD3")
    assert share.tolist() == [0.0, 0.5, 0.0]
    exposed = (0.8 * 0.5) ** 2.5
    found = habitat_area(land_of(patches, scheme="SD3", threat=share))
    assert found.tolist() == pytest.approx([0.0, 1.0 - exposed / (exposed + 0.5**2.5), 1.0])


@pytest.mark.parametrize("missing", ["slope_deg", "rain_erosivity", "soil_erodibility"])
def test_a_missing_factor_gives_no_coefficient_and_a_note(patchwork: Make, missing: str) -> None:
    columns = {"slope_deg": [8.0], "rain_erosivity": [5000.0], "soil_erodibility": [0.006]} | {missing: [None]}
    patches = patchwork(("0103", HA), **columns)
    found = service_coefficients(patches, option("P0", "retire_steep", "0301"), beside(1), scheme="SD3")
    assert np.isnan(found["soil_loss_t_yr"].iloc[0]) and np.isfinite(found["carbon_t"].iloc[0])
    assert any(n.startswith("土壤流失量变化: 1 个") for n in service_notes(patches, found))


def test_a_pond_has_no_sheet_erosion_whatever_its_slope(patchwork: Make) -> None:
    assert soil_loss(land_of(patchwork(("1104", HA)), scheme="SD3")).tolist() == [0.0]


def test_a_class_without_factors_is_unknown_and_one_that_is_not_listed_is_refused(patchwork: Make) -> None:
    lacking = [c for c in land_classes("GBT21010_2017") if c not in service_classes("GBT21010_2017", "carbon_class")]
    assert lacking, "the test needs a class of the 2017 list that no survey class maps to alone"
    assert np.isnan(carbon_stock(land_of(patchwork((lacking[0], HA)), scheme="GBT21010_2017"))).all()
    with pytest.raises(CodeError, match="9999"):
        carbon_stock(land_of(patchwork(("9999", HA)), scheme="SD3"))


def test_the_2017_list_takes_the_factors_of_the_survey_classes_that_map_to_it() -> None:
    kinds = service_classes("GBT21010_2017", "carbon_class")
    assert (kinds["0101"], kinds["0301"], kinds["1104"]) == ("cropland_paddy", "forest_arbor", "water")


def test_steeper_and_longer_slopes_lose_more() -> None:
    slope = np.linspace(0.5, 45, 90)
    assert (np.diff(slope_length_factor(np.full(90, 50.0), slope)) > 0).all()
    length = np.linspace(5, 100, 20)
    assert (np.diff(slope_length_factor(length, np.full(20, 8.0))) > 0).all()


def test_afforesting_saves_soil_and_terracing_does_too(patchwork: Make) -> None:
    patches = patchwork(("0103", HA), slope_deg=[18.0])
    options = pd.concat([option("P0", "retire_steep", "0307"), option("P0", "terrace", "0103"), option("P0", "high_standard", "0103")])
    forest, terrace, flat = service_coefficients(patches, options, beside(1), scheme="SD3")["soil_loss_t_yr"]
    assert forest < terrace < 0 and flat == 0


def test_low_default_and_high_densities_are_in_order() -> None:
    low, middle, high = (carbon_density(e) for e in ("low", "default", "high"))
    assert all(low[k] <= middle[k] <= high[k] for k in middle) and len(middle) == 20


def test_linear_equals_exact_when_nothing_merges_and_no_neighbour_changes(patchwork: Make) -> None:
    patches = patchwork(
        ("0103", 3), ("0201", 5), ("0103", 4), slope_deg=[20.0, 8.0, 12.0], quality_grade=[8, None, 6], village_code=["v"] * 3
    )
    options = pd.concat([option("P0", "terrace", "0103"), option("P2", "high_standard", "0103")])
    effects = service_coefficients(patches, options, beside(3), scheme="SD3")
    after = carried_out(patches, {"P0": ("terrace", "0103"), "P2": ("high_standard", "0103")})
    table = service_check(patches, after, effects, beside(3), scheme="SD3")
    assert tuple(table.columns) == table_spec("service_check").column_names
    assert table["error"].tolist() == [0.0] * len(QUANTITIES) and table["error_rel"].tolist() == [0.0] * len(QUANTITIES)
    assert by_name(table)["soil_loss_t_yr"]["exact"] < 0 < by_name(table)["grade_area_ha"]["exact"]


def test_a_merged_field_has_a_longer_slope_and_the_linear_estimate_misses_it(patchwork: Make) -> None:
    patches = patchwork(("0103", 1.5), ("0103", 1.5), slope_deg=[8.0, 8.0], quality_grade=[7, 8])
    effects = service_coefficients(patches, option("P0", "merge_fields", "0103"), beside(2), scheme="SD3")
    assert effects["soil_loss_t_yr"].tolist() == [0.0]
    after = carried_out(patches, {"P0": ("merge_fields", "0103")}, field_group=[0, 0])
    row = by_name(service_check(patches, after, effects, beside(2), scheme="SD3"))
    soil = row["soil_loss_t_yr"]
    # one field of twice the area: the slope is sqrt(2) times as long, the loss its power of one half as much
    assert soil["after"] / soil["before"] == pytest.approx(math.sqrt(math.sqrt(2)))
    assert soil["error"] == pytest.approx(-soil["exact"]) and soil["linear"] == 0
    # grades 7 and 8 of equal areas are 7.5, kept as the whole grade 8: half a grade is lost on half the area
    assert row["grade_area_ha"]["exact"] == pytest.approx(-0.1)
    assert row["carbon_t"]["error"] == row["service_value_yuan_yr"]["error"] == 0


def test_habitat_is_not_the_sum_of_its_options_when_neighbours_change_too(patchwork: Make) -> None:
    patches = patchwork(("0702", HA), ("0103", HA), ("0301", HA), slope_deg=[20.0] * 3)
    options = pd.concat([option("P0", "reclaim_homestead", "0103"), option("P1", "retire_steep", "0307")])
    effects = service_coefficients(patches, options, beside(3), scheme="SD3")
    after = carried_out(patches, {"P0": ("reclaim_homestead", "0103"), "P1": ("retire_steep", "0307")})
    row = by_name(service_check(patches, after, effects, beside(3), scheme="SD3"))["habitat_ha"]
    assert row["exact"] > row["linear"] > 0, "the forest no longer touches a village"


def test_patches_without_data_stay_out_of_both_sides_and_the_share_says_so(patchwork: Make) -> None:
    patches = patchwork(("0103", 5), ("0103", 10), slope_deg=[20.0, None])
    options = pd.concat([option("P0", "terrace", "0103"), option("P1", "terrace", "0103")])
    effects = service_coefficients(patches, options, beside(2), scheme="SD3")
    after = carried_out(patches, {"P0": ("terrace", "0103"), "P1": ("terrace", "0103")})
    row = by_name(service_check(patches, after, effects, beside(2), scheme="SD3"))
    soil = row["soil_loss_t_yr"]
    assert soil["known_share"] == pytest.approx(1 / 3) and soil["error"] == 0 and soil["exact"] < 0 and "1 个图斑缺数据" in soil["note"]
    assert row["grade_area_ha"]["known_share"] == 0 and math.isnan(row["grade_area_ha"]["exact"])


def test_low_and_high_enclose_the_exact_change(patchwork: Make) -> None:
    patches = patchwork(("0103", 5), ("1206", 10), slope_deg=[20.0, 20.0])
    effects = service_coefficients(patches, option("P1", "afforest", "0307"), beside(2), scheme="SD3")
    after = carried_out(patches, {"P1": ("afforest", "0307")})
    for name in ("carbon_t", "soil_loss_t_yr"):
        row = by_name(service_check(patches, after, effects, beside(2), scheme="SD3"))[name]
        assert row["low"] < row["exact"] < row["high"], name
    # bare 20.3 (8..41.4) becomes young forest 111.5 (77..154): two independent errors on one hectare times 10/15
    carbon = by_name(service_check(patches, after, effects, beside(2), scheme="SD3"))["carbon_t"]
    assert carbon["exact"] - carbon["low"] == pytest.approx(math.hypot(111.5 - 77.0, 41.4 - 20.3) * 10 / 15)
    value = by_name(service_check(patches, after, effects, beside(2), scheme="SD3"))["service_value_yuan_yr"]
    assert math.isnan(value["low"]) and math.isnan(value["high"])


def test_a_map_of_other_patches_or_an_option_without_coefficients_is_refused(patchwork: Make) -> None:
    patches = patchwork(("0103", 5), slope_deg=[20.0])
    effects = service_coefficients(patches, option("P0", "terrace", "0103"), beside(1), scheme="SD3")
    with pytest.raises(SchemaError, match="same patch_id"):
        service_check(patches, carried_out(patches, {}).assign(patch_id=["X"]), effects, beside(1), scheme="SD3")
    with pytest.raises(SchemaError, match="P0"):
        service_check(patches, carried_out(patches, {"P0": ("retire_steep", "0307")}), effects, beside(1), scheme="SD3")
    with pytest.raises(SchemaError, match="P9"):
        service_coefficients(patches, option("P9", "terrace", "0103"), beside(1), scheme="SD3")


def test_a_service_of_which_only_patches_that_do_not_count_are_known_is_not_called_zero(patchwork: Make) -> None:
    patches = patchwork(("0103", 5), ("0301", 10), slope_deg=[20.0, 20.0])
    effects = service_coefficients(patches, option("P0", "terrace", "0103"), beside(2), scheme="SD3")
    row = by_name(service_check(patches, carried_out(patches, {"P0": ("terrace", "0103")}), effects, beside(2), scheme="SD3"))
    assert math.isnan(row["grade_area_ha"]["exact"]) and row["grade_area_ha"]["known_share"] == pytest.approx(2 / 3)


def test_a_field_made_of_an_orchard_loses_more_soil(patchwork: Make) -> None:
    patches = patchwork(("0201", 5), slope_deg=[8.0])
    found = service_coefficients(patches, option("P0", "restore_farmland", "0103"), beside(1), scheme="SD3")
    assert found["soil_loss_t_yr"].iloc[0] > 0


def test_the_length_of_slope_is_capped() -> None:
    assert slope_length(np.array([2500.0, 1e6])).tolist() == [50.0, 100.0]
