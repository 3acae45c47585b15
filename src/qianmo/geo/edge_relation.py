"""Relation of polygons whose borders meet vertex by vertex or not at all, from their edges alone (按边判定面面关系)."""

from __future__ import annotations

import numba
import numpy as np

from qianmo.geo.edge_index import EdgeIndex, strip_of
from qianmo.geo.side_by_side import side_by_side

__all__ = ["ACROSS", "APART", "INSIDE", "UNCLEAR", "box_relation", "edge_relation"]

APART, INSIDE, ACROSS, UNCLEAR = 0, 1, 2, 3
"""The insides do not meet; the member lies in the host; both neither; not to be told from the edges."""

_OUTSIDE = 4
_MOST_TRIALS = 1 << 14


def edge_relation(hosts: EdgeIndex, members: EdgeIndex, host: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Relation of pairs of polygons (面面关系).

    Each edge of the member either is an edge of the host, or is nowhere near the border of the host save at vertices the
    two share; then it lies wholly inside or outside. Where all lie inside, or all outside, it remains to see that no edge
    of the host lies inside the member. A border that comes within four units in the last place of the coordinates without
    being the same (a vertex on an edge, for instance) is UNCLEAR; the engine must be asked.

    Parameters
    ----------
    hosts, members : EdgeIndex
        Valid polygons.
    host, member : ndarray, n, int
        Position of each pair in them.

    Returns
    -------
    ndarray, n, int8
    """
    close = max(_unit(hosts.box), _unit(members.box))
    return side_by_side(lambda h, m: _related(hosts, members, h, m, close), host.astype(np.int64), member.astype(np.int64))


def box_relation(hosts: EdgeIndex, boxes: np.ndarray, host: np.ndarray) -> np.ndarray:
    """Relation of boxes to polygons (外接矩形与面的关系): ACROSS where a border comes near the box, else INSIDE or APART.

    Parameters
    ----------
    hosts : EdgeIndex
        Valid polygons.
    boxes : ndarray (n, 4)
        West, south, east, north; one a pair. [m]
    host : ndarray, n, int
        Position of each pair in the index.

    Returns
    -------
    ndarray, n, int8
    """
    close = max(_unit(hosts.box), _unit(boxes))
    return side_by_side(lambda h, box: _boxes_related(hosts, box, h, close), host.astype(np.int64), boxes)


def _unit(boxes: np.ndarray) -> float:
    """Four units in the last place of the largest coordinate."""
    return float(np.abs(boxes[~np.isnan(boxes)]).max(initial=0.0)) * 2.0**-50


@numba.njit(cache=True, nogil=True)
def _boxes_related(hosts, boxes, host, close):  # type: ignore[no-untyped-def]
    out = np.empty(len(host), np.int8)
    none = np.empty(0, np.int32)
    for k in range(len(host)):
        where = UNCLEAR
        if not _near(hosts, host[k], boxes[k], close, none):
            where = _point_within(hosts, host[k], boxes[k, 0], boxes[k, 1], close)
        out[k] = INSIDE if where == INSIDE else APART if where == _OUTSIDE else ACROSS
    return out


@numba.njit(cache=True, nogil=True)
def _related(hosts, members, host, member, close):  # type: ignore[no-untyped-def]
    out = np.empty(len(host), np.int8)
    most = 0
    for h in host:
        most = max(most, hosts.first[h + 1] - hosts.first[h])
    near, shared = np.empty(most, np.int32), np.full(most, -1, np.int32)
    for k in range(len(host)):
        out[k] = _one(hosts, members, host[k], member[k], close, near, shared, k)
    return out


@numba.njit(cache=True, nogil=True)
def _one(hosts, members, h, m, close, near, shared, stamp):  # type: ignore[no-untyped-def]
    """Relation of one pair: the border of the member against the host, then the border of the host in the member."""
    found_near = _near(hosts, h, members.box[m], close, near)
    few = found_near * (members.first[m + 1] - members.first[m]) <= _MOST_TRIALS or hosts.strips[h] == 0
    items, begin, end = near, 0, found_near
    seen_in = seen_out = free = False
    label = _OUTSIDE
    for e in range(members.first[m], members.first[m + 1]):
        edge = members.edge[e]
        if not few:
            items = hosts.item
            begin, end = _rows(hosts, h, min(edge[1], edge[3]) - close, max(edge[1], edge[3]) + close)
        found, at_start = _met(hosts, items, begin, end, edge, members.left[e], close, shared, hosts.first[h], stamp)
        if found in (ACROSS, UNCLEAR):
            return found
        if found:
            label = found
        elif at_start or not free or members.edge[e - 1, 2] != edge[0] or members.edge[e - 1, 3] != edge[1]:
            label = _middle_within(hosts, h, edge, close)
            if label == UNCLEAR:
                return UNCLEAR
        free = not found
        seen_in |= label == INSIDE
        seen_out |= label == _OUTSIDE
        if seen_in and seen_out:
            return ACROSS
    for r in range(found_near):
        f = near[r]
        if shared[f - hosts.first[h]] != stamp and _is_in_box(hosts.edge[f], members.box[m]):
            where = _middle_within(members, m, hosts.edge[f], close)
            if where != _OUTSIDE:
                return ACROSS if where == INSIDE else UNCLEAR
    return INSIDE if seen_in else APART


@numba.njit(cache=True, nogil=True)
def _near(index, g, box, close, near):  # type: ignore[no-untyped-def]
    """Number of edges of polygon g that reach into a box; `near` holds them, each once. With no room, 1 for any."""
    west, low, east, high = box[0] - close, box[1] - close, box[2] + close, box[3] + close
    strips, bottom, height = index.strips[g], index.box[g, 1], index.height[g]
    if strips == 0:
        lowest, highest = 0, 0
    elif high < index.box[g, 1] or low > index.box[g, 3]:
        return 0
    else:
        lowest, highest = strip_of(low, bottom, height, strips), strip_of(high, bottom, height, strips)
    count = 0
    for s in range(lowest, highest + 1):
        begin, end = (index.row[index.strip[g] + s], index.row[index.strip[g] + s + 1]) if strips else (index.first[g], index.first[g + 1])
        for r in range(begin, end):
            f = index.item[r] if strips else r
            ax, ay, bx, by = index.edge[f]
            if max(ax, bx) < west or min(ax, bx) > east or max(ay, by) < low or min(ay, by) > high:
                continue
            if strips and s > lowest and strip_of(min(ay, by), bottom, height, strips) < s:
                continue
            if len(near) == 0:
                return 1
            near[count] = f
            count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _met(hosts, items, begin, end, edge, left, close, shared, first, stamp):  # type: ignore[no-untyped-def]
    """How an edge meets the border of the host: INSIDE or _OUTSIDE where it is an edge of it with the land on the same or
    the other side, ACROSS, UNCLEAR or 0; and whether it starts at a vertex of the host."""
    px, py, qx, qy = edge
    low, high = min(py, qy) - close, max(py, qy) + close
    west, east = min(px, qx) - close, max(px, qx) + close
    same, at_start = 0, False
    for r in range(begin, end):
        f = items[r]
        ax, ay, bx, by = hosts.edge[f]
        if max(ax, bx) < west or min(ax, bx) > east or max(ay, by) < low or min(ay, by) > high:
            continue
        p_is_a, p_is_b = px == ax and py == ay, px == bx and py == by
        q_is_a, q_is_b = qx == ax and qy == ay, qx == bx and qy == by
        if (p_is_a and q_is_b) or (p_is_b and q_is_a):
            same = INSIDE if p_is_a == (left == hosts.left[f]) else _OUTSIDE
            shared[f - first] = stamp
            at_start = True
        elif p_is_a or p_is_b or q_is_a or q_is_b:
            at_start |= p_is_a or p_is_b
            ox, oy, tx, ty = (px, py, qx, qy) if p_is_a or p_is_b else (qx, qy, px, py)
            ux, uy = (bx, by) if p_is_a or q_is_a else (ax, ay)
            if _along(tx - ox, ty - oy, ux - ox, uy - oy, close):
                return UNCLEAR, at_start
        else:
            how = _crossing(px, py, qx, qy, ax, ay, bx, by, close)
            if how:
                return how, at_start
    return same, at_start


@numba.njit(cache=True, nogil=True)
def _along(tx, ty, ux, uy, close):  # type: ignore[no-untyped-def]
    """Whether two edges from one vertex run along each other."""
    longer = max(abs(tx) + abs(ty), abs(ux) + abs(uy))
    return abs(tx * uy - ty * ux) <= close * longer and tx * ux + ty * uy > 0.0


@numba.njit(cache=True, nogil=True)
def _crossing(px, py, qx, qy, ax, ay, bx, by, close):  # type: ignore[no-untyped-def]
    """ACROSS where two edges without a common vertex cross, 0 where they are apart, UNCLEAR where one nearly touches."""
    dx, dy, ex, ey = qx - px, qy - py, bx - ax, by - ay
    near_d, near_e = close * (abs(dx) + abs(dy)), close * (abs(ex) + abs(ey))
    a, b = dx * (ay - py) - dy * (ax - px), dx * (by - py) - dy * (bx - px)
    if min(a, b) > near_d or max(a, b) < -near_d:
        return 0
    p, q = ex * (py - ay) - ey * (px - ax), ex * (qy - ay) - ey * (qx - ax)
    if min(p, q) > near_e or max(p, q) < -near_e:
        return 0
    sure = abs(a) > near_d and abs(b) > near_d and abs(p) > near_e and abs(q) > near_e
    return ACROSS if sure else UNCLEAR


@numba.njit(cache=True, nogil=True)
def _middle_within(index, g, edge, close):  # type: ignore[no-untyped-def]
    return _point_within(index, g, (edge[0] + edge[2]) / 2.0, (edge[1] + edge[3]) / 2.0, close)


@numba.njit(cache=True, nogil=True)
def _point_within(index, g, x, y, close):  # type: ignore[no-untyped-def]
    """Whether a point lies in polygon g: INSIDE, _OUTSIDE, or UNCLEAR."""
    if x < index.box[g, 0] or x > index.box[g, 2] or y < index.box[g, 1] or y > index.box[g, 3]:
        return _OUTSIDE
    inside = False
    strips = index.strips[g]
    begin, end = _rows(index, g, y, y)
    for r in range(begin, end):
        ax, ay, bx, by = index.edge[index.item[r] if strips else r]
        if (ay <= y) == (by <= y) or max(ax, bx) < x - close:
            continue
        side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if abs(side) <= close * (abs(bx - ax) + abs(by - ay)):
            return UNCLEAR
        if (side > 0.0) == (by > ay):
            inside = not inside
    return INSIDE if inside else _OUTSIDE


@numba.njit(cache=True, nogil=True)
def _rows(index, g, low, high):  # type: ignore[no-untyped-def]
    """Range of `item` with the edges of polygon g between two heights, some twice; of its edges where it has no strips."""
    strips = index.strips[g]
    if strips == 0:
        return index.first[g], index.first[g + 1]
    if high < index.box[g, 1] or low > index.box[g, 3]:
        return 0, 0
    bottom, height, strip = index.box[g, 1], index.height[g], index.strip[g]
    return index.row[strip + strip_of(low, bottom, height, strips)], index.row[strip + strip_of(high, bottom, height, strips) + 1]


@numba.njit(cache=True, nogil=True)
def _is_in_box(edge, box):  # type: ignore[no-untyped-def]
    return (
        min(edge[0], edge[2]) >= box[0] and max(edge[0], edge[2]) <= box[2]
        and min(edge[1], edge[3]) >= box[1] and max(edge[1], edge[3]) <= box[3]
    )  # fmt: skip
