"""Evaluation of a whole township: structure, fragmentation, contiguity, conflicts, compliance, potential."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
from measure import Way
from townships import layers

from qianmo.evaluation.evaluate import evaluate

__all__ = ["ways"]

_SCHEME = "SD3"
_REGISTER = 1.01
"""Planar areas of the drawing against ellipsoidal ones of the register."""


def ways(size: int, cache: Path) -> list[Way]:
    """Ours, and the part of it that plain geopandas does; the figure is the area of the land structure, equal to the register."""
    found = layers(size, cache)
    small = layers(min(size, 500), cache)
    register = float(found["landuse_patch"]["area_m2"].sum())

    def run() -> float:
        total = _evaluated(found)
        if abs(total - register) > 0.005:
            raise ValueError(f"the structure table holds {total} m2, the register {register} m2")
        return total

    return [
        Way("evaluate", "qianmo evaluate", size, run, lambda: _evaluated(small)),
        Way("evaluate", "geopandas: structure, mesh size of villages, overlay of the lines (that part alone)", size, lambda: _part_by_geopandas(found)),
    ]


def _evaluated(found: dict[str, gpd.GeoDataFrame]) -> float:
    rest = {name: frame for name, frame in found.items() if name != "landuse_patch"}
    tables = evaluate(found["landuse_patch"], rest, scheme=_SCHEME)
    return float(tables["land_structure"]["area_m2"].sum())


def _part_by_geopandas(found: dict[str, gpd.GeoDataFrame]) -> float:
    """What a planner types: sums by class, effective mesh size by village, patches under each line."""
    patches = found["landuse_patch"]
    structure = patches.groupby("class_code")["area_m2"].sum()
    for name, lines in found.items():
        if name in ("landuse_patch", "parcel") or lines.geom_type.iloc[0] not in ("Polygon", "MultiPolygon"):
            continue
        cut = gpd.overlay(patches[["patch_id", "class_code", "geometry"]], lines[["geometry"]].assign(line=range(len(lines))), how="intersection")
        area = cut.area
        mesh = (area**2).groupby(cut["line"]).sum() / area.groupby(cut["line"]).sum()
        under = area.groupby(cut["class_code"]).sum()
        if not (mesh.notna().all() and (under <= structure.reindex(under.index) * _REGISTER).all()):
            raise ValueError(f"more land lies under {name} than there is")
    return float(structure.sum())
