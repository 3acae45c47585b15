"""True for any patches: services add up, order does not matter, unknown never turns into zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.evaluation.land import land_of
from qianmo.evaluation.service_check import service_check
from qianmo.evaluation.services import QUANTITIES, service_coefficients
from qianmo.evaluation.soil_loss import soil_loss

CHANGES = {
    "0103": [("terrace", "0103"), ("high_standard", "0103"), ("retire_steep", "0307"), ("dry_to_paddy", "0101")],
    "0201": [("restore_farmland", "0103")], "0702": [("reclaim_homestead", "0103")], "1206": [("afforest", "0307"), ("reclaim_other", "0103")],
    "1104": [("pond_to_wetland", "1108")], "0301": [],
}  # fmt: skip
LOOKED_UP = ("carbon_t", "service_value_yuan_yr")


@st.composite
def areas(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Patches in a row, all options, borders, and a plan that does some of them."""
    n = draw(st.integers(1, 8))
    code = draw(st.lists(st.sampled_from(sorted(CHANGES)), min_size=n, max_size=n))
    area = draw(st.lists(st.integers(100, 50_000), min_size=n, max_size=n))
    slope = draw(st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=n, max_size=n))
    grade = draw(st.lists(st.one_of(st.none(), st.integers(1, 15)), min_size=n, max_size=n))
    name = [f"P{k}" for k in range(n)]
    patches = pd.DataFrame({
        "patch_id": name, "class_code": code, "village_code": "v", "area_m2": np.array(area, float),
        "class_area_m2": np.array(area) * np.where(np.isin(code, ["0103"]), 0.9, 1.0),
        "slope_deg": pd.array(slope, "Float64"), "quality_grade": pd.array(grade, "Float64"),
    })  # fmt: skip
    options = pd.DataFrame(
        [(p, m, t) for p, c in zip(name, code) for m, t in CHANGES[c]], columns=["patch_id", "measure", "target_class"]
    )
    chosen = [draw(st.sampled_from([("keep", c), *CHANGES[c]])) for c in code]
    after = patches.assign(measure=[m for m, _ in chosen], class_code=[t for _, t in chosen], field_group=range(n))
    after["class_area_m2"] = np.where(np.isin(after["class_code"], ["0101", "0103"]), patches["class_area_m2"], patches["area_m2"])
    borders = pd.DataFrame({"i": range(n - 1), "j": range(1, n), "length_m": 50.0})
    return patches, options, borders, after


def checked(patches: pd.DataFrame, options: pd.DataFrame, borders: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    effects = service_coefficients(patches, options, borders, scheme="SD3")
    return service_check(patches, after, effects, borders, scheme="SD3").set_index("quantity")


@settings(max_examples=60, deadline=None)
@given(areas())
def test_without_merging_the_linear_sum_is_the_exact_change_of_all_but_habitat(made) -> None:
    table = checked(*made).drop("habitat_ha")
    known = table["exact"].notna()
    assert np.allclose(table["linear"][known], table["exact"][known], rtol=1e-12, atol=1e-9)
    assert (table["known_share"][~known] < 1).all()


@settings(max_examples=40, deadline=None)
@given(areas())
def test_carbon_and_service_value_are_the_same_however_fields_merge(made) -> None:
    patches, options, borders, after = made
    one, many = checked(*made), checked(patches, options, borders, after.assign(field_group=0))
    assert np.array_equal(one.loc[list(LOOKED_UP), "exact"], many.loc[list(LOOKED_UP), "exact"])


@settings(max_examples=40, deadline=None)
@given(areas(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_of_the_plan_does_not_matter(made, random) -> None:
    patches, options, borders, after = made
    order = list(range(len(after)))
    random.shuffle(order)
    assert checked(*made).equals(checked(patches, options, borders, after.iloc[order]))


@settings(max_examples=40, deadline=None)
@given(areas())
def test_soil_loss_is_unknown_exactly_where_a_slope_is_needed_and_missing(made) -> None:
    patches = made[0]
    found = soil_loss(land_of(patches, scheme="SD3"))
    needed = ~patches["class_code"].isin(["1104"]) & patches["slope_deg"].isna()
    assert np.array_equal(np.isnan(found), needed.to_numpy(bool))
    assert (found[~np.isnan(found)] >= 0).all()


@settings(max_examples=30, deadline=None)
@given(areas())
def test_doing_nothing_changes_nothing(made) -> None:
    patches, options, borders, _ = made
    table = checked(patches, options, borders, patches.assign(measure="keep", field_group=range(len(patches))))
    assert (table[["linear", "exact", "error"]].fillna(0.0) == 0).all().all() and list(table.index) == list(QUANTITIES)
