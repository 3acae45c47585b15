"""For any village: value to the fen, area to the square decimetre, nobody worse off."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.planning.readjustment.exchange import ExchangeSettings, exchange
from qianmo.planning.readjustment.exchange_certificate import exchange_certificate
from qianmo.planning.readjustment.exchange_verify import count_blocks, verify_exchange
from qianmo.planning.readjustment.holdings import holdings
from qianmo.planning.readjustment.make_village_exchange import village_exchange
from qianmo.planning.readjustment.standing import worse_off


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000), k=st.integers(2, 9), classes=st.integers(1, 3), homes=st.sampled_from(["scattered", "hamlets"]),
    may_split=st.booleans(), kept=st.sampled_from([0.0, 0.2]),
)  # fmt: skip
def test_nobody_loses_in_any_village(seed, k, classes, homes, may_split, kept):
    parcels, owners = village_exchange(8 * k, k, rng=np.random.default_rng(seed), classes=classes, kept_share=kept, homes=homes)
    limits = ExchangeSettings(value_tolerance=0.04, may_split=may_split, rounds=12)
    problem = holdings(parcels, owners)
    found = exchange(problem, settings=limits, progress=lambda words, share: None, stop=lambda: False)
    worse = worse_off(found.before, found.after, value_tolerance=0.04, distance_tolerance=0.0, area_tolerance=float("inf"))
    assert not worse.any(axis=None)
    assert found.pieces.area_dm2.sum() == problem.area_dm2.sum() and found.pieces.value_fen.sum() == problem.value_fen.sum()
    if found.is_split:
        assert (found.after["value_fen"] == found.before["value_fen"]).all()
    assert all(c["ok"] for c in verify_exchange(json.loads(json.dumps(exchange_certificate(found, limits)))))
    counted = count_blocks(found.pieces.geometry, found.pieces.owner, owners=k)
    assert (counted <= found.after["blocks"].to_numpy()).all()
