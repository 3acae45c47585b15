"""Map vector tiles, version 2, written from whole arrays at once (矢量瓦片)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qianmo.geo.tile_rings import EXTENT, TileShapes

__all__ = ["TileField", "layer_tile"]

_MOVE, _LINE, _CLOSE = 1, 2, 7


@dataclass(frozen=True, eq=False)
class TileField:
    """One attribute of a layer (瓦片属性): the place of each row's value in `values`."""

    codes: np.ndarray
    values: Sequence[str]


def layer_tile(shapes: TileShapes, *, kind: int, name: str, fields: Mapping[str, TileField]) -> bytes:
    """One layer of a tile as bytes; layers of a tile are joined end to end (瓦片图层).

    Parameters
    ----------
    shapes : TileShapes
        Rings in units of the tile, those of one row together.
    kind : int
        1 points, 2 lines, 3 polygons.
    name : str
        Name of the layer.
    fields : mapping of TileField
        Attributes; the feature id is the row.

    Returns
    -------
    bytes
        Empty where no ring is left.

    Notes
    -----
    Every part of a feature (keys of the protocol, lengths, commands, zigzag steps) is a varint, so the whole layer is one
    list of whole numbers that is turned into bytes in five passes, without a loop over features.

    References
    ----------
    Mapbox Vector Tile Specification 2.1.
    """
    if not len(shapes.ring_row):
        return b""
    first_ring = np.flatnonzero(np.diff(shapes.ring_row, prepend=-1))
    rows = shapes.ring_row[first_ring]
    commands, per_ring = _commands(shapes, first_ring, kind)
    per_row = np.add.reduceat(per_ring, first_ring)
    tags, keys, values = _tags(rows, fields)
    sizes = _varint_size(commands)
    drawn = np.add.reduceat(sizes, np.cumsum(per_row) - per_row, dtype=np.int64)
    head = _heads(rows, tags, drawn, kind)
    numbers = _woven(head, commands, per_row)
    body = _varints(numbers)
    return _message(3, _text(1, name) + body + keys + values + _number(5, EXTENT) + _number(15, 2))


def _commands(shapes: TileShapes, first_ring: np.ndarray, kind: int) -> tuple[np.ndarray, np.ndarray]:
    """The drawing commands of all rings, and how many numbers each ring has."""
    count = np.diff(shapes.start)
    step = shapes.xy.astype(np.int32)
    step[1:] -= shapes.xy[:-1]
    begin = shapes.start[first_ring]
    step[begin] = shapes.xy[begin]
    zigzag = (step << 1) ^ (step >> 31)
    per_ring = 2 * count + 1 + (count > 1) + (kind == 3)
    at = np.cumsum(per_ring) - per_ring
    out = np.empty(int(per_ring.sum()), np.int32)
    place = 2 * np.arange(len(step)) + np.repeat(at + 2 - 2 * shapes.start[:-1], count)
    place[shapes.start[:-1]] -= 1
    out[place], out[place + 1] = zigzag[:, 0], zigzag[:, 1]
    out[at] = _MOVE | 1 << 3
    more = count > 1
    out[at[more] + 3] = _LINE | (count[more] - 1) << 3
    if kind == 3:
        out[at + per_ring - 1] = _CLOSE | 1 << 3
    return out, per_ring


def _tags(rows: np.ndarray, fields: Mapping[str, TileField]) -> tuple[np.ndarray, bytes, bytes]:
    """Pairs of key and value of every row, and the tables of keys and values that occur."""
    tags = np.empty((len(rows), 2 * len(fields)), np.int64)
    keys, values, base = b"", b"", 0
    for number, (key, field) in enumerate(fields.items()):
        used, place = np.unique(field.codes[rows], return_inverse=True)
        tags[:, 2 * number], tags[:, 2 * number + 1] = number, base + place
        keys += _text(3, key)
        values += b"".join(_message(4, _text(1, field.values[code])) for code in used)
        base += len(used)
    return tags, keys, values


def _heads(rows: np.ndarray, tags: np.ndarray, drawn: np.ndarray, kind: int) -> np.ndarray:
    """The numbers before the drawing of each feature: its length, id, tags, kind and length of the drawing."""
    tag_bytes = _varint_size(tags.ravel()).reshape(tags.shape).sum(axis=1, dtype=np.int64) if tags.shape[1] else np.zeros(len(rows), np.int64)
    tagged = int(tags.shape[1] > 0)
    length = 1 + _varint_size(rows) + tagged * (1 + _varint_size(tag_bytes)) + tag_bytes + 3 + _varint_size(drawn) + drawn
    columns = [np.full(len(rows), 2 << 3 | 2), length, np.full(len(rows), 1 << 3), rows]
    if tagged:
        columns += [np.full(len(rows), 2 << 3 | 2), tag_bytes, *tags.T]
    columns += [np.full(len(rows), 3 << 3), np.full(len(rows), kind), np.full(len(rows), 4 << 3 | 2), drawn]
    return np.column_stack(columns)


def _woven(head: np.ndarray, commands: np.ndarray, per_row: np.ndarray) -> np.ndarray:
    """Heads and drawings in turn."""
    width = head.shape[1]
    out = np.empty(head.size + len(commands), np.int32)
    before = np.cumsum(per_row) - per_row + width * np.arange(len(per_row))
    out[before[:, None] + np.arange(width)] = head
    out[np.arange(len(commands)) + np.repeat(width * np.arange(1, len(per_row) + 1), per_row)] = commands
    return out


def _varint_size(numbers: np.ndarray) -> np.ndarray:
    size = np.ones(len(numbers), np.uint8)
    most = int(numbers.max(initial=0))
    for bits in (7, 14, 21, 28):
        if most >> bits:
            size += numbers >= 1 << bits
    return size


def _varints(numbers: np.ndarray) -> bytes:
    size = _varint_size(numbers)
    end = np.cumsum(size, dtype=np.int64)
    at = end - size
    out = np.empty(int(end[-1]), np.uint8)
    out[at] = numbers & 0x7F
    longer = np.flatnonzero(size > 1)
    for place in range(1, 5):
        if not len(longer):
            break
        out[at[longer] + place - 1] |= 0x80
        out[at[longer] + place] = (numbers[longer] >> 7 * place) & 0x7F
        longer = longer[size[longer] > place + 1]
    return out.tobytes()


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
