"""Owners, blocks and the pairs allowed, as numbers (归户问题)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["AssignmentProblem"]


@dataclass(frozen=True, eq=False)
class AssignmentProblem:
    """Owners and blocks as numbers (归户问题).

    Parameters
    ----------
    owner_names, block_names : tuple of str
    owed : (n,) int
        Value due to each owner after deduction. [fen]
    block_value : (k,) int
        Value of each block; the sum is that of `owed`. [fen]
    owner, block : (m,) int
        The pairs allowed.
    cost : (m,) float
        Cost of having all one is owed in that block: distance plus rank of the wish. [m]
    lot_min : (m,) int
        Least value of a lot of that pair. [fen]
    lots_max : (n,) int
        Most lots of each owner.
    lot_cost : float
        Cost of every lot. [m]
    """

    owner_names: tuple[str, ...]
    block_names: tuple[str, ...]
    owed: np.ndarray
    block_value: np.ndarray
    owner: np.ndarray
    block: np.ndarray
    cost: np.ndarray
    lot_min: np.ndarray
    lots_max: np.ndarray
    lot_cost: float
