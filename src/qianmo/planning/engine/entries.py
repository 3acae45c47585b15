"""Limit entries of chosen patches, written out one by one (约束项展开)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

from qianmo.planning.engine.dense import Dense

__all__ = ["entry_changes", "patches_by_row", "row_amounts", "touching"]

PIECE = 1 << 20
"""Entries that are added up at a time, so that the copies a sum makes stay small beside the problem."""


def row_amounts(d: Dense) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the sizes of the entries of each row, and how many there are, (R,) (约束行系数和)."""
    g, rows = d.layout, len(d.low)
    length = np.diff(g.column_first)
    size, many = np.zeros(len(length)), np.zeros(len(length), np.int64)
    for s in range(d.slots):  # slot by slot: the table of all of them times its sizes is the largest array of a province
        size += np.bincount(g.column[:, s], g.size, len(length))
        many += np.bincount(g.column[:, s], minlength=len(length))
    amount = np.bincount(g.column_row, np.repeat(size, length), rows).astype(float)
    counted = np.bincount(g.column_row, np.repeat(many, length), rows).astype(float)
    for at in range(0, len(g.row), PIECE):
        row = g.row[at : at + PIECE]
        amount += np.bincount(row, np.abs(g.row_coefficient[at : at + PIECE]), rows)
        counted += np.bincount(row, minlength=rows)
    return amount, counted


def touching(d: Dense, rows: np.ndarray) -> np.ndarray:
    """True for patches that have an entry in some of the rows, (n,) bool (涉及约束的图斑)."""
    g = d.layout
    wanted = np.zeros(len(d.low), bool)
    wanted[rows] = True
    columns = np.zeros(len(g.column_first) - 1, bool)
    columns[np.repeat(np.arange(len(columns)), np.diff(g.column_first))[wanted[g.column_row]]] = True
    touches = columns[g.column].any(axis=1)
    touches[np.repeat(np.arange(d.n), np.diff(g.row_first))[wanted[g.row]]] = True
    return touches


def patches_by_row(d: Dense, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the patches `who` that have an entry in each row, row by row, and where each row begins (R + 1,) (逐行图斑)."""
    owner, _, row, _ = _entries(d, who)
    code = np.unique(row.astype(np.int64) * d.n + who[owner])
    first = np.searchsorted(code, np.arange(len(d.low) + 1, dtype=np.int64) * d.n)
    return code % d.n, first.astype(np.int64)


def entry_changes(d: Dense, patch: np.ndarray, target: np.ndarray, now: np.ndarray) -> csr_array:
    """What each change of a patch from slot `now` to `target` adds to each row, (R, k) (变更对约束的影响)."""
    owner, slot, row, number = _entries(d, patch)
    change = np.where(slot == target[owner], number, np.where(slot == now[owner], -number, 0.0))
    use = change != 0
    matrix = csr_array(coo_array((change[use], (row[use], owner[use])), shape=(len(d.low), len(patch))))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _entries(d: Dense, who: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every limit entry of the patches `who`: position in `who`, slot, row, coefficient."""
    g = d.layout
    column = g.column[who].ravel()
    flat, at = _spread(g.column_first[column], g.column_first[column + 1])
    owner = flat // d.slots
    apart, here = _spread(g.row_first[who], g.row_first[who + 1])
    return (
        np.concatenate([owner, apart]), np.concatenate([flat % d.slots, g.row_slot[here]]), np.concatenate([g.column_row[at], g.row[here]]),
        np.concatenate([g.column_sign[at] * g.size[who][owner], g.row_coefficient[here]]).astype(float),
    )  # fmt: skip


def _spread(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every number of every range: which range, and the number."""
    size = (end - start).astype(np.int64)
    owner = np.repeat(np.arange(len(size)), size)
    return owner, np.repeat(start, size) + np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
