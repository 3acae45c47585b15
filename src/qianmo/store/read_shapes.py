"""WKB from the reading process to geometries, each oddity named with its rows (几何复核)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import shapely

from qianmo.schema.errors import TopologyError, UnsafeInputError
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import Limits
from qianmo.store.raw import Note

__all__ = ["check_shapes", "shapes_of"]

_CURVES = {
    7: "GeometryCollection",
    8: "CircularString",
    9: "CompoundCurve",
    10: "CurvePolygon",
    11: "MultiCurve",
    12: "MultiSurface",
    13: "Curve",
    14: "Surface",
}
_SURFACES = {15: "PolyhedralSurface", 16: "TIN", 17: "Triangle"}
_PLAIN = range(1, 7)
_EMPTY_COLLECTION = 9
_NOT_FINITE = re.compile(rb"\x00{6}[\xf0\xf8][\x7f\xff]")
_SOURCE_CURE = "correct these features in the source, or agree to read them without a shape 请修正这些要素，或确认按空几何读入"


def shapes_of(
    column: pa.ChunkedArray, where: str, *, limits: Limits, consent: Consent, broken: Sequence[tuple[int, str]] = ()
) -> tuple[np.ndarray, list[Note]]:
    """Geometries of a WKB column (WKB 转几何).

    Parameters
    ----------
    column : ChunkedArray of binary, n rows
    broken : sequence of (row, reason)
        Rows that the reader gave up although the file holds a shape.

    Returns
    -------
    shapes : ndarray of geometry, n
        Nothing repaired; polygons in two dimensions, points and lines keep Z.
    notes : list of Note

    Raises
    ------
    UnsafeInputError
        Curves, unknown types, missing or broken shapes the user did not agree to, too many vertices.
    TopologyError
        Coordinates that are not finite.
    """
    raw = np.array(column.to_pylist(), dtype=object)
    _check_types(raw, where)
    told = _given_up(broken, where, consent)
    shapes, notes = _built(raw, where, consent)
    notes = [*told, *notes]
    return check_shapes(shapes, where, limits=limits, consent=consent, notes=notes)


def check_shapes(
    shapes: np.ndarray, where: str, *, limits: Limits, consent: Consent, notes: list[Note] | None = None
) -> tuple[np.ndarray, list[Note]]:
    """Nulls, empties, vertices, finite coordinates, mixed types, Z and M (几何检查).

    Raises
    ------
    UnsafeInputError, TopologyError
        As `shapes_of`.
    """
    told = list(notes or [])
    missing = np.flatnonzero(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if len(missing):
        if not (consent.null_geometry or consent.broken_geometry):
            raise UnsafeInputError(
                f"{where}: {len(missing)} of {len(shapes)} features have no shape, rows {_some(missing)}",
                expected="a shape in each feature",
                cure=f"the file may be cut short: copy it again; {_SOURCE_CURE}",
            )
        told.append(
            Note(
                "null_geometry",
                "warning",
                f"{len(missing)} features have no shape",
                cure=_SOURCE_CURE,
                rows=tuple(missing[:20].tolist()),
            )
        )
    counts = shapely.get_num_coordinates(shapes)
    if counts.size and (counts.max() > limits.feature_vertices_max or counts.sum() > limits.layer_vertices_max):
        raise UnsafeInputError(
            f"{where}: row {int(counts.argmax())} has {int(counts.max())} vertices, the layer {int(counts.sum())}",
            expected=f"at most {limits.feature_vertices_max:.0f} a feature, {limits.layer_vertices_max:.0f} a layer",
            cure="split or simplify the feature 请拆分或简化要素",
        )
    _check_finite(shapes, where)
    kinds = {str(k) for k in np.unique(shapely.get_type_id(shapes[~shapely.is_missing(shapes)]))}
    if _families(kinds) > 1:
        told.append(
            Note(
                "mixed_types",
                "warning",
                "points, lines and polygons in one layer",
                found=_kinds(shapes),
                cure="split the layer by type 请按几何类型拆分",
            )
        )
    return _flat(shapes, told), told


def _check_types(raw: np.ndarray, where: str) -> None:
    heads = np.frombuffer(
        b"".join((w[:5] if w is not None and len(w) >= 5 else b"\x01\x07\x00\x00\x00") for w in raw), dtype=np.uint8
    ).reshape(-1, 5)
    little = np.ascontiguousarray(heads[:, 1:]).view("<u4").ravel()
    codes = np.where(heads[:, 0] == 1, little, little.byteswap()).astype(np.int64)
    base = (codes & 0x1FFFFFFF) % 1000
    nothing = np.array([w is None or len(w) <= _EMPTY_COLLECTION for w in raw], dtype=bool)
    curved = np.flatnonzero(~np.isin(base, list(_PLAIN)) & ~((base == 7) & nothing))
    if len(curved):
        kinds = sorted({_CURVES.get(k) or _SURFACES.get(k) or f"type {k}" for k in base[curved].tolist()})
        raise UnsafeInputError(
            f"{where}: {len(curved)} features of type {', '.join(kinds)}, rows {_some(curved)}",
            expected="straight points, lines and polygons",
            cure="densify curves (ArcGIS Densify, ST_CurveToLine) and split collections in the source software, then export again "
            "请在原软件中将曲线加密为折线、拆分集合要素后重新导出",
        )


def _given_up(broken: Sequence[tuple[int, str]], where: str, consent: Consent) -> list[Note]:
    if not broken:
        return []
    rows, reasons = np.array([r for r, _ in broken]), sorted({w for _, w in broken})
    found = f"{where}: {len(broken)} shapes cannot be built ({', '.join(reasons)}), rows {_some(rows)}"
    if not consent.broken_geometry:
        kind = TopologyError if any("not finite" in w for w in reasons) else UnsafeInputError
        raise kind(found, expected="finite coordinates and closed rings of at least four points", cure=_SOURCE_CURE)
    return [
        Note(
            "broken_geometry",
            "error",
            f"{len(broken)} shapes cannot be built and are read as null",
            found=", ".join(reasons),
            cure=_SOURCE_CURE,
            rows=tuple(rows[:20].tolist()),
        )
    ]


def _built(raw: np.ndarray, where: str, consent: Consent) -> tuple[np.ndarray, list[Note]]:
    with np.errstate(invalid="ignore"):
        try:
            return shapely.from_wkb(raw), []
        except shapely.errors.ShapelyError:
            shapes = shapely.from_wkb(raw, on_invalid="ignore")
    broken = np.flatnonzero(shapely.is_missing(shapes) & np.array([w is not None for w in raw]))
    return shapes, _given_up([(int(r), _reason(raw[r])) for r in broken], where, consent)


def _reason(raw: bytes) -> str:
    if _NOT_FINITE.search(raw):
        return "coordinates that are not finite"
    try:
        with np.errstate(invalid="ignore"):
            shapely.from_wkb(raw)
    except shapely.errors.ShapelyError as error:
        return str(error)[:120]
    return "unknown"


def _check_finite(shapes: np.ndarray, where: str) -> None:
    if np.isfinite(shapely.get_coordinates(shapes).sum()):
        return
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    bad = np.unique(owner[~np.isfinite(coordinates).all(axis=1)])
    if len(bad):
        raise TopologyError(
            f"{where}: {len(bad)} features with coordinates that are not finite (NaN or infinite), rows {_some(bad)}",
            expected="finite coordinates",
            cure="correct or delete these features 请修正或删除这些要素",
        )


def _flat(shapes: np.ndarray, told: list[Note]) -> np.ndarray:
    areal = np.isin(shapely.get_type_id(shapes), (3, 6, 7))
    deep = shapely.has_z(shapes) | (shapely.has_m(shapes) if hasattr(shapely, "has_m") else False)
    if deep.any():
        told.append(Note("z_or_m", "info", f"{int(deep.sum())} shapes carry Z or M; polygons are read in two dimensions"))
        return np.where(areal & deep, shapely.force_2d(shapes), shapes)
    return shapes


def _families(kinds: set[str]) -> int:
    family = {"0": "p", "4": "p", "1": "l", "2": "l", "5": "l", "3": "a", "6": "a", "7": "c"}
    return len({family.get(k, k) for k in kinds} - {"-1"})


def _kinds(shapes: np.ndarray) -> str:
    names = (
        "Point",
        "LineString",
        "LinearRing",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        "GeometryCollection",
    )
    ids, counts = np.unique(shapely.get_type_id(shapes), return_counts=True)
    return ", ".join(f"{names[i]} {n}" for i, n in zip(ids.tolist(), counts.tolist()) if i >= 0)


def _some(rows: np.ndarray) -> str:
    return ", ".join(map(str, rows[:10].tolist())) + (" …" if len(rows) > 10 else "")
