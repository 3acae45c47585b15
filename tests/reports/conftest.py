"""A small invented township and invented results, only for the reports (all numbers made up)."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

CRS = "EPSG:4546"
CODES = np.array(["0101", "0103", "0201", "0301", "0302", "0307", "0404", "0702", "1003", "1006", "1101", "1104", "1206"])
NAMES = dict(zip(CODES, "水田 旱地 果园 乔木林地 竹林地 其他林地 其他草地 农村宅基地 公路用地 农村道路 河流水面 坑塘水面 裸土地".split(), strict=True))
VILLAGES = "上游村 东溪村 大坪村 岭下村 桥头村 石壁村 长坑村 下洋村".split()


def invented_layers(count: int = 2000, *, seed: int = 7) -> dict[str, gpd.GeoDataFrame]:
    """Voronoi patches in a round township of about 30 km2 with the three lines."""
    rng = np.random.default_rng(seed)
    centre = np.array([480_000.0, 2_905_000.0])
    outline = shapely.Point(*centre).buffer(3_100)
    patches = _cells(outline, centre + rng.uniform(-3_100, 3_100, (count, 2)))
    middle = shapely.get_coordinates(shapely.centroid(patches)) - centre
    kind = np.clip(((np.abs(middle[:, 1]) / 3100 * 9) + rng.normal(0, 1.6, len(patches))).astype(int), 0, len(CODES) - 1)
    villages = _cells(outline, centre + rng.uniform(-2_400, 2_400, (len(VILLAGES), 2)))
    home = shapely.STRtree(villages).nearest(shapely.point_on_surface(patches))
    area = np.round(shapely.area(patches), 2)
    frame = gpd.GeoDataFrame(
        {
            "patch_id": [f"P{n:05d}" for n in range(len(patches))], "class_code": CODES[kind], "class_name": [NAMES[c] for c in CODES[kind]],
            "village_code": [f"35042610{v:04d}" for v in home], "area_m2": area, "class_area_m2": area,
            "slope_class": rng.integers(1, 6, len(patches)).astype(str),
        },
        geometry=patches, crs=CRS,
    )  # fmt: skip
    farm = frame[frame.class_code.isin(["0101", "0103"])]
    return {
        "landuse_patch": frame,
        "village": gpd.GeoDataFrame({"village_code": [f"35042610{v:04d}" for v in range(len(VILLAGES))], "village_name": VILLAGES}, geometry=villages, crs=CRS),
        "project_area": gpd.GeoDataFrame({"project_id": ["X1"], "project_name": ["示例整治区"]}, geometry=[outline], crs=CRS),
        "basic_farmland": farm.iloc[::2][["patch_id", "geometry"]],
        "eco_redline": gpd.GeoDataFrame({"redline_id": ["R1"]}, geometry=[outline & shapely.box(*(centre + (-3100, 1800)), *(centre + 3100))], crs=CRS),
        "urban_boundary": gpd.GeoDataFrame({"boundary_id": ["U1"]}, geometry=[shapely.Point(*(centre + (700, -300))).buffer(420)], crs=CRS),
    }


def invented_plan(patches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Every orchard goes back to farmland, every second homestead too, dry land is merged; the rest is kept."""
    plan = patches.copy()
    measure = np.where(plan.class_code == "0201", "restore_farmland", "keep").astype(object)
    measure[(plan.class_code == "0702").to_numpy() & (np.arange(len(plan)) % 2 == 0)] = "reclaim_homestead"
    measure[(plan.class_code == "0103").to_numpy() & (np.arange(len(plan)) % 3 == 0)] = "merge_fields"
    measure[(plan.class_code == "1206").to_numpy()] = "afforest"
    target = {"restore_farmland": "0103", "reclaim_homestead": "0103", "merge_fields": "0103", "afforest": "0301"}
    plan["measure"] = measure
    plan["target_class"] = [target.get(m, c) for m, c in zip(measure, plan.class_code, strict=True)]
    plan["cost_yuan"] = np.where(measure == "keep", 0.0, np.round(plan.area_m2.to_numpy() * 6.0, 2))
    plan["reason"] = "示例"
    worked = measure != "keep"
    plan["subproject_id"] = np.where(worked, "Z" + plan.village_code.str[-2:] + "-" + pd.Series(measure, index=plan.index).str[:3].str.upper(), "")
    plan["year"] = np.where(worked, 2026 + np.arange(len(plan)) % 3, 0)
    return plan


def _cells(outline: shapely.Geometry, points: np.ndarray) -> np.ndarray:
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=outline))
    cut = shapely.intersection(cells, outline)
    return cut[shapely.area(cut) > 1.0]
