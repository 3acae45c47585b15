"""True for any block: value and area are kept, turning and renaming change nothing, widths hold."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qianmo.planning.allotment.frontage import cut_axis, frontage_of
from qianmo.planning.allotment.partition import partition
from qianmo.planning.allotment.profile import steepest_value, value_profile
from qianmo.planning.allotment.shares import largest_remainder

widths = st.lists(st.floats(20, 80), min_size=2, max_size=6)
shares = st.lists(st.integers(5, 40), min_size=2, max_size=12)


def block_of(steps, depths):
    """A block over a straight road with an uneven back."""
    x = np.concatenate([[0.0], np.cumsum(steps)])
    return shapely.Polygon([(0, 0), (x[-1], 0), *zip(x[::-1], depths[::-1])]), x


def cut(block, zones, unit, road, values, width=0.0):
    front = frontage_of(block, road, reach_m=0.01)
    pieces = shapely.intersection(zones, block)
    good = shapely.area(pieces) > 0
    axis = cut_axis(block, front, cut="perpendicular")
    return partition(block, np.array(values), pieces[good], unit[good], front, axis, width_min_m=width)


@settings(max_examples=60, deadline=None)
@given(steps=widths, values=shares, seed=st.integers(0, 10_000), angle=st.floats(0, 360))
def test_value_and_area_are_kept_and_turning_changes_nothing(steps, values, seed, angle):
    rng = np.random.default_rng(seed)
    block, x = block_of(steps, rng.uniform(30, 90, len(steps) + 1))
    zones = np.array([shapely.box(a, -1, b, 100) for a, b in zip(x[:-1], x[1:])])
    unit = rng.uniform(1, 4, len(zones))
    road = shapely.LineString([(0, 0), (x[-1], 0)])
    made = cut(block, zones, unit, road, values)
    assert abs(shapely.area(made.lots).sum() - block.area) <= 1e-9 * block.area
    worth = np.array([shapely.area(shapely.intersection(zones, lot)) @ unit for lot in made.lots])
    assert np.allclose(worth / worth.sum(), np.array(values) / sum(values), rtol=1e-9)
    turned = [shapely.affinity.translate(shapely.affinity.rotate(g, angle, origin=(0, 0)), 5e5, 3e6) for g in (block, road)]
    again = cut(turned[0], np.array([shapely.affinity.translate(shapely.affinity.rotate(z, angle, origin=(0, 0)), 5e5, 3e6) for z in zones]),
                unit, turned[1], values)  # fmt: skip
    assert np.allclose(made.width_m, again.width_m, atol=1e-6) and np.allclose(shapely.area(made.lots), shapely.area(again.lots), rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(steps=widths, values=shares, seed=st.integers(0, 10_000))
def test_a_lot_worth_the_steepest_strip_is_wide_enough_wherever_it_lies(steps, values, seed):
    rng = np.random.default_rng(seed)
    block, x = block_of(steps, rng.uniform(30, 90, len(steps) + 1))
    zones, unit = np.array([shapely.box(a, -1, b, 100) for a, b in zip(x[:-1], x[1:])]), rng.uniform(1, 4, len(steps))
    profile = value_profile(shapely.intersection(zones, block), unit, np.array([1.0, 0.0]))
    width = 4.0
    least = steepest_value(profile, width) / profile.total
    share = np.array(values) / sum(values)
    assume(share.min() >= least)
    made = cut(block, zones, unit, shapely.LineString([(0, 0), (x[-1], 0)]), values, width=width)
    assert made.width_m.min() >= width - 1e-9


@settings(max_examples=200, deadline=None)
@given(weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=30), total=st.integers(0, 10**12))
def test_whole_shares_add_up_and_stay_within_one(weights, total):
    assume(sum(weights) > 0)
    out = largest_remainder(np.array(weights, dtype=object), total)
    assert sum(int(v) for v in out) == total
    assert all(abs(int(v) * sum(weights) - total * w) < sum(weights) for v, w in zip(out, weights))
