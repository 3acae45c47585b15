"""A radar profile from raw traces to velocity, image and bodies (雷达剖面解释)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.radar import RadarProfile
from qianmo.survey.radar.migrate import migrated
from qianmo.survey.radar.process import band_passed, dewowed, direct_wave_ns, from_zero, gained, without_background
from qianmo.survey.radar.section import RadarBody, radar_bodies
from qianmo.survey.radar.velocity import Apex, Hyperbola, find_apexes, fit_hyperbola, picked_times

__all__ = ["RadarReading", "ground_velocity", "interpreted", "processed"]


@dataclass(frozen=True)
class RadarReading:
    """What a radar profile says (雷达解释成果).

    Attributes
    ----------
    wave, image : ndarray (sample, trace)
        Processed section from time zero on, and its migrated image.
    zero_ns : float
        Time zero in the raw record.
    velocity_m_ns, sigma_velocity_m_ns : float
    hyperbolas : tuple of Hyperbola
        Those that fixed the velocity; empty where the default or a given velocity was taken.
    bodies : tuple of RadarBody
    position_m : ndarray (trace,)
        Even positions along the line.
    sample_ns : float
    """

    wave: np.ndarray
    image: np.ndarray
    zero_ns: float
    velocity_m_ns: float
    sigma_velocity_m_ns: float
    hyperbolas: tuple[Hyperbola, ...]
    bodies: tuple[RadarBody, ...]
    position_m: np.ndarray
    sample_ns: float


def interpreted(profile: RadarProfile, *, parameter: Callable[[str], float], antenna_mhz: float | None = None, velocity: tuple[float, float] | None = None,
                zero_ns: float | None = None) -> RadarReading:  # fmt: skip
    """Process, find the velocity, migrate and pick the bodies (全流程解释).

    Parameters
    ----------
    profile : RadarProfile
    parameter : function of str to float
        Values of the ``radar_*`` parameters.
    antenna_mhz : float, optional
        Where the file does not know it.
    velocity : (value, standard error), optional
        Velocity measured otherwise (borehole, common midpoint) [m/ns]; else from diffractions, else the default with its wide error.
    zero_ns : float, optional
        Time zero in the record; else the strongest envelope of the mean trace.

    Raises
    ------
    MissingDataError
        The frequency of the antenna is unknown.
    SchemaError
        Time zero cannot be found, or a value is out of range.
    """
    frequency = profile.antenna_mhz if np.isfinite(profile.antenna_mhz) else antenna_mhz
    if frequency is None or not 1.0 <= frequency <= 10_000.0:
        raise MissingDataError(f"{profile.name}: 天线主频 {frequency}", expected="1 至 10000 MHz", cure="给出天线主频 antenna_mhz")
    wave, zero, position = processed(profile, antenna_mhz=frequency, parameter=parameter, zero_ns=zero_ns)
    step = float(position[1] - position[0])
    period = 1e3 / frequency
    hyperbolas: tuple[Hyperbola, ...] = ()
    if velocity is None:
        velocity, hyperbolas = ground_velocity(wave, sample_ns=profile.sample_ns, position_m=position, period_ns=period, separation_m=profile.separation_m, parameter=parameter)
    image = migrated(wave, sample_ns=profile.sample_ns, step_m=step, velocity_m_ns=velocity[0])
    bodies = radar_bodies(
        image, sample_ns=profile.sample_ns, position_m=position, velocity_m_ns=velocity[0], sigma_velocity_m_ns=velocity[1],
        sigma_ns=parameter("radar_pick_share") * period, least_contrast=parameter("radar_least_contrast"), antenna_mhz=frequency, from_ns=1.5 * period,
    )  # fmt: skip
    return RadarReading(wave, image, zero, velocity[0], velocity[1], hyperbolas, tuple(bodies), position, profile.sample_ns)


def processed(profile: RadarProfile, *, antenna_mhz: float, parameter: Callable[[str], float], zero_ns: float | None = None) -> tuple[np.ndarray, float, np.ndarray]:
    """Dewow, time zero, background, band, gain, even spacing: (section, time zero [ns], positions [m]) (预处理).

    Raises
    ------
    SchemaError
        The record is too short for the antenna, or no direct wave stands in its first third.
    """
    dt, period = profile.sample_ns, 1e3 / antenna_mhz
    if profile.amplitude.shape[0] * dt < 4 * period or dt > period / 4:
        raise SchemaError(f"{profile.name}: 时窗 {profile.amplitude.shape[0] * dt:g} ns, 采样 {dt:g} ns, 天线 {antenna_mhz:g} MHz", expected="时窗至少 4 个周期, 每周期至少 4 个采样",
                          cure="核对时间单位 (ns 与 ps) 与天线主频")  # fmt: skip
    wave = dewowed(profile.amplitude, sample_ns=dt, window_ns=parameter("radar_dewow_periods") * period)
    zero = zero_ns if zero_ns is not None else direct_wave_ns(wave, sample_ns=dt, within_ns=profile.amplitude.shape[0] * dt / 3)
    wave = from_zero(wave, sample_ns=dt, zero_ns=zero)
    wave = band_passed(without_background(wave), sample_ns=dt, low_mhz=parameter("radar_low_share") * antenna_mhz,
                       high_mhz=min(parameter("radar_high_share") * antenna_mhz, 0.9 * 500.0 / dt))  # fmt: skip
    wave = gained(wave, sample_ns=dt, power=parameter("radar_gain_power"), decay_per_ns=parameter("radar_decay_per_ns"))
    wave, position = _even(wave, profile.position_m)
    return wave, zero, position


def ground_velocity(
    wave: np.ndarray, *, sample_ns: float, position_m: np.ndarray, period_ns: float, separation_m: float, parameter: Callable[[str], float]
) -> tuple[tuple[float, float], tuple[Hyperbola, ...]]:
    """Velocity and its standard error from the diffractions of a section; the default where there is none (波速).

    Several diffractions are weighted by their errors; where they scatter more than their errors say, the error grows with the scatter.
    """
    step = float(position_m[1] - position_m[0])
    low, high = parameter("radar_velocity_low"), parameter("radar_velocity_high")
    reach = min(parameter("radar_reach_m"), float(np.ptp(position_m)) / 3)
    apexes = find_apexes(wave, sample_ns=sample_ns, step_m=step, velocities_m_ns=np.arange(low, high + 0.0025, 0.005).tolist(), reach_m=reach,
                         least_semblance=parameter("radar_least_semblance"), from_ns=1.5 * period_ns)  # fmt: skip
    sigma = parameter("radar_pick_share") * period_ns
    fits = [f for f in (_fit(wave, a, sample_ns, position_m, reach, period_ns, separation_m, sigma) for a in apexes) if f and low <= f.velocity_m_ns <= high]
    if not fits:
        return (parameter("radar_velocity_default"), parameter("radar_velocity_default_sigma")), ()
    v, s = np.array([f.velocity_m_ns for f in fits]), np.array([f.sigma_velocity_m_ns for f in fits])
    weight = 1.0 / s**2
    mean = float((v * weight).sum() / weight.sum())
    scatter = float((((v - mean) / s) ** 2).sum() / max(len(v) - 1, 1)) if len(v) > 1 else 1.0
    return (mean, float(np.sqrt(max(scatter, 1.0) / weight.sum()))), tuple(fits)


def _fit(wave: np.ndarray, apex: Apex, sample_ns: float, position_m: np.ndarray, reach: float, period: float, apart: float, sigma: float) -> Hyperbola | None:
    x, t = picked_times(wave, apex, sample_ns=sample_ns, position_m=position_m, reach_m=reach, period_ns=period)
    try:
        return fit_hyperbola(x, t, sigma_ns=sigma, separation_m=apart)
    except MissingDataError:
        return None


def _even(wave: np.ndarray, position_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Traces interpolated to an even spacing, the median of the given one; as they are where they are even already."""
    step = float(np.median(np.diff(position_m)))
    if np.abs(np.diff(position_m) - step).max() < 1e-3 * step:
        return wave, position_m[0] + step * np.arange(len(position_m))
    even = np.arange(position_m[0], position_m[-1] + 1e-9, step)
    right = np.clip(np.searchsorted(position_m, even, side="right"), 1, len(position_m) - 1)
    part = (even - position_m[right - 1]) / (position_m[right] - position_m[right - 1])
    return (1.0 - part) * wave[:, right - 1] + part * wave[:, right], even
