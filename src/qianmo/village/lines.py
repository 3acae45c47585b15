"""Rules that invent what no source gives: villages, the three lines, zones, tenure (虚拟三线与权属).

All results are synthetic and say so in ``attrs["synthetic"]``; whoever shows them labels them. The three lines are
sets of whole patches chosen one after the other, so they never overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.adjacency import shared_borders
from qianmo.schema.codes import FARMLAND_CODES, domain_codes, land_classes
from qianmo.schema.errors import CodeError, MissingDataError
from qianmo.schema.rules import parameter, rule
from qianmo.schema.tables import require_columns
from qianmo.schema.units import M2_PER_HA
from qianmo.village import names
from qianmo.village.cadastre import invent_tenure
from qianmo.village.growth import dissolved, invent_villages, joined_blocks
from qianmo.village.register import SCHEME, slope_classes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "invent_basic_farmland",
    "invent_eco_redline",
    "invent_planning_zones",
    "invent_tenure",
    "invent_urban_boundary",
    "invent_villages",
]

_REDLINE_TYPES = ("水源涵养", "水土保持", "生物多样性维护")
_NATURAL_WATER = ("1101", "1102", "1103", "1110")
_URBAN = ("05", "06", "07", "08")


def invent_basic_farmland(
    patches: gpd.GeoDataFrame, *, borders: pd.DataFrame | None = None, parameters: Mapping[str, float] | None = None
) -> gpd.GeoDataFrame:
    """Permanent basic farmland for land use without lines (虚拟永久基本农田, synthetic).

    Rule: farmland patches not steeper than rule G-09, the flattest slope class first, in each class the patches of the
    largest contiguous block first, until ``synthetic_basic_farmland_share`` of all farmland (class area) is reached.

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``
        With class_code (SD3), area_m2, class_area_m2, slope_deg. Metric CRS. [m]
    borders : DataFrame, optional
        Shared borders (i, j, length_m) of the patches if known already.

    Returns
    -------
    GeoDataFrame, table ``basic_farmland``
        One row a patch chosen, its geometry unchanged. Covers at most one patch more than the share.

    Raises
    ------
    MissingDataError
        No farmland, or farmland without slope.
    CodeError
        A class is missing or not of scheme SD3.
    """
    require_columns("landuse_patch", list(patches.columns), names=("class_code", "area_m2", "class_area_m2", "slope_deg"))
    farm = _codes(patches).isin(FARMLAND_CODES).to_numpy()
    _require_slope(patches, farm, "farmland")
    borders = shared_borders(patches.geometry.to_numpy()) if borders is None else borders
    slope = patches["slope_deg"].to_numpy(dtype=float)
    net = patches["class_area_m2"].to_numpy(dtype=float)
    block = joined_blocks(farm, borders)
    size = np.bincount(block[farm], net[farm])
    able = np.flatnonzero(farm & (slope <= rule("G-09").value()))
    order = able[np.lexsort([able, block[able], -size[block[able]], slope_classes(slope[able]).astype(int)])]
    wanted = parameter("synthetic_basic_farmland_share", parameters) * net[farm].sum()
    before = np.concatenate([[0.0], np.cumsum(net[order])[:-1]])
    return _basic_farmland_rows(patches, np.sort(order[before < wanted]))


def invent_eco_redline(
    patches: gpd.GeoDataFrame,
    *,
    basic_farmland: gpd.GeoDataFrame | None = None,
    borders: pd.DataFrame | None = None,
    parameters: Mapping[str, float] | None = None,
) -> gpd.GeoDataFrame:
    """Ecological redline for land use without lines (虚拟生态保护红线, synthetic).

    Rule: forest patches (03) with mean slope from ``synthetic_redline_slope_deg`` form blocks over shared borders;
    blocks from ``synthetic_redline_block_ha`` enter, the largest first, while the sum stays within
    ``synthetic_redline_share`` of the whole area. A single larger block that would break the share is passed over. Forest
    is never farmland, so the line cannot touch basic farmland chosen by the rule above; patches inside a given
    `basic_farmland` are left out as well.

    Returns
    -------
    GeoDataFrame, table ``eco_redline``
        One dissolved row a block, largest first; no row where no forest qualifies. The largest carries
        reserve_zone 一般控制区.

    Raises
    ------
    MissingDataError
        Forest without slope.
    """
    require_columns("landuse_patch", list(patches.columns), names=("class_code", "area_m2", "slope_deg"))
    forest = _codes(patches).str.startswith("03").to_numpy()
    _require_slope(patches, forest, "forest", needed=False)
    member = forest & (patches["slope_deg"].to_numpy(dtype=float) >= parameter("synthetic_redline_slope_deg", parameters))
    member &= ~_inside(patches, basic_farmland)
    borders = shared_borders(patches.geometry.to_numpy()) if borders is None else borders
    block = joined_blocks(member, borders)
    area = patches["area_m2"].to_numpy(dtype=float)
    size = np.bincount(block[member], area[member]) if member.any() else np.zeros(0)
    smallest = parameter("synthetic_redline_block_ha", parameters) * M2_PER_HA
    chosen = _within_share(size, smallest, parameter("synthetic_redline_share", parameters) * area.sum())
    number = np.full(len(size) + 1, -1)
    number[chosen] = np.arange(len(chosen))
    count = len(chosen)
    kinds = [_REDLINE_TYPES[k % len(_REDLINE_TYPES)] for k in range(count)]
    return _frame({
        "redline_id": names.feature_ids(count, 3002),
        "redline_name": [f"虚拟{kind}生态保护红线{k + 1:02d}" for k, kind in enumerate(kinds)],
        "redline_type": kinds,
        "reserve_zone": ["一般控制区" if k == 0 else "" for k in range(count)],
        "area_m2": np.round(size[chosen], 2),
        "control": ["核心区外仅允许对生态功能不造成破坏的有限人为活动（虚拟）"] * count,
    }, dissolved(patches.geometry.to_numpy(), number[block], count), patches)  # fmt: skip


def invent_urban_boundary(
    patches: gpd.GeoDataFrame,
    *,
    basic_farmland: gpd.GeoDataFrame | None = None,
    eco_redline: gpd.GeoDataFrame | None = None,
    parameters: Mapping[str, float] | None = None,
) -> gpd.GeoDataFrame:
    """Urban development boundary for land use without lines (虚拟城镇开发边界, synthetic).

    Rule: built patches (05-08) closer than ``synthetic_urban_gap_m`` form clusters; around the largest, patches whose
    inner point lies in its convex hull are added, the nearest first, while the boundary stays within
    ``udb_expansion_max`` times the cluster. Patches of basic farmland and redline never enter.

    Returns
    -------
    GeoDataFrame, table ``urban_boundary``
        One row, zone 410; no row where nothing is built.
    """
    require_columns("landuse_patch", list(patches.columns), names=("class_code", "area_m2"))
    geoms, area = patches.geometry.to_numpy(), patches["area_m2"].to_numpy(dtype=float)
    taken = _inside(patches, basic_farmland) | _inside(patches, eco_redline)
    built = np.flatnonzero(_codes(patches).str[:2].isin(_URBAN).to_numpy() & ~taken)
    cluster = _largest_cluster(geoms, area, built, parameter("synthetic_urban_gap_m", parameters))
    if not cluster.size:
        return _boundary_rows(patches, np.zeros(0, dtype=int))
    core = shapely.union_all(geoms[cluster])
    hull = shapely.convex_hull(core)
    shapely.prepare(hull)
    points = shapely.point_on_surface(geoms)
    near = np.flatnonzero(shapely.intersects(hull, points) & ~taken)
    near = np.setdiff1d(near, cluster)
    near = near[np.lexsort([near, shapely.distance(points[near], core)])]
    room = parameter("udb_expansion_max", parameters) * area[cluster].sum() - area[cluster].sum()
    fits = np.cumsum(area[near]) <= room
    return _boundary_rows(patches, np.concatenate([cluster, near[fits]]))


def invent_planning_zones(
    patches: gpd.GeoDataFrame,
    *,
    basic_farmland: gpd.GeoDataFrame,
    eco_redline: gpd.GeoDataFrame,
    urban_boundary: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Planning zones over the whole area, from the lines and the present use (虚拟规划分区, synthetic).

    Rule: inside the redline 100, basic farmland 300, urban boundary 410; outside them built land 510, natural water and
    wetland 200, forest and grass 530, all else 520. One row a village and zone where `village_code` is there, else one a
    zone; together they partition the patches.

    Returns
    -------
    GeoDataFrame, table ``planning_zone``
    """
    require_columns("landuse_patch", list(patches.columns), names=("class_code", "area_m2"))
    zone = _zone_of_use(_codes(patches))
    for code, line in (("410", urban_boundary), ("300", basic_farmland), ("100", eco_redline)):
        zone[_inside(patches, line)] = code
    key = zone
    if "village_code" in patches:
        key = patches["village_code"].fillna("").astype(str).to_numpy(dtype=object) + "|" + zone
    unique, group = np.unique(key.astype(str), return_inverse=True)
    codes = [k.split("|")[-1] for k in unique]
    area = np.bincount(group, np.round(patches["area_m2"].to_numpy(dtype=float) * 100)) / 100
    return _frame({
        "zone_id": names.feature_ids(len(unique), 3004),
        "zone_code": codes,
        "zone_name": [domain_codes("GHFQDM")[c] for c in codes],
        "area_m2": np.round(area, 2),
    }, dissolved(patches.geometry.to_numpy(), group, len(unique)), patches)  # fmt: skip


def _codes(patches: gpd.GeoDataFrame) -> pd.Series:
    """Class codes, all of scheme SD3."""
    codes = patches["class_code"]
    bad = np.flatnonzero(~codes.isin(list(land_classes(SCHEME))).to_numpy())
    if bad.size:
        raise CodeError(
            f"class_code {codes.iloc[bad[0]]!r} in {bad.size} patches, rows {bad[:5].tolist()}", expected=f"classes of {SCHEME}",
            cure="map the classes first; 先把地类对照到三调工作分类",
        )  # fmt: skip
    return codes.astype(str)


def _require_slope(patches: gpd.GeoDataFrame, member: np.ndarray, what: str, *, needed: bool = True) -> None:
    if needed and not member.any():
        raise MissingDataError(f"no {what} patches", expected=f"at least one {what} patch")
    bare = np.flatnonzero(member & patches["slope_deg"].isna().to_numpy())
    if bare.size:
        raise MissingDataError(
            f"{bare.size} {what} patches without slope_deg, rows {bare[:5].tolist()}", expected="slope_deg on each",
            cure="compute slope from a DEM first; 先用DEM计算坡度",
        )  # fmt: skip


def _basic_farmland_rows(patches: gpd.GeoDataFrame, rows: np.ndarray) -> gpd.GeoDataFrame:
    chosen = patches.iloc[rows]
    same = [c for c in ("class_code", "owner_name", "location_code", "location_name", "quality_grade") if c in patches]
    out = chosen[same].reset_index(drop=True)
    ids = names.feature_ids(len(rows), 3001)
    out.insert(0, "patch_id", ids)
    out.insert(1, "farmland_number", ids)
    out["patch_area_m2"], out["area_m2"] = chosen["area_m2"].to_numpy(), chosen["class_area_m2"].to_numpy()
    out["slope_class"] = slope_classes(chosen["slope_deg"].to_numpy(dtype=float))
    out["is_stable"] = "1"
    return _frame(out, chosen.geometry.to_numpy(), patches)


def _boundary_rows(patches: gpd.GeoDataFrame, rows: np.ndarray) -> gpd.GeoDataFrame:
    count = int(rows.size > 0)
    group = np.full(len(patches), -1)
    group[rows] = 0
    return _frame({
        "boundary_id": names.feature_ids(count, 3003),
        "zone_code": ["410"] * count,
        "zone_name": [domain_codes("GHFQDM")["410"]] * count,
        "area_m2": [float(np.round(patches["area_m2"].to_numpy(dtype=float)[rows].sum(), 2))] * count,
    }, dissolved(patches.geometry.to_numpy(), group, count), patches)  # fmt: skip


def _within_share(size: np.ndarray, smallest_m2: float, room_m2: float) -> np.ndarray:
    chosen, used = [], 0.0
    for k in np.lexsort([np.arange(len(size)), -size]).tolist():
        if size[k] >= smallest_m2 and used + size[k] <= room_m2:
            chosen.append(k)
            used += size[k]
    return np.array(chosen, dtype=int)


def _largest_cluster(geoms: np.ndarray, area: np.ndarray, built: np.ndarray, gap_m: float) -> np.ndarray:
    if not built.size:
        return built
    i, j = shapely.STRtree(geoms[built]).query(geoms[built], predicate="dwithin", distance=gap_m)
    pairs = pd.DataFrame({"i": i, "j": j, "length_m": 1.0})
    block = joined_blocks(np.ones(len(built), dtype=bool), pairs)
    return built[block == np.bincount(block, area[built]).argmax()]


def _inside(patches: gpd.GeoDataFrame, line: gpd.GeoDataFrame | None) -> np.ndarray:
    inside = np.zeros(len(patches), dtype=bool)
    if line is not None and len(line):
        points = shapely.point_on_surface(patches.geometry.to_numpy())
        inside[shapely.STRtree(points).query(line.geometry.to_numpy(), predicate="intersects")[1]] = True
    return inside


def _zone_of_use(codes: pd.Series) -> np.ndarray:
    classes = land_classes(SCHEME)
    built = codes.map(lambda c: classes[c].is_construction).to_numpy(dtype=bool)
    natural = codes.map(lambda c: classes[c].is_wetland).to_numpy(dtype=bool) | codes.isin(_NATURAL_WATER).to_numpy()
    green = codes.str[:2].isin(("03", "04")).to_numpy()
    return np.select([built, natural, green], ["510", "200", "530"], default="520").astype(object)


def _frame(columns: dict | pd.DataFrame, geometry: np.ndarray, like: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(columns, geometry=geometry, crs=like.crs)
    frame.attrs["synthetic"] = True
    return frame
