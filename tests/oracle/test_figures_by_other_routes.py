"""Present values and rates of return by fifty digits, by sampling for roots, and by another library."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import pyxirr

from qianmo.finance.figures.payback import payback_years
from qianmo.finance.figures.present_value import net_present_value
from qianmo.finance.figures.rate_of_return import modified_rate_of_return, rates_of_return
from qianmo.finance.figures.rates_of_many import rates_of_many


def random_flows(rng: np.random.Generator, count: int, *, most_years: int = 40) -> list[np.ndarray]:
    """Projects in fen: cost first, income later, some with renewals and closing costs."""
    found = []
    for k in range(count):
        years = int(rng.integers(3, most_years + 1))
        flows = rng.normal(2e8, 1e8, years)
        build = min(int(rng.integers(1, 4)), years - 2)
        flows[:build] = -rng.uniform(2e8, 2e9, build)
        if k % 3 == 1:
            flows[int(rng.integers(build, years))] -= rng.uniform(0, 2e9)
        if k % 5 == 2:
            flows[-1] -= rng.uniform(0, 5e9)
        found.append(np.round(flows))
    return found


def roots_by_fifty_digits(flows: np.ndarray) -> list[float]:
    """Real roots above -1 from all complex roots of the polynomial in v, at fifty digits."""
    with mpmath.workdps(50):
        trimmed = np.trim_zeros(flows)
        roots = mpmath.polyroots([mpmath.mpf(float(c)) for c in trimmed], maxsteps=300, extraprec=150, asc=True)
        real = [mpmath.re(v) for v in roots if abs(mpmath.im(v)) < mpmath.mpf(10) ** -35 * abs(v) and mpmath.re(v) > 0]
        return sorted(float(1 / v - 1) for v in real)


def test_present_values_agree_with_fifty_digits_to_1e_12(rng):
    for flows in random_flows(rng, 300):
        rate = float(rng.uniform(-0.3, 0.6))
        with mpmath.workdps(50):
            terms = [mpmath.mpf(float(c)) / (1 + mpmath.mpf(rate)) ** (t + 1) for t, c in enumerate(flows)]
            exact, size = mpmath.fsum(terms), mpmath.fsum(abs(x) for x in terms)
        assert abs(net_present_value(flows, rate) - exact) <= 1e-12 * size * 1e-2
        assert net_present_value(flows, rate, first="now") == pytest.approx(pyxirr.npv(rate, flows), rel=1e-12, abs=float(size) * 1e-14)


def test_every_rate_agrees_with_fifty_digits_to_1e_15(rng):
    several = 0
    for flows in random_flows(rng, 150, most_years=16):
        found, exact = rates_of_return(flows), roots_by_fifty_digits(flows)
        assert len(found) == len(exact)
        np.testing.assert_allclose(found, exact, rtol=1e-15, atol=0.0)
        several += len(found) > 1
    assert several > 5


def test_single_rates_agree_with_the_library_to_1e_12(rng):
    compared = 0
    for flows in random_flows(rng, 400):
        found = rates_of_return(flows)
        if len(found) == 1 and abs(found[0]) < 5:
            other = pyxirr.irr(flows)
            assert other is None or abs(other - found[0]) <= 1e-12 * max(1.0, abs(found[0])) * 10
            compared += other is not None
    assert compared > 150


def test_the_modified_rate_agrees_with_the_library(rng):
    for flows in random_flows(rng, 200):
        if (flows > 0).any():
            finance, reinvest = rng.uniform(0.01, 0.2, 2)
            assert modified_rate_of_return(flows, finance, reinvest) == pytest.approx(pyxirr.mirr(flows, finance, reinvest), rel=1e-12)


def test_planted_roots_are_all_found_and_no_other(rng):
    """Products of (1 + r - x) with known r: whole numbers, so the roots are exact."""
    for _ in range(200):
        planted = sorted({int(k) for k in rng.integers(-95, 200, int(rng.integers(1, 6)))})
        flows = np.array([1], dtype=object)
        for hundredth in planted:
            flows = np.convolve(flows, np.array([-100, 100 + hundredth], dtype=object))
        assert max(abs(int(c)) for c in flows) < 2**53
        assert rates_of_return(flows.astype(float)) == pytest.approx(tuple(k / 100 for k in planted), rel=1e-15)


def test_many_rates_agree_with_the_exact_ones_where_signs_change_wildly(rng):
    flows = np.round(rng.normal(size=(21, 400)) * 10.0 ** rng.uniform(0, 4, (21, 400)), 2)
    flows[:, ::3] = np.round(flows[:, ::3])
    exact = [r[0] if len(r) == 1 else math.nan for r in (rates_of_return(c) for c in flows.T)]
    found = rates_of_many(flows)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    assert np.nanmax(np.abs(found - exact) / np.maximum(1.0, np.abs(exact))) < 2e-15
    assert 50 < np.isfinite(exact).sum() < 350


def test_payback_is_where_the_straight_line_between_years_crosses_zero(rng):
    """The cumulative flow as a piecewise line, its last crossing found by interpolation on a fine grid."""
    for flows in random_flows(rng, 200):
        line = np.concatenate([[0.0], np.cumsum(flows)])
        found = payback_years(flows)
        if line[-1] < 0:
            assert math.isnan(found)
            continue
        negative = np.flatnonzero(line < 0)
        start = negative[-1]
        crossing = np.interp(0.0, line[start : start + 2], [start, start + 1])
        assert found == pytest.approx(crossing, rel=1e-12)
