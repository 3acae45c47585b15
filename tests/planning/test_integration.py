"""Property-right integration: who may be moved, what everybody gets, money to the fen, rounds, prices, refusals."""

from __future__ import annotations

from dataclasses import asdict

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.planning.integration.candidates import candidates
from qianmo.planning.integration.integrate import consent_prices, integrate, integrate_titles
from qianmo.planning.integration.negotiate import negotiate
from qianmo.planning.integration.settings import integration_settings
from qianmo.planning.integration.titles import read_titles, without_consent
from qianmo.planning.integration.verify import recomputed_objective_fen, verify_integration
from qianmo.schema.errors import InfeasibleError, MissingDataError, SchemaError, TopologyError
from qianmo.village.factories import make_factories

SIDE = 100.0


def row_of(n=4, **columns):
    """Titles of 1 ha side by side, worth 3 million yuan each, all agreed."""
    base = {"title_id": [f"t{k}" for k in range(n)], "holder_id": [f"h{k}" for k in range(n)], "land_kind": "state", "value_yuan": 3.0e6,
            "floor_area_m2": 4000.0, "consent": "yes", "accepts": ""}  # fmt: skip
    shapes = [shapely.box(k * SIDE, 0, (k + 1) * SIDE, SIDE) for k in range(n)]
    return gpd.GeoDataFrame({**base, **columns}, geometry=shapes, crs=4547)


def settings_of(overrides=None, **more):
    words = {"integrate_block_area_min_m2": 20_000, "integrate_price_yuan_m2": 500, "integrate_reach_m": 0.5, **(overrides or {})}
    return integration_settings(words, **{"budget_yuan": [5e6], **more})


def test_a_row_of_willing_titles_becomes_one_block():
    s = settings_of()
    made = integrate(row_of(), settings=s)
    block = made.settlement.blocks.iloc[0]
    assert (made.settlement.outcome["mode"] != "keep").all() and block["titles"] == 4
    assert block["usable_m2"] == pytest.approx(34_000)
    # 34,000 m2 at 500 yuan, less works 40,000 x 30, the block and four changes of 20,000; land alone gives everybody enough
    assert made.certificate["objective_fen"] == (34_000 * 500 - 40_000 * 30 - 100_000 - 4 * 20_000) * 100
    assert all(c["ok"] for c in made.certificate["checks"])


def test_money_sums_to_zero_and_nobody_loses():
    made = integrate(make_factories(rows=3, columns=5, rng=np.random.default_rng(8)), settings=settings_of({"integrate_reach_m": 12}, budget_yuan=[3e6, 1e6]))
    assert made.settlement.ledger["amount_fen"].sum() == 0
    changed = made.settlement.outcome[made.settlement.outcome["mode"] != "keep"]
    assert len(changed) and (changed["value_after_fen"] >= changed["value_before_fen"]).all()
    assert [c["id"] for c in made.certificate["checks"] if not c["ok"]] == []


def test_a_refusal_in_the_middle_splits_the_row():
    f = row_of(5, consent=["yes", "yes", "no", "yes", "yes"])
    made = integrate(f, settings=settings_of())
    assert made.settlement.outcome.set_index("title_id").loc["t2", "mode"] == "keep"
    assert sorted(made.settlement.blocks["titles"]) == [2, 2]


def test_open_consents_count_against_the_threshold():
    f = row_of(3, consent=["yes", "open", "open"])
    with pytest.raises(InfeasibleError) as error:
        integrate(f, settings=settings_of({"integrate_block_area_min_m2": 30_000}))
    assert any("integrate_consent" in c for c in error.value.conflict)
    made = integrate(f, settings=settings_of({"integrate_block_area_min_m2": 30_000, "integrate_consent_heads_min": 0.3, "integrate_consent_area_min": 0.3}))
    assert made.settlement.blocks["consent_heads"].tolist() == pytest.approx([1 / 3])


def test_state_and_collective_land_meet_only_with_the_legal_step_named():
    f = row_of(4, land_kind=["state", "state", "state", "collective"])
    whole = settings_of({"integrate_block_area_min_m2": 40_000})
    made = integrate(f, settings=whole)
    routes = made.settlement.outcome.set_index("title_id")["legal_route"]
    assert routes["t3"].startswith("集体土地") and (routes[["t0", "t1", "t2"]] == "").all()
    with pytest.raises(InfeasibleError) as error:
        integrate(f, settings=settings_of({"integrate_block_area_min_m2": 40_000}, legal_mixed="forbid"))
    assert any("国有与集体" in c for c in error.value.conflict)


def test_cleaning_costs_and_delays_the_sale():
    f = row_of(2, remediation_yuan=[1e6, 0.0], delay_years=[2, 0])
    clean, dirty = integrate(row_of(2), settings=settings_of()), integrate(f, settings=settings_of())
    assert dirty.certificate["objective_fen"] < clean.certificate["objective_fen"] - 1e8
    ledger = dirty.settlement.ledger
    assert ledger.loc[(ledger["kind"] == "remediation") & (ledger["account"] == "fund"), "amount_fen"].tolist() == [-100_000_000]
    sales = ledger[ledger["kind"] == "land_sale"]
    assert sales.empty or set(sales["year"]) == {4}


def test_without_money_a_transfer_cannot_be_paid():
    f = row_of(2, accepts="transfer")
    with pytest.raises(InfeasibleError) as error:
        integrate(f, settings=settings_of(budget_yuan=[0.0]))
    assert any("资金" in c for c in error.value.conflict)
    made = integrate(f, settings=settings_of(budget_yuan=[7e6]))
    assert (made.settlement.outcome["mode"] == "transfer").all() and made.settlement.outcome["cash_fen"].tolist() == [300_000_000] * 2


def test_yearly_money_puts_the_block_off():
    f = row_of(2, accepts="transfer")
    made = integrate(f, settings=settings_of(budget_yuan=[3.5e6, 3.5e6]))
    assert made.settlement.blocks["year"].tolist() == [2]


def test_a_holder_from_outside_is_swapped_in():
    f = row_of(4, accepts=["transfer", "transfer", "swap", "transfer"], consent=["yes", "yes", "yes", "no"])
    f = f.set_geometry([*f.geometry[:2], shapely.box(900, 0, 1000, 100), f.geometry[3]])
    made = integrate(f, settings=settings_of({"integrate_transaction_yuan": 0, "integrate_pay_in_share_max": 0.1}, budget_yuan=[2e7]))
    assert made.settlement.outcome.set_index("title_id")["mode"].to_dict()["t2"] in ("keep", "swap")
    assert all(c["ok"] for c in made.certificate["checks"])


def test_what_is_left_raises_the_smallest_gain_where_asked():
    f = row_of(3, value_yuan=[2.5e6, 3.0e6, 3.2e6])
    fund, fair = (integrate(f, settings=settings_of(share_rule=r)).settlement.outcome["gain"].min() for r in ("fund", "maxmin"))
    assert fund == pytest.approx(0, abs=1e-4) and fair > 0.2


def test_taking_a_consent_away_never_helps():
    f = make_factories(rows=2, columns=3, rng=np.random.default_rng(2)).assign(consent="yes")
    s = settings_of({"integrate_reach_m": 12, "integrate_block_area_min_m2": 12_000})
    titles = read_titles(f, settings=s)
    blocks = candidates(titles, settings=s)
    best = integrate_titles(f, titles, blocks, settings=s).certificate["objective_fen"]
    for k in range(len(titles)):
        less = integrate_titles(f, without_consent(titles, k), blocks, settings=s, require_block=False)
        assert less.certificate["objective_fen"] <= best * (1 + 1e-4) + 1000
        assert less.settlement.outcome["mode"].iloc[k] == "keep"


def test_the_title_that_everything_needs_has_the_dearest_consent():
    f = row_of(5)
    s = settings_of({"integrate_block_area_min_m2": 30_000})
    made = integrate(f, settings=s)
    prices = consent_prices(f, made, read_titles(f, settings=s), settings=s)
    # without the middle title only rows of two are left, too small for a block
    assert prices.iloc[0]["title_id"] == "t2" and prices.iloc[0]["price_fen"] == made.certificate["objective_fen"]
    assert (prices["price_fen"] >= 0).all() and prices.iloc[0]["objective_without_fen"] == 0


def test_rounds_end_with_every_wish_met_or_the_title_left_out():
    f = row_of(4, consent="open")
    s = settings_of({"integrate_consent_heads_min": 0, "integrate_consent_area_min": 0})
    talks = negotiate(f, settings=s, reservation={"t0": 0.10, "t1": 0.05})
    assert talks.is_agreed and talks.rounds == 2
    last = talks.result.settlement.outcome.set_index("title_id")
    assert last.loc["t0", "gain"] >= 0.10 - 1e-12 and last.loc["t1", "gain"] >= 0.05 - 1e-12
    assert talks.offers.loc[talks.offers["round"] == 1, "answer"].value_counts().to_dict() == {"accept": 2, "refuse": 2}
    assert (talks.result.settlement.blocks["consent_heads"] == 1.0).all() and all(c["ok"] for c in talks.result.certificate["checks"])
    refused = negotiate(f, settings=s, answers={("t0", m): "refuse" for m in ("merge", "swap", "cooperate", "transfer")})
    assert refused.result.settlement.outcome.set_index("title_id").loc["t0", "mode"] == "keep" and refused.is_agreed


def test_an_answer_for_an_unknown_title_is_refused():
    with pytest.raises(SchemaError, match="unknown titles"):
        negotiate(row_of(), settings=settings_of(), reservation={"t9": 0.1})
    with pytest.raises(SchemaError, match="accept or refuse"):
        negotiate(row_of(), settings=settings_of(), answers={("t0", "merge"): "maybe"})


BAD = [
    (lambda f: f.assign(value_yuan=[1.0, -1.0, np.nan, 1.0]), SchemaError, "rows 3|rows 2, 3"),
    (lambda f: f.assign(value_yuan=[1.0, -1.0, 2.0, 1.0]), SchemaError, "title rows 2: value_yuan"),
    (lambda f: f.assign(land_kind=["state", "private", "state", "state"]), SchemaError, "title rows 2: land_kind"),
    (lambda f: f.assign(consent=["yes", "yes", "perhaps", "no"]), SchemaError, "title rows 3: consent"),
    (lambda f: f.assign(accepts=["sell", "", "", ""]), SchemaError, "title rows 1: accepts"),
    (lambda f: f.assign(title_id=["a", "a", "b", "c"]), SchemaError, "rows 1, 2: title_id occurs twice"),
    (lambda f: f.assign(floor_area_m2=[1.0, 2.0, -3.0, 1.0]), SchemaError, "title rows 3: floor_area_m2"),
    (lambda f: f.set_geometry([f.geometry[0], f.geometry[0], f.geometry[2], f.geometry[3]]), TopologyError, "rows 1 and 2 overlap"),
    (lambda f: f.drop(columns="consent"), SchemaError, "consent"),
    (lambda f: f.iloc[:0], MissingDataError, "no titles"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "kind", "words"), BAD)
def test_bad_titles_are_refused_and_rows_are_named(spoil, kind, words):
    with pytest.raises(kind, match=words):
        integrate(spoil(row_of()), settings=settings_of())


def test_contradictory_settings_are_refused():
    with pytest.raises(SchemaError, match="at least 5000 m2 and at most 1000"):
        integration_settings({"integrate_block_area_min_m2": 5000, "integrate_block_area_max_m2": 1000})
    with pytest.raises(SchemaError, match="budget"):
        integration_settings(budget_yuan=[-1.0])
    with pytest.raises(InfeasibleError, match="large enough"):
        integrate(row_of(2), settings=settings_of({"integrate_block_area_min_m2": 90_000}))


def broken(made):
    """Tables with one thing wrong each, and the check that must see it."""
    blocks, outcome, ledger = made.settlement.blocks, made.settlement.outcome, made.settlement.ledger

    def at(column, row, value):
        out = outcome.copy()
        out.loc[row, column] = value
        return blocks, out, ledger

    yield *at("mode", 0, "keep"), "assembled"
    yield *at("cash_fen", 0, outcome["cash_fen"][0] - 100), "after"
    yield *at("holder_id", 0, "h9"), "holder"
    yield *at("value_before_fen", 0, 1), "before"
    yield *at("land_dm2", 0, outcome["land_dm2"][0] + 40_000_000), "capacity"
    yield blocks, outcome.iloc[1:], ledger, "once"
    yield blocks, outcome.iloc[[0, *range(len(outcome))]], ledger, "once"
    yield blocks.assign(usable_m2=blocks["area_m2"]), outcome, ledger, "public"
    yield blocks.assign(consent_heads=0.9), outcome, ledger, "consent"
    yield blocks.assign(sold_dm2=-1), outcome, ledger, "capacity"
    yield blocks.assign(geometry=shapely.box(0, 0, 100, 100)), outcome, ledger, "size"
    yield blocks, outcome, ledger.iloc[1:], "zero"
    yield blocks, outcome, ledger.assign(amount_fen=ledger["amount_fen"] * 2), "entries"


def test_the_verifier_sees_every_planted_fault():
    f, s = row_of(), settings_of()
    made = integrate(f, settings=s)
    for blocks, outcome, ledger, expected in broken(made):
        failed = {c["id"] for c in verify_integration(f, blocks, outcome, ledger, asdict(s), made.certificate) if not c["ok"]}
        assert expected in failed, expected
    refusing = f.assign(consent=["no", "yes", "yes", "yes"])
    failed = {c["id"] for c in verify_integration(refusing, made.settlement.blocks, made.settlement.outcome, made.settlement.ledger, asdict(s)) if not c["ok"]}
    assert "voluntary" in failed
    lie = {**made.certificate, "objective_fen": made.certificate["objective_fen"] + 1, "solver_bound_claimed_fen": 0}
    failed = {c["id"] for c in verify_integration(f, made.settlement.blocks, made.settlement.outcome, made.settlement.ledger, asdict(s), lie) if not c["ok"]}
    assert {"objective", "bound"} <= failed
    assert recomputed_objective_fen(f, made.settlement.blocks, made.settlement.outcome, asdict(s)) == made.certificate["objective_fen"]


def test_renaming_and_reordering_titles_change_nothing():
    f, s = make_factories(rows=2, columns=4, rng=np.random.default_rng(2)), settings_of({"integrate_reach_m": 12, "integrate_block_area_min_m2": 12_000})
    other = f.iloc[::-1].reset_index(drop=True).assign(title_id=lambda d: ["Z" + t for t in d["title_id"]])
    one, two = integrate(f, settings=s), integrate(other, settings=s)
    assert one.certificate["objective_fen"] == pytest.approx(two.certificate["objective_fen"], rel=1e-4)
