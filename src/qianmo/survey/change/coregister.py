"""How far two images lie apart, to a fraction of a pixel (配准检查)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import fft2, ifft2

from qianmo.schema.errors import CrsError, SchemaError

__all__ = ["Shift", "check_shift", "image_shift"]

_FINE = 100
"""Steps of the fine search in one pixel."""

_CLEAR = 3.0
"""A peak of the correlation must stand this many times above the highest of the rest to be believed."""


@dataclass(frozen=True)
class Shift:
    """Displacement of the later image against the earlier one [pixel] (偏移量).

    Attributes
    ----------
    row, column : float
        The later image shows at (r + row, c + column) what the earlier shows at (r, c); nan where `is_clear` is false.
    prominence : float
        Height of the peak over the highest value away from it, from 1.
    """

    row: float
    column: float
    prominence: float

    @property
    def is_clear(self) -> bool:
        """True when the images have enough in common to tell."""
        return self.prominence >= _CLEAR

    @property
    def length(self) -> float:
        """Distance [pixel]; nan where not clear."""
        return float(np.hypot(self.row, self.column))


def image_shift(before: np.ndarray, after: np.ndarray, *, reach: int = 16) -> Shift:
    """Shift between two images by phase correlation, refined by a local Fourier sum (相位相关, 亚像元).

    Parameters
    ----------
    before, after : ndarray (bands, y, x)
        The same bands; different gain and offset do not matter. nan = no data, taken as the mean of the band.
    reach : int
        Largest shift looked for [pixel].

    Returns
    -------
    Shift
        Within 0.05 pixel where the images differ by a shift and little else.

    Raises
    ------
    SchemaError
        Images that differ in shape, or are smaller than twice the reach.

    References
    ----------
    .. [1] C. D. Kuglin and D. C. Hines, Proc. IEEE Conf. on Cybernetics and Society, pp. 163-165, 1975.
    .. [2] M. Guizar-Sicairos, S. T. Thurman and J. R. Fienup, Optics Letters, vol. 33, pp. 156-158, 2008.
    """
    a, b = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if a.ndim != 3 or a.shape != b.shape or min(a.shape[1:]) < 2 * reach:
        raise SchemaError(f"两期影像 {a.shape} 与 {b.shape}", expected=f"(波段, 行, 列) 且相同, 至少 {2 * reach} 行列")
    window = np.outer(np.hanning(a.shape[1]), np.hanning(a.shape[2]))
    cross = np.zeros(a.shape[1:], complex)
    for one, other in zip(a, b):
        product = np.conj(fft2(_flat(one) * window)) * fft2(_flat(other) * window)
        cross += product / np.maximum(np.abs(product), max(1e-12 * float(np.abs(product).max()), 1e-200))
    cross *= _low_pass(cross.shape)
    heights = np.real(ifft2(cross))
    rows, columns = np.arange(-reach, reach + 1), np.arange(-reach, reach + 1)
    near = heights[np.ix_(rows, columns)]
    r, c = np.unravel_index(int(np.argmax(near)), near.shape)
    rest = near.copy()
    rest[max(0, r - 3) : r + 4, max(0, c - 3) : c + 4] = -np.inf
    prominence = float(near[r, c] / max(float(rest.max()), 1e-300))
    if prominence < _CLEAR:
        return Shift(float("nan"), float("nan"), max(prominence, 0.0))
    row, column = _refined(cross, float(rows[r]), float(columns[c]))
    return Shift(row, column, prominence)


def check_shift(shift: Shift, *, most: float) -> None:
    """Refuse images that lie further apart than allowed (配准检查).

    Parameters
    ----------
    shift : Shift
        Of `image_shift`; one that is not clear passes, the caller says so.
    most : float
        Largest shift allowed [pixel].

    Raises
    ------
    CrsError
        The shift is larger; both components are named.
    """
    if shift.is_clear and shift.length > most:
        found = f"两期影像错开 {shift.length:.2f} 像元 (向下 {shift.row:+.2f}, 向右 {shift.column:+.2f})"
        raise CrsError(found, expected=f"不超过 {most:g} 像元", cure="先把后期影像配准到前期影像; 确认无误可放宽 --shift")


def _flat(band: np.ndarray) -> np.ndarray:
    """The band about its mean, gaps level."""
    filled = np.where(np.isfinite(band), band, np.nanmean(band) if np.isfinite(band).any() else 0.0)
    return filled - filled.mean()


def _low_pass(shape: tuple[int, ...]) -> np.ndarray:
    """Weight that lets waves longer than about three pixels through: noise and aliasing live in the shortest."""
    v, u = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :]
    return np.asarray(np.exp(-0.5 * (np.hypot(u, v) / 0.17) ** 2))


def _refined(cross: np.ndarray, row: float, column: float) -> tuple[float, float]:
    """Peak of the correlation summed directly on a grid of hundredths around a whole-pixel peak."""
    v, u = np.fft.fftfreq(cross.shape[0]), np.fft.fftfreq(cross.shape[1])
    for step, half in ((0.1, 12), (1.0 / _FINE, 12)):
        r, c = row + step * np.arange(-half, half + 1), column + step * np.arange(-half, half + 1)
        seen = np.real(np.exp(2j * np.pi * np.outer(r, v)) @ cross @ np.exp(2j * np.pi * np.outer(u, c)))
        i, j = np.unravel_index(int(np.argmax(seen)), seen.shape)
        row, column = float(r[i]), float(c[j])
    return row, column
