"""Invented stacks with known truth: bowl, turbulence, height error, decorrelation (模拟干涉数据)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from qianmo.survey.insar.network import Network, make_network

__all__ = ["SimulatedStack", "simulate_stack", "turbulence"]


@dataclass(frozen=True)
class SimulatedStack:
    """A stack and the truth behind it (模拟堆栈).

    `unwrapped` (p, n) [rad]; `coherence` (p, n); `rate_mm_yr` and `height_error_m` (n,); `baselines_m` (d,); `shape` rows and columns.
    """

    network: Network
    unwrapped: np.ndarray
    coherence: np.ndarray
    rate_mm_yr: np.ndarray
    height_error_m: np.ndarray
    baselines_m: np.ndarray
    shape: tuple[int, int]


def turbulence(shape: tuple[int, int], *, rng: np.random.Generator, power: float = 8.0 / 3.0) -> np.ndarray:
    """A field of turbulent delay with unit standard deviation: white noise shaped by |k|^(−power/2) (湍流场)."""
    rows, columns = shape
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(rows), np.fft.fftfreq(columns), indexing="ij"))
    k[0, 0] = np.inf
    field = np.real(np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * k ** (-power / 2)))
    return field / field.std()


def simulate_stack(
    shape: tuple[int, int], *, rng: np.random.Generator, dates: int = 60, repeat_days: int = 12, steps: Sequence[int] = (1, 2, 3), bowl_mm_yr: float = 60.0,
    turbulence_mm: float = 4.0, height_error_m: float = 5.0, baseline_m: float = 60.0, looks: float = 20.0, wavelength_m: float = 0.055466,
    slant_range_m: float = 850_000.0, incidence_deg: float = 39.0,
) -> SimulatedStack:
    """A small-baseline stack over a sinking bowl (模拟堆栈): motion is towards the satellite, so the bowl is negative.

    Parameters
    ----------
    shape : (rows, columns)
    rng : Generator
    dates, repeat_days, steps : int, int, sequence of int
        Dates, days between them, and how many dates the pairs span.
    bowl_mm_yr, turbulence_mm, height_error_m, baseline_m : float
        Deepest rate; standard deviation of the delay of a date; of the height error; of the baselines.
    looks : float
        Independent looks: with the coherence they set the noise of a pair.
    """  # fmt: skip
    rows, columns = shape
    days = [date(2022, 1, 3) + timedelta(repeat_days * k) for k in range(dates)]
    network = make_network([(days[k], days[k + m]) for m in steps for k in range(dates - m)])
    y, x = np.mgrid[0:rows, 0:columns]
    rate = -bowl_mm_yr * np.exp(-(((x - columns / 2) / (columns / 7)) ** 2 + ((y - rows / 2) / (rows / 7)) ** 2) / 2).ravel()
    height = height_error_m * turbulence(shape, rng=rng, power=2.0).ravel()
    baselines = np.concatenate([[0.0], rng.normal(0, baseline_m, dates - 1)])
    t = network.days / 365.25
    air = np.stack([turbulence_mm * turbulence(shape, rng=rng).ravel() for _ in range(dates)])
    per_height = -baselines * 1000.0 / (slant_range_m * np.sin(np.radians(incidence_deg)))
    moved = t[:, None] * rate + per_height[:, None] * height + air
    to_phase = -4.0 * np.pi / (wavelength_m * 1000.0)
    base = np.clip(0.75 + 0.15 * turbulence(shape, rng=rng, power=2.0).ravel(), 0.15, 0.98)
    span = (network.second - network.first)[:, None]
    coherence = np.clip(base**span**0.5, 0.05, 0.98)
    noise = rng.normal(size=coherence.shape) * np.sqrt((1 - coherence**2) / (2 * looks * coherence**2))
    unwrapped = (moved[network.second] - moved[network.first]) * to_phase + noise
    return SimulatedStack(network, unwrapped.astype(np.float32), coherence.astype(np.float32), rate, height, baselines, shape)
