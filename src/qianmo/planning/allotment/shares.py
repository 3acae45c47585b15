"""Whole-number shares that add up exactly (整数分摊)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from qianmo.schema.errors import SchemaError

__all__ = ["largest_remainder", "whole_matrix"]


def largest_remainder(weight: np.ndarray, total: int) -> np.ndarray:
    """Split a whole number in proportion to weights, in whole numbers that add up to it (最大余数法).

    Parameters
    ----------
    weight : (n,) float or int
        At least 0, not all 0 unless the total is 0.
    total : int
        Such as fen. At least 0.

    Returns
    -------
    (n,) int64
        Sums to `total` exactly; each within 1 of its exact share. Ties go to the earlier row.

    Raises
    ------
    SchemaError
        A weight is negative or not finite, or all are 0 and the total is not.
    """
    parts = [int(w) if isinstance(w, (int, np.integer)) else float(w) for w in np.asarray(weight).tolist()]
    bad = [k for k, w in enumerate(parts) if not (w >= 0 and w < float("inf"))]
    if bad or total < 0 or (total and not sum(parts)):
        raise SchemaError(f"weights {[parts[k] for k in bad][:3] or 'all 0'} for a total of {total}", expected="weights of at least 0, one above 0")
    if not total:
        return np.zeros(len(parts), dtype=np.int64)
    exact = all(isinstance(w, int) for w in parts)
    scaled: list[int] = [int(w) for w in parts] if exact else [round(w / max(parts) * (1 << 52)) for w in parts]
    whole = sum(scaled)
    out = [total * w // whole for w in scaled]
    rest = sorted(range(len(parts)), key=lambda k: (-(total * scaled[k] % whole), k))
    for k in rest[: total - sum(out)]:
        out[k] += 1
    return np.array(out, dtype=np.int64)


def whole_matrix(row: np.ndarray, column: np.ndarray, value: np.ndarray, row_sum: np.ndarray, column_sum: np.ndarray) -> np.ndarray:
    """Round the entries of a sparse matrix so that whole row and column sums hold exactly (双向取整).

    A fractional matrix with whole sums always has a whole one that differs by less than 1 in every entry; it is found
    as a maximum flow over the fractional parts.

    Parameters
    ----------
    row, column : (m,) int
        Place of each entry, each place once.
    value : (m,) float
        Entries; their sums match `row_sum` and `column_sum` but for rounding noise.
    row_sum, column_sum : int arrays
        The sums to keep; equal in total.

    Returns
    -------
    (m,) int64

    Raises
    ------
    SchemaError
        No whole matrix near the entries has these sums.
    """
    rows, columns, m = len(row_sum), len(column_sum), len(value)
    low = np.maximum(np.floor(value - 1e-6), 0).astype(np.int64)
    for slack in (1, 2, 8, 1 << 20):
        base = np.maximum(low - (slack - 1), 0)
        need_row = np.asarray(row_sum, dtype=np.int64) - np.bincount(row, base, rows).astype(np.int64)
        need_column = np.asarray(column_sum, dtype=np.int64) - np.bincount(column, base, columns).astype(np.int64)
        if (need_row < 0).any() or (need_column < 0).any() or need_row.sum() != need_column.sum():
            continue
        start = np.concatenate([np.zeros(rows, int), np.asarray(row) + 1, np.arange(columns) + rows + 1])
        end = np.concatenate([np.arange(rows) + 1, np.asarray(column) + rows + 1, np.full(columns, rows + columns + 1)])
        room = np.concatenate([need_row, np.full(m, 2 * slack), need_column]).astype(np.int32)
        size = rows + columns + 2
        found = maximum_flow(csr_array((room, (start, end)), shape=(size, size)), 0, size - 1)
        if found.flow_value == need_row.sum():
            flow = np.asarray(found.flow[np.asarray(row) + 1, np.asarray(column) + rows + 1]).ravel()
            return base + flow.astype(np.int64)
    raise SchemaError("entries far from their row and column sums", expected="sums that the entries meet but for rounding")
