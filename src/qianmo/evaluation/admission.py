"""Admission of a measure by the zone matrix and the slope rules (分区准入)."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.classes import class_table, farmland
from qianmo.evaluation.compliance_farmland import is_forest_or_wetland
from qianmo.evaluation.eligibility import Ground, steeper
from qianmo.evaluation.zones import ZONE_NAMES
from qianmo.schema.codes import zone_activities
from qianmo.schema.measures import measures

__all__ = ["ZONE_RULES", "admission"]

ZONE_RULES = {
    "basic_farmland": "Y-01",
    "eco_core": "E-01",
    "eco_other": "E-02",
    "eco_unzoned": "E-02",
    "udb_inside": "Z-13",
    "udb_outside": "Z-13",
    "ordinary_farmland": "G-06",
}
"""Rule that stands behind a prohibition in each zone."""

MATRIX_COLUMN = {"basic_farmland": "pbf", "eco_unzoned": "eco_other"}
REDLINE = ("eco_core", "eco_other", "eco_unzoned")


def admission(
    g: Ground,
    measure: str,
    rows: np.ndarray,
    target: np.ndarray,
    areas: pd.DataFrame,
    layers: Mapping[str, gpd.GeoDataFrame],
) -> tuple[list[str], list[str]]:
    """Rules that forbid a measure on each patch, and the conditions that come with it (准入结论).

    Parameters
    ----------
    rows : ndarray, int (k,)
        Positions of the patches; `target` their class after the measure.
    areas : DataFrame
        Result of ``zone_areas`` for all patches. A zone counts when more than ``conflict_tolerance_m2`` lies in it.

    Returns
    -------
    list of str, k
        Rule ids joined by ';', '' where nothing forbids it. Where zones overlap the strictest value holds.
    list of str, k
        Text to add to the reason, '' where there is no condition.
    """
    activity = zone_activities()[measures()[measure].activity_id]
    blocked: list[list[str]] = [[] for _ in rows]
    notes: list[list[str]] = [[] for _ in rows]
    inside = _inside(g, rows, areas, layers)
    for zone, member in inside.items():
        value = activity[MATRIX_COLUMN.get(zone, zone)]
        if value == "A":
            continue
        links = activity["rule_links"].replace(";", "、")
        for k in np.flatnonzero(member):
            if value == "P":
                blocked[k].append(ZONE_RULES[zone])
            else:
                notes[k].append(f"位于{ZONE_NAMES[zone]},有条件允许({links})")
    for rule_id, member in _further(g, measure, rows, target, inside).items():
        for k in np.flatnonzero(member):
            blocked[k].append(rule_id)
    return [";".join(sorted(set(b))) for b in blocked], ["".join(f";{n}" for n in note) for note in notes]


def _inside(
    g: Ground, rows: np.ndarray, areas: pd.DataFrame, layers: Mapping[str, gpd.GeoDataFrame]
) -> dict[str, np.ndarray]:
    tolerance = g.parameter("conflict_tolerance_m2")
    # a layer that is not there is NaN, and no comparison with NaN is true
    inside = {zone: areas[zone].to_numpy()[rows] > tolerance for zone in areas.columns}
    register = g.patches["area_m2"].to_numpy(float)[rows]
    inside["udb_outside"] = register - areas["udb_inside"].to_numpy()[rows] > tolerance
    if layers.get("basic_farmland") is not None:
        ordinary = register - areas["basic_farmland"].to_numpy()[rows] > tolerance
        inside["ordinary_farmland"] = farmland(g.patches, scheme=g.scheme)[rows] & ordinary
    return inside


def _further(
    g: Ground, measure: str, rows: np.ndarray, target: np.ndarray, inside: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Prohibitions the matrix does not hold: basic farmland stays farmland (Y-01), where farmland may be made (G-09)."""
    stays = class_table(g.scheme)["farmland"].reindex(target).to_numpy(dtype=bool)
    further = {"Y-01": inside["basic_farmland"] & ~stays}
    if measures()[measure].creates_farmland:
        steep = steeper(g.low[rows], g.high[rows], g.steep_limit())
        nature = is_forest_or_wetland(g.patches, scheme=g.scheme)[rows]
        redline = np.any([inside[z] for z in REDLINE], axis=0)
        further["G-09"] = steep | nature | redline
    return further
