"""Tables with coordinates to points, and boundary-point tables to polygons (坐标表与界址点表)."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.schema.errors import TopologyError, UnsafeInputError
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import Limits
from qianmo.store.raw import Note, RawLayer
from qianmo.store.read_coordinates import CoordinateColumns, coordinate_columns, number_of
from qianmo.store.read_shapes import check_shapes

__all__ = ["layers_of_table"]

_NORTHING = (1_800_000.0, 6_200_000.0)
_EASTING = ((100_000.0, 999_999.0), (13_000_000.0, 45_999_999.0))


def layers_of_table(layer: RawLayer, *, limits: Limits, consent: Consent) -> list[RawLayer]:
    """One table of text cells to one layer with geometry (表格转图层).

    Rows that share a plot and carry ring or point numbers are boundary points and become one polygon a plot;
    other rows become points.
    All attributes stay text, so that ids and leading zeros are kept.

    Parameters
    ----------
    layer : RawLayer
        `frame` holds text columns with names that `coordinate_columns` knows.

    Raises
    ------
    UnsafeInputError
        A coordinate is not a number or is blank, or a row names no plot.
    TopologyError
        A plot has fewer than three points.
    """
    frame, where = layer.frame, f"{layer.source_path}:{layer.name}"
    columns = coordinate_columns(list(map(str, frame.columns)))
    if columns.kind == "wkt":
        return [_with(layer, frame, _from_wkt(frame.iloc[:, columns.first or 0], where), [], where, limits, consent)]
    east, north, notes = _coordinates(frame, columns, where)
    outlined = columns.plot is not None and (
        columns.ring is not None or (columns.point is not None and frame.iloc[:, columns.plot].duplicated().any())
    )
    if not outlined:
        blank = np.isnan(east) | np.isnan(north)
        points = np.asarray(shapely.points(np.where(blank, 0, east), np.where(blank, 0, north)), dtype=object)
        points[blank] = None
        return [_with(layer, frame, points, notes, where, limits, consent)]
    table, shapes, told = _polygons(frame, east, north, columns, where)
    return [_with(layer, table, shapes, [*notes, *told], where, limits, consent)]


def _with(
    layer: RawLayer, frame: pd.DataFrame, shapes: np.ndarray, notes: list[Note], where: str, limits: Limits, consent: Consent
) -> RawLayer:
    shapes, told = check_shapes(np.asarray(shapes, dtype=object), where, limits=limits, consent=consent)
    full = gpd.GeoDataFrame(frame.reset_index(drop=True), geometry=shapes)
    geometry_type = str(full.geometry.iloc[0].geom_type) if len(full) and full.geometry.iloc[0] is not None else None
    return replace(layer, frame=full, geometry_type=geometry_type, notes=(*layer.notes, *notes, *told))


def _coordinates(frame: pd.DataFrame, columns: CoordinateColumns, where: str) -> tuple[np.ndarray, np.ndarray, list[Note]]:
    first, second = (_numbers(frame.iloc[:, at or 0], where) for at in (columns.first, columns.second))
    if columns.kind != "xy" or not len(first):
        return first, second, []
    if _within(first, (_NORTHING,)) and _within(second, _EASTING):
        note = Note(
            "axis_order",
            "info",
            "X holds northings and Y eastings (survey convention): read as east = Y, north = X",
            found=f"X {np.nanmin(first):.0f}, Y {np.nanmin(second):.0f}",
        )
        return second, first, [note]
    if _within(second, (_NORTHING,)) and _within(first, _EASTING):
        return first, second, []
    note = Note(
        "axis_order",
        "warning",
        "X and Y do not say which runs north; X was read as east",
        cure="name the columns 东坐标 and 北坐标, or check the place on the map 请核对坐标轴顺序",
    )
    return first, second, [note]


def _within(values: np.ndarray, ranges: tuple[tuple[float, float], ...]) -> bool:
    inside = np.isnan(values)
    for low, high in ranges:
        inside = inside | ((values >= low) & (values <= high))
    return bool(inside.all())


def _numbers(column: pd.Series, where: str) -> np.ndarray:
    cells = column.to_numpy(dtype=object)
    return np.array(
        [number_of(None if pd.isna(c) else str(c), f"{where}: column {column.name}, row {i + 1}") for i, c in enumerate(cells)],
        dtype=float,
    )


def _from_wkt(column: pd.Series, where: str) -> np.ndarray:
    texts = [None if pd.isna(t) else str(t) for t in column]
    shapes = shapely.from_wkt(np.array(texts, dtype=object), on_invalid="ignore")
    bad = [i for i, (t, s) in enumerate(zip(texts, shapes)) if t and s is None]
    if bad:
        raise UnsafeInputError(
            f"{where}: {len(bad)} texts are no WKT, first row {bad[0] + 1}: {str(texts[bad[0]])[:40]!r}",
            expected="POLYGON ((…))",
            cure="correct the cell 请改正 WKT",
        )
    return shapes


def _polygons(
    frame: pd.DataFrame, east: np.ndarray, north: np.ndarray, columns: CoordinateColumns, where: str
) -> tuple[pd.DataFrame, np.ndarray, list[Note]]:
    plot = frame.iloc[:, columns.plot or 0]
    if bad := np.flatnonzero(plot.isna() | np.isnan(east) | np.isnan(north)).tolist():
        raise UnsafeInputError(
            f"{where}: {len(bad)} boundary points without plot or coordinate, first row {bad[0] + 1}",
            expected="plot, X and Y in each row",
            cure="fill the cells 请补全地块号与坐标",
        )
    ring = frame.iloc[:, columns.ring].fillna("1").to_numpy() if columns.ring is not None else np.full(len(frame), "1")
    keys = plot.to_numpy()
    shapes, rows = [], []
    for key in dict.fromkeys(keys):
        at = np.flatnonzero(keys == key)
        shapes.append(
            _polygon([(east[k], north[k]) for k in (at[ring[at] == r] for r in dict.fromkeys(ring[at]))], f"{where}: plot {key}")
        )
        rows.append(at[0])
    dropped = {columns.first, columns.second, columns.ring, columns.point}
    constant = [
        i
        for i in range(frame.shape[1])
        if i not in dropped and frame.iloc[:, i].groupby(keys, sort=False).nunique(dropna=False).le(1).all()
    ]
    lost = [str(frame.columns[i]) for i in range(frame.shape[1]) if i not in dropped and i not in constant]
    notes = (
        [Note("columns_dropped", "info", "columns that vary within a plot were left out", found=", ".join(lost))] if lost else []
    )
    return frame.iloc[rows, constant], np.array(shapes, dtype=object), notes


def _polygon(rings: list[tuple[np.ndarray, np.ndarray]], where: str) -> shapely.Geometry:
    """Rings to a polygon: a ring inside an earlier one is its hole, others are further parts."""
    parts: list[tuple[shapely.Polygon, list[np.ndarray]]] = []
    for x, y in rings:
        points = np.column_stack([x, y])
        points = points[:-1] if len(points) > 1 and (points[0] == points[-1]).all() else points
        if len(np.unique(points, axis=0)) < 3:
            raise TopologyError(
                f"{where}: a ring of {len(points)} points",
                expected="at least three different points",
                cure="complete the boundary points 界址点不足三个，请补全",
            )
        outer = next((p for p in parts if shapely.contains(p[0], shapely.points(points)).all()), None)
        if outer is not None:
            outer[1].append(points)
        else:
            parts.append((shapely.Polygon(points), []))
    made = [shapely.Polygon(shell.exterior.coords, holes) for shell, holes in parts]
    return made[0] if len(made) == 1 else shapely.MultiPolygon(made)
