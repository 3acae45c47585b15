"""Put a lot in or take one out and let the neighbours make room (插入与合并宗块)."""

from __future__ import annotations

import numpy as np

from qianmo.planning.allotment.shares import largest_remainder
from qianmo.schema.errors import InfeasibleError, SchemaError

__all__ = ["insert_lot", "merge_lots"]


def insert_lot(values: np.ndarray, at: int, value: int, *, reach: int = 2, least: np.ndarray | int = 1) -> np.ndarray:
    """Insert a lot; the nearest lots on both sides give its value in proportion to what they can spare (插入地块).

    Parameters
    ----------
    values : (n,) int
        Value of the lots in order. [fen]
    at : int
        Place of the new lot, 0 to n.
    value : int
        Its value, above 0. [fen]
    reach : int
        Lots on each side that give; lots further off keep value and place.
    least : int or (n,) int
        Value no lot may fall below. [fen]

    Returns
    -------
    (n + 1,) int64
        The sum is that of `values`.

    Raises
    ------
    SchemaError
        The place or the value is out of range.
    InfeasibleError
        The lots in reach cannot spare so much.
    """
    have = np.asarray(values, dtype=np.int64)
    if not 0 <= at <= len(have) or value <= 0 or reach < 1:
        raise SchemaError(f"a lot of {value} fen at place {at} of {len(have)}", expected="value above 0, place from 0 to the number of lots")
    low, high = max(at - reach, 0), min(at + reach, len(have))
    spare = np.maximum(have[low:high] - np.broadcast_to(least, have.shape)[low:high], 0)
    if spare.sum() < value:
        raise InfeasibleError(
            f"lots {low + 1} to {high} can spare {spare.sum() / 100:.2f} yuan, the new lot needs {value / 100:.2f} yuan",
            conflict=("lot value", "least lot", "reach"), cure="扩大让出范围 (reach) 或减小插入地块的价值",
        )  # fmt: skip
    out = have.copy()
    out[low:high] -= largest_remainder(spare, value)
    return np.insert(out, at, value)


def merge_lots(values: np.ndarray, first: int) -> np.ndarray:
    """Lots `first` and `first + 1` become one; all others keep value and place, (n - 1,) int64 (合并地块).

    Raises
    ------
    SchemaError
        There is no next lot.
    """
    have = np.asarray(values, dtype=np.int64)
    if not 0 <= first < len(have) - 1:
        raise SchemaError(f"lots {first} and {first + 1} of {len(have)}", expected="two neighbouring lots")
    out = np.delete(have, first + 1)
    out[first] += have[first + 1]
    return out
