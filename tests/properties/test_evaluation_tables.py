"""True for any township: sums close, row order is irrelevant, merging never fragments, more redline never frees."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.evaluation.balance import balance, flow_matrix
from qianmo.evaluation.evaluate import evaluate
from qianmo.evaluation.fields import field_areas
from qianmo.evaluation.potential import measure_options
from qianmo.evaluation.structure import land_structure, structure_by_village

CODES = ("0101", "0103", "0201", "0301", "0307", "0404", "0601", "0702", "1006", "1101", "1104", "1201", "1206")
QUICK = settings(max_examples=20, deadline=None)


@st.composite
def townships(draw) -> gpd.GeoDataFrame:
    """A grid of 2 to 30 rectangles with random classes, slopes and ridges."""
    columns = draw(st.integers(1, 5))
    n = draw(st.integers(2, 6)) * columns
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    side = draw(st.sampled_from([20.0, 45.0, 120.0]))
    x, y = 500_000 + np.arange(n) % columns * side, 2_800_000 + np.arange(n) // columns * side
    codes = rng.choice(CODES, n)
    area = (side * side * rng.uniform(0.999, 1.001, n)).round(2)
    ridges = np.where(np.isin(codes, ["0101", "0103"]), (area * rng.uniform(0, 0.1, n)).round(2), 0.0)
    table = {
        "patch_id": [f"P{i}" for i in range(n)],
        "class_code": codes,
        "village_code": rng.choice(["350721001001", "350721001002"], n),
        "area_m2": area,
        "class_area_m2": (area - ridges).round(2),
        "slope_deg": rng.uniform(0, 40, n),
    }
    return gpd.GeoDataFrame(table, geometry=shapely.box(x, y, x + side, y + side), crs=4547)


def same(a: pd.DataFrame, b: pd.DataFrame, keys: list[str]) -> None:
    left, right = (t.sort_values(keys).reset_index(drop=True) for t in (a, b))
    pd.testing.assert_frame_equal(pd.DataFrame(left), pd.DataFrame(right), check_exact=False, rtol=1e-9)


@given(townships())
@QUICK
def test_structure_closes_to_the_register(p):
    total = round(p["area_m2"].sum(), 2)
    assert abs(land_structure(p, scheme="SD3")["class_area_m2"].sum() - total) < 0.005
    by_village = structure_by_village(p, None, scheme="SD3")
    assert abs(by_village["total_m2"].sum() - total) < 0.005
    rows = by_village.drop(columns=["village_code", "village_name", "total_m2"]).sum(axis=1)
    assert (rows.round(2) == by_village["total_m2"]).all()


@given(townships(), st.randoms(use_true_random=False))
@settings(max_examples=6, deadline=None)
def test_row_order_is_irrelevant(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    layers = {"basic_farmland": p[p["class_code"] == "0101"]}
    a, b = (evaluate(t, layers, scheme="SD3") for t in (p, p.iloc[order].reset_index(drop=True)))
    keys = {"land_structure": ["class_code"], "fragmentation": ["village_code", "village_name"], "contiguity": ["class_label"]}
    keys |= {"slope_classes": ["slope_class"], "quality": ["label"], "idle_land": ["patch_id"], "verdicts": ["rule_id"]}
    keys |= {"measure_options": ["patch_id", "measure"], "potential_summary": ["measure"], "indicators": ["key"]}
    for name, key in keys.items():
        same(a[name], b[name], key)


@given(townships(), st.integers(0, 2**32 - 1))
@QUICK
def test_flows_keep_the_area_and_the_balance_follows(p, seed):
    rng = np.random.default_rng(seed)
    after = p.assign(class_code=rng.choice(CODES, len(p)))
    after["class_area_m2"] = after["area_m2"]
    flows = flow_matrix(p, after)
    assert abs(flows["area_m2"].sum() - p["area_m2"].sum()) < 0.01 * len(flows)
    assert flows["patches"].sum() == len(p)
    farm = after["class_code"].isin(["0101", "0103"])
    row = balance(flows, scheme="SD3").set_index("item").loc["耕地"]
    assert abs(row["after_m2"] - after.loc[farm, "class_area_m2"].sum()) < 0.1


@given(townships(), st.integers(0, 2**32 - 1))
@QUICK
def test_merging_fields_keeps_the_area_and_never_adds_fields(p, seed):
    merged = np.random.default_rng(seed).random(len(p)) < 0.5
    before, after = field_areas(p, scheme="SD3"), field_areas(p, scheme="SD3", merged=merged)
    assert abs(before.sum() - after.sum()) < 0.01
    assert len(after) <= len(before)


@given(townships(), st.floats(10, 300))
@QUICK
def test_more_redline_never_frees_a_measure(p, reach):
    def free(width: float) -> set[tuple[str, str]]:
        red = gpd.GeoDataFrame(
            {"redline_id": ["E"], "reserve_zone": ["一般控制区"]},
            geometry=[shapely.box(499_999, 2_799_999, 500_000 + width, 2_810_000)],
            crs=4547,
        )
        table = measure_options(p, {"eco_redline": red}, scheme="SD3")
        return set(table.loc[table["blocked_by"] == "", ["patch_id", "measure"]].itertuples(index=False, name=None))

    assert free(2 * reach) <= free(reach)
