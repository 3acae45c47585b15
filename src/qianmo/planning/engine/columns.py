"""Limit entries that differ by the size of a patch alone, kept once for all patches (约束列的归并).

Area rows give a patch plus or minus its area wherever they touch it. Two slots that the same rows
touch with the same signs then share one column: a list of rows and signs, times the size of the
patch. A county of half a million patches with hundreds of windows has some thousand columns, and
only what is no multiple of the size (a budget) stays an entry of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["MOST_COLUMNS", "Columns", "Gatherer"]

MOST_COLUMNS = 1 << 15
"""Columns that are made at most, those on the way included; rows that would need more keep their entries."""


@dataclass(frozen=True)
class Columns:
    """Shared columns and the entries besides (约束列).

    Parameters
    ----------
    size : (n,) float32
        What the signs of a column are times, by patch.
    column : (n, S) uint16
        Column of each slot; the first column has no rows.
    column_first : (C + 1,) int32, column_row : (c,) int32, column_sign : (c,) float32
        Rows of each column with their signs.
    row_first : (n + 1,) int64, row : (q,) int32, row_slot : (q,) int8, row_coefficient : (q,) float32
        Entries besides, by patch.
    """

    size: np.ndarray
    column: np.ndarray
    column_first: np.ndarray
    column_row: np.ndarray
    column_sign: np.ndarray
    row_first: np.ndarray
    row: np.ndarray
    row_slot: np.ndarray
    row_coefficient: np.ndarray


@dataclass
class Gatherer:
    """Takes rows one by one and sorts them into columns and entries (约束列构造)."""

    n: int
    slots: int
    parent: list[tuple[int, int, float]] = field(default_factory=lambda: [(-1, -1, 0.0)])
    besides: list[tuple[int, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.size = np.zeros(self.n, np.float32)
        self.column = np.zeros(self.n * self.slots, np.uint16)

    def add(self, row: int, patch: np.ndarray, slot: np.ndarray, coefficient: np.ndarray) -> None:
        """Take a row; each slot of a patch may come once, and slots in any order."""
        use = coefficient != 0
        patch, slot, coefficient = (patch, slot, coefficient) if use.all() else (patch[use], slot[use], coefficient[use])
        at = patch.astype(np.int64) * self.slots + slot
        number = coefficient.astype(np.float32)
        if not self._shares(row, patch, at, number):
            self.besides.append((row, patch.astype(np.int32), slot.astype(np.int8), number))

    def done(self) -> Columns:
        """All rows taken."""
        used = np.zeros(len(self.parent), bool)
        used[self.column] = True
        used[0] = True
        number = np.cumsum(used) - 1
        lists = [self._rows_of(k) for k in np.flatnonzero(used).tolist()]
        first = np.cumsum([0, *(len(x) for x in lists)]).astype(np.int32)
        flat = [e for x in lists for e in x]
        column = number.astype(np.uint16)[self.column].reshape(self.n, self.slots)
        return Columns(
            np.where(self.size > 0, self.size, np.float32(1.0)), column, first, np.array([r for r, _ in flat], np.int32),
            np.array([s for _, s in flat], np.float32), *self._entries(),
        )  # fmt: skip

    def _shares(self, row: int, patch: np.ndarray, at: np.ndarray, number: np.ndarray) -> bool:
        """Give the slots the column that has this row besides; False, and nothing done, where sizes differ or columns are many."""
        was, size = self.size[patch], np.abs(number)
        if ((was != 0) & (was != size)).any():
            return False
        self.size[patch] = size
        made = len(self.parent)
        pair = self.column[at].astype(np.int64) * 2 + (number < 0)
        seen = np.zeros(2 * made, bool)
        seen[pair] = True
        fresh = np.flatnonzero(seen)
        if (self.size[patch] != size).any() or made + len(fresh) > MOST_COLUMNS:
            self.size[patch] = was
            return False
        name = np.zeros(2 * made, np.uint16)
        name[fresh] = made + np.arange(len(fresh))
        self.column[at] = name[pair]
        self.parent += [(k >> 1, row, -1.0 if k & 1 else 1.0) for k in fresh.tolist()]
        return True

    def _rows_of(self, column: int) -> list[tuple[int, float]]:
        out = []
        while column > 0:
            column, row, sign = self.parent[column]
            out.append((row, sign))
        return out[::-1]

    def _entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        first = np.zeros(self.n + 1, np.int64)
        if not self.besides:
            return first, np.zeros(0, np.int32), np.zeros(0, np.int8), np.zeros(0, np.float32)
        patch = np.concatenate([p for _, p, _, _ in self.besides])
        np.cumsum(np.bincount(patch, minlength=self.n), out=first[1:])
        row = np.repeat(np.array([r for r, *_ in self.besides], np.int32), [len(p) for _, p, _, _ in self.besides])
        slot = np.concatenate([s for _, _, s, _ in self.besides])
        number = np.concatenate([c for *_, c in self.besides])
        if len(self.besides) > 1 or (np.diff(patch) < 0).any():
            order = np.argsort(patch, kind="stable")
            row, slot, number = row[order], slot[order], number[order]
        return first, row, slot, number
