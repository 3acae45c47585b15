"""Stable history, moving sums and alarms are those of strucchange 1.5-3 (R), the package behind bfastmonitor."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qianmo.survey.change.mosum import mosum_monitor, moving_sums
from qianmo.survey.change.series import fit_season, season_design
from qianmo.survey.change.stable import fit_stable, stable_only

HISTORY = 69
CRITICAL = 1.34182484 * 2**0.5
"""strucchange's table for a window of a quarter, 5 %, ten times the history; its border has the root of 2."""


@pytest.fixture(scope="module")
def reference():
    table = pd.read_csv(Path(__file__).with_name("strucchange_series.csv"), comment="#")
    dates = [c for c in table if c[0] == "d" and c[1:].isdigit()]
    return table, table[dates].to_numpy(float).T / 1000.0, np.array([float(c[1:]) for c in dates])


def _clear_number(y, at, first):
    return np.where(at >= 0, np.take_along_axis(np.cumsum(np.isfinite(y[first:]), axis=0), np.maximum(at, 0)[None], axis=0)[0], 0)


def test_the_stable_history_starts_where_theirs_does(reference):
    table, y, days = reference
    _, first = fit_stable(y[:HISTORY], days[:HISTORY], order=1, trend=False)
    start = _clear_number(y[:HISTORY], first, 0)
    assert start.tolist() == table["start"].tolist() and 20 < (start > 1).sum() < 80


def test_alarms_fall_on_their_dates_with_and_without_the_stable_history(reference):
    table, y, days = reference
    model, first = fit_stable(y[:HISTORY], days[:HISTORY], order=1, trend=False)
    kept = np.vstack([stable_only(y[:HISTORY], first), y[HISTORY:]])
    plain = fit_season(y[:HISTORY], days[:HISTORY], order=1, trend=False, passes=1)
    for name, values, season in (("alarm", y, plain), ("alarm_stable", kept, model)):
        found = mosum_monitor(values, days, season, history=HISTORY, least_sigma=1e-12, critical=CRITICAL)
        assert _clear_number(y, found.date_index, HISTORY).tolist() == table[name].fillna(0).astype(int).tolist()
        assert (table[name] > 0).sum() > 20


def test_the_largest_moving_sum_is_theirs(reference):
    table, y, days = reference
    model = fit_season(y[:HISTORY], days[:HISTORY], order=1, trend=False, passes=1)
    left = (y - season_design(days, order=1, trend=False) @ model.coefficients) / model.sigma
    sums, _ = moving_sums(left, history=HISTORY, window=0.25)
    np.testing.assert_allclose(np.nanmax(np.abs(sums), axis=0), table["largest"], rtol=2e-6)
