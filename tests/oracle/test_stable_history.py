"""Stable history and robust fit by other routes: recursive residuals by one least squares a date, bisquare weights in plain NumPy."""

import numpy as np
import pytest
from scipy.stats import norm

from qianmo.schema.errors import SchemaError
from qianmo.survey.change.series import fit_season, season_design
from qianmo.survey.change.stable import crossing_level, fit_robust, fit_stable, stable_from, stable_only


def _series(rng, pixels=60, dates=70):
    days = np.sort(rng.choice(np.arange(1500), dates, replace=False)).astype(float)
    y = 0.5 + 0.2 * np.cos(2 * np.pi * days / 365.2425)[:, None] + rng.normal(0, 0.04, (dates, pixels))
    y[days < 600, : pixels // 2] += rng.uniform(0.03, 0.3, pixels // 2)
    y[rng.random(y.shape) < 0.35] = np.nan
    return y, days


def _start_by_refitting(column, design, critical):
    """Least squares anew on every shorter history; none of the code above is used."""
    clear = np.flatnonzero(np.isfinite(column))[::-1]
    k, errors = design.shape[1], []
    for r in range(k, len(clear)):
        before, x = clear[:r], design[clear[r]]
        b = np.linalg.lstsq(design[before], column[before], rcond=None)[0]
        errors.append((column[clear[r]] - x @ b) / np.sqrt(1 + x @ np.linalg.inv(design[before].T @ design[before]) @ x))
    m = len(errors)
    process = np.cumsum(errors) / (np.std(errors, ddof=1) * np.sqrt(m))
    crossed = np.flatnonzero(np.abs(process) > critical * (1 + 2 * np.arange(1, m + 1) / m))
    return clear[-1] if not len(crossed) else clear[k + crossed[0] - 1]


@pytest.mark.parametrize(("order", "trend"), [(1, False), (2, True)])
def test_the_start_is_that_of_refitting_date_by_date(rng, order, trend):
    y, days = _series(rng)
    found = stable_from(y, days, order=order, trend=trend)
    design = season_design(days, order=order, trend=trend)
    y = y.astype(np.float32).astype(float)
    assert found.tolist() == [_start_by_refitting(c, design, crossing_level(0.05)) for c in y.T]
    assert 10 < sum(f > np.flatnonzero(np.isfinite(c))[0] for f, c in zip(found, y.T)) < 45


def test_the_model_is_that_of_the_stable_dates_alone(rng):
    y, days = _series(rng, 20)
    model, first = fit_stable(y, days, order=1, trend=False)
    for p in (0, 5, 15):
        part = np.arange(len(days)) >= first[p]
        alone = fit_season(y[part][:, [p]], days[part], order=1, trend=False, passes=1)
        # the phase of a season does not depend on the first day, which is that of the whole series in both
        np.testing.assert_allclose(model.coefficients[:, p], alone.coefficients[:, 0], atol=1e-6)
    kept = stable_only(y, first)
    assert all(np.isnan(kept[: first[p], p]).all() for p in range(20))


def test_the_boundary_is_the_published_one_and_is_crossed_as_often_as_it_says():
    assert crossing_level(0.05) == pytest.approx(0.9479, abs=5e-4)
    x = crossing_level(0.01)
    assert 2 * (norm.sf(3 * x) + np.exp(-4 * x**2) * (norm.cdf(x) + norm.cdf(5 * x) - 1) - np.exp(-16 * x**2) * norm.sf(x)) == pytest.approx(0.01)
    with pytest.raises(SchemaError, match="水平"):
        crossing_level(0.5)
    rng = np.random.default_rng(8)
    days = np.arange(0, 16.0 * 120, 16.0)
    y = 0.2 * np.sin(2 * np.pi * days / 365.2425)[:, None] + rng.normal(0, 0.05, (120, 4000))
    assert 0.02 < (stable_from(y, days, order=1, trend=False) > 0).mean() < 0.06  # below the level: a finite series looks at the path now and then


def _bisquare(column, design, rounds=100):
    there = np.isfinite(column)
    x, y, weight = design[there], column[there], np.ones(there.sum())
    for _ in range(rounds):
        b = np.linalg.solve(x.T @ (x * weight[:, None]), x.T @ (y * weight))
        scale = np.median(np.abs(y - x @ b)) / norm.ppf(0.75)
        weight = np.clip(1 - ((y - x @ b) / (4.685 * scale)) ** 2, 0, None) ** 2
    return b, scale


def test_the_robust_fit_is_that_of_many_rounds_in_numpy(rng):
    y, days = _series(rng, 20)
    y[rng.random(y.shape) < 0.1] -= 0.6
    found = fit_robust(y, days, order=2, trend=True, rounds=300, near=1e-9)
    design = season_design(days, order=2, trend=True)
    for p in range(20):
        b, scale = _bisquare(y[:, p].astype(np.float32).astype(float), design)
        np.testing.assert_allclose(found.coefficients[:, p], b, atol=1e-6)
        assert found.sigma[p] == pytest.approx(scale, rel=1e-5)
    quick = fit_robust(y, days, order=2, trend=True)
    assert np.abs(quick.coefficients - found.coefficients).max() < 0.05 * np.median(found.sigma)


def test_undisclosed_clouds_do_not_bend_the_robust_season():
    rng = np.random.default_rng(3)
    days = np.arange(0, 16.0 * 70, 16.0)
    truth = 0.5 + 0.2 * np.cos(2 * np.pi * days / 365.2425)
    y = truth[:, None] + rng.normal(0, 0.03, (70, 500))
    y[rng.random(y.shape) < 0.2] -= rng.uniform(0.3, 0.6)
    design = season_design(days, order=1, trend=False)
    off = {f.__name__: np.abs(design @ f(y, days, order=1, trend=False).coefficients - truth[:, None]).mean() for f in (fit_robust, fit_season)}
    assert off["fit_robust"] < 0.02 and off["fit_season"] > 0.06


def test_too_short_a_history_has_no_start_and_no_model(rng):
    y, days = _series(rng, 4)
    y[:, 0] = np.nan
    y[8:, 1] = np.nan
    first = stable_from(y, days)
    assert first[0] == -1 and first[1] == -1 and first[2] >= 0
    model = fit_robust(y, days)
    assert np.isnan(model.coefficients[:, :2]).all() and np.isfinite(model.coefficients[:, 2:]).all()
    with pytest.raises(SchemaError, match="迭代"):
        fit_robust(y, days, rounds=0)
