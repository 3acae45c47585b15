"""Evaluation of a whole township: structure, fragmentation, contiguity, conflicts, compliance, potential."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
from measure import Way
from townships import layers

from qianmo.evaluation.evaluate import evaluate

__all__ = ["ways"]

_SCHEME = "SD3"


def ways(size: int, cache: Path) -> list[Way]:
    """One way; the figure is the area of the land-structure table, equal to the register."""
    found = layers(size, cache)
    small = layers(min(size, 500), cache)
    register = float(found["landuse_patch"]["area_m2"].sum())

    def run() -> float:
        total = _evaluated(found)
        if abs(total - register) > 0.005:
            raise ValueError(f"the structure table holds {total} m2, the register {register} m2")
        return total

    return [Way("evaluate", "qianmo evaluate", size, run, lambda: _evaluated(small))]


def _evaluated(found: dict[str, gpd.GeoDataFrame]) -> float:
    rest = {name: frame for name, frame in found.items() if name != "landuse_patch"}
    tables = evaluate(found["landuse_patch"], rest, scheme=_SCHEME)
    return float(tables["land_structure"]["area_m2"].sum())
