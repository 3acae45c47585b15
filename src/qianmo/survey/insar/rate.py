"""Rates, their standard errors, height errors and breaks of trend from a series of phases (形变速率)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.insar.network import Network, design_matrix

__all__ = ["Rate", "TrendBreak", "displacement_mm", "fit_rate", "height_error_mm", "rate_functional", "trend_break"]

_DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Rate:
    """Rate of n pixels (速率).

    Attributes
    ----------
    rate_mm_yr, sigma_mm_yr : ndarray (n,)
        Rate towards the satellite and its standard error; nan where the series is not determined.
    interval_mm_yr : ndarray (n,)
        Half width of the interval that holds the rate with the wanted chance (Student's t).
    height_error_m : ndarray (n,) or None
        Error of the height model, where baselines were given.
    scatter_mm : ndarray (n,)
        Standard deviation of the series about the fit.
    """

    rate_mm_yr: np.ndarray
    sigma_mm_yr: np.ndarray
    interval_mm_yr: np.ndarray
    height_error_m: np.ndarray | None
    scatter_mm: np.ndarray


@dataclass(frozen=True)
class TrendBreak:
    """The best single break of trend of n pixels (趋势转折): index of the date, rates before and after, and its p-value."""

    date_index: np.ndarray
    before_mm_yr: np.ndarray
    after_mm_yr: np.ndarray
    p_value: np.ndarray


def displacement_mm(phase_rad: np.ndarray, wavelength_m: float) -> np.ndarray:
    """Displacement towards the satellite, −λ/4π·phase [mm] (视线向形变), same shape.

    Raises
    ------
    SchemaError
        A wavelength outside 0.01 to 1 m: probably given in cm or mm.
    """
    if not 0.01 <= wavelength_m <= 1.0:
        raise SchemaError(f"波长 {wavelength_m} m", expected="0.01 至 1 m (C 波段约 0.0555 m)", cure="波长以米为单位")
    return -np.asarray(phase_rad) * (wavelength_m / (4.0 * np.pi) * 1000.0)


def rate_functional(
    days: np.ndarray, *, baselines_m: np.ndarray | None = None, slant_range_m: float = 0.0, incidence_deg: float = 0.0
) -> np.ndarray:
    """Coefficients (d,) whose product with a series is its rate a year (速率的线性泛函); see `fit_rate` for the inputs."""
    return np.linalg.pinv(_design(days, baselines_m, slant_range_m, incidence_deg))[1]


def fit_rate(
    series_mm: np.ndarray, days: np.ndarray, *, baselines_m: np.ndarray | None = None, slant_range_m: float = 0.0, incidence_deg: float = 0.0, chance: float = 0.68,
    pair_sigma_mm_yr: np.ndarray | None = None, network: Network | None = None,
) -> Rate:
    """Linear rate, and height error where baselines are known, by least squares (线性速率与高程误差).

    Parameters
    ----------
    series_mm : ndarray (d, n)
        Displacement towards the satellite at each date [mm].
    days : ndarray (d,)
        Days since the first date, rising.
    baselines_m : ndarray (d,), optional
        Perpendicular baseline of each date against the first [m]; gives the term of a height error Δz:
        displacement = −B⊥·Δz/(R·sin θ).
    slant_range_m, incidence_deg : float
        R and θ, needed with baselines.
    chance : float
        Chance of the interval, above 0, below 1.
    pair_sigma_mm_yr : ndarray (n,), optional
        Standard error of the rate from the noise of the pairs, of `inversion.invert` with `rate_functional`; with `network`.
    network : Network, optional
        The pairs behind the series.

    Raises
    ------
    SchemaError
        Shapes, days or chance that do not fit; baselines without range and incidence, or in step with time.
    MissingDataError
        Fewer dates than unknowns plus two.

    Notes
    -----
    Two noises make the error. The atmosphere differs from date to date and shows in the scatter about the fit. The noise of
    the pairs adds up along the chain of dates, like a walk, and shows little in the scatter but moves the rate: it is propagated
    through the network. Without `pair_sigma_mm_yr` only the first is known and the interval is too narrow where coherence is low.
    The part of the scatter that the pairs explain (by the network with equal weights) is taken off before the two are added.
    """  # fmt: skip
    y, t = np.asarray(series_mm, dtype=float), np.asarray(days, dtype=float)
    if y.ndim != 2 or t.shape != (y.shape[0],) or not (np.diff(t) > 0).all() or not 0 < chance < 1:
        raise SchemaError(f"时序 {y.shape}, 日期 {t.shape}, 置信水平 {chance}", expected="(日期, 像元) 与递增的天数; 0-1 之间的置信水平")
    if (pair_sigma_mm_yr is None) != (network is None):
        raise SchemaError("干涉对噪声与网络须同时给出", expected="pair_sigma_mm_yr 与 network")
    design = _design(t, baselines_m, slant_range_m, incidence_deg)
    free = len(t) - design.shape[1]
    back = np.linalg.pinv(design)
    found = back @ y
    variance = ((y - design @ found) ** 2).sum(axis=0) / free
    pairs = np.zeros(y.shape[1]) if pair_sigma_mm_yr is None else np.asarray(pair_sigma_mm_yr, dtype=float) ** 2
    air = variance if network is None else np.maximum(variance - pairs * _scatter_of_pairs(network, design, back), 0.0)
    sigma = np.sqrt(air * np.linalg.inv(design.T @ design)[1, 1] + pairs)
    return Rate(found[1], sigma, sigma * stats.t.ppf(0.5 + chance / 2, free), found[2] if len(found) > 2 else None, np.sqrt(variance))


def height_error_mm(height_error_m: np.ndarray, *, baselines_m: np.ndarray, slant_range_m: float, incidence_deg: float) -> np.ndarray:
    """Displacement (d, n) [mm] that an error of the height model feigns at each date, −B⊥·Δz/(R·sin θ) (高程误差假形变)."""
    per_height = -np.asarray(baselines_m, dtype=float) * 1000.0 / (slant_range_m * np.sin(np.radians(incidence_deg)))
    return per_height[:, None] * np.asarray(height_error_m, dtype=float)


def _design(days: np.ndarray, baselines_m: np.ndarray | None, slant_range_m: float, incidence_deg: float) -> np.ndarray:
    t = np.asarray(days, dtype=float)
    columns = [np.ones_like(t), t / _DAYS_A_YEAR]
    if baselines_m is not None:
        b = np.asarray(baselines_m, dtype=float)
        if b.shape != t.shape or not (slant_range_m > 0 and 0 < incidence_deg < 90):
            raise SchemaError(f"基线 {b.shape}, 斜距 {slant_range_m}, 入射角 {incidence_deg}", expected="每个日期一个基线, 斜距 (米) 大于 0, 入射角 0-90 度")
        columns.append(height_error_mm(np.ones(1), baselines_m=b, slant_range_m=slant_range_m, incidence_deg=incidence_deg)[:, 0])
    design = np.column_stack(columns)
    if len(t) - design.shape[1] < 2:
        raise MissingDataError(f"{len(t)} 期数据", expected=f"至少 {design.shape[1] + 2} 期", cure="补充干涉对")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise SchemaError("基线随时间线性变化, 高程误差与速率无法分开", expected="基线与时间不成比例", cure="不估计高程误差, 或补充干涉影像")
    return design


def _scatter_of_pairs(network: Network, design: np.ndarray, back: np.ndarray) -> float:
    """Variance about the fit that pair noise makes, over the variance it gives the rate, for equal weights."""
    a = design_matrix(network)
    covariance = np.zeros((len(design), len(design)))
    covariance[1:, 1:] = np.linalg.inv(a.T @ a)
    left = np.eye(len(design)) - design @ back
    scatter = float(np.trace(left @ covariance @ left.T)) / (len(design) - design.shape[1])
    return scatter / float(back[1] @ covariance @ back[1])


def trend_break(series_mm: np.ndarray, days: np.ndarray, *, margin: int = 4) -> TrendBreak:
    """The date at which a kink in the trend explains most, tested against a straight line (趋势转折检验).

    Parameters
    ----------
    series_mm : ndarray (d, n)
    days : ndarray (d,)
    margin : int
        Dates kept clear of a break at both ends, at least 2.

    Returns
    -------
    TrendBreak
        p-values are those of the F-test of the best date times the number of dates tried (Bonferroni), at most 1.

    Raises
    ------
    MissingDataError
        Fewer than 2·margin + 1 dates.
    """
    y, t = np.asarray(series_mm, dtype=float), np.asarray(days, dtype=float) / _DAYS_A_YEAR
    tries = range(margin, len(t) - margin)
    if margin < 2 or not len(tries):
        raise MissingDataError(f"{len(t)} 期数据, 两端各留 {margin} 期", expected="转折检验至少需要 2·margin + 1 期, margin 不小于 2")
    straight = np.column_stack([np.ones_like(t), t])
    back = np.linalg.pinv(straight)
    line = back @ y
    before = ((y - straight @ line) ** 2).sum(axis=0)
    # a hinge less its own straight line is one more column at right angles: what it explains is a product, not a fit
    hinge = np.maximum(t[:, None] - t[None, list(tries)], 0.0)
    share = back @ hinge
    across = hinge - straight @ share
    mass = (across**2).sum(axis=0)[:, None]
    found = (across.T @ y) / mass
    gain = np.where(np.isfinite(found), found**2 * mass, 0.0)
    at = gain.argmax(axis=0)
    kink = np.take_along_axis(found, at[None], axis=0)[0]
    slope = line[1] - share[1, at] * kink
    least = np.maximum(before - np.take_along_axis(gain, at[None], axis=0)[0], 0.0)
    date_index = (at + margin).astype(np.int32)
    free = len(t) - 4  # constant, slope, kink and the date itself
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = (before - least) / 2.0 / (least / free)
    p = np.where(np.isfinite(before), np.minimum(1.0, stats.f.sf(ratio, 2, free) * len(tries)), np.nan)
    return TrendBreak(date_index, slope, slope + kink, p)
