"""What lies at a place, and one row with all its fields (点查)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from qianmo.geo.crs import transform
from qianmo.jobs.queries.layers import ShownLayer
from qianmo.schema.codes import class_schemes, domain_codes, land_classes
from qianmo.schema.desk import UNIT_TABLES
from qianmo.schema.errors import CodeError, MissingDataError
from qianmo.schema.measures import measures
from qianmo.schema.tables import table_names, table_spec

__all__ = ["FoundRow", "FoundValue", "identify", "one_row", "row_number"]

_LONLAT = 4490
_NEAR_M = 5.0
"""A line or a point counts as hit within this distance. [m]"""


@dataclass(frozen=True)
class FoundValue:
    """One field of a row (字段值): its name, label, value as it is stored, unit, and what a code means."""

    name: str
    zh: str
    value: Any
    unit: str
    meaning: str


@dataclass(frozen=True)
class FoundRow:
    """One row of a layer (要素): the layer, its place there, its name, its fields, and whether it is invented."""

    layer: str
    layer_zh: str
    row: int
    key: str
    values: tuple[FoundValue, ...]
    synthetic: bool

    def value(self, name: str) -> Any:
        """One value by column; None where it is not there."""
        return next((v.value for v in self.values if v.name == name), None)


def identify(layers: Sequence[ShownLayer], lon: float, lat: float, *, region: str = "", hidden: frozenset[str] = frozenset()) -> list[FoundRow]:
    """Every row at a place, layer by layer in the order given (点查).

    Parameters
    ----------
    layers : sequence of ShownLayer
        The layers the viewer may see.
    lon, lat : float
        The place. [degree]
    region : str
        First digits of the administrative code the viewer may see; '' for all.
    hidden : frozenset of str
        Columns of owners that the viewer may not see; where the owner is a unit they are shown all the same.
    """
    found = []
    for shown in layers:
        point = transform(np.array([shapely.Point(lon, lat)], dtype=object), _LONLAT, shown.dataset.crs)[0]
        reach = 0.0 if shown.rings.kind == 3 else _NEAR_M
        rows = np.flatnonzero((shown.box[0] <= point.x + reach) & (shown.box[2] >= point.x - reach)
                              & (shown.box[1] <= point.y + reach) & (shown.box[3] >= point.y - reach))  # fmt: skip
        allowed = shown.in_region(region) if region else None
        rows = rows if allowed is None else rows[allowed[rows]]
        if len(rows):
            hit = shapely.dwithin(shown.geometry(rows), point, reach) if reach else shapely.intersects(shown.geometry(rows), point)
            found += [_row(shown, int(r), hidden) for r in rows[hit]]
    return found


def row_number(shown: ShownLayer, key: str, *, region: str = "") -> int:
    """The place of the row with a name (要素行号).

    Raises
    ------
    MissingDataError
        No row of that name, or not in the region.
    """
    column = shown.key_column
    if column:
        coded = shown.coded(column)
        codes = [int(n) for n in shown.texts(column).equal(key.lower()) if n and coded.values[n] == key]
        rows = np.flatnonzero(coded.codes == codes[0]) if codes else np.empty(0, np.int64)
        allowed = shown.in_region(region) if region else None
        rows = rows if allowed is None else rows[allowed[rows]]
        if len(rows):
            return int(rows[0])
    raise MissingDataError(f"no row {key!r} in layer {shown.dataset.name}", expected="a name that occurs there", cure="search for it on the map page")


def one_row(shown: ShownLayer, row: int, *, region: str = "", hidden: frozenset[str] = frozenset()) -> FoundRow:
    """One row by its place (要素).

    Raises
    ------
    MissingDataError
        No such row, or not in the region.
    """
    allowed = shown.in_region(region) if region else None
    if not 0 <= row < shown.table.num_rows or (allowed is not None and not allowed[row]):
        raise MissingDataError(f"no row {row} in layer {shown.dataset.name}", expected=f"0 to {shown.table.num_rows - 1}", cure="search for it on the map page")
    return _row(shown, row, hidden)


def _row(shown: ShownLayer, row: int, hidden: frozenset[str]) -> FoundRow:
    hidden = frozenset() if shown.dataset.kind in UNIT_TABLES else hidden
    record = shown.table.slice(row, 1).to_pylist()[0]
    spec = {c.name: c for c in table_spec(shown.dataset.kind).columns} if shown.dataset.kind in table_names() else {}
    values = []
    for name, value in record.items():
        if name == "geometry" or name in hidden or value is None or value == "" or (isinstance(value, float) and not np.isfinite(value)):
            continue
        column = spec.get(name)
        codes = column.codes if column else ""
        values.append(FoundValue(name, column.zh if column else name, value, column.unit if column else "", _meaning(codes, value, shown.dataset.class_scheme)))
    key = record.get(shown.key_column) or str(row)
    return FoundRow(shown.dataset.name, shown.dataset.zh, row, str(key), tuple(values), shown.dataset.synthetic)


def _meaning(codes: str, value: Any, scheme: str) -> str:
    if not codes or "|" in codes:
        return ""
    if codes == "land_classes":
        return _word(land_classes(scheme), value) if scheme in class_schemes() else _word(land_classes("SD3"), value)
    if codes == "measures":
        return _word(measures(), value)
    try:
        return domain_codes(codes).get(str(value), "")
    except CodeError:
        return ""


def _word(names: Mapping[str, Any], value: Any) -> str:
    found = names.get(str(value))
    return found.zh if found else ""
