"""The provincial total shared among counties (case G-01): sums, floors, caps, and the same answer by another route."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.governance.quota import CRITERIA, allocate_quota, county_scores, transfers
from qianmo.schema.errors import InfeasibleError, SchemaError

COUNTIES = pd.DataFrame({"stock": [10.0, 20.0, 30.0], "demand": [5.0, 1.0, 3.0], "potential": [1.0, 2.0, 3.0], "ecology_limit": [0.0, 0.5, 1.0]})


def test_g01_allocations_sum_to_the_provincial_total_and_no_county_is_below_its_floor():
    floors, caps = np.array([100.0, 50.0, 80.0]), np.array([1e6, 200.0, 1e6])
    shares = allocate_quota(1000.0, county_scores(COUNTIES), floors, caps)
    assert shares.sum() == pytest.approx(1000.0, abs=1e-9) and (shares >= floors).all() and (shares <= caps + 1e-9).all()


def test_scores_are_the_weighted_sum_of_normed_criteria():
    assert county_scores(COUNTIES) == pytest.approx([0.25 * (0 + 1 + 0 + 1), 0.25 * (0.5 + 0 + 0.5 + 0.5), 0.25 * (1 + 0.5 + 1 + 0)])
    assert county_scores(COUNTIES, weights={"demand": 2.0}) == pytest.approx([1.0, 0.0, 0.5])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_any_province_is_shared_out_within_floors_and_caps_and_more_lowers_nobody(seed, counties):
    rng = np.random.default_rng(seed)
    scores, floors, room = (rng.uniform(0, top, counties) * rng.integers(0, 2, counties) for top in (1, 50, 100))
    share, more = rng.uniform(0, 1, 2)
    caps = floors + room
    low = floors.sum() + share * room.sum()
    high = low + more * (caps.sum() - low)
    a, b = (allocate_quota(t, scores, floors, caps) for t in (low, high))
    for total, shares in ((low, a), (high, b)):
        assert shares.sum() == pytest.approx(total, abs=1e-6) and (shares >= floors - 1e-9).all() and (shares <= caps + 1e-6).all()
    assert (b >= a - 1e-6).all()


def test_the_shares_are_the_water_level_where_each_is_its_score_times_one_level_within_its_cap():
    """Another route: bisection for the level at which floors and capped multiples of the scores sum to the total."""
    rng = np.random.default_rng(5)
    for _ in range(50):
        scores, floors = rng.uniform(0.1, 1, 6), rng.uniform(0, 20, 6)
        caps = floors + rng.uniform(1, 60, 6)
        total = floors.sum() + rng.uniform(0.1, 0.95) * (caps - floors).sum()
        low, high = 0.0, 1e4
        for _ in range(200):
            level = (low + high) / 2
            low, high = (level, high) if np.minimum(caps, floors + level * scores).sum() < total else (low, level)
        assert allocate_quota(total, scores, floors, caps) == pytest.approx(np.minimum(caps, floors + high * scores), abs=1e-6)


def test_what_cannot_be_shared_out_names_the_limit():
    one = np.ones(2)
    with pytest.raises(InfeasibleError, match="保底合计"):
        allocate_quota(1.0, one, one, one * 9)
    with pytest.raises(InfeasibleError, match="上限合计"):
        allocate_quota(100.0, one, one, one * 9)
    for bad in ((-one, one, one), (one, one * 2, one), (one * np.nan, one, one)):
        with pytest.raises(SchemaError):
            allocate_quota(2.0, *bad)
    with pytest.raises(SchemaError, match="ecology_limit"):
        county_scores(COUNTIES.drop(columns="ecology_limit"))
    with pytest.raises(SchemaError, match="权重"):
        county_scores(COUNTIES, weights=dict.fromkeys(CRITERIA, 0.0))


def test_what_leaves_a_county_is_what_others_get_and_no_surplus_is_left_beside_a_deficit():
    have, need = np.array([10.0, 0.0, 5.0, 1.0]), np.array([2.0, 6.0, 5.0, 4.0])
    moved = transfers(have, need)
    after = have.copy()
    for r in moved.itertuples():
        after[r.origin] -= r.amount
        after[r.destination] += r.amount
    assert after.sum() == have.sum()
    gap = after - need
    assert not ((gap > 1e-9).any() and (gap < -1e-9).any()) and (moved["amount"] > 0).all()
