"""Stolt migration: diffractions gather where they came from (F-K 偏移)."""

from __future__ import annotations

import numpy as np
from scipy.fft import fft2, ifft2, next_fast_len

from qianmo.schema.errors import SchemaError

__all__ = ["migrated"]


def migrated(wave: np.ndarray, *, sample_ns: float, step_m: float, velocity_m_ns: float) -> np.ndarray:
    r"""Zero-offset section in time to its image in time 2z/v, for one velocity (斯托尔特偏移).

    Parameters
    ----------
    wave : ndarray (sample, trace)
        From time zero on, traces a constant step apart.
    sample_ns, step_m, velocity_m_ns : float
        Velocity of the ground, 0.01 to 0.3 [m/ns].

    Returns
    -------
    ndarray (sample, trace)
        Row k images depth v·k·sample_ns/2.

    Raises
    ------
    SchemaError
        Velocity or step are out of range.

    Notes
    -----
    Exploding reflectors with half the velocity :math:`c = v/2` [1]_: the spectrum at :math:`(k_x, k_z)` is taken from
    :math:`\omega = c\,\mathrm{sgn}(k_z)\sqrt{k_x^2 + k_z^2}` with the factor :math:`|k_z|/\sqrt{k_x^2+k_z^2}`. Padding to four times the record keeps the linear
    interpolation over :math:`\omega` harmless and what leaves one end from coming in at the other.

    References
    ----------
    .. [1] R. H. Stolt, Migration by Fourier transform, Geophysics, vol. 43, pp. 23-48, 1978.
    """
    if not (0.01 <= velocity_m_ns <= 0.3 and step_m > 0 and sample_ns > 0):
        raise SchemaError(f"波速 {velocity_m_ns:g} m/ns, 道间距 {step_m:g} m", expected="0.01 至 0.3 m/ns, 道间距大于 0")
    samples, traces = wave.shape
    tall, wide = next_fast_len(4 * samples), next_fast_len(2 * traces)
    half = velocity_m_ns / 2.0
    spectrum = fft2(wave / np.sinc(np.arange(samples) / tall)[:, None] ** 2, (tall, wide))  # what the linear interpolation takes away
    omega = 2.0 * np.pi * np.fft.fftfreq(tall, sample_ns)  # rad/ns; kz·c on the same axis
    across = half * 2.0 * np.pi * np.fft.fftfreq(wide, step_m)
    root = np.hypot(omega[:, None], across[None, :])
    at = np.sign(omega)[:, None] * root * tall * sample_ns / (2.0 * np.pi)
    whole = np.floor(at).astype(np.int64)
    part = at - whole
    inside = np.abs(at) < tall // 2 - 1
    column = np.broadcast_to(np.arange(wide), at.shape)
    taken = (1.0 - part) * spectrum[whole % tall, column] + part * spectrum[(whole + 1) % tall, column]
    with np.errstate(invalid="ignore"):
        factor = np.where(root > 0, np.abs(omega)[:, None] / root, 0.0)
    return ifft2(np.where(inside, taken * factor, 0.0)).real[:samples, :traces]
