"""The moving-sum monitor: the sums by another route, its level on quiet series, its delay on a drop."""

import numpy as np
import pytest

from qianmo.schema.errors import RuleError, SchemaError
from qianmo.survey.change.mosum import boundary, critical_value, mosum_monitor, moving_sums
from qianmo.survey.change.series import fit_season


def _series(rng, pixels, *, drop=0.0, cloud=0.35):
    days = np.arange(0, 365 * 6, 16.0)
    y = 0.5 + 0.2 * np.cos(2 * np.pi * days / 365.2425)[:, None] + rng.normal(0, 0.04, (len(days), pixels))
    y[rng.random(y.shape) < cloud] = np.nan
    y[days > 365 * 4.5] -= drop
    return y, days, int((days < 365 * 3).sum())


def test_sums_are_those_of_a_loop_over_the_clear_dates(rng):
    score = rng.normal(size=(60, 12))
    score[rng.random(score.shape) < 0.4] = np.nan
    sums, ratio = moving_sums(score, history=40, window=0.25)
    for p in range(12):
        clear = np.flatnonzero(np.isfinite(score[:, p]))
        n = int((clear < 40).sum())
        for k, d in enumerate(clear):
            if d >= 40:
                part = score[clear[k - int(0.25 * n) + 1 : k + 1], p]
                assert sums[d - 40, p] == pytest.approx(part.sum() / np.sqrt(n)) and ratio[d - 40, p] == pytest.approx((k + 1) / n)
    assert np.isnan(sums[~np.isfinite(score[40:])]).all()


def test_quiet_series_alarm_about_as_seldom_as_the_level_says():
    rng = np.random.default_rng(5)
    y, days, history = _series(rng, 4000)
    model = fit_season(y[:history], days[:history], order=1, trend=False, passes=1)
    for level, low, high in ((0.05, 0.02, 0.08), (0.01, 0.002, 0.025)):
        alarms = mosum_monitor(y, days, model, history=history, level=level).date_index >= 0
        assert low < alarms.mean() < high


def test_a_drop_is_found_within_a_few_dates_and_confidence_grows():
    rng = np.random.default_rng(6)
    y, days, history = _series(rng, 500, drop=0.2)
    model = fit_season(y[:history], days[:history], order=1, trend=False, passes=1)
    alarm = mosum_monitor(y, days, model, history=history, level=0.01)
    day = days[history:][np.maximum(alarm.date_index, 0)]
    late = (alarm.date_index >= 0) & (day > 365 * 4.5)
    assert late.mean() > 0.97 and np.median(day[late]) - 365 * 4.5 < 80 and (alarm.direction[late] == -1).all() and np.median(alarm.confidence[late]) > 0.99


def test_the_boundary_is_level_and_then_rises():
    assert boundary(np.array([1.0, 2.7]), 1.5).tolist() == [1.5, 1.5] and boundary(np.array([np.e**4]), 1.5)[0] == pytest.approx(3.0)
    assert critical_value(0.25, 0.05, 1.2) < critical_value(0.25, 0.05, 1.8) < critical_value(0.25, 0.01, 1.8)


def test_a_critical_value_is_the_quantile_of_simulated_paths():
    rng = np.random.default_rng(12)
    path = np.hstack([np.zeros((20_000, 1)), np.cumsum(rng.standard_normal((20_000, 200)) / 10.0, axis=1)])
    at = np.arange(101, 201)
    largest = np.abs(path[:, at] - path[:, at - 50] - 0.5 * path[:, [100]]).max(axis=1)
    assert np.quantile(largest, 0.95) == pytest.approx(critical_value(0.5, 0.05, 2.0), rel=0.03)


def test_what_cannot_be_watched_is_refused(rng):
    y, days, history = _series(rng, 5)
    model = fit_season(y[:history], days[:history], order=1, trend=False)
    with pytest.raises(SchemaError, match="历史期"):
        mosum_monitor(y[:history], days[:history], model, history=history)
    with pytest.raises(RuleError, match=r"窗 0\.3"):
        mosum_monitor(y, days, model, history=history, window=0.3)
