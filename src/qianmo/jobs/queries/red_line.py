"""What a red line covers: area by class in every layer (占压分析)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from qianmo.geo.area import ellipsoid_area
from qianmo.geo.crs import CGCS2000, transform
from qianmo.geo.local_parts import local_parts
from qianmo.jobs.queries.layers import ShownLayer
from qianmo.jobs.queries.styles import style_of
from qianmo.schema.errors import SchemaError, TopologyError
from qianmo.schema.rules import parameter

__all__ = ["CoveredGroup", "CoveredLayer", "RedLine", "over_layers", "red_line_from"]

_CELLS = 160
"""Cells along each side of the box of a red line, by which most rows are told to lie inside or apart."""


@dataclass(frozen=True, eq=False)
class _Field:
    """Cells over a red line (网格): its box, and how many cells up to each corner meet it and lie inside."""

    box: tuple[float, float, float, float]
    met: np.ndarray
    whole: np.ndarray


@dataclass(frozen=True, eq=False)
class _Near:
    """Rows of a layer near a red line (邻近图斑): the area of each under it, the places of those still to be cut, and their geometries."""

    rows: np.ndarray
    area: np.ndarray
    across: np.ndarray
    geoms: np.ndarray


@dataclass(frozen=True, eq=False)
class RedLine:
    """A red line (用地红线): a valid polygon in degrees, longitude first, and its ellipsoidal area [m2]."""

    shape: shapely.Geometry
    area_m2: float
    vertices: int


@dataclass(frozen=True)
class CoveredGroup:
    """Rows of one class under the red line (占压分类): how many, and their common ellipsoidal area. [m2]"""

    value: str
    label: str
    rows: int
    area_m2: float


@dataclass(frozen=True)
class CoveredLayer:
    """What the red line covers in one layer (占压图层); `area_m2` counts overlaps among its own rows twice. [m2]"""

    layer: str
    layer_zh: str
    kind: str
    rows: int
    area_m2: float
    groups: tuple[CoveredGroup, ...]
    synthetic: bool
    vintage: str


def red_line_from(record: Mapping[str, Any]) -> RedLine:
    """A red line from GeoJSON in CGCS2000 degrees: a polygon, a feature, or a collection of them (红线读取).

    Raises
    ------
    SchemaError
        It is no polygon, is empty, or has more than 200,000 vertices.
    TopologyError
        The polygon crosses itself.
    """
    shapes = [_geometry(g) for g in _geometries(record)]
    polygons = [s for s in shapes if s.geom_type in ("Polygon", "MultiPolygon") and not s.is_empty]
    if not polygons or len(polygons) < len(shapes):
        raise SchemaError("the red line is no polygon", expected="GeoJSON with Polygon or MultiPolygon", cure="draw it again, or export the outline as polygons")
    whole = shapely.union_all(polygons) if len(polygons) > 1 else polygons[0]
    count = int(shapely.get_num_coordinates(whole))
    if count > (most := int(parameter("red_line_vertices_max"))):
        raise SchemaError(f"the red line has {count} vertices", expected=f"at most {most}", cure="simplify the outline")
    box = np.array(whole.bounds)
    if not np.isfinite(box).all() or box[0] < 70 or box[2] > 140 or box[1] < 0 or box[3] > 60:
        raise SchemaError(f"the red line lies at {box[0]:.4f}, {box[1]:.4f}", expected="degrees of CGCS2000, longitude first", cure="project it to EPSG:4490 first")
    if not whole.is_valid:
        raise TopologyError(f"the red line is not valid: {shapely.is_valid_reason(whole)}", expected="an outline that does not cross itself",
                            cure="draw it again without crossings")  # fmt: skip
    return RedLine(whole, float(ellipsoid_area(np.array([whole], dtype=object))[0]), count)


def over_layers(layers: Sequence[ShownLayer], line: RedLine, *, region: str = "") -> list[CoveredLayer]:
    """What a red line covers in each layer of polygons, by class (占压分析).

    Areas are ellipsoidal areas of the common parts, by the national series. Rows outside the viewer's region are not
    counted.

    Parameters
    ----------
    layers : sequence of ShownLayer
        The layers the viewer may see; layers of lines and points count rows only.
    region : str
        First digits of the administrative code the viewer may see; '' for all.
    """
    projected: dict[str, tuple[shapely.Geometry, _Field]] = {}
    near = []
    for shown in layers:
        crs = shown.dataset.crs
        if crs not in projected:
            shape = transform(np.array([line.shape], dtype=object), CGCS2000, crs)[0]
            shapely.prepare(shape)
            projected[crs] = (shape, _field(shape))
        near.append(_near(shown, *projected[crs], region))
    for crs, (shape, _) in projected.items():
        _cut(shape, crs, [n for shown, n in zip(layers, near) if shown.dataset.crs == crs and shown.rings.kind == 3])
    return [_covered(shown, n) for shown, n in zip(layers, near)]


def _near(shown: ShownLayer, shape: shapely.Geometry, field: _Field, region: str) -> _Near:
    """Rows of a layer that may share area with the red line; of lines and points those that meet it.

    A row whose box lies in cells inside the red line lies inside too, so its drawing is not needed where its ellipsoidal area is known.
    """
    x0, y0, x1, y1 = shape.bounds
    rows = np.flatnonzero((shown.box[0] <= x1) & (shown.box[2] >= x0) & (shown.box[1] <= y1) & (shown.box[3] >= y0))
    allowed = shown.in_region(region) if region else None
    rows = rows if allowed is None else rows[allowed[rows]]
    nothing = np.empty(0, dtype=np.int64)
    if shown.rings.kind != 3:
        rows = rows[shapely.intersects(shape, shown.geometry(rows))] if len(rows) else rows
        return _Near(rows, np.zeros(len(rows)), nothing, np.empty(0, dtype=object))
    rows, inside = _sorted_out(field, rows, shown.box[:, rows])
    area = np.zeros(len(rows)) if shown.area_m2 is None else np.where(inside, shown.area_m2[rows], 0.0)
    across = np.flatnonzero(~(area > 0))
    area[across] = 0.0
    return _Near(rows, area, across, shown.geometry(rows[across]) if len(across) else np.empty(0, dtype=object))


def _cut(shape: shapely.Geometry, crs: str, near: Sequence[_Near]) -> None:
    """Cut what lies across the red line, of all layers at once, so that parts of the red line are made once; sets the areas."""
    geoms = np.concatenate([n.geoms for n in near]) if near else np.empty(0, dtype=object)
    if not len(geoms):
        return
    meets, common = _common(shape, geoms)
    area = np.zeros(len(geoms))
    area[meets] = _areas(common, crs)
    for n, part in zip(near, np.split(area, np.cumsum([len(n.geoms) for n in near])[:-1])):
        n.area[n.across] = part


def _covered(shown: ShownLayer, near: _Near) -> CoveredLayer:
    kept = near.area > 0 if shown.rings.kind == 3 else np.ones(len(near.rows), bool)
    rows, area = near.rows[kept], near.area[kept]
    d = shown.dataset
    return CoveredLayer(d.name, d.zh, d.kind, len(rows), float(area.sum()), _groups(shown, rows, area), d.synthetic, d.vintage)


def _sorted_out(field: _Field, rows: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that may meet the red line, and which of them surely lie inside, by the cells their boxes cover."""
    x0, y0, x1, y1 = field.box
    size = np.array([(x1 - x0) / _CELLS, (y1 - y0) / _CELLS])
    low = np.floor((box[:2].T - [x0, y0]) / size).astype(np.int64)
    high = np.floor((box[2:].T - [x0, y0]) / size).astype(np.int64)
    within = ((low >= 0) & (high < _CELLS)).all(axis=1)
    low, high = np.clip(low, 0, _CELLS - 1), np.clip(high, 0, _CELLS - 1) + 1
    (i, j), (k, m) = low.T, high.T
    met, whole = (s[k, m] - s[i, m] - s[k, j] + s[i, j] for s in (field.met, field.whole))
    near = met > 0
    inside = within & (whole == (k - i) * (m - j))
    return rows[near], inside[near]


def _field(shape: shapely.Geometry) -> _Field:
    """Cells over the box of a red line: which meet it and which lie inside, summed up from the corner."""
    x0, y0, x1, y1 = shape.bounds
    x, y = np.linspace(x0, x1, _CELLS + 1), np.linspace(y0, y1, _CELLS + 1)
    pad = 1e-6 * max(x1 - x0, y1 - y0)
    i, j = np.meshgrid(np.arange(_CELLS), np.arange(_CELLS), indexing="ij")
    cells = shapely.box(x[i] - pad, y[j] - pad, x[i + 1] + pad, y[j + 1] + pad)
    sums = []
    for hit in (shapely.intersects(shape, cells), shapely.contains_properly(shape, cells)):
        total = np.zeros((_CELLS + 1, _CELLS + 1), np.int64)
        total[1:, 1:] = hit.cumsum(axis=0).cumsum(axis=1)
        sums.append(total)
    return _Field((x0, y0, x1, y1), sums[0], sums[1])


def _common(shape: shapely.Geometry, geoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which geometries meet the red line, and their common parts; those wholly inside are the common part themselves."""
    meets = shapely.intersects(shape, geoms)
    geoms = geoms[meets]
    across = np.flatnonzero(~shapely.contains_properly(shape, geoms))
    cut = geoms[across]
    invalid = ~shapely.is_valid(cut)
    if invalid.any():
        cut[invalid] = shapely.make_valid(cut[invalid])
    hosts = np.full(len(cut), shape, dtype=object)
    geoms[across] = shapely.intersection(cut, local_parts(hosts, cut))
    return meets, geoms


def _areas(common: np.ndarray, crs: str) -> np.ndarray:
    """Ellipsoidal area of common parts; lines and points among them count nothing. [m2]"""
    kinds = shapely.get_type_id(common)
    polygonal = np.isin(kinds, [3, 6])
    out = np.zeros(len(common))
    mixed = np.flatnonzero(kinds == 7)
    for place in mixed:
        parts = [p for p in shapely.get_parts(common[place]) if p.geom_type in ("Polygon", "MultiPolygon")]
        common[place] = shapely.union_all(parts) if parts else None
        polygonal[place] = bool(parts)
    chosen = np.flatnonzero(polygonal)
    if len(chosen):
        out[chosen] = ellipsoid_area(transform(common[chosen], crs, CGCS2000))
    return out


def _groups(shown: ShownLayer, rows: np.ndarray, area: np.ndarray) -> tuple[CoveredGroup, ...]:
    style = style_of(shown.head)
    if not style.column or not len(rows):
        return ()
    coded = shown.coded(style.column)
    codes = coded.codes[rows]
    totals = np.bincount(codes, weights=area, minlength=len(coded.values))
    counts = np.bincount(codes, minlength=len(coded.values))
    present = np.flatnonzero(counts)
    names = list(coded.values)
    groups = [
        CoveredGroup(names[c], style.symbols[names[c]].label if names[c] in style.symbols else names[c], int(counts[c]), float(totals[c]))
        for c in present.tolist()
    ]
    return tuple(sorted(groups, key=lambda g: -g.area_m2))


def _geometries(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    kind = record.get("type") if isinstance(record, Mapping) else None
    if kind == "FeatureCollection":
        return [f.get("geometry") or {} for f in record.get("features") or []]
    if kind == "Feature":
        return [record.get("geometry") or {}]
    return [record] if kind else []


def _geometry(record: Mapping[str, Any]) -> shapely.Geometry:
    try:
        return shapely.force_2d(shapely.from_geojson(json.dumps(record)))
    except (shapely.GEOSException, TypeError, ValueError) as fault:
        raise SchemaError("the red line cannot be read", expected="GeoJSON with closed rings of longitude and latitude", cure="draw it again, or export it again") from fault
