"""True for any two shapes: the overlay is what cutting gives, whoever comes first and wherever the map lies."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.geo.edge_index import edge_index
from qianmo.geo.edge_relation import ACROSS, APART, INSIDE, UNCLEAR, edge_relation
from qianmo.geo.overlay import intersection_pairs, share_inside
from qianmo.geo.side_by_side import side_by_side

SIDE = 5
CELLS = st.lists(st.tuples(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1)), min_size=1, max_size=18, unique=True)
SHAPE = st.tuples(CELLS, st.sampled_from((1.0, 0.5, 99.0)))
PLACE = st.sampled_from(((0.0, 1.0, 0.0), (500_000.25, 137.7, 0.3), (40_500_000.0, 10.0, 2.0), (0.0, 3.0, 1.0)))


def drawn(shape, place) -> shapely.Geometry:
    """Squares united; vertices at every corner, in between too, or only where the border turns."""
    cells, step = shape
    x, y = np.array(cells, dtype=float).T
    squares = shapely.segmentize(shapely.union_all(shapely.box(x, y, x + 1, y + 1)).simplify(0), step)
    origin, size, turn = place
    spin = size * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return shapely.transform(squares, lambda p: origin + p @ spin)


@settings(max_examples=150, deadline=None)
@given(st.lists(SHAPE, min_size=1, max_size=3), st.lists(SHAPE, min_size=1, max_size=3), PLACE)
def test_pairs_areas_and_parts_are_those_of_the_plain_cut(left, right, place):
    a, b = (np.array([drawn(s, place) for s in shapes], dtype=object) for shapes in (left, right))
    found = intersection_pairs(a, b)
    # how far the corners of a turned map are from the straight lines they were on
    blur = 40 * SIDE * place[1] * np.spacing(place[0] + 1.0)
    expected = {(i, j): shapely.intersection(a[i], b[j]) for i in range(len(a)) for j in range(len(b))}
    got = {(r.i, r.j): r for r in found.itertuples()}
    for pair, part in expected.items():
        if pair not in got:
            assert part.area <= 1e-6 + blur
            continue
        assert got[pair].area_m2 == pytest.approx(part.area, abs=1e-6 + blur)
        assert got[pair].geometry.is_valid and got[pair].geometry.symmetric_difference(part).area <= 1e-6 + blur
    assert (found["area_m2"] > 1e-6).all()
    share = shapely.area(shapely.intersection(a, shapely.union_all(b))) / shapely.area(a)
    assert share_inside(a, b) == pytest.approx(share, abs=1e-6 + blur)


@settings(max_examples=150, deadline=None)
@given(SHAPE, SHAPE)
def test_the_edges_never_contradict_the_engine(left, right):
    one, other = (drawn(s, (0.0, 1.0, 0.0)) for s in (left, right))  # whole and half numbers: the engine is exact
    found = edge_relation(edge_index(np.array([one])), edge_index(np.array([other])), np.array([0]), np.array([0]))[0]
    apart = not shapely.relate_pattern(one, other, "T********")
    assert found in (UNCLEAR, APART if apart else INSIDE if shapely.covers(one, other) else ACROSS)
    if left[1] == right[1] != 99.0:
        assert found != UNCLEAR  # all corners on the way are vertices of both


@settings(max_examples=40, deadline=None)
@given(st.lists(SHAPE, min_size=1, max_size=4), st.lists(SHAPE, min_size=1, max_size=4), PLACE)
def test_the_order_of_the_layers_does_not_matter(left, right, place):
    a, b = (np.array([drawn(s, place) for s in shapes], dtype=object) for shapes in (left, right))
    one = {(r.i, r.j): r.area_m2 for r in intersection_pairs(a, b).itertuples()}
    other = {(r.j, r.i): r.area_m2 for r in intersection_pairs(b, a).itertuples()}
    blur = 40 * SIDE * place[1] * np.spacing(place[0] + 1.0)
    for pair in one.keys() | other.keys():
        assert one.get(pair, 0.0) == pytest.approx(other.get(pair, 0.0), abs=2e-6 + blur)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=0, max_size=12))
def test_runs_of_one_object_stay_in_one_thread_and_all_rows_come_back(lengths):
    things = [object() for _ in lengths]
    rows = np.array([t for t, n in zip(things, lengths) for _ in range(n)], dtype=object)
    chunks = []

    def number(chunk):
        chunks.append({id(t) for t in chunk})
        return np.array([id(t) for t in chunk], dtype=np.int64)

    assert side_by_side(number, rows).tolist() == [id(t) for t in rows]
    assert sum(map(len, chunks)) == len(things)
