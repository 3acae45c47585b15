"""Where on the globe are these coordinates? (坐标系判定: CRS, axis order, GCJ-02 shift)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from qianmo.onemap.evidence import Box, Hypothesis, admin_box, judged, shipped_admin_boxes
from qianmo.onemap.projections import Reading, declared_reading, lonlat_of, readings
from qianmo.schema.dataset import Candidate, Decision
from qianmo.schema.errors import CrsError

__all__ = ["Box", "admin_box", "locate", "shipped_admin_boxes"]

_LON, _LAT = (70.0, 140.0), (2.5, 55.0)
_GLOBE = (-180.0, -90.0, 180.0, 90.0)
_USE_MARGIN_DEG = 2.0
_MERCATOR_EDGE = 20_050_000.0
"""Half the side of the web map, and a little. [m]"""
_SHOWN = 12


def locate(
    bounds: Sequence[float],
    *,
    sample: np.ndarray | None = None,
    declared_wkt: str | None = None,
    declared_epsg: int | None = None,
    datum: str | None = None,
    county_code: str | None = None,
    admin_boxes: Mapping[str, Box] | None = None,
    known_extents: Mapping[str, Box] | None = None,
    control: tuple[np.ndarray, np.ndarray] | None = None,
) -> Decision:
    """Reference system of a layer from its numbers and what is said about them (坐标系判定).

    Every code of ``crs.csv``, the UTM zones, 4326, 3857 and the declared system are tried with both axis orders. A
    reading falls when the magnitude, the zone number in front of the easting, the width of the zone, the county, the
    layers already known or the control points contradict it. Coordinates cannot tell CGCS2000, Xi'an 1980 and Beijing
    1954 apart: the datum must be declared or given. A declaration wins when nothing contradicts it; one that is
    contradicted loses, and then another reading is chosen only when `datum` was given and one place is left.

    Parameters
    ----------
    bounds : (xmin, ymin, xmax, ymax)
        Of the layer as it lies in the file.
    sample : ndarray (n, 2), optional
        Some coordinates; the middle 96 % replace bounds that a stray point stretched.
    declared_wkt, declared_epsg : optional
        The ``.prj`` or the code in the file.
    datum : str, optional
        'CGCS2000', 'Xian80', 'Beijing54', 'NewBeijing' or 'WGS84', as the user or the project says.
    county_code : str, optional
        Code of 2, 4, 6 or more digits; the longest part that has a box is used.
    admin_boxes : mapping code → box, optional
        Longitude-latitude boxes; default the shipped county and province boxes.
    known_extents : mapping name → box, optional
        Longitude-latitude boxes of layers already in the project.
    control : (raw, known), optional
        Matching points: raw coordinates (n, 2) of this layer, longitude-latitude (n, 2) of the known one; n >= 3.

    Returns
    -------
    Decision
        `chosen` is 'EPSG:n' with ';swap' (northing first) and ';gcj02' (shifted by GCJ-02) where that holds, 'declared' for
        a system without a code, or '' when unclear. Readings that give identical numbers (3- and 6-degree zones without
        prefix on the same meridian) count as one, and the reason says so.

    Raises
    ------
    CrsError
        The bounds are not four finite numbers in order.
    """
    points, notes = _points(bounds, sample)
    said = declared_reading(wkt=declared_wkt, epsg=declared_epsg)
    both = declared_reading(wkt=declared_wkt) if declared_epsg and declared_wkt else said
    if declared_wkt and both is None:
        notes += ("the declared .prj cannot be read (声明的投影文件无法解析)",)
    place = admin_box(county_code, admin_boxes if admin_boxes is not None else shipped_admin_boxes()) if county_code else None
    if county_code and place is None:
        notes += (f"no box for county code {county_code} (无此行政区范围)",)
    found = [judged(h, said, datum, place, known_extents or {}, control) for h in _hypotheses(points, said)]
    merged = _merged(found, said)
    chosen = "" if both is not None and said is not None and both.value != said.value else _chosen(merged, said, datum)
    return _decision(chosen, merged, said, points, notes)


def _points(bounds: Sequence[float], sample: np.ndarray | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Nine points over the bounds, or over the middle of the sample where stray points stretch the bounds."""
    box = np.asarray(bounds, dtype=float)
    if box.shape != (4,) or not np.isfinite(box).all() or box[0] > box[2] or box[1] > box[3]:
        raise CrsError(
            f"bounds are {tuple(bounds)}",
            expected="xmin <= xmax, ymin <= ymax, all finite",
            cure="repair or drop the broken geometries (坐标范围异常)",
        )
    notes: tuple[str, ...] = ()
    if sample is not None and len(sample) >= 10:
        core = np.quantile(np.asarray(sample, dtype=float), [0.02, 0.98], axis=0).ravel()
        if np.any((box[2:] - box[:2]) > 20.0 * np.maximum(core[2:] - core[:2], 1e-9)):
            box, notes = core, ("stray points stretch the bounds; the middle 96 % of the sample was used (存在离群坐标)",)
    x, y = np.meshgrid(np.linspace(box[0], box[2], 3), np.linspace(box[1], box[3], 3))
    return np.column_stack([x.ravel(), y.ravel()]), notes


def _hypotheses(points: np.ndarray, said: Reading | None) -> list[Hypothesis]:
    """Readings whose magnitude is possible, in both axis orders."""
    tried = (*readings(), *((said,) if said is not None and said.kind == "foreign" else ()))
    found = []
    for swap in (False, True):
        xy = points[:, ::-1] if swap else points
        for reading in tried:
            if reading.kind == "transverse" and not _easting_fits(reading, xy):
                continue
            if reading.kind == "mercator" and not (np.abs(xy) <= _MERCATOR_EDGE).all():
                continue  # the inverse would wrap around the globe
            lonlat = lonlat_of(reading, xy)
            if _on_globe(lonlat, reading, is_said=said is reading):
                low, high = lonlat.min(axis=0), lonlat.max(axis=0)
                found.append(Hypothesis(reading, swap, (float(low[0]), float(low[1]), float(high[0]), float(high[1]))))
    return found


def _easting_fits(reading: Reading, xy: np.ndarray) -> bool:
    east, north = xy[:, 0], xy[:, 1]
    return bool((np.floor(east / 1e6) == reading.prefix).all() and (np.abs(north) < 1e7).all() and (north > 0).all())


def _on_globe(lonlat: np.ndarray, reading: Reading, *, is_said: bool) -> bool:
    if not np.isfinite(lonlat).all():
        return False
    if reading.kind == "foreign":
        area = reading.crs.area_of_use if reading.crs is not None else None
        west, south, east, north = area.bounds if area else _GLOBE
        west, south, east, north = (
            west - _USE_MARGIN_DEG,
            south - _USE_MARGIN_DEG,
            east + _USE_MARGIN_DEG,
            north + _USE_MARGIN_DEG,
        )
    elif is_said and reading.kind in ("geographic", "mercator"):
        west, south, east, north = _GLOBE
    else:
        (west, east), (south, north) = _LON, _LAT
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    return bool(((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)).all())


def _merged(found: Sequence[Hypothesis], said: Reading | None) -> list[Hypothesis]:
    """One hypothesis for all that give identical numbers: the declared one, else one inside its zone, else the narrower zone."""
    groups: dict[tuple[object, ...], list[Hypothesis]] = {}
    for h in found:
        groups.setdefault((h.swap, h.reading.same_numbers), []).append(h)
    merged = []
    for twins in groups.values():
        twins.sort(key=lambda h: (h.reading is not said, not h.stands, not h.in_zone, h.reading.width, "3D" in h.reading.name))
        others = ", ".join(t.value for t in twins[1:])
        note = (f"the same numbers as {others}: the choice between them moves nothing (数值完全相同)",) if others else ()
        merged.append(replace(twins[0], reasons=twins[0].reasons + note))
    return merged


def _chosen(found: Sequence[Hypothesis], said: Reading | None, datum: str | None) -> str:
    standing = [h for h in found if h.stands]
    if said is not None:
        straight = next((h for h in standing if h.reading is said and not h.swap), None)
        swapped = next((h for h in standing if h.reading is said and h.swap), None)
        if straight is not None:
            return straight.value
        only_order = said.kind == "geographic" and not any(h.reading is said and not h.swap for h in found)
        if swapped is not None and (swapped.placed or swapped.reading.prefix or only_order):
            return swapped.value
    if not datum or len(standing) != 1:
        return ""
    only = standing[0]
    supported = only.placed if said is not None else only.placed or only.reading.prefix or only.reading.kind == "geographic"
    return only.value if supported else ""


def _decision(
    chosen: str, found: Sequence[Hypothesis], said: Reading | None, points: np.ndarray, notes: tuple[str, ...]
) -> Decision:
    ranked = sorted(found, key=lambda h: (h.value != chosen, -h.score, h.reading.width))
    candidates = [Candidate(h.value, h.score, h.reasons) for h in ranked[:_SHOWN]]
    if said is not None and not any(h.reading is said for h in ranked[:_SHOWN]):
        candidates.append(_loser(said, found, points))
    asked = "; ".join(("coordinate reference system (坐标系)", *notes))
    return Decision(asked, chosen, tuple(candidates))


def _loser(said: Reading, found: Sequence[Hypothesis], points: np.ndarray) -> Candidate:
    """The declared reading that lost, with the reason."""
    shown = next((h for h in found if h.reading is said), None)
    if shown is not None:
        return Candidate(shown.value, shown.score, shown.reasons)
    low, high = points.min(axis=0), points.max(axis=0)
    seen = f"x {low[0]:.10g} to {high[0]:.10g}, y {low[1]:.10g} to {high[1]:.10g}"
    return Candidate(said.value, 0.0, (f"declared as {said.name}, but the numbers cannot be that: {seen} (声明与坐标量级矛盾)",))
