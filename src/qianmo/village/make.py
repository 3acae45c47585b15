"""An invented township of any size, for tests, benchmarks and documents (虚拟乡镇)."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from qianmo.geo.adjacency import shared_borders
from qianmo.geo.area import ellipsoid_area
from qianmo.geo.crs import china_crs, lonlat, transform
from qianmo.geo.grid import Grid, slope_deg
from qianmo.schema.errors import CrsError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.village import names
from qianmo.village.cadastre import parcels_of
from qianmo.village.faults import plant_faults
from qianmo.village.landcover import cell_classes
from qianmo.village.lines import invent_basic_farmland, invent_eco_redline, invent_planning_zones, invent_urban_boundary
from qianmo.village.merge import contiguous, merged
from qianmo.village.mesh import Mesh, mainland, make_mesh, trace
from qianmo.village.register import describe, levelled
from qianmo.village.settle import Settlement, nearness, settle, territory
from qianmo.village.strips import StripSeeds, strip_lines, strip_seeds
from qianmo.village.terrain import Landscape, elevation_grid, is_inside, make_landscape, sampled, stream_distance

__all__ = ["Township", "make_township"]

_GEOGRAPHIC = 4490
_LATITUDE = 28.0
_EAST_OF_MERIDIAN = 0.25
_MEAN_PATCH_M2 = 4000.0
_CELLS_PER_PATCH = 1.6
_FINE_M = 420.0
_JITTER = 0.35
_LEAST_PATCHES_A_VILLAGE = 40
_DEM_CELL_M = {"small": 10.0, "large": 30.0}
_LARGE_M2 = 60e6
_TOWN_REACH = 1.6


@dataclass(frozen=True)
class Township:
    """An invented township: every layer is synthetic (虚拟乡镇).

    `landuse_patch`, `village`, `basic_farmland`, `eco_redline`, `urban_boundary`, `planning_zone` and `parcel` are
    GeoDataFrames with the columns of their tables in one CGCS2000 zone; `dem` is a grid of heights in metres. `faults`
    is the truth table of planted faults, empty where none were planted.
    """

    landuse_patch: gpd.GeoDataFrame
    village: gpd.GeoDataFrame
    basic_farmland: gpd.GeoDataFrame
    eco_redline: gpd.GeoDataFrame
    urban_boundary: gpd.GeoDataFrame
    planning_zone: gpd.GeoDataFrame
    parcel: gpd.GeoDataFrame
    dem: Grid
    faults: gpd.GeoDataFrame

    def layers(self) -> dict[str, gpd.GeoDataFrame]:
        """Vector layers by table name (图层)."""
        kept = ("landuse_patch", "village", "basic_farmland", "eco_redline", "urban_boundary", "planning_zone", "parcel")
        return {name: getattr(self, name) for name in kept}


def make_township(
    *,
    patches: int,
    villages: int,
    rng: np.random.Generator,
    epsg: int = 4527,
    lon: float | None = None,
    lat: float = _LATITUDE,
    with_faults: bool = False,
) -> Township:
    """Invent a township or county (生成虚拟乡镇, synthetic).

    A planar partition without gap or overlap: Voronoi cells of jittered points, finer in the valleys, with rivers,
    ditches and roads as thin polygons, every edge bent, cells of one class and village merged until exactly `patches`
    are left, all on a 1 mm grid. Land classes follow an invented relief; register areas are ellipsoidal by the national
    series and levelled, so that village sums equal the control areas to the cent; the three lines, zones and parcels
    follow the rules of :mod:`qianmo.village.lines`. Names and codes are invented (county 990101, 虚拟县).

    Parameters
    ----------
    patches, villages : int
        How many; at least 40 patches a village. 4,000 m2 a patch on average.
    rng : numpy.random.Generator
        Seeded source: the same seed gives the same township.
    epsg : int
        A CGCS2000 Gauss-Krüger zone of ``codes/crs.csv``.
    lon, lat : float
        Middle of the township [degree]; by default 0.25 degrees east of the central meridian, at latitude 28.
    with_faults : bool
        Plant one of each fault of :func:`plant_faults` in the patches; `faults` then says where.

    Returns
    -------
    Township

    Raises
    ------
    SchemaError
        Too few patches for the villages.
    CrsError
        Not a CGCS2000 projected zone, or `lon` outside it.
    """
    if villages < 1 or patches < _LEAST_PATCHES_A_VILLAGE * villages:
        raise SchemaError(f"{patches} patches for {villages} villages", expected=f"at least {_LEAST_PATCHES_A_VILLAGE} a village")
    centre = _centre(epsg, lon, lat)
    crs = CRS.from_epsg(epsg)
    land = make_landscape(centre, patches * _MEAN_PATCH_M2, rng=rng)
    dem = elevation_grid(land, crs, cell_m=_DEM_CELL_M["large" if patches * _MEAN_PATCH_M2 > _LARGE_M2 else "small"])
    slope = slope_deg(dem)
    ground = _lattice(land, 90.0, rng)
    place = settle(land, ground[is_inside(land, ground)], villages, rng=rng)
    strips = strip_seeds(strip_lines(land, place.centres, rng=rng), rng=rng)
    mesh, classes, width = _cells(land, place, slope, strips, patches, rng)
    owner = contiguous(mesh, territory(place, mesh.seeds))
    face = merged(mesh, classes, owner, width > 0, patches=patches, rng=rng)
    frame, village = _register(mesh, face, owner, classes, width, place, dem, slope, rng)
    return _with_lines(frame, village, dem, rng, with_faults=with_faults)


def _centre(epsg: int, lon: float | None, lat: float) -> tuple[float, float]:
    zone = china_crs().get(epsg)
    if zone is None or zone.kind != "projected" or zone.datum != "CGCS2000":
        raise CrsError(f"EPSG:{epsg}", expected="a projected CGCS2000 zone of codes/crs.csv", cure="take one of 4491 to 4554")
    middle, west, east = zone.central_meridian, zone.lon_min, zone.lon_max
    if middle is None or west is None or east is None:
        raise CrsError(f"EPSG:{epsg} has no zone limits", expected="a Gauss-Krüger zone")
    x = middle + _EAST_OF_MERIDIAN if lon is None else lon
    if not west <= x <= east:
        raise CrsError(f"longitude {x} for EPSG:{epsg}", expected=f"{west} to {east}")
    point = transform(np.array([shapely.Point(x, lat)], dtype=object), _GEOGRAPHIC, epsg)[0]
    return float(np.round(point.x, -2)), float(np.round(point.y, -2))


def _lattice(land: Landscape, spacing_m: float, rng: np.random.Generator) -> np.ndarray:
    """Jittered square lattice over the township and a margin of five cells."""
    margin = 5 * spacing_m
    x = np.arange(-1.1 * land.half_width_m - margin, 1.1 * land.half_width_m + margin, spacing_m)
    y = np.arange(-1.1 * land.half_height_m - margin, 1.1 * land.half_height_m + margin, spacing_m)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return points + rng.uniform(-_JITTER, _JITTER, points.shape) * spacing_m + land.centre


def _seeds(land: Landscape, cells: float, rng: np.random.Generator) -> np.ndarray:
    """Lattice seeds, four for one within reach of the streams, so many that about `cells` lie inside."""
    probe = _lattice(land, 4 * land.half_width_m / 120, rng)
    probe = probe[is_inside(land, probe)]
    fine = float((stream_distance(land, probe) < _FINE_M).mean())
    area = 4 * 0.927 * land.half_width_m * land.half_height_m
    spacing = np.sqrt(area * (1 + 3 * fine) / cells)
    coarse = _lattice(land, spacing, rng)
    near = stream_distance(land, coarse) < _FINE_M
    quarter = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * spacing / 4
    dense = np.repeat(coarse[near], 4, axis=0) * 1.0
    dense += np.tile(quarter, (int(near.sum()), 1)) + rng.uniform(-0.5, 0.5, dense.shape) * _JITTER * spacing / 2
    return np.vstack([coarse[~near], dense])


def _cells(
    land: Landscape, place: Settlement, slope: Grid, strips: StripSeeds, patches: int, rng: np.random.Generator
) -> tuple[Mesh, np.ndarray, np.ndarray]:
    """Mesh with the class and strip width (0 where no strip) of each cell."""
    plain = strips.kept_clear(_seeds(land, _CELLS_PER_PATCH * patches, rng))
    seeds = np.vstack([strips.centre, strips.flank, plain])
    width = np.zeros(len(seeds))
    width[: len(strips.centre)] = strips.width_m
    mesh = mainland(make_mesh(seeds, is_inside(land, seeds), rng=rng))
    classes = cell_classes(land, place, slope, seeds, rng=rng)
    classes[: len(strips.centre)] = strips.class_code
    return mesh, classes, width


def _register(
    mesh: Mesh, face: np.ndarray, owner: np.ndarray, classes: np.ndarray, width: np.ndarray, place: Settlement, dem: Grid,
    slope: Grid, rng: np.random.Generator,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:  # fmt: skip
    """Patches in order of village, and villages with control areas."""
    first = np.unique(face[mesh.inside], return_index=True)[1]
    cell = np.flatnonzero(mesh.inside)[first]
    order = np.lexsort([-mesh.seeds[cell, 1], owner[cell]])
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    geoms = trace(mesh, np.where(face >= 0, rank[face], -1))
    cell = cell[order]
    outlines = trace(mesh, np.where(mesh.inside, owner, -1))
    crs = dem.crs
    patch_shapes, village_shapes = gpd.GeoDataFrame(geometry=geoms, crs=crs), gpd.GeoDataFrame(geometry=outlines, crs=crs)
    control = np.round(ellipsoid_area(lonlat(village_shapes)), 2)
    computed = ellipsoid_area(lonlat(patch_shapes))
    points = shapely.get_coordinates(shapely.point_on_surface(geoms))
    near, town = nearness(place, points)
    columns = describe(
        classes[cell], owner[cell], levelled(computed, control, owner[cell]), _cell_mean(mesh, rank, face, slope), width[cell],
        town & (near < _TOWN_REACH), rng=rng,
    )  # fmt: skip
    columns["ellipsoid_area_m2"], columns["planar_area_m2"] = np.round(computed, 2), np.round(shapely.area(geoms), 2)
    columns["elevation_m"] = np.round(_cell_mean(mesh, rank, face, dem), 2)
    codes = [names.village_code(k) for k in range(len(outlines))]
    village = gpd.GeoDataFrame({
        "village_code": codes,
        "village_name": [names.village_name(k) for k in range(len(outlines))],
        "control_area_m2": control,
        "computed_area_m2": control,
    }, geometry=outlines, crs=crs)  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=geoms, crs=crs), village


def _cell_mean(mesh: Mesh, rank: np.ndarray, face: np.ndarray, grid: Grid) -> np.ndarray:
    """Mean of a grid over each patch: its values at the seeds of the cells, weighted by cell area."""
    patch, weight = rank[face[mesh.inside]], mesh.cell_area_m2[mesh.inside]
    values = sampled(grid, mesh.seeds[mesh.inside]).astype(float)
    return np.bincount(patch, values * weight) / np.bincount(patch, weight)


def _with_lines(
    patches: gpd.GeoDataFrame, village: gpd.GeoDataFrame, dem: Grid, rng: np.random.Generator, *, with_faults: bool
) -> Township:
    borders = shared_borders(patches.geometry.to_numpy())
    farmland = invent_basic_farmland(patches, borders=borders)
    redline = invent_eco_redline(patches, basic_farmland=farmland, borders=borders)
    boundary = invent_urban_boundary(patches, basic_farmland=farmland, eco_redline=redline)
    zones = invent_planning_zones(patches, basic_farmland=farmland, eco_redline=redline, urban_boundary=boundary)
    parcels = parcels_of(patches, rng=rng, error_rel=parameter("synthetic_register_error_rel"))
    patches, faults = plant_faults(patches, rng=rng, kinds=None if with_faults else ())
    for frame in (patches, village):
        frame.attrs["synthetic"] = True
    return Township(patches, village, farmland, redline, boundary, zones, parcels, dem, faults)
