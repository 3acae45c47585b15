r"""Shapley value, exact (夏普利值).

With :math:`T_k` the sum of the values of all coalitions of :math:`k` parties and :math:`A_{ik}` that of those which hold
party :math:`i`, the marginal contributions of :math:`i` to coalitions of :math:`k` others sum to
:math:`A_{i,k+1} - (T_k - A_{ik})`, so that

.. math:: \phi_i = \sum_{k=0}^{n-1} \frac{k!\,(n-k-1)!}{n!} \left(A_{i,k+1} - T_k + A_{ik}\right).

One pass over the :math:`2^n` coalitions gives all sums. They are kept in two halves of whole numbers and never overflow.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import numpy as np
from numba import njit

from qianmo.finance.distribution.exact import whole_amounts
from qianmo.finance.distribution.game import Game, scaled_integers

__all__ = ["shapley_fen", "shapley_value"]

_HALF = 26
_LARGEST = 1 << 53


def shapley_value(game: Game) -> dict[str, Fraction]:
    """Shapley value of each party (夏普利值).

    The mean, over all orders in which the parties may join, of what a party adds when it joins.

    Parameters
    ----------
    game : Game
        Up to 20 parties.

    Returns
    -------
    dict of party to Fraction
        Sums to the value of all together; equal parties get equal amounts; who adds nothing anywhere gets 0.

    References
    ----------
    L. S. Shapley, A value for n-person games, Contributions to the Theory of Games II, 1953, pp. 307-317.

    Examples
    --------
    >>> from qianmo.finance.distribution.game import game_of_contributions
    >>> {k: int(v) for k, v in shapley_value(game_of_contributions(("甲", "乙"), [(("甲",), 2), (("甲", "乙"), 4)])).items()}
    {'甲': 4, '乙': 2}
    """
    n = len(game.parties)
    whole, scale = scaled_integers(game.values)
    large = max(abs(int(v)) for v in whole) >= _LARGEST if isinstance(whole, list) else bool(np.abs(whole).max() >= _LARGEST)
    holding, total = _sums_of_integers([int(v) for v in whole], n) if large else _sums_in_halves(np.asarray(whole, dtype=np.int64), n)
    weight = [Fraction(factorial(k) * factorial(n - k - 1), factorial(n) * scale) for k in range(n)]
    return {
        party: sum((weight[k] * (holding[i][k + 1] - total[k] + holding[i][k]) for k in range(n)), Fraction(0))
        for i, party in enumerate(game.parties)
    }


def shapley_fen(game: Game) -> dict[str, int]:
    """Shapley value in whole fen, by largest remainder (夏普利值取整到分)."""
    found = shapley_value(game)
    return dict(zip(found, whole_amounts(list(found.values())), strict=True))


def _sums_in_halves(values: np.ndarray, n: int) -> tuple[list[list[int]], list[int]]:
    high, low = _sums(values, n, np.int64(_HALF))
    both = [[(int(h) << _HALF) + int(lo) for h, lo in zip(a, b)] for a, b in zip(high, low)]
    return both[:n], both[n]


@njit(cache=True)
def _sums(values: np.ndarray, n: int, half: np.int64) -> tuple[np.ndarray, np.ndarray]:
    """Rows i < n: sums of the values of coalitions with party i by size; row n: of all. Upper and lower halves."""
    high = np.zeros((n + 1, n + 1), np.int64)
    low = np.zeros((n + 1, n + 1), np.int64)
    mask = (np.int64(1) << half) - 1
    for s in range(values.size):
        size, rest = 0, s
        while rest:
            rest &= rest - 1
            size += 1
        h, lo = values[s] >> half, values[s] & mask
        high[n, size] += h
        low[n, size] += lo
        for i in range(n):
            if s >> i & 1:
                high[i, size] += h
                low[i, size] += lo
    return high, low


def _sums_of_integers(values: list[int], n: int) -> tuple[list[list[int]], list[int]]:
    """The same sums with integers of any length, for values beyond 2^53."""
    holding, total = [[0] * (n + 1) for _ in range(n)], [0] * (n + 1)
    for s, value in enumerate(values):
        size = s.bit_count()
        total[size] += value
        for i in range(n):
            if s >> i & 1:
                holding[i][size] += value
    return holding, total
