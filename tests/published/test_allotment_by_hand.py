"""A re-allotment that can be followed with a pencil, and the balance formula of land consolidation manuals."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from qianmo.planning.allotment.allot import allot
from qianmo.planning.allotment.settings import allotment_settings


def test_a_trapezoid_between_a_road_and_a_slanting_ditch_is_cut_as_by_hand():
    """Depth rises from 60 m to 120 m over 200 m: area 18,000 m2; half of it, 9,000 m2, lies in front of

    x with 60 x + 0.15 x^2 = 9000, x = (-60 + sqrt(3600 + 5400)) / 0.3 = 116.2278 m.
    """
    blocks = gpd.GeoDataFrame({"block_id": ["T"]}, geometry=[shapely.Polygon([(0, 0), (200, 0), (200, 120), (0, 60)])], crs=4547)
    lines = gpd.GeoDataFrame({"line_kind": ["road"], "width_m": [2.0]}, geometry=[shapely.LineString([(-10, -1), (210, -1)])], crs=4547)
    zones = gpd.GeoDataFrame({"unit_value_yuan_m2": [5.0]}, geometry=[shapely.box(-9, -9, 299, 199)], crs=4547)
    owners = pd.DataFrame({"owner_id": ["west", "east"], "entitlement_yuan": [50_000.0, 50_000.0], "x_m": [10.0, 190.0], "y_m": [30.0, 60.0]})
    made = allot(blocks, owners, lines, zones, settings=allotment_settings({"allot_deduction_share_max": 0.2}))
    # contribution (50,000 + 50,000 - 90,000) / 100,000 = 10 %, each owner keeps 45,000 yuan
    assert made.certificate["deduction_share"] == pytest.approx(0.10)
    assert made.ledger["allotted_fen"].tolist() == [4_500_000, 4_500_000]
    assert made.lots["owner_id"].tolist() == ["west", "east"]
    assert made.lots["width_m"].tolist() == pytest.approx([116.22776601683796, 83.77223398316204], abs=1e-9)
    assert made.lots["frontage_m"].tolist() == pytest.approx([116.22776601683796, 83.77223398316204], abs=1e-9)
