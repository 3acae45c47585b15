"""A small invented patchwork on which every figure can be checked by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import pytest
import shapely

MU = 10_000 / 15


@pytest.fixture
def patchwork() -> Callable[..., gpd.GeoDataFrame]:
    """Maker of rectangles in a row, 100 m deep, each (class, area in mu), side by side from west to east."""

    def make(*parts: tuple[str, float], gap_m: float = 0.0, **columns: list[Any]) -> gpd.GeoDataFrame:
        x, shapes = 500_000.0, []
        for _, size in parts:
            width = size * MU / 100
            shapes.append(shapely.box(x, 2_800_000, x + width, 2_800_100))
            x += width + gap_m
        area = [round(size * MU, 2) for _, size in parts]
        table = {
            "patch_id": [f"P{i}" for i in range(len(parts))],
            "class_code": [code for code, _ in parts],
            "village_code": ["350721001001"] * len(parts),
            "area_m2": area,
            "class_area_m2": area,
        }
        return gpd.GeoDataFrame(table | columns, geometry=shapes, crs=4547)

    return make


@pytest.fixture
def square() -> Callable[..., gpd.GeoDataFrame]:
    """Maker of a one-row layer: a rectangle from x0 to x1 [m east of the patchwork], as deep as asked."""

    def make(x0: float, x1: float, *, y0: float = 0.0, y1: float = 100.0, **columns: Any) -> gpd.GeoDataFrame:
        shape = shapely.box(500_000 + x0, 2_800_000 + y0, 500_000 + x1, 2_800_000 + y1)
        return gpd.GeoDataFrame({k: [v] for k, v in columns.items()}, geometry=[shape], crs=4547)

    return make
