"""From a migrated section to bodies with depth, width and uncertainty (雷达异常提取)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_closing, gaussian_filter, label, uniform_filter1d
from scipy.special import erf

from qianmo.schema.errors import SchemaError
from qianmo.survey.radar.process import envelope

__all__ = ["RadarBody", "pick_depth", "radar_bodies"]


@dataclass(frozen=True)
class RadarBody:
    """A body seen in a migrated section (雷达异常): span along the line, depth of its top with standard error [m], confidence 0 to 1."""

    from_m: float
    to_m: float
    depth_m: float
    sigma_m: float
    contrast: float
    confidence: float


def pick_depth(two_way_ns: float, *, velocity_m_ns: float, sigma_velocity_m_ns: float, sigma_ns: float) -> tuple[float, float]:
    """Depth v·t/2 and its standard error from those of velocity and time [m] (拾取深度与中误差).

    Raises
    ------
    SchemaError
        Time or velocity are not above 0 or out of range, or an error is negative.
    """
    if not (np.isfinite(two_way_ns) and two_way_ns > 0 and 0.01 <= velocity_m_ns <= 0.3):
        raise SchemaError(f"双程走时 {two_way_ns} ns, 波速 {velocity_m_ns} m/ns", expected="走时大于 0, 波速 0.01 至 0.3 m/ns", cure="核对时间零点与单位; 深度不能为负")
    if not (sigma_velocity_m_ns >= 0 and sigma_ns >= 0):
        raise SchemaError(f"中误差 {sigma_velocity_m_ns}, {sigma_ns}", expected="不小于 0")
    depth = velocity_m_ns * two_way_ns / 2.0
    return depth, float(depth * np.hypot(sigma_velocity_m_ns / velocity_m_ns, sigma_ns / two_way_ns))


def radar_bodies(
    image: np.ndarray, *, sample_ns: float, position_m: np.ndarray, velocity_m_ns: float, sigma_velocity_m_ns: float, sigma_ns: float, least_contrast: float,
    antenna_mhz: float, from_ns: float = 0.0,
) -> list[RadarBody]:  # fmt: skip
    """Bodies whose migrated envelope stands out from its depth, the strongest first (异常体).

    The envelope is compared with the median of its depth and the noise around that depth (1.4826·median absolute deviation,
    over an eighth of the record); contrast is the peak in units of that noise. Confidence is the share of a normal distribution within (contrast − limit)/limit.

    Parameters
    ----------
    image : ndarray (sample, trace)
        Migrated, row k at time k·sample_ns.
    least_contrast : float
        Peaks below are noise, in units of the noise.
    antenna_mhz : float
        Sets how far apart two peaks must be to be two bodies: half a wavelength.
    """
    step = float(np.median(np.diff(position_m)))
    size = gaussian_filter(envelope(image), (0.15e3 / antenna_mhz / sample_ns, 0.5))
    over = size - np.median(size, axis=1, keepdims=True)
    noise = uniform_filter1d(1.4826 * np.median(np.abs(over), axis=1), max(image.shape[0] // 8, 3) | 1, mode="nearest")
    if not (noise > 0).all():
        raise SchemaError("偏移剖面没有变化", expected="处理后的剖面", cure="核对去背景与增益")
    contrast = over / noise[:, None]
    contrast[: int(from_ns / sample_ns)] = 0.0
    across = max(round(0.25 * velocity_m_ns * 1e3 / antenna_mhz / step), 1)
    parts, count = label(binary_closing(contrast >= least_contrast, np.ones((3, 2 * across + 1))))
    found = []
    for k in range(1, count + 1):
        rows, columns = np.nonzero(parts == k)
        values = contrast[rows, columns]
        peak = float(values.max())
        if peak < least_contrast or len(rows) < 4:
            continue
        strong = values >= 0.5 * peak
        span = columns[strong]
        near = rows[strong]
        # depth of the top: amplitude-weighted middle of the first lobe
        top = np.array([near[span == c][values[strong][span == c].argmax()] for c in np.unique(span)])
        depth, sigma = pick_depth(float(np.median(top)) * sample_ns, velocity_m_ns=velocity_m_ns, sigma_velocity_m_ns=sigma_velocity_m_ns, sigma_ns=sigma_ns)
        sure = float(erf((peak - least_contrast) / least_contrast / np.sqrt(2)))
        found.append(RadarBody(float(position_m[span.min()]), float(position_m[span.max()]), depth, sigma, peak, sure))
    return sorted(found, key=lambda b: -b.contrast)
