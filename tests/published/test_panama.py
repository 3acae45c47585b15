"""Robust portfolio of a farm in Panama: beta and shares as published (optimLanduse README; Gosling et al. 2020)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qianmo.planning.robust_portfolio import normalised_shortfalls, robust_portfolio, worst_shortfall
from qianmo.schema.errors import SchemaError

USES = ["Crops", "Pasture", "Alley Cropping", "Silvopasture", "Plantation", "Forest"]


@pytest.fixture(scope="module")
def survey(shared_data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    frame = pd.read_csv(shared_data / "opt-landuse-panama" / "farm_survey.csv")
    mean = frame.pivot(index="landUse", columns="indicator", values="indicatorValue").loc[USES]
    error = frame.pivot(index="landUse", columns="indicator", values="indicatorUncertainty").loc[USES]
    more = frame.drop_duplicates("indicator").set_index("indicator")["direction"].loc[mean.columns] == "more is better"
    assert mean.shape == (6, 10) and not more.all()
    return mean.to_numpy(), error.to_numpy(), more.to_numpy()


@pytest.mark.parametrize(
    ("deviations", "beta", "shares"),
    [
        (0.0, 0.539529, [0.1297, 0.0, 0.0, 0.4586, 0.0, 0.4117]),
        (1.0, 0.574510, [0.0709, 0.0, 0.0, 0.5190, 0.0, 0.4101]),
        (2.0, 0.613120, [0.0, 0.0, 0.0, 0.5981, 0.0153, 0.3867]),
        (3.0, 0.647294, [0.0102, 0.0956, 0.0, 0.4483, 0.1025, 0.3433]),
    ],
)
def test_the_robust_portfolio_is_the_one_listed(
    survey: tuple[np.ndarray, np.ndarray, np.ndarray], deviations: float, beta: float, shares: list[float]
) -> None:
    found = robust_portfolio(*survey, deviations=deviations)
    assert found.beta == pytest.approx(beta, abs=1e-6)
    assert found.shares == pytest.approx(shares, abs=1e-3)
    assert worst_shortfall(found.shares / found.shares.sum(), *survey, deviations=deviations) == pytest.approx(beta, abs=1e-6)


def test_two_deviations_give_the_published_0_6131(survey: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    assert round(robust_portfolio(*survey, deviations=2.0).beta, 4) == 0.6131


def test_the_observed_composition_falls_short_by_the_published_0_9114(survey: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    observed = [0.26, 0.59, 0.0, 0.0, 0.01, 0.14]
    assert round(worst_shortfall(np.array(observed), *survey, deviations=2.0), 4) == 0.9114
    held = robust_portfolio(*survey, deviations=2.0, least=np.array(observed), most=np.array(observed))
    assert held.beta == pytest.approx(0.911383, abs=1e-5)


def test_the_optimum_is_no_worse_than_any_of_many_drawn_shares(survey: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    short = normalised_shortfalls(*survey, deviations=2.0)
    assert short.shape == (10 * 64, 6) and short.min() == 0.0 and short.max() == 1.0
    drawn = np.random.default_rng(0).dirichlet(np.full(6, 0.5), 20_000)
    assert (drawn @ short.T).max(axis=1).min() >= robust_portfolio(*survey, deviations=2.0).beta


def test_bad_numbers_and_shares_are_refused() -> None:
    mean, error, more = np.ones((2, 1)), np.zeros((2, 1)), np.ones(1, bool)
    with pytest.raises(SchemaError, match=r"\[\[1, 0\]\]"):
        robust_portfolio(np.array([[1.0], [np.nan]]), error, more)
    with pytest.raises(SchemaError, match="negative errors"):
        robust_portfolio(mean, error - 1.0, more)
    with pytest.raises(SchemaError, match="sum to 1"):
        worst_shortfall(np.array([0.5, 0.4]), mean, error, more)
    with pytest.raises(SchemaError, match="cannot sum"):
        robust_portfolio(mean, error, more, most=np.array([0.3, 0.3]))
