"""Long calls of the geometry engine on several cores (并行几何运算)."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

__all__ = ["side_by_side"]


def side_by_side(function: Callable[..., np.ndarray], *arrays: np.ndarray, chunk: int = 2048) -> np.ndarray:
    """An elementwise function of arrays of one length, computed in chunks of rows by as many threads as there are cores.

    The engine lets threads run side by side; the result is that of one call and does not depend on their number. Rows
    that follow each other with the same object in the first array stay in one thread, as prepared geometries and
    envelopes that are computed on first use are not for two. What the other arrays share must have been looked at before,
    by a check of validity for instance.
    """
    n = len(arrays[0])
    ends = [0, *(_start_of_run(arrays[0], k) for k in range(chunk, n, chunk)), n]
    spans = [slice(low, high) for low, high in zip(ends[:-1], ends[1:]) if high > low]
    if len(spans) <= 1:
        return function(*arrays)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(lambda span: function(*(a[span] for a in arrays)), spans)))


def _start_of_run(array: np.ndarray, k: int) -> int:
    while k and array[k] is array[k - 1]:
        k -= 1
    return k
