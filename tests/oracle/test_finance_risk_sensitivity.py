"""Sensitivity, draws and break-even against scipy, closed forms and printed numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from qianmo.finance.risk.break_even import break_even
from qianmo.finance.risk.correlation import correlation_factor, nearest_correlation
from qianmo.finance.risk.draws import drawn_values
from qianmo.finance.risk.mapping import risk_model_from
from qianmo.finance.risk.marginals import Marginal, quantiles
from qianmo.finance.risk.simulate import evaluate
from qianmo.finance.risk.sobol import sobol_indices

TWINS = [
    (Marginal("normal", (2.0, 0.5)), stats.norm(2.0, 0.5)),
    (Marginal("lognormal", (1.5, 0.4)), stats.lognorm(0.4, scale=1.5)),
    (Marginal("uniform", (-1.0, 3.0)), stats.uniform(-1.0, 4.0)),
    (Marginal("triangular", (0.6, 0.95, 1.0)), stats.triang(0.35 / 0.4, 0.6, 0.4)),
    (Marginal("triangular", (0.0, 0.0, 36.0)), stats.triang(0.0, 0.0, 36.0)),
]


@pytest.mark.parametrize(("ours", "theirs"), TWINS)
def test_quantiles_and_means_equal_scipy(ours, theirs):
    share = np.linspace(0.001, 0.999, 997)
    assert quantiles(ours, share) == pytest.approx(theirs.ppf(share), rel=1e-9, abs=1e-9)
    assert ours.mean == pytest.approx(theirs.mean())


def test_draws_follow_their_distributions():
    """Kolmogorov-Smirnov of 100,000 draws each, correlated: level 1 % in all."""
    matrix = np.full((5, 5), 0.3) + 0.7 * np.eye(5)
    drawn = drawn_values([m for m, _ in TWINS], correlation_factor(matrix), 17, 0, 100_000)
    assert min(stats.kstest(row, theirs.cdf).pvalue for row, (_, theirs) in zip(drawn, TWINS, strict=True)) > 0.002


def test_rank_correlation_is_that_of_the_gaussian_copula():
    """Spearman's rho of a Gaussian copula is 6/π arcsin(ρ/2)."""
    matrix = np.array([[1.0, 0.7], [0.7, 1.0]])
    drawn = drawn_values([TWINS[1][0], TWINS[3][0]], correlation_factor(matrix), 3, 0, 100_000)
    assert stats.spearmanr(drawn[0], drawn[1]).statistic == pytest.approx(6 / np.pi * np.arcsin(0.35), abs=0.006)


def test_discrete_and_empirical_draws_keep_their_shares():
    drawn = drawn_values([Marginal("discrete", (0.0, 6.0, 18.0), (0.5, 0.3, 0.2)), Marginal("empirical", (1.0, 2.0, 4.0))], np.eye(2), 5, 0, 100_000)
    assert np.unique(drawn[0], return_counts=True)[1] / 1e5 == pytest.approx([0.5, 0.3, 0.2], abs=0.006)
    assert drawn[1].mean() == pytest.approx(2.25, abs=0.01) and (drawn[1] <= 2).mean() == pytest.approx(0.5, abs=0.006)


def test_the_nearest_correlation_is_the_printed_one():
    """Higham 2002, section 4: nearest to the tridiagonal matrix of ones of order 3."""
    found = nearest_correlation(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    assert found == pytest.approx(np.array([[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]]), abs=5e-5)


def ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def test_sobol_indices_of_ishigami_are_the_closed_form():
    """a = 7, b = 0.1: S .3139 .4424 0, T .5576 .4424 .2437."""
    first, total = sobol_indices(lambda u: ishigami(np.pi * (2 * u - 1)), 3, points=2**15, seed=1)
    assert first[0] == pytest.approx([0.3139, 0.4424, 0.0], abs=1e-3) and total[0] == pytest.approx([0.5576, 0.4424, 0.2437], abs=1e-3)


def test_sobol_indices_equal_those_of_scipy():
    theirs = stats.sobol_indices(func=lambda x: ishigami(x)[None], n=2**14, dists=[stats.uniform(-np.pi, 2 * np.pi)] * 3, rng=np.random.default_rng(5))
    first, total = sobol_indices(lambda u: ishigami(np.pi * (2 * u - 1)), 3, points=2**14, seed=5)
    assert first[0] == pytest.approx(theirs.first_order.ravel(), abs=2e-3) and total[0] == pytest.approx(theirs.total_order.ravel(), abs=2e-3)


def eod(**parts: object):
    """The worked example of domain.md 5.2, in yuan: eco 5000+5000, industry 4000+4000, quota 6000, net 1800 a year, 6 %."""
    lines = [
        {"name": "eco", "nature": "capital", "amount_yuan": {"1-2": 5e7}, "life_years": 20, "is_restoration": True},
        {"name": "plant", "nature": "capital", "amount_yuan": {"1-2": 4e7}, "life_years": 20},
        {"name": "quota", "nature": "income", "amount_yuan": {"3": 6e7}, "drivers": ["price"]},
        {"name": "net", "nature": "income", "amount_yuan": {"3-22": 1.8e7}, "drivers": ["net"]},
    ]
    inputs = [{"name": n, "kind": "uniform", "low": 0.5, "high": 1.5} for n in ("price", "net")]
    return risk_model_from({"years": 22, "operation_year": 3, "discount_rate": 0.06, "line": lines, "input": inputs, "first": "now", **parts})


def test_the_eod_example_comes_out_of_the_kernel():
    """domain.md 5.2 and test_vectors.json: ratio 1.754003, IRR 0.117202, NPV 7326.64 万元."""
    found = evaluate(eod(), eod().base_values)
    assert found["self_balance_ratio"][0] == pytest.approx(1.754003, abs=1e-6)
    assert found["irr"][0] == pytest.approx(0.117202, abs=1e-6) and found["npv_fen"][0] / 1e6 == pytest.approx(7326.64, abs=0.005)


def test_the_break_even_price_equals_brent_and_the_closed_form():
    model = eod()
    places = np.array([0.0, 1.0])
    at_nothing, at_one = evaluate(model, np.stack([places, np.ones(2)]))["npv_fen"]
    assert break_even(model, "price") == pytest.approx([-at_nothing / (at_one - at_nothing)] if at_nothing < 0 else [])

    def gap(x: float) -> float:
        return evaluate(model, np.array([[1.0], [x]]))["npv_fen"][0]

    assert break_even(model, "net") == pytest.approx([brentq(gap, 0, 2, xtol=1e-15)], rel=1e-13)


def test_both_delays_at_which_a_ratio_is_met_are_found():
    """A figure that rises and falls: coverage by a delay that first spreads the income out and then brings it too late."""
    lines = [
        {"name": "works", "nature": "capital", "amount_yuan": {"1": 1e8}, "life_years": 5},
        {"name": "quota", "nature": "income", "amount_yuan": {"2": 6e7}, "delay": "late"},
        {"name": "rent", "nature": "income", "amount_yuan": {"2-6": 2e7}},
    ]
    inputs = [{"name": "late", "effect": "delay_months", "kind": "uniform", "low": 0, "high": 24}]
    loan = {"first_year": 2, "last_year": 5, "coverage": [1.0, 3.0, 1.2, 1.2, 1.2, 1.2], "rate": 0.04, "gearing": 1.0}
    model = risk_model_from({"years": 6, "operation_year": 2, "discount_rate": 0.05, "line": lines, "input": inputs, "loan": loan})
    roots = break_even(model, "late", figure="min_coverage", target=0.9, low=0.0, high=48.0)
    places = np.linspace(0, 48, 4801)
    gap = evaluate(model, places[None])["min_coverage"] - 0.9
    crossed = places[1:][gap[:-1] * gap[1:] < 0]
    assert len(roots) == len(crossed) >= 2 and roots == pytest.approx(crossed, abs=0.011)
