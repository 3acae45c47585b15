"""Damage of buildings and of land by the predicted movement (房屋与土地损坏等级)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import affine
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.evaluation.service_classes import service_classes
from qianmo.geo.cells import cells_inside
from qianmo.schema.units import M2_PER_HA
from qianmo.survey.subsidence.damage import graded, grading_tables, intervals

__all__ = ["building_damage", "damaged_patches", "land_damage"]

_BUILDING = "building_brick_concrete"
_LAND = "land_subsidence_damage"
_LONG_M = 20.0
_USES = {"cropland_paddy": "水田", "cropland_dry": "旱地/水浇地", "orchard": "林地/草地"}
_GROWN = ("forest", "shrub", "grass")


def building_damage(buildings: gpd.GeoDataFrame, measures: Callable[[np.ndarray], tuple[np.ndarray, ...]]) -> pd.DataFrame:
    """Grade of each building by the worst of tilt, curvature and strain at its corners and its middle (房屋损坏等级).

    Parameters
    ----------
    buildings : GeoDataFrame, table ``building``
    measures : function
        (n, 2) points to subsidence [mm], tilt [mm/m], curvature [1e-3/m], horizontal movement [mm] and strain [mm/m].

    Returns
    -------
    DataFrame
        building_id, subsidence_mm, tilt_mm_m, curvature_e3_m, strain_mm_m (largest by size), grade, grade_zh, decided_by,
        treatment, needs_judgement (longer than the table is made for).
    """
    shapes = buildings.geometry.to_numpy()
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    row = np.concatenate([of, np.arange(len(shapes))])
    found = measures(np.concatenate([xy, middle]))
    w, tilt, curvature, _, strain = (pd.Series(np.abs(v)).groupby(row).max().to_numpy() for v in found)
    rank, worst = graded(_BUILDING, grading_tables()[_BUILDING][0], {"i": tilt, "K": curvature, "epsilon": strain})
    rows = {r.rank: r for r in intervals(_BUILDING, grading_tables()[_BUILDING][0])}
    long = _length(shapes) > _LONG_M
    return pd.DataFrame({
        "building_id": buildings["building_id"].astype(str).to_numpy(), "subsidence_mm": w, "tilt_mm_m": tilt, "curvature_e3_m": curvature, "strain_mm_m": strain,
        "grade": [rows[r].grade for r in rank], "grade_zh": [rows[r].zh for r in rank], "decided_by": worst, "treatment": [rows[r].treatment for r in rank],
        "needs_judgement": long,
    })  # fmt: skip


def land_damage(patches: gpd.GeoDataFrame, scheme: str, maps: Mapping[str, np.ndarray], transform: affine.Affine) -> pd.DataFrame:
    """Area of farmland, forest and grass by use and grade of damage, from the cells of the maps (土地损毁面积).

    Returns
    -------
    DataFrame (use, grade, grade_zh, cells, area_ha)
        Only cells that sink by 10 mm or more; uses without a grading table stay out.
    """
    kinds = service_classes(scheme, "carbon_class")
    use_of = np.array([_use(kinds.get(str(c), "")) for c in patches["class_code"]], dtype=object)
    patch, row, column = cells_inside(patches.geometry.to_numpy(), transform, maps["subsidence"].shape)
    cell_ha = abs(transform.a * transform.e) / M2_PER_HA
    made = []
    for use in grading_tables()[_LAND]:
        here = (use_of[patch] == use) & (maps["subsidence"][row, column] >= 10.0)
        at = row[here], column[here]
        rank, _ = graded(_LAND, use, {"W": maps["subsidence"][at] / 1000.0, "i": maps["tilt"][at], "epsilon": maps["strain"][at]})
        words = {r.rank: (r.grade, r.zh) for r in intervals(_LAND, use)}
        made += [(use, *words[int(r)], int(n), n * cell_ha) for r, n in zip(*np.unique(rank, return_counts=True))]
    return pd.DataFrame(made, columns=["use", "grade", "grade_zh", "cells", "area_ha"])


def damaged_patches(patches: gpd.GeoDataFrame, scheme: str, maps: Mapping[str, np.ndarray], transform: affine.Affine) -> gpd.GeoDataFrame:
    """Grade of damage of each patch of farmland, forest or grass that sinks by 10 mm somewhere: its worst cell (图斑损毁等级).

    A patch in which no cell centre lies is judged at a point inside it.

    Returns
    -------
    GeoDataFrame (patch_id, class_code, use, grade, grade_zh, subsidence_mm, damaged_ha, worst_ha, geometry)
        damaged_ha sinks by 10 mm or more, worst_ha bears the worst grade; the largest subsidence. Rows in the order of `patches`.
    """
    kinds = service_classes(scheme, "carbon_class")
    use_of = np.array([_use(kinds.get(str(c), "")) for c in patches["class_code"]], dtype=object)
    shapes = patches.geometry.to_numpy()
    patch, row, column = cells_inside(shapes, transform, maps["subsidence"].shape)
    cell_ha = np.full(len(patch), abs(transform.a * transform.e) / M2_PER_HA)
    lone = np.setdiff1d(np.arange(len(shapes)), patch)
    x, y = shapely.get_coordinates(shapely.point_on_surface(shapes[lone])).T if len(lone) else (np.empty(0), np.empty(0))
    r, c = ((y - transform.f) / transform.e).astype(int), ((x - transform.c) / transform.a).astype(int)
    there = (r >= 0) & (c >= 0) & (r < maps["subsidence"].shape[0]) & (c < maps["subsidence"].shape[1])
    patch, row, column = np.concatenate([patch, lone[there]]), np.concatenate([row, r[there]]), np.concatenate([column, c[there]])
    cell_ha = np.concatenate([cell_ha, shapely.area(shapes[lone[there]]) / M2_PER_HA])
    made = []
    for use in grading_tables()[_LAND]:
        here = (use_of[patch] == use) & (maps["subsidence"][row, column] >= 10.0)
        at = row[here], column[here]
        rank, _ = graded(_LAND, use, {"W": maps["subsidence"][at] / 1000.0, "i": maps["tilt"][at], "epsilon": maps["strain"][at]})
        words = {q.rank: (q.grade, q.zh) for q in intervals(_LAND, use)}
        cells = pd.DataFrame({"patch": patch[here], "rank": rank, "w": maps["subsidence"][at], "ha": cell_ha[here]})
        for k, part in cells.groupby("patch"):
            worst = int(part["rank"].max())
            made.append((int(k), use, *words[worst], float(part["w"].max()), float(part["ha"].sum()), float(part.loc[part["rank"] == worst, "ha"].sum())))
    made.sort()
    rows = [m[0] for m in made]
    table = pd.DataFrame([m[1:] for m in made], columns=["use", "grade", "grade_zh", "subsidence_mm", "damaged_ha", "worst_ha"])
    known = {c: patches[c].astype(str).to_numpy()[rows] for c in ("patch_id", "class_code")}
    return gpd.GeoDataFrame({**known, **table}, geometry=shapes[rows], crs=patches.crs)


def _length(shapes: np.ndarray) -> np.ndarray:
    """Longer side of the smallest turned rectangle around each shape [m]."""
    corners = [shapely.get_coordinates(r)[:3] for r in shapely.oriented_envelope(shapes)]
    return np.array([max(np.hypot(*(c[1] - c[0])), np.hypot(*(c[2] - c[1]))) if len(c) == 3 else 0.0 for c in corners])


def _use(carbon_class: str) -> str:
    return "林地/草地" if carbon_class.startswith(_GROWN) else _USES.get(carbon_class, "")
