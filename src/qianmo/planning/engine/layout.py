"""The arrays that the compiled loops read, by name (求解数组布局)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Layout"]


class Layout(NamedTuple):
    """Arrays of one problem for compiled loops (求解数组布局).

    Parameters
    ----------
    value : (n, S) float32
        Value of each slot, -inf where there is none. [points]
    label : (n, S) uint8
        Number of the pattern of states of each slot.
    table, only : (T,) int64, int8
        States of each pattern, one bit a layer; its layer where it has a single one, -1 where none, else -2.
    width : (n,) int16
        Slots of each patch.
    weight : (e, 1) or (e, L) float32
        Bonus of each border, one column where all layers share it. [points]
    near : (2 e,) int32, near_first : (n + 1,) int64
        Borders at each patch: twice the border, plus 1 where the patch is its end j.
    end_i, end_j : (e,) int32
        Borders of all layers together.
    size, column, column_first, column_row, column_sign, row_first, row, row_slot, row_coefficient
        Entries of the limits, as in `qianmo.planning.engine.columns.Columns`.
    """

    value: np.ndarray
    label: np.ndarray
    table: np.ndarray
    only: np.ndarray
    width: np.ndarray
    weight: np.ndarray
    near: np.ndarray
    near_first: np.ndarray
    end_i: np.ndarray
    end_j: np.ndarray
    size: np.ndarray
    column: np.ndarray
    column_first: np.ndarray
    column_row: np.ndarray
    column_sign: np.ndarray
    row_first: np.ndarray
    row: np.ndarray
    row_slot: np.ndarray
    row_coefficient: np.ndarray
