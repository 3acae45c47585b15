"""Money as whole fen in float64, rounded by one function (分, 四舍五入)."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["to_fen", "whole_fen"]


def to_fen(yuan: Any) -> Any:
    """Yuan as whole fen (元折分).

    Parameters
    ----------
    yuan : float or array
        Amounts [yuan].

    Returns
    -------
    float or array
        Whole fen, half away from zero; exact below 2**53.
    """
    return whole_fen(np.asarray(yuan, dtype=np.float64) * 100.0)


def whole_fen(amount_fen: Any, rounding: bool = True) -> Any:
    """An amount rounded to whole fen, half away from zero (四舍五入到分).

    Parameters
    ----------
    amount_fen : float or array
        Amounts [fen].
    rounding : bool
        False gives the amounts back as they are.

    Returns
    -------
    float or array
        Float64 with whole values; a scalar in gives a float out.
    """
    amount = np.asarray(amount_fen, dtype=np.float64)
    if rounding:
        size = np.abs(amount)
        whole = np.floor(size)
        amount = np.copysign(np.where(size - whole >= 0.5, whole + 1.0, whole), amount) + 0.0
    return float(amount) if amount.ndim == 0 else amount
