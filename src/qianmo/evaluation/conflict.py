"""Conflicts between control and planning layers, by area and by parcel (图层冲突)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.classes import text_column
from qianmo.geo.area import ellipsoid_area_of
from qianmo.geo.crs import same_metric_crs
from qianmo.geo.overlay import intersection_pairs
from qianmo.geo.polygons import valid_polygons
from qianmo.schema.codes import domain_codes, land_classes
from qianmo.schema.rules import parameter
from qianmo.schema.tables import table_names, table_spec

__all__ = ["CONFLICT_LAYERS", "FORBIDDEN", "conflicts", "is_construction_zone"]

CONFLICT_LAYERS = (
    "basic_farmland", "eco_redline", "urban_boundary", "planning_zone_construction", "planning_zone",
    "approved_use", "photovoltaic", "project_area",
)  # fmt: skip
"""Layers compared, most protected first; planning zones for building are a layer of their own."""

FORBIDDEN = {
    ("basic_farmland", "eco_redline"): "Z-12",
    ("basic_farmland", "urban_boundary"): "Y-01",
    ("eco_redline", "urban_boundary"): "Z-12",
    ("basic_farmland", "planning_zone_construction"): "Y-01",
    ("eco_redline", "planning_zone_construction"): "E-02",
    ("basic_farmland", "approved_use"): "Y-01",
    ("eco_redline", "approved_use"): "E-02",
    ("basic_farmland", "photovoltaic"): "F-11",
}
"""Pairs that must not overlap and the rule that says so; other overlaps are shown without a rule."""

BUILDING_ZONES = ("400", "410", "420", "430", "510", "700")
"""Zones of the code list GHFQDM in which building is planned."""


def conflicts(
    layers: Mapping[str, gpd.GeoDataFrame], *, overrides: Mapping[str, float] | None = None
) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Overlaps of every two control or planning layers (图层冲突矩阵与冲突图斑).

    Parameters
    ----------
    layers : mapping
        Tables by name; those of :data:`CONFLICT_LAYERS` are compared. One metric CRS.

    Returns
    -------
    DataFrame, table ``conflict``
        layer_a, layer_b, overlap_m2 (ellipsoidal), pairs, rule_id: one row every two layers, also where they do not
        overlap, so that a blank means checked and clear.
    GeoDataFrame
        layer_a, id_a, layer_b, id_b, overlap_m2, rule_id and the common part, for every pair of features that overlaps
        by more than parameter ``conflict_tolerance_m2``.

    Raises
    ------
    CrsError
        The layers differ in CRS, or are in degrees.
    """
    used = _split(layers)
    if not used:
        return _matrix([]), _parcels([], None)
    crs = same_metric_crs(*used.values())
    tolerance = parameter("conflict_tolerance_m2", overrides)
    drawn = {n: valid_polygons(t.geometry.to_numpy(), which=n, keep=True) for n, t in used.items()}
    rows, parts = [], []
    for a, b in combinations([n for n in CONFLICT_LAYERS if n in used], 2):
        found = _pairs(a, used[a], b, used[b], intersection_pairs(drawn[a], drawn[b]), tolerance)
        rows.append((a, b, round(float(found["overlap_m2"].sum()), 2), len(found), FORBIDDEN.get((a, b), "")))
        parts.append(found)
    return _matrix(rows), _parcels(parts, crs)


def is_construction_zone(zones: pd.DataFrame) -> np.ndarray:
    """True for planned zones in which building is meant (规划建设分区), bool (n,).

    Three digits are read as GHFQDM, other codes as the land-sea guide of 2023; a code in neither list is not taken for
    building land.
    """
    code = text_column(zones, "zone_code").str.strip()
    guide = {c for c, k in land_classes("LANDSEA_2023").items() if k.is_construction}
    zone = [c for c in BUILDING_ZONES if c in domain_codes("GHFQDM")]
    return (code.isin(zone) | ((code.str.len() != 3) & code.isin(guide))).to_numpy()


def _split(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    used = {n: layers[n] for n in CONFLICT_LAYERS if layers.get(n) is not None and len(layers[n])}
    if "planning_zone" in used:
        building = is_construction_zone(used["planning_zone"])
        zones = used.pop("planning_zone")
        if building.any():
            used["planning_zone_construction"] = zones[building]
        if not building.all():
            used["planning_zone"] = zones[~building]
    return used


def _pairs(
    a: str, left: gpd.GeoDataFrame, b: str, right: gpd.GeoDataFrame, found: pd.DataFrame, tolerance: float
) -> gpd.GeoDataFrame:
    common = gpd.GeoDataFrame(geometry=found["geometry"].to_numpy(), crs=left.crs)
    common.insert(0, "layer_a", a)
    common.insert(1, "id_a", _ids(a, left)[found["i"].to_numpy(dtype=int)])
    common.insert(2, "layer_b", b)
    common.insert(3, "id_b", _ids(b, right)[found["j"].to_numpy(dtype=int)])
    common.insert(4, "overlap_m2", np.round(ellipsoid_area_of(common), 2) if len(common) else np.zeros(0))
    common.insert(5, "rule_id", FORBIDDEN.get((a, b), ""))
    return common[common["overlap_m2"] > tolerance].reset_index(drop=True)


def _ids(name: str, table: pd.DataFrame) -> np.ndarray:
    plain = "planning_zone" if name.startswith("planning_zone") else name
    key = table_spec(plain).columns[0].name if plain in table_names() else ""
    if key and key in table.columns:
        return text_column(table, key).to_numpy(dtype=object)
    return np.array([f"#{i}" for i in range(len(table))], dtype=object)


def _matrix(rows: list[tuple[str, str, float, int, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(table_spec("conflict").column_names))


def _parcels(parts: list[gpd.GeoDataFrame], crs: object) -> gpd.GeoDataFrame:
    columns = ["layer_a", "id_a", "layer_b", "id_b", "overlap_m2", "rule_id", "geometry"]
    full = [p for p in parts if len(p)]
    if not full:
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry="geometry", crs=crs)
    return gpd.GeoDataFrame(pd.concat(full, ignore_index=True), geometry="geometry", crs=crs)[columns]
