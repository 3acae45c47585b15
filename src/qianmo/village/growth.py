"""Village territories grown over shared borders from residential clusters (虚拟村界)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from qianmo.geo.adjacency import shared_borders
from qianmo.geo.crs import same_metric_crs
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.tables import require_columns
from qianmo.village import names

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["dissolved", "invent_villages", "joined_blocks"]

_RESIDENTIAL = ("0701", "0702")


def invent_villages(
    patches: gpd.GeoDataFrame, *, count: int, borders: pd.DataFrame | None = None, parameters: Mapping[str, float] | None = None
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Villages for real land use that names none (虚拟村界, synthetic).

    Rule: residential patches that share a border form clusters; the largest clusters, not closer than
    ``synthetic_village_spacing`` times the root of the mean village area, are seeds (the spacing is halved until there
    are enough). Every patch goes to the seed it reaches first when one walks from patch centre to patch centre over
    shared borders; patches that no walk reaches go to the village of the nearest patch centre. Each patch lies wholly
    in one village. Names and codes are invented (county 990101); the control area is the sum of the patches.

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``, n rows
        With `class_code` (SD3) and `area_m2`. Metric CRS. [m]
    count : int
        How many villages, at most the number of residential clusters.
    borders : DataFrame, optional
        Shared borders (i, j, length_m) if they are known already.
    parameters : mapping, optional
        Overrides of the parameters named above.

    Returns
    -------
    patches : GeoDataFrame
        Copy with village_code, location_code, location_name filled.
    villages : GeoDataFrame, table ``village``, `count` rows
        Both carry ``attrs["synthetic"] = True``: label every page that uses them.

    Raises
    ------
    MissingDataError
        Fewer residential clusters than villages wanted.
    """
    require_columns("landuse_patch", list(patches.columns), names=("class_code", "area_m2"))
    same_metric_crs(patches)
    geoms = patches.geometry.to_numpy()
    centres = shapely.get_coordinates(shapely.point_on_surface(geoms))
    borders = shared_borders(geoms) if borders is None else borders
    seeds, spread = _seeds(patches, centres, borders, count, parameter("synthetic_village_spacing", parameters))
    owner = _grown(centres, borders, seeds, spread)
    codes = np.array([names.village_code(k) for k in range(count)], dtype=object)
    labels = np.array([names.place_name(k) for k in range(count)], dtype=object)
    out = patches.copy()
    out["village_code"], out["location_code"], out["location_name"] = codes[owner], (codes + "0000000")[owner], labels[owner]
    control = np.round(np.bincount(owner, np.round(patches["area_m2"].to_numpy() * 100), count)) / 100
    villages = gpd.GeoDataFrame(
        {"village_code": codes, "village_name": [names.village_name(k) for k in range(count)], "control_area_m2": control,
         "computed_area_m2": control},
        geometry=dissolved(geoms, owner, count), crs=patches.crs,
    )  # fmt: skip
    for frame in (out, villages):
        frame.attrs["synthetic"] = True
    return out, villages


def joined_blocks(member: np.ndarray, borders: pd.DataFrame) -> np.ndarray:
    """Number of the block of each member: members that share a border are one block; -1 for others (连片块).

    Parameters
    ----------
    member : ndarray, shape (n,), bool
        Patches that take part.
    borders : DataFrame
        Shared borders i, j, length_m.
    """
    i, j = borders["i"].to_numpy(), borders["j"].to_numpy()
    both = member[i] & member[j] & (borders["length_m"].to_numpy() > 0)
    pairs = (np.ones(both.sum(), np.int8), (i[both], j[both]))
    _, number = connected_components(coo_array(pairs, shape=(len(member),) * 2), directed=False)
    block = np.full(len(member), -1)
    block[member] = np.unique(number[member], return_inverse=True)[1]
    return block


def dissolved(geoms: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """Union of the polygons of each group 0 .. count - 1; -1 belongs to none (融合).

    A coverage union where the result is valid, an ordinary union else.
    """
    order = np.argsort(group, kind="stable")
    at = np.searchsorted(group[order], np.arange(count + 1))
    unions = np.empty(count, dtype=object)
    for k in range(count):
        parts = geoms[order[at[k] : at[k + 1]]]
        unions[k] = parts[0] if len(parts) == 1 else shapely.coverage_union_all(parts)
        if not shapely.is_valid(unions[k]):
            unions[k] = shapely.union_all(parts)
    return unions


def _seeds(
    patches: gpd.GeoDataFrame, centres: np.ndarray, borders: pd.DataFrame, count: int, spacing: float
) -> tuple[np.ndarray, np.ndarray]:
    member = patches["class_code"].isin(_RESIDENTIAL).to_numpy()
    block = joined_blocks(member, borders)
    found = int(block.max(initial=-1)) + 1
    if count < 1 or found < count:
        raise MissingDataError(
            f"{found} residential clusters (classes {', '.join(_RESIDENTIAL)})", expected=f"at least {max(count, 1)}",
            cure="ask for fewer villages; 村庄数不能多于居民点数",
        )  # fmt: skip
    area = patches["area_m2"].to_numpy()
    size = np.bincount(block[member], area[member])
    heart = np.column_stack([np.bincount(block[member], area[member] * centres[member, k]) / size for k in (0, 1)])
    order = np.lexsort([np.arange(found), -size])
    chosen = _spaced(heart, order, count, spacing * np.sqrt(area.sum() / count))
    seed_of_block = np.full(found, -1)
    seed_of_block[chosen] = np.arange(count)
    seeded = np.flatnonzero(member & (seed_of_block[block] >= 0))
    return seeded, seed_of_block[block[seeded]]


def _spaced(heart: np.ndarray, order: np.ndarray, count: int, apart_m: float) -> list[int]:
    while True:
        chosen: list[int] = []
        for k in order.tolist():
            if len(chosen) < count and all(np.hypot(*(heart[k] - heart[c])) >= apart_m for c in chosen):
                chosen.append(k)
        if len(chosen) == count:
            return chosen
        apart_m = apart_m / 2 if apart_m > 1.0 else 0.0


def _grown(centres: np.ndarray, borders: pd.DataFrame, seeds: np.ndarray, village: np.ndarray) -> np.ndarray:
    i, j = borders["i"].to_numpy(), borders["j"].to_numpy()
    step = np.hypot(*(centres[i] - centres[j]).T) + 1e-6
    graph = coo_array((step, (i, j)), shape=(len(centres),) * 2).tocsr()
    away, _, source = dijkstra(graph, directed=False, indices=seeds, min_only=True, return_predecessors=True)
    owner = np.full(len(centres), -1)
    owner[seeds] = village
    reached = np.isfinite(away)
    owner[reached] = owner[source[reached]]
    if not reached.all():
        known = np.flatnonzero(reached)
        owner[~reached] = owner[known[cKDTree(centres[known]).query(centres[~reached])[1]]]
    if (owner < 0).any():
        raise SchemaError(f"rows {np.flatnonzero(owner < 0)[:5].tolist()} got no village", expected="one village a patch")
    return owner
