"""F1 by allowed delay: counted by hand, rising with the delay, an interval that holds; what the monitors reach."""

import numpy as np
import pytest

from qianmo.schema.errors import SchemaError
from qianmo.survey.change.accuracy import lag_scores


def test_hits_false_alarms_and_misses_are_counted_by_hand():
    alarm = np.array([110.0, 150.0, np.nan, 90.0, 10.0, np.nan])
    change = np.array([100.0, 100.0, 100.0, 100.0, np.nan, np.nan])
    short, long = lag_scores(alarm, change, [20, 60])
    assert (short.hits, short.false_alarms, short.misses) == (1, 2, 3) and short.f1 == pytest.approx(2 / (2 + 2 + 3))
    assert (long.hits, long.false_alarms, long.misses) == (2, 2, 2) and long.f1 == pytest.approx(4 / 8)
    assert short.low < short.f1 < short.high and short.low >= 0 and long.high <= 1


def test_the_interval_holds_the_true_score_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        hit = rng.random(200) < 0.7
        score = lag_scores(np.where(hit, 5.0, np.nan), np.zeros(200), [10])[0]
        held += score.low <= 2 * 0.7 / 1.7 <= score.high
    assert 0.91 <= held / 400 <= 0.985


def test_nothing_to_score_is_unknown_and_other_shapes_are_refused():
    assert np.isnan(lag_scores(np.array([np.nan]), np.array([np.nan]), [5])[0].f1)
    with pytest.raises(SchemaError):
        lag_scores(np.ones(2), np.ones(3), [5])
