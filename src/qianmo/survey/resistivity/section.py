"""A section of resistivity and the bodies that stand out in it (电阻率断面与异常)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from qianmo.schema.errors import SchemaError

__all__ = ["ResistivityBody", "ResistivitySection", "resistivity_bodies"]


@dataclass(frozen=True, eq=False)
class ResistivitySection:
    """Resistivity of cells along a line and with depth (电阻率断面).

    Attributes
    ----------
    edges_x_m : ndarray (nx + 1,)
        Along the line.
    edges_depth_m : ndarray (nz + 1,)
        Below the ground, from 0 down.
    resistivity_ohm_m, sensitivity, sigma : ndarray (nz, nx)
        Resistivity, what the data know of a cell (any scale), standard error of the log resistivity.
    reduced_chi2 : float
    """

    edges_x_m: np.ndarray
    edges_depth_m: np.ndarray
    resistivity_ohm_m: np.ndarray
    sensitivity: np.ndarray
    sigma: np.ndarray
    reduced_chi2: float


@dataclass(frozen=True)
class ResistivityBody:
    """A body in a section (电阻率异常).

    Attributes
    ----------
    kind : {"low", "high"}
        Low: water or clay; high: air or rubble.
    from_m, to_m, top_m, bottom_m : float
        Box of its half-height contour.
    depth_m, sigma_m : float
        Middle, weighted by contrast and sensitivity (below the body a smooth inversion smears into what the data do not know), and its standard error: that of a middle known to lie evenly in the half-height contour.
    ratio : float
        Strongest resistivity over the background.
    confidence : float
        0 to 1.
    """

    kind: str
    from_m: float
    to_m: float
    top_m: float
    bottom_m: float
    depth_m: float
    sigma_m: float
    ratio: float
    confidence: float


def resistivity_bodies(section: ResistivitySection, *, least_ratio: float, sure_ratio: float, least_sensitivity: float, lobe_share: float) -> list[ResistivityBody]:
    """Bodies whose resistivity stands out from that of their depth, the strongest first (异常圈定).

    The background of a depth is the median along the line, smoothed over depth. A smooth inversion shows less than the true contrast, so a body is
    bounded at half its own height, and confidence is ln(ratio)/ln(sure ratio), at most 1, less where the fit is poor.

    Parameters
    ----------
    least_ratio : float
        Ratio to the background, above 1, from which a body counts (either way).
    sure_ratio : float
        Ratio of full confidence.
    least_sensitivity : float
        Share of the largest sensitivity below which cells are not judged.

    lobe_share : float
        A body of the other kind above or below a stronger one, with less than this share of its log contrast, is taken for a side lobe of the smooth
        inversion and left out: the data cannot tell it from one.

    Raises
    ------
    SchemaError
        Ratios not above 1 or out of order.
    """
    if not 1.0 < least_ratio <= sure_ratio:
        raise SchemaError(f"异常比 {least_ratio:g}, {sure_ratio:g}", expected="1 < 圈定比 ≤ 可信比")
    height = np.log(section.resistivity_ohm_m)
    seen = section.sensitivity >= least_sensitivity * section.sensitivity.max()
    height = height - _background(height, seen)
    z = (section.edges_depth_m[1:] + section.edges_depth_m[:-1]) / 2
    area = np.outer(np.diff(section.edges_depth_m), np.diff(section.edges_x_m))
    found: list[tuple[str, ResistivityBody, tuple[int, int]]] = []
    for kind, sign in (("low", -1.0), ("high", 1.0)):
        parts, count = label((sign * height >= np.log(least_ratio)) & seen)
        for k in range(1, count + 1):
            peak = float((sign * height)[parts == k].max())
            half, _ = label((sign * height >= peak / 2) & seen)
            row, column = (int(v[0]) for v in np.nonzero((parts == k) & (sign * height == peak)))
            rows, columns = np.nonzero(half == half[row, column])
            if len(rows) < 4 or any(f[0] == kind and f[-1] == (row, column) for f in found):
                continue
            weight = (sign * height * area * section.sensitivity)[rows, columns]
            depth = float((weight * z[rows]).sum() / weight.sum())
            top, bottom = float(section.edges_depth_m[rows.min()]), float(section.edges_depth_m[rows.max() + 1])
            sure = min(peak / np.log(sure_ratio), 1.0) / max(section.reduced_chi2, 1.0)
            body = ResistivityBody(kind, float(section.edges_x_m[columns.min()]), float(section.edges_x_m[columns.max() + 1]), top, bottom, depth,
                                   float((bottom - top) / np.sqrt(12.0)), float(np.exp(sign * peak)), float(sure))  # fmt: skip
            found.append((kind, body, (row, column)))
    strong = sorted((f[1] for f in found), key=lambda b: -abs(np.log(b.ratio)))
    return [b for k, b in enumerate(strong) if not any(_lobe(b, s, lobe_share) for s in strong[:k])]


def _lobe(body: ResistivityBody, strong: ResistivityBody, share: float) -> bool:
    shared = min(body.to_m, strong.to_m) - max(body.from_m, strong.from_m)
    return body.kind != strong.kind and shared > 0.5 * (body.to_m - body.from_m) and abs(np.log(body.ratio)) < share * abs(np.log(strong.ratio))


def _background(height: np.ndarray, seen: np.ndarray) -> np.ndarray:
    rows = np.array([np.median(h[s]) if s.sum() >= 5 else np.nan for h, s in zip(height, seen)])
    known = np.flatnonzero(np.isfinite(rows))
    if not len(known):
        raise SchemaError("断面没有足够灵敏的单元", expected="每层至少 5 个单元")
    rows = np.interp(np.arange(len(rows)), known, rows[known])
    padded = np.pad(rows, 2, mode="edge")
    return np.median(np.stack([padded[k : k + len(rows)] for k in range(5)]), axis=0)[:, None]
