"""Compiled passes over the rings of one tile: which rows are near, cutting, rounding, writing (瓦片编码内核).

They run without the lock of the interpreter, so that tiles of several people are drawn on several cores.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["near_rows", "written"]

_MOVE, _LINE, _CLOSE = 1, 2, 7
_SLACK = 64
"""Room behind the limit for the numbers of one step, so that the limit is looked at once a vertex. [bytes]"""


@njit(nogil=True, cache=True)
def near_rows(blocks, block, boxes, order, window):
    """Rows whose box meets a window, by the boxes around every `block` of them, not sorted."""
    x0, y0, x1, y1 = window
    out = np.empty(256, np.int64)
    count = 0
    for b in range(len(blocks)):
        if blocks[b, 0] > x1 or blocks[b, 2] < x0 or blocks[b, 1] > y1 or blocks[b, 3] < y0:
            continue
        for k in range(b * block, min((b + 1) * block, len(order))):
            if boxes[k, 0] <= x1 and boxes[k, 2] >= x0 and boxes[k, 1] <= y1 and boxes[k, 3] >= y0:
                if count == len(out):
                    longer = np.empty(4 * count, np.int64)
                    longer[:count] = out
                    out = longer
                out[count] = order[k]
                count += 1
    return out[:count]


@njit(nogil=True, cache=True)
def written(kind, xy, start, hole, row_start, box, rows, origin, shift, coarse, reach, codes, slot_start, slot, used, most):
    """The features of a tile as bytes, and how many values are in `used`; no bytes at all and -1 where they would be more than `most`.

    `codes` holds the value of each field (first axis) and row; `slot`, all -1, gives values their numbers in the order in
    which they occur, from `slot_start` of the field on, and `used` their places in it.
    """
    out = np.empty(most + _SLACK, np.uint8)
    drawing = np.empty(most + _SLACK, np.uint8)
    snapped = np.empty((64, 2), np.int32)
    low_x, low_y = origin[0] - (reach << shift), origin[1] - (reach << shift)
    high_x, high_y = origin[0] + ((4096 + reach) << shift), origin[1] + ((4096 + reach) << shift)
    values, end = 0, 0
    for place in range(len(rows)):
        row = rows[place]
        far = kind > 1 and (box[0, row] < low_x or box[1, row] < low_y or box[2, row] > high_x or box[3, row] > high_y)
        length, cursor_x, cursor_y, has_outer = 0, 0, 0, False
        for ring in range(row_start[row], row_start[row + 1]):
            if hole[ring] and not has_outer:
                continue
            points = xy[start[ring] : start[ring + 1]]
            parts = np.array([0, len(points)])
            if far and kind == 3:
                points = _cut_ring(points, low_x, low_y, high_x, high_y)
                parts = np.array([0, len(points)])
            elif far:
                points, parts = _cut_line(points, low_x, low_y, high_x, high_y)
            if len(points) > len(snapped):
                snapped = np.empty((2 * len(points), 2), np.int32)
            good = False
            for part in range(len(parts) - 1):
                count = _snap(points[parts[part] : parts[part + 1]], origin, shift + coarse, coarse, kind, snapped)
                if kind == 3:
                    twice = _twice_area(snapped, count) if count > 2 else 0
                    good = twice < 0 if hole[ring] else twice > 0
                else:
                    good = count >= kind
                if good:
                    length = _draw(snapped, count, kind, cursor_x, cursor_y, drawing, length, most)
                    if length < 0:
                        return out[:0], -1
                    cursor_x, cursor_y = snapped[count - 1, 0], snapped[count - 1, 1]
            if not hole[ring]:
                has_outer = good
        if length == 0:
            continue
        tagged = 0
        for field in range(len(codes)):
            at = slot_start[field] + codes[field, place]
            if slot[at] < 0:
                slot[at] = values
                used[values] = at
                values += 1
            tagged += _size(field) + _size(slot[at])
        tags = 1 + _size(tagged) + tagged if len(codes) else 0
        content = 1 + _size(row) + tags + 3 + _size(length) + length
        if end + content + 6 > most:
            return out[:0], -1
        out[end] = 2 << 3 | 2
        end = _put(out, end + 1, content)
        out[end] = 1 << 3
        end = _put(out, end + 1, row)
        if len(codes):
            out[end] = 2 << 3 | 2
            end = _put(out, end + 1, tagged)
            for field in range(len(codes)):
                end = _put(out, end, field)
                end = _put(out, end, slot[slot_start[field] + codes[field, place]])
        out[end], out[end + 1], out[end + 2] = 3 << 3, kind, 4 << 3 | 2
        end = _put(out, end + 3, length)
        out[end : end + length] = drawing[:length]
        end += length
    return out[:end], values


@njit(nogil=True, cache=True)
def _size(number):
    size = 1
    while number > 0x7F:
        number >>= 7
        size += 1
    return size


@njit(nogil=True, cache=True)
def _put(out, end, number):
    """A varint; returns the place after it."""
    while number > 0x7F:
        out[end] = number & 0x7F | 0x80
        number >>= 7
        end += 1
    out[end] = number
    return end + 1


@njit(nogil=True, cache=True)
def _snap(points, origin, step, coarse, kind, snapped):
    """World units to units of the tile, without repeated vertices; how many are left."""
    count = 0
    half = (1 << step) >> 1
    for k in range(len(points)):
        x = ((points[k, 0] - origin[0] + half) >> step) << coarse
        y = ((points[k, 1] - origin[1] + half) >> step) << coarse
        if count and kind > 1 and snapped[count - 1, 0] == x and snapped[count - 1, 1] == y:
            continue
        snapped[count, 0], snapped[count, 1] = x, y
        count += 1
    while kind == 3 and count > 1 and snapped[count - 1, 0] == snapped[0, 0] and snapped[count - 1, 1] == snapped[0, 1]:
        count -= 1
    return count


@njit(nogil=True, cache=True)
def _twice_area(points, count):
    """Twice the signed area of a ring, positive where it runs clockwise on the screen."""
    total = np.int64(0)
    x, y = np.int64(points[count - 1, 0]), np.int64(points[count - 1, 1])
    for k in range(count):
        next_x, next_y = np.int64(points[k, 0]), np.int64(points[k, 1])
        total += x * next_y - next_x * y
        x, y = next_x, next_y
    return total


@njit(nogil=True, cache=True)
def _draw(points, count, kind, x, y, drawing, length, most):
    """Drawing commands of one ring, line or point; the place after them, or -1 where they do not fit."""
    drawing[length] = _MOVE | 1 << 3
    length += 1
    for k in range(count):
        if length > most:
            return -1
        if k == 1:
            length = _put(drawing, length, _LINE | (count - 1) << 3)
        step_x, step_y = points[k, 0] - x, points[k, 1] - y
        length = _put(drawing, length, (step_x << 1) ^ (step_x >> 63))
        length = _put(drawing, length, (step_y << 1) ^ (step_y >> 63))
        x, y = points[k, 0], points[k, 1]
    if kind == 3:
        drawing[length] = _CLOSE | 1 << 3
        length += 1
    return length


@njit(nogil=True, cache=True)
def _cut_ring(points, low_x, low_y, high_x, high_y):
    """A ring cut to a window, side by side; parts of it stay joined along the border of the window."""
    points = _cut_side(points, 0, low_x, 1)
    points = _cut_side(points, 0, high_x, -1)
    points = _cut_side(points, 1, low_y, 1)
    return _cut_side(points, 1, high_y, -1)


@njit(nogil=True, cache=True)
def _cut_side(points, axis, bound, sign):
    """A ring cut by one side (Sutherland-Hodgman): crossings do not depend on the direction in which an edge runs."""
    out = np.empty((len(points) + len(points) // 2 + 4, 2), np.int32)
    count = 0
    before = len(points) - 1
    for k in range(len(points)):
        a, b = np.int64(points[before, axis]), np.int64(points[k, axis])
        was, now = sign * (a - bound) >= 0, sign * (b - bound) >= 0
        if was != now:
            c, d = np.int64(points[before, 1 - axis]), np.int64(points[k, 1 - axis])
            if a > b:
                a, b, c, d = b, a, d, c
            out[count, axis] = bound
            out[count, 1 - axis] = c + np.floor((bound - a) / (b - a) * (d - c) + 0.5)
            count += 1
        if now:
            out[count, 0], out[count, 1] = points[k, 0], points[k, 1]
            count += 1
        before = k
    return out[:count]


@njit(nogil=True, cache=True)
def _cut_line(points, low_x, low_y, high_x, high_y):
    """The stretches of a line inside a window (Liang-Barsky), and the first vertex of each and the end."""
    out = np.empty((2 * len(points) + 2, 2), np.int32)
    parts = np.zeros(len(points) + 2, np.int64)
    count, made, is_open = 0, 0, False
    for k in range(len(points) - 1):
        x, y = float(points[k, 0]), float(points[k, 1])
        dx, dy = points[k + 1, 0] - x, points[k + 1, 1] - y
        enter, leave = 0.0, 1.0
        for direction, room in ((-dx, x - low_x), (dx, high_x - x), (-dy, y - low_y), (dy, high_y - y)):
            if direction < 0:
                enter = max(enter, room / direction)
            elif direction > 0:
                leave = min(leave, room / direction)
            elif room < 0:
                leave = -1.0
        if enter > leave:
            is_open = False
            continue
        if not is_open or enter > 0:
            parts[made] = count
            made += 1
            out[count, 0], out[count, 1] = np.floor(x + enter * dx + 0.5), np.floor(y + enter * dy + 0.5)
            count += 1
        out[count, 0], out[count, 1] = np.floor(x + leave * dx + 0.5), np.floor(y + leave * dy + 0.5)
        count += 1
        is_open = leave == 1.0
    parts[made] = count
    return out[:count], parts[: made + 1]
