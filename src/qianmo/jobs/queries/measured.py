"""Length and area of what is drawn on the map, in true units of the ellipsoid (图上量算)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely

from qianmo.geo.area import ellipsoid_area
from qianmo.schema.errors import SchemaError

__all__ = ["Measured", "measured"]

_GEOD = pyproj.Geod(a=6378137.0, rf=298.257222101)
_MAX_VERTICES = 20_000


@dataclass(frozen=True)
class Measured:
    """What was measured (量算结果): length of the line or outline [m], area by the national series [m2], 0 for a line; whether
    an outline crosses itself, then its area means nothing and is 0."""

    length_m: float
    area_m2: float
    crosses: bool


def measured(record: Mapping[str, Any]) -> Measured:
    """Geodesic length and ellipsoidal area of a GeoJSON line or polygon in CGCS2000 degrees (图上量算).

    Raises
    ------
    SchemaError
        It is no line or polygon, has more than 20,000 vertices, or lies outside 70 to 140° E, 0 to 60° N.
    """
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(record)))
    except (shapely.GEOSException, TypeError, ValueError, RecursionError) as fault:
        raise SchemaError("the drawing cannot be read", expected="GeoJSON LineString or Polygon", cure="draw it again") from fault
    if shape.geom_type not in ("LineString", "Polygon") or shape.is_empty or shapely.get_num_coordinates(shape) > _MAX_VERTICES:
        raise SchemaError("the drawing cannot be measured", expected=f"a line or an outline of at most {_MAX_VERTICES} vertices", cure="draw it again")
    box = np.array(shape.bounds)
    if not np.isfinite(box).all() or box[0] < 70 or box[2] > 140 or box[1] < 0 or box[3] > 60:
        raise SchemaError(f"the drawing lies at {box[0]:.4f}, {box[1]:.4f}", expected="degrees of CGCS2000, longitude first", cure="project it to EPSG:4490 first")
    if shape.geom_type == "LineString":
        return Measured(float(_GEOD.geometry_length(shape)), 0.0, False)
    outline = float(_GEOD.geometry_length(shapely.boundary(shape)))
    if not shape.is_valid:
        return Measured(outline, 0.0, True)
    return Measured(outline, float(ellipsoid_area(np.array([shape], dtype=object))[0]), False)
