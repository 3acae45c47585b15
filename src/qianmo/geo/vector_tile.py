"""Map vector tiles, version 2, written in one compiled pass (矢量瓦片)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qianmo.geo.tile_kernels import near_rows, written
from qianmo.geo.tile_rings import EXTENT, MAX_ZOOM, TileField, TileRings

__all__ = ["layer_tile", "rows_in"]

_REACH = 1024
"""How far a shape may stick out of the tile before it is clipped. [units of the tile]"""

_COARSEST = 7
_SAMPLE = 16
_MANY = 2048


def rows_in(rings: TileRings, window: tuple[int, int, int, int]) -> np.ndarray:
    """Rows whose box meets a window of world units, in order (窗口内的行)."""
    rows = near_rows(*rings.blocks, window)
    rows.sort()
    return rows


def layer_tile(
    rings: TileRings, rows: np.ndarray, place: tuple[int, int, int], *, name: str, fields: Mapping[str, TileField], most: int = 1 << 24
) -> bytes:
    """One layer of a tile as bytes; layers of a tile are joined end to end (瓦片图层).

    Parameters
    ----------
    rings : TileRings
        The layer in world units.
    rows : ndarray of int, ascending
        Rows that meet the tile.
    place : (int, int, int)
        Zoom, column and row of the tile.
    name : str
        Name of the layer.
    fields : mapping of TileField
        Attributes; the feature id is the row.
    most : int
        A larger tile is drawn again on a grid of half the fineness, six times at most; neighbours stay side by side. [bytes]

    Returns
    -------
    bytes
        Empty where nothing is left: rings that fell together to a point or a line are left out, with the holes in them.

    Notes
    -----
    Each vertex is rounded to the grid, so a drawn vertex lies within half a unit of the grid of the true one in x and in y.
    Shapes that reach far out are cut first, beyond the border of the tile; cut polygons stay one ring, joined along the cut.

    References
    ----------
    Mapbox Vector Tile Specification 2.1; I. E. Sutherland and G. W. Hodgman, Communications of the ACM, vol. 17, pp. 32-42, 1974.
    """
    codes = np.empty((len(fields), len(rows)), np.int32)
    for number, field in enumerate(fields.values()):
        codes[number] = field.codes[rows]
    first = _likely_fit(rings, rows, place, codes, fields, most) if len(rows) > _MANY else 0
    for coarse in range(first, _COARSEST):
        found = _features(rings, rows, place, codes, fields, coarse, most)
        tile = _whole(name, *found, fields) if found is not None else b""
        if found is not None and len(tile) <= most:
            return tile
    return b""


def _likely_fit(
    rings: TileRings, rows: np.ndarray, place: tuple[int, int, int], codes: np.ndarray, fields: Mapping[str, TileField], most: int
) -> int:
    """How coarse many rows must be drawn to fit, judged by every sixteenth of them; rather too fine than too coarse."""
    some, their_codes = rows[::_SAMPLE], np.ascontiguousarray(codes[:, ::_SAMPLE])
    fit = (coarse for coarse in range(_COARSEST) if _features(rings, some, place, their_codes, fields, coarse, most * 17 // 16 // _SAMPLE) is not None)
    return next(fit, _COARSEST - 1)


def _features(
    rings: TileRings, rows: np.ndarray, place: tuple[int, int, int], codes: np.ndarray, fields: Mapping[str, TileField], coarse: int, most: int
) -> tuple[bytes, list[bytes]] | None:
    """The features of a tile and the values in them as bytes; None where they are more than `most`."""
    zoom, column, row = place
    shift = MAX_ZOOM - zoom
    origin = ((column * EXTENT) << shift, (row * EXTENT) << shift)
    slot_start = np.cumsum([0, *(len(field.values) for field in fields.values())])
    slot, used = np.full(slot_start[-1], -1, np.int64), np.empty(slot_start[-1], np.int64)
    body, count = written(
        rings.kind, rings.xy, rings.start, rings.hole, rings.row_start, rings.box, rows, origin, shift, coarse, _REACH, codes, slot_start, slot, used, most
    )
    if count < 0:
        return None
    every = [_encoded(field) for field in fields.values()]
    field_of = np.searchsorted(slot_start, used[:count], side="right") - 1
    values = [every[f][at] for f, at in zip(field_of.tolist(), (used[:count] - slot_start[field_of]).tolist())]
    return body.tobytes(), values


def _whole(name: str, body: bytes, values: list[bytes], fields: Mapping[str, TileField]) -> bytes:
    """The layer around its features: name, keys and values; nothing where there is no feature."""
    keys = b"".join(_text(3, key) for key in fields)
    return _message(3, _text(1, name) + body + keys + b"".join(values) + _number(5, EXTENT) + _number(15, 2)) if body else b""


def _encoded(field: TileField) -> list[bytes]:
    """The values of a field as they stand in a tile, made once."""
    if not field.encoded:
        field.encoded.extend([_message(4, _text(1, value)) for value in field.values])
    return field.encoded


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode("utf-8"))
