"""True for any village: levelling closes exactly, order is irrelevant, repair is done once and loses nothing."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.onemap.check_layer import check_layer
from qianmo.onemap.level import deduct_ridges, hundredths, level_areas
from qianmo.onemap.repair import repair_layer

CENTS = st.lists(st.integers(10_000, 10_000_000_000), min_size=1, max_size=40)
FEW = settings(max_examples=25, deadline=None)


@FEW
@given(CENTS, st.floats(-1, 1))
def test_levelled_areas_sum_to_the_control_exactly(cents: list[int], share: float) -> None:
    control = sum(cents) + int(share * min(1e-4 * sum(cents), len(cents) * min(cents) / 2))
    limit = abs(control - sum(cents)) / control
    result = hundredths(level_areas(np.array(cents) / 100, control / 100, max_rel=limit * 1.0001 + 1e-12))
    assert int(result.sum()) == control
    assert int((result - cents).max() - (result - cents).min()) <= 1


@FEW
@given(CENTS, st.randoms(use_true_random=False))
def test_the_order_of_patches_does_not_matter(cents: list[int], random: object) -> None:
    control, keys = (sum(cents) + 7) / 100, [f"p{i:03d}" for i in range(len(cents))]
    order = list(range(len(cents)))
    random.shuffle(order)
    areas = np.array(cents) / 100
    straight = dict(zip(keys, level_areas(areas, control, keys=keys, max_rel=1.0)))
    shuffled = dict(zip([keys[i] for i in order], level_areas(areas[order], control, keys=[keys[i] for i in order], max_rel=1.0)))
    assert straight == shuffled


@FEW
@given(st.integers(1, 10**12), st.integers(0, 9999))
def test_ridges_agree_with_decimal_arithmetic(cents: int, share: int) -> None:
    ridge, net = deduct_ridges([cents / 100], [share / 10000])
    exact = (Decimal(cents) / 100 * Decimal(share) / 10000).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    assert Decimal(repr(float(ridge[0]))) == exact
    assert hundredths(ridge)[0] + hundredths(net)[0] == cents


def spoilt_layer(seed: int) -> gpd.GeoDataFrame:
    """A 5 x 5 partition with a few small faults: overlaps, gaps, twists, double vertices, blanks, doubled rows."""
    rng = np.random.default_rng(seed)
    shapes = []
    for i in range(5):
        for j in range(5):
            x, y, nudge = 500000 + 50.0 * i, 3360000 + 50.0 * j, rng.choice([0.0, 0.0, 0.0, 0.004, -0.004])
            ring = [(x, y), (x + 50 + nudge, y), (x + 50 + nudge, y + 50), (x, y + 50)]
            if rng.random() < 0.2:
                ring.insert(1, ring[1])
            if rng.random() < 0.15:
                ring[2:2] = [(x + 50 + nudge, y + 25), (x + 50 + nudge + 0.05, y + 25.05), (x + 50 + nudge, y + 25.05)]
            if rng.random() < 0.1:
                ring += [(x, y + 25.02), (x + 0.02, y + 25), (x + 0.02, y + 25.02), (x, y + 25)]
            shapes.append(shapely.Polygon(ring))
    n = len(shapes)
    data = {
        "patch_id": [f"p{k:02d}" for k in range(n)],
        "class_code": "0301",
        "class_name": [None if rng.random() < 0.2 else "乔木林地" for _ in range(n)],
        "location_name": [" 村" if rng.random() < 0.2 else "村" for _ in range(n)],
        "area_m2": 2500.0,
        "class_area_m2": 2500.0,
    }
    frame = gpd.GeoDataFrame(data, geometry=shapes, crs="EPSG:4549")
    twice = frame.iloc[rng.integers(0, n, 2)] if rng.random() < 0.5 else frame.iloc[:0]
    return gpd.GeoDataFrame(pd.concat([frame, twice], ignore_index=True), crs=frame.crs)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_faults_called_repairable_vanish_and_a_second_repair_does_nothing(seed: int) -> None:
    frame = spoilt_layer(seed)
    result, remaining = repair_layer(frame, "landuse_patch", class_scheme="SD3")
    assert not remaining["repairable"].any()
    assert set(result.frame["patch_id"]) == set(frame["patch_id"])
    again, _ = repair_layer(result.frame, "landuse_patch", class_scheme="SD3")
    assert again.log.empty and again.frame.equals(result.frame)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_area_is_kept_within_the_logged_change(seed: int) -> None:
    frame = spoilt_layer(seed)
    result, _ = repair_layer(frame, "landuse_patch", class_scheme="SD3")
    logged = (result.log["after_area_m2"].fillna(0) - result.log["before_area_m2"].fillna(0)).sum()
    assert result.frame.area.sum() - frame.area.sum() == pytest.approx(logged, abs=1e-6)
    assert result.area_change_m2 == pytest.approx(logged, abs=1e-6)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter_to_checks_and_repairs(seed: int) -> None:
    frame = spoilt_layer(seed).drop_duplicates("patch_id").reset_index(drop=True)
    order = np.random.default_rng(seed).permutation(len(frame))
    turned = frame.iloc[order].reset_index(drop=True)
    words = ["feature_id", "rule", "what", "severity", "repairable"]
    a, b = (check_layer(f, "landuse_patch", class_scheme="SD3")[words] for f in (frame, turned))
    assert a.sort_values(words).to_numpy().tolist() == b.sort_values(words).to_numpy().tolist()
    one = repair_layer(frame, "landuse_patch", class_scheme="SD3")[0].frame.set_index("patch_id").sort_index()
    two = repair_layer(turned, "landuse_patch", class_scheme="SD3")[0].frame.set_index("patch_id").sort_index()
    gap = shapely.area(shapely.symmetric_difference(one.geometry.to_numpy(), two.geometry.to_numpy()))
    assert (gap < 1e-6).all() and list(one["class_name"]) == list(two["class_name"])
