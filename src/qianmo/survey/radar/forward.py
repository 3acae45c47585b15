"""A made radar section over known bodies: what the processing must give back (雷达正演)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["Body", "radar_section", "ricker"]


@dataclass(frozen=True)
class Body:
    """A body in the ground (异常体): its roof lies flat at `depth_m` around `at_m`, `wide_m` long; 0 is a point. `strength` is the largest amplitude of its echo."""

    at_m: float
    depth_m: float
    wide_m: float = 0.0
    strength: float = 1.0


def ricker(t_ns: np.ndarray, *, centre_mhz: float) -> np.ndarray:
    """Ricker wavelet, 1 at time 0 (雷克子波)."""
    a = (np.pi * centre_mhz * 1e-3 * t_ns) ** 2
    return (1.0 - 2.0 * a) * np.exp(-a)


def radar_section(
    position_m: np.ndarray, samples: int, *, sample_ns: float, velocity_m_ns: float, centre_mhz: float, bodies: Sequence[Body], zero_ns: float = 0.0,
    direct: float = 0.0, ringing: float = 0.0, drift: float = 0.0, loss_per_m: float = 0.0, noise: float = 0.0, rng: np.random.Generator | None = None,
) -> np.ndarray:  # fmt: skip
    """Zero-offset section over bodies as sums of diffractions (正演剖面).

    Parameters
    ----------
    position_m : ndarray (trace,)
    samples : int
    sample_ns, velocity_m_ns, centre_mhz : float
    bodies : sequence of Body
        A roof is a row of scatterers a tenth of a wavelength apart; each answers at t = 2·√((x−x₀)²+d²)/v the
        farther along the roof, the weaker by spreading, loss and the cosine of the angle.
    zero_ns : float
        Time of the direct wave: time zero of the ground [ns].
    direct, ringing, drift : float
        Amplitude of the direct wave, of bands alike in all traces, and of a slow drift, in the units of `strength`.
    noise : float
        Standard deviation of white noise in the units of `strength`; needs `rng`.

    Returns
    -------
    ndarray (sample, trace)

    Raises
    ------
    SchemaError
        A depth or a velocity is not above 0, or noise without a generator.
    """
    if not velocity_m_ns > 0 or any(not b.depth_m > 0 for b in bodies) or (noise > 0 and rng is None):
        raise SchemaError("正演参数: 深度与波速须大于 0, 有噪声时须给出随机数发生器", expected="深度为正数 (米), 地面以下")
    x = np.asarray(position_m, dtype=float)
    t = np.arange(samples) * sample_ns
    echo = np.zeros((samples, len(x)))
    spacing = 0.1 * velocity_m_ns / (centre_mhz * 1e-3)
    for b in bodies:
        own = np.zeros_like(echo)
        points = np.linspace(b.at_m - b.wide_m / 2, b.at_m + b.wide_m / 2, max(int(b.wide_m / spacing), 1) if b.wide_m else 1)
        for at in points:
            far = np.hypot(x - at, b.depth_m)
            size = np.exp(-2.0 * loss_per_m * far) / np.sqrt(far) * (b.depth_m / far)
            own += size * ricker(t[:, None] - zero_ns - 2.0 * far / velocity_m_ns, centre_mhz=centre_mhz)
        echo += b.strength / max(float(np.abs(own).max()), 1e-300) * own
    first = direct * ricker(t - zero_ns, centre_mhz=centre_mhz)
    bands = ringing * np.sin(2 * np.pi * centre_mhz * 0.7e-3 * t) * np.exp(-t / (0.4 * t[-1]))
    slow = drift * np.exp(-t / (0.3 * t[-1]))
    made = echo + (first + bands + slow)[:, None]
    return made if rng is None else made + noise * rng.standard_normal(made.shape)
