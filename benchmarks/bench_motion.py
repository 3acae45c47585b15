"""Weighted inversion of 100 dates and 390 pairs: the compiled one, and SciPy's least squares pixel by pixel."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from measure import Way
from scipy.linalg import lstsq

from qianmo.survey.insar.inversion import coherence_weights, invert
from qianmo.survey.insar.network import Network, design_matrix, make_network

__all__ = ["by_house", "by_lstsq", "stack", "ways"]

_DENSE = 200


def stack(pixels: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """Network, phases and weights (p, n) with a tenth of the pairs missing in a fifth of the pixels."""
    rng = np.random.default_rng(3)
    days = [date(2021, 1, 3) + timedelta(12 * k) for k in range(100)]
    network = make_network([(days[k], days[k + m]) for m in (1, 2, 3, 4) for k in range(100 - m)])
    truth = np.cumsum(rng.normal(0, 0.3, (100, pixels)), axis=0).astype(np.float32)
    phase = truth[network.second] - truth[network.first] + rng.normal(0, 0.2, (390, pixels)).astype(np.float32)
    phase[:, ::5][rng.random(phase[:, ::5].shape) < 0.1] = np.nan
    return network, phase, coherence_weights(rng.uniform(0.3, 0.95, phase.shape).astype(np.float32), looks=20.0)


def by_house(given: tuple[Network, np.ndarray, np.ndarray]) -> float:
    """Root mean square of all phases by date, temporal coherence included in the work."""
    network, phase, weight = given
    found = invert(phase, network, weights=weight).phase_rad
    return float(np.sqrt(np.nanmean(found.astype(float) ** 2)))


def by_lstsq(given: tuple[Network, np.ndarray, np.ndarray]) -> float:
    """The same by one dense least squares a pixel."""
    network, phase, weight = given
    design, total = design_matrix(network), 0.0
    for k in range(phase.shape[1]):
        there = np.isfinite(phase[:, k])
        root = np.sqrt(weight[there, k].astype(float))
        found = lstsq(design[there] * root[:, None], phase[there, k] * root)[0]
        total += float((found**2).sum())
    return float(np.sqrt(total / (100 * phase.shape[1])))


def ways(size: int, cache: Path) -> list[Way]:
    """The compiled inversion on as many pixels as asked for, and both on 200."""
    few, many = stack(min(size, _DENSE)), stack(size)
    warm = partial(by_house, few)
    return [
        Way("motion", "invert", few[1].shape[1], partial(by_house, few), warm, tolerance=1e-6),
        Way("motion", "SciPy lstsq", few[1].shape[1], partial(by_lstsq, few), tolerance=1e-6),
        Way("motion", "invert", size, partial(by_house, many), warm, tolerance=1e-6),
    ]
