"""What changed between two sides of a comparison: before and after the plan, or two states of the project (变化比对)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import shapely

from qianmo.geo.area import ellipsoid_area
from qianmo.geo.crs import CGCS2000, transform
from qianmo.geo.tile_rings import tile_rings
from qianmo.jobs.queries.layers import MERCATOR, LayerHead, ShownLayer
from qianmo.schema.codes import class_schemes, land_classes
from qianmo.schema.errors import MissingDataError
from qianmo.store.columns import LayerOutline, file_stamp

__all__ = ["ChangedTotal", "Side", "change_totals", "changes", "side"]

_LAND, _PLAN = ("landuse_patch", "class_code"), ("plan_parcel", "target_class")
_STORED = r"[a-z]{2,20}_plan_\d{1,4}"
_SLIVER_M2 = 0.5
"""Smaller common parts come from rounding of coordinates. [m2]"""

_REGION = "village_code"


@dataclass(frozen=True)
class Side:
    """One side of a comparison (比对的一侧): the state, 0 for the present, and the layer and column of land classes there."""

    generation: int
    layer: str
    column: str

    @property
    def is_plan(self) -> bool:
        """Whether it is a plan."""
        return self.column == _PLAN[1]


@dataclass(frozen=True)
class ChangedTotal:
    """Land that went from one class to another (地类流向): pieces and ellipsoidal area; a class is '' where nothing lies. [m2]"""

    before: str
    before_zh: str
    after: str
    after_zh: str
    rows: int
    area_m2: float


def side(word: str) -> Side:
    """A side as an address names it: ``now``, ``plan``, ``3``, ``3-plan``, or a stored plan such as ``alternative_plan_01`` (比对侧).

    Raises
    ------
    MissingDataError
        The word names no side.
    """
    if re.fullmatch(_STORED, word):
        return Side(0, word, _PLAN[1])
    found = re.fullmatch(r"(?:(now|plan)|(\d{1,8})(-plan)?)", word)
    if found is None or found[2] == "0":
        raise MissingDataError(f"no side {word!r} of a comparison", expected="now, plan, or the number of a state", cure="choose it on the map page")
    return Side(int(found[2] or 0), *(_PLAN if found[1] == "plan" or found[3] else _LAND))


def changes(before: ShownLayer, before_column: str, after: ShownLayer, after_column: str) -> ShownLayer:
    """Pieces of land whose class differs between two layers (变化图斑).

    Rows with the same name, drawing and class are left out; rows with the same name and drawing give their whole; the rest
    is cut with each other. What one side alone covers has the class '' on the other side.

    Returns
    -------
    ShownLayer
        Columns ``before``, ``after``, ``area_m2`` [m2], and ``village_code`` where the layers have it; tiles carry
        both classes as ``b`` and ``a``.

    Raises
    ------
    MissingDataError
        A side has no land classes.
    """
    key = ("changes", before.head.path, file_stamp(before.head.path), before_column, after_column)
    if key not in after.made:
        after.made[key] = _layer(before, after, *_pieces(_Half(before, before_column), _Half(after, after_column)))
    return after.made[key]


def change_totals(shown: ShownLayer, *, region: str = "", place: tuple[float, float] | None = None) -> list[ChangedTotal]:
    """Changed land by its classes before and after, the largest first; of the whole, or at one place (地类流向表).

    Parameters
    ----------
    shown : ShownLayer
        As `changes` gives it.
    region : str
        First digits of the administrative code the viewer may see; '' for all.
    place : (longitude, latitude), optional
        Only pieces there. [degree]
    """
    keep = np.ones(shown.table.num_rows, bool)
    allowed = shown.in_region(region) if region else None
    if allowed is not None:
        keep &= allowed
    if place is not None:
        point = transform(np.array([shapely.Point(*place)], dtype=object), CGCS2000, shown.dataset.crs)[0]
        inside = (shown.box[0] <= point.x) & (shown.box[2] >= point.x) & (shown.box[1] <= point.y) & (shown.box[3] >= point.y)
        rows = np.flatnonzero(keep & inside)
        keep[:] = False
        keep[rows[shapely.intersects(shown.geometry(rows), point)]] = True
    b, a, area = shown.coded("before"), shown.coded("after"), shown.table.column("area_m2").to_numpy()
    pairs, group = np.unique(np.column_stack([b.codes, a.codes])[keep], axis=0, return_inverse=True)
    sums = np.bincount(group, weights=area[keep], minlength=len(pairs))
    counts = np.bincount(group, minlength=len(pairs))
    names = _names(shown.dataset.class_scheme)
    found = [
        ChangedTotal(p := b.values[i], names.get(p, p), q := a.values[j], names.get(q, q), int(n), float(s))
        for (i, j), n, s in zip(pairs.tolist(), counts, sums, strict=True)
    ]
    return sorted(found, key=lambda t: -t.area_m2)


class _Half:
    """One side as keys, classes and drawings."""

    def __init__(self, shown: ShownLayer, column: str) -> None:
        if column not in shown.table.column_names or not shown.key_column:
            raise MissingDataError(f"layer {shown.dataset.name} has no land classes to compare", expected=f"a column {column}", cure="choose another side")
        self.shown = shown
        keys, classes = shown.coded(shown.key_column), shown.coded(column)
        self.keys = [keys.values[c] for c in keys.codes.tolist()]
        self.classes = np.array(classes.values, dtype=object)[classes.codes]
        self.wkb = shown.table.column("geometry").combine_chunks()
        self.rows = {k: n for n, k in enumerate(self.keys)}

    def regions(self, rows: np.ndarray) -> list[str]:
        if _REGION not in self.shown.table.column_names:
            return [""] * len(rows)
        coded = self.shown.coded(_REGION)
        return [coded.values[c] for c in coded.codes[rows].tolist()]


def _pieces(b: _Half, a: _Half) -> tuple[np.ndarray, list[str], list[str], list[str]]:
    """Drawings of changed pieces, class before, class after and village."""
    at = np.array([b.rows.get(k, -1) for k in a.keys], dtype=np.int64)
    same = _same_drawing(b, a, at)
    differs = np.zeros(len(at), bool)
    differs[same] = b.classes[at[same]] != a.classes[same]
    whole = np.flatnonzero(differs)
    geoms: list[np.ndarray] = [a.shown.geometry(whole)]
    first, last, where = list(b.classes[at[whole]]), list(a.classes[whole]), a.regions(whole)
    left = np.setdiff1d(np.arange(len(b.keys)), at[same])
    new = np.flatnonzero(~same)
    if len(left) or len(new):
        shapes, i, j = _cut(b.shown.geometry(left), a.shown.geometry(new))
        before = [b.classes[left[n]] if n >= 0 else "" for n in i]
        after = [a.classes[new[n]] if n >= 0 else "" for n in j]
        region = [a.regions(new[n : n + 1])[0] if n >= 0 else b.regions(left[m : m + 1])[0] for m, n in zip(i, j, strict=True)]
        keep = [n for n, (p, q) in enumerate(zip(before, after, strict=True)) if p != q]
        geoms.append(shapes[keep])
        first += [before[n] for n in keep]
        last += [after[n] for n in keep]
        where += [region[n] for n in keep]
    return np.concatenate(geoms), first, last, where


def _same_drawing(b: _Half, a: _Half, at: np.ndarray) -> np.ndarray:
    found = at >= 0
    rows = np.flatnonzero(found)
    if b.shown is a.shown:
        return found
    theirs, own = b.wkb.take(pa.array(at[rows])), a.wkb.take(pa.array(rows))
    found[rows] = [x == y for x, y in zip(theirs.to_pylist(), own.to_pylist(), strict=True)]
    return found


def _cut(old: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, Sequence[int], Sequence[int]]:
    """Common parts of old and new drawings, and what one of them alone covers (then the other place is -1)."""
    old, new = shapely.make_valid(old), shapely.make_valid(new)
    j, i = shapely.STRtree(old).query(new, predicate="intersects") if len(old) and len(new) else (np.empty(0, int), np.empty(0, int))
    shapes = [shapely.intersection(old[i], new[j])]
    one, two = list(i), list(j)
    if len(old):
        over = shapely.union_all(new) if len(new) else shapely.Polygon()
        shapes.append(shapely.difference(old, over))
        one += range(len(old))
        two += [-1] * len(old)
    if len(new):
        over = shapely.union_all(old) if len(old) else shapely.Polygon()
        shapes.append(shapely.difference(new, over))
        one += [-1] * len(new)
        two += range(len(new))
    return np.concatenate(shapes), one, two


def _layer(b: ShownLayer, a: ShownLayer, geoms: np.ndarray, first: list[str], last: list[str], where: list[str]) -> ShownLayer:
    crs = a.dataset.crs
    if b.dataset.crs != crs:
        raise MissingDataError(f"the two sides differ in CRS: {b.dataset.crs}, {crs}", expected="one CRS", cure="choose two states of the same import")
    lonlat = transform(geoms, crs, CGCS2000)
    area = ellipsoid_area(lonlat) if len(geoms) else np.empty(0)
    keep = np.flatnonzero(area > _SLIVER_M2)
    geoms = geoms[keep]
    columns = {"before": _chosen(first, keep), "after": _chosen(last, keep), _REGION: _chosen(where, keep), "area_m2": pa.array(area[keep]),
               "geometry": pa.array(shapely.to_wkb(geoms), pa.binary())}  # fmt: skip
    table = pa.table({k: v for k, v in columns.items() if k != _REGION or any(where)})
    dataset = replace(a.dataset, name="changes", kind="change_piece", zh="变化图斑", rows=len(geoms), synthetic=a.dataset.synthetic or b.dataset.synthetic)
    head = LayerHead(dataset, a.head.path, LayerOutline(len(geoms), tuple(table.column_names), ("Polygon",), None))
    bounds = shapely.bounds(geoms).reshape(-1, 4)
    shown = ShownLayer(head, table, tile_rings(transform(geoms, crs, MERCATOR)), bounds.T.copy())
    shown.made["tile fields"] = {"b": shown.coded("before"), "a": shown.coded("after")}
    return shown


def _chosen(values: list[str], keep: np.ndarray) -> pa.Array:
    return pa.array([values[n] for n in keep.tolist()], pa.string())


def _names(scheme: str) -> dict[str, str]:
    return {c: k.zh for c, k in land_classes(scheme if scheme in class_schemes() else "SD3").items()}
