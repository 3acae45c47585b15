"""One measure a patch: part of the shape of a choice, written out as rows for general solvers (一图斑一措施)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

__all__ = ["build"]


def build(patch: np.ndarray, n: int) -> csr_array:
    """Rows (n, m) with a 1 for each option of the patch; each row sums to at most 1 (一图斑一措施)."""
    m = len(patch)
    return csr_array((np.ones(m), (patch, np.arange(m))), shape=(n, m))
