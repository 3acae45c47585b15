"""Random inputs of scenarios, the same bits whatever the block or thread (随机抽样)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from qianmo.finance.risk.marginals import Marginal, quantiles, values_of_scores

__all__ = ["drawn_values", "values_at_chances"]

_NUMBERS_A_STEP = 4
"""Numbers that one step of the counter of Philox 4x64 gives."""

_HALF = 2.0**-54
"""Half a step of the uniform numbers: they are moved off 0, where a normal score is infinite."""


def drawn_values(marginals: Sequence[Marginal], factor: np.ndarray, seed: int, start: int, count: int) -> np.ndarray:
    """Inputs of scenarios `start` to `start + count` (抽样取值).

    Parameters
    ----------
    marginals : sequence of Marginal, k of them
    factor : array (k, k)
        From `correlation_factor`.
    seed : int
        Not negative, below 2**64.
    start, count : int
        Scenarios.

    Returns
    -------
    array (k, count)
        Scenario s depends on the seed and s alone: the counter of the generator is set from s.

    Notes
    -----
    Philox 4x64-10 of numpy; Gaussian copula: scores z = factor · normal numbers, then each input's quantile at Φ(z).

    References
    ----------
    .. [1] J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel random numbers: as easy as 1, 2, 3, SC11, 2011.
    """
    steps = -(-len(marginals) // _NUMBERS_A_STEP)
    generator = np.random.Generator(np.random.Philox(key=seed, counter=start * steps))
    uniform = generator.random((count, steps * _NUMBERS_A_STEP))[:, : len(marginals)].T
    return values_at_chances(marginals, factor, np.minimum(np.ascontiguousarray(uniform) + _HALF, 1.0 - 2 * _HALF))


def values_at_chances(marginals: Sequence[Marginal], factor: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Inputs at given independent uniform numbers (由均匀数取值).

    Parameters
    ----------
    marginals : sequence of Marginal, k of them
    factor : array (k, k)
        The identity for independent inputs.
    chances : array (k, n)
        Above 0 and below 1.

    Returns
    -------
    array (k, n)
        Sums over inputs are taken in a fixed order, one input after another, never by a library that sums as it likes.
    """
    found = np.empty(chances.shape)
    scores: dict[int, np.ndarray] = {}
    for i, marginal in enumerate(marginals):
        parts = [int(k) for k in np.flatnonzero(factor[i])]
        if len(parts) == 1 and parts[0] == i and marginal.kind not in ("normal", "lognormal"):
            found[i] = quantiles(marginal, chances[i])
            continue
        mixed = np.zeros(chances.shape[1])
        for k in parts:
            if k not in scores:
                scores[k] = ndtri(chances[k])
            mixed += factor[i, k] * scores[k]
        found[i] = values_of_scores(marginal, mixed)
    return found
