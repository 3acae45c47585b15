"""True for any small factory area: the tables check, more money or less public land never hurts, a lost consent never helps."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qianmo.planning.integration.candidates import candidates
from qianmo.planning.integration.integrate import integrate_titles
from qianmo.planning.integration.settings import integration_settings
from qianmo.planning.integration.titles import read_titles, without_consent

BASE = {"integrate_block_area_min_m2": 18_000, "integrate_reach_m": 0.5, "integrate_price_yuan_m2": 420, "integrate_gap_rel": 1e-6}


def area_of(seed: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 6))
    edge = np.concatenate([[0.0], np.cumsum(rng.uniform(70, 130, n))])
    return gpd.GeoDataFrame(
        {
            "title_id": [f"t{k}" for k in range(n)], "holder_id": [f"h{k // 2 if seed % 3 == 0 else k}" for k in range(n)],
            "land_kind": rng.choice(["state", "collective"], n), "value_yuan": np.round(np.diff(edge) * 100 * rng.uniform(150, 400, n), 2),
            "floor_area_m2": np.round(rng.uniform(0, 12_000, n)), "remediation_yuan": np.where(rng.random(n) < 0.3, 4e5, 0), "delay_years": rng.integers(0, 2, n),
            "consent": rng.choice(["yes", "open"], n, p=[0.8, 0.2]), "accepts": rng.choice(["", "merge;cooperate", "transfer;swap"], n),
        },
        geometry=[shapely.box(a, 0, b, 100) for a, b in zip(edge[:-1], edge[1:])], crs=4547,
    )  # fmt: skip


def solved(frame, *, budget=(2e6, 1e6), lost=None, share_rule="fund", **overrides):
    s = integration_settings({**BASE, **overrides}, budget_yuan=budget, share_rule=share_rule)
    titles = read_titles(frame, settings=s)
    blocks = candidates(titles, settings=s)
    return integrate_titles(frame, titles if lost is None else without_consent(titles, lost), blocks, settings=s, require_block=False)


def slack(value: int) -> float:
    return 1e-5 * abs(value) + 50_000


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_every_answer_checks_and_the_money_adds_up(seed):
    for rule in ("fund", "maxmin"):
        made = solved(area_of(seed), share_rule=rule)
        assert [c["id"] for c in made.certificate["checks"] if not c["ok"]] == []
        assert made.settlement.ledger["amount_fen"].sum() == 0
        assert (made.settlement.outcome["value_after_fen"] >= made.settlement.outcome["value_before_fen"]).all()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_more_money_or_less_public_land_never_hurts_and_a_lost_consent_never_helps(seed):
    frame = area_of(seed)
    base = solved(frame).certificate["objective_fen"]
    assert solved(frame, budget=(4e6, 2e6)).certificate["objective_fen"] >= base - slack(base)
    assert solved(frame, integrate_public_share=0.10).certificate["objective_fen"] >= base - slack(base)
    assert solved(frame, lost=seed % len(frame)).certificate["objective_fen"] <= base + slack(base)
