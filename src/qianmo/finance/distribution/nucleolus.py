r"""Nucleolus, exact, with a proof that needs no solver (核仁).

The nucleolus makes the largest complaint :math:`v(S) - x(S)` of any coalition as small as possible, then the next one, and so
on. Each level is the linear program

.. math:: \min \varepsilon \quad x(S) + \varepsilon \ge v(S) \ (S \text{ open}),\quad x(T) = c_T \ (T \text{ settled}),\quad x_i \ge v(i)

solved in fractions through its dual by a revised simplex method with a basis of n + 1 columns; the :math:`2^n` coalitions are
priced in one pass of whole numbers. Coalitions with a weight above 0 in the dual solution hold with equality in every optimum:
they are settled, and with them all coalitions in their span. The dual solutions of all levels are the certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from qianmo.finance.distribution.exact_rows import Rows, null_space
from qianmo.finance.distribution.game import Game, coalition_sums, scaled_integers
from qianmo.schema.errors import SchemaError

__all__ = ["Level", "Nucleolus", "nucleolus"]

_SAFE = 1 << 62
_PATIENCE = 40

Column = tuple[str, int]
"""open coalition, bound of one party, or settled coalition; with its number."""


@dataclass(frozen=True)
class Level:
    """One level of the certificate (一层证明).

    `excess` is the least greatest complaint of the open coalitions. The weights prove it: those of open coalitions
    (≥ 0, summing to 1), of bounds x_i ≥ v(i) (≥ 0) and of settled coalitions (any sign) sum to 0 for every party.
    """

    excess: Fraction
    open_weights: Mapping[int, Fraction]
    bound_weights: Mapping[int, Fraction]
    settled_weights: Mapping[int, Fraction]


@dataclass(frozen=True)
class Nucleolus:
    """Amount of each party, and the levels that prove it (核仁与证明)."""

    amounts: Mapping[str, Fraction]
    levels: tuple[Level, ...]
    individual: bool


def nucleolus(game: Game, *, individual: bool = True) -> Nucleolus:
    """Nucleolus of a game (核仁).

    Parameters
    ----------
    game : Game
        Meant for up to 12 parties.
    individual : bool
        Nobody gets less than alone (nucleolus); False: any split of the whole (prenucleolus).

    Returns
    -------
    Nucleolus
        Exact fractions that sum to the value of all; in the core whenever the core is not empty.

    Raises
    ------
    SchemaError
        The parties earn more apart than together, so that no split gives each what it has alone.

    References
    ----------
    D. Schmeidler, SIAM Journal on Applied Mathematics 17, 1969, pp. 1163-1170; E. Kohlberg, the same, 20, 1971, pp. 62-66.

    Examples
    --------
    >>> from qianmo.finance.distribution.game import game_of_contributions
    >>> terms = [(("a",), 68), (("b",), 102), (("a", "c"), 642), (("b", "c"), 660), (("a", "b", "c"), -480)]
    >>> [int(v) for v in nucleolus(game_of_contributions(("a", "b", "c"), terms)).amounts.values()]
    [149, 192, 651]
    """
    n = len(game.parties)
    alone = [Fraction(game.values[1 << i]) for i in range(n)]
    if individual and sum(alone, Fraction(0)) > game.total:
        raise SchemaError(
            f"合作共得 {game.total}, 各自单干共得 {sum(alone, Fraction(0))}", expected="合作不少于单干",
            cure="合作不增值, 核仁不适用; 检查联盟价值",
        )  # fmt: skip
    if n == 1:
        return Nucleolus({game.parties[0]: game.total}, (), individual)
    whole, scale = scaled_integers(game.values)
    values = np.array(whole, dtype=np.int64 if max(abs(int(v)) for v in whole) < _SAFE else object)
    settled: dict[int, Fraction] = {(1 << n) - 1: Fraction(int(values[-1]))}
    rows = Rows(n)
    rows.add((1 << n) - 1)
    levels: list[Level] = []
    x = [Fraction(int(values[-1]), n)] * n
    while len(rows) < n:
        tableau = _Simplex(values, settled, _open(rows, n), individual, x)
        tableau.run()
        x, level = tableau.x, tableau.level()
        levels.append(level)
        for s in sorted([*level.open_weights, *(1 << i for i in level.bound_weights)]):
            if rows.add(s):
                settled[s] = sum((x[i] for i in range(n) if s >> i & 1), Fraction(0))
    proved = tuple(Level(v.excess / scale, v.open_weights, v.bound_weights, v.settled_weights) for v in levels)
    return Nucleolus({p: a / scale for p, a in zip(game.parties, x, strict=True)}, proved, individual)


def _open(rows: Rows, n: int) -> np.ndarray:
    """Coalitions outside the span of the settled ones, (2^n,) bool."""
    found = np.zeros(1 << n, dtype=bool)
    for direction in null_space(rows):
        found |= coalition_sums(direction) != 0
    return found


class _Simplex:
    """One level: a basis of n + 1 columns of the dual, its inverse, its weights, and the prices (x, excess)."""

    def __init__(self, values: np.ndarray, settled: Mapping[int, Fraction], open_: np.ndarray, individual: bool, start: list[Fraction]) -> None:
        self.values, self.settled, self.open, self.individual = values, settled, open_, individual
        self.n = len(start)
        first = self._worst(start, Fraction(0))[0]
        basis: list[Column] = [("settled", t) for t in settled]
        rows = Rows(self.n)
        for t in (*settled, first):
            rows.add(t)
        basis += [("open", first), ("open", (1 << self.n) - 1 - first)]
        basis += [("open", 1 << i) for i in range(self.n) if rows.add(1 << i)]
        self.basis = basis
        self.inverse = _inverse([self._vector(c) for c in basis])
        self._price()

    def run(self) -> None:
        """Pivot until no column improves."""
        stalled = 0
        while (entering := self._entering(first=stalled > _PATIENCE)) is not None:
            column = self._vector(entering)
            step = [sum((row[j] for j in range(self.n + 1) if column[j]), Fraction(0)) for row in self.inverse]
            weight = self.weights
            ratios = [(weight[k] / d, self.basis[k], k) for k, d in enumerate(step) if d > 0 and self.basis[k][0] != "settled"]
            theta, _, place = min(ratios)
            stalled = 0 if theta > 0 else stalled + 1
            pivot = [a / step[place] for a in self.inverse[place]]
            self.inverse = [
                pivot if k == place else ([a - step[k] * b for a, b in zip(row, pivot)] if step[k] else row) for k, row in enumerate(self.inverse)
            ]
            self.basis[place] = entering
            self._price()

    def level(self) -> Level:
        """The dual solution of this level."""
        kinds: dict[str, dict[int, Fraction]] = {"open": {}, "bound": {}, "settled": {}}
        for (kind, number), weight in zip(self.basis, self.weights):
            if weight:
                kinds[kind][number] = weight
        return Level(self.excess, kinds["open"], kinds["bound"], kinds["settled"])

    @property
    def weights(self) -> list[Fraction]:
        """Weights of the basis: last column of the inverse, for the sums must be (0, …, 0, 1)."""
        return [row[self.n] for row in self.inverse]

    def _vector(self, column: Column) -> list[int]:
        kind, number = column
        members = 1 << number if kind == "bound" else number
        return [members >> i & 1 for i in range(self.n)] + [int(kind == "open")]

    def _cost(self, column: Column) -> Fraction:
        kind, number = column
        if kind == "settled":
            return self.settled[number]
        return Fraction(int(self.values[1 << number if kind == "bound" else number]))

    def _price(self) -> None:
        cost = [self._cost(c) for c in self.basis]
        prices = [sum((c * row[j] for c, row in zip(cost, self.inverse) if c and row[j]), Fraction(0)) for j in range(self.n + 1)]
        self.x, self.excess = prices[: self.n], prices[self.n]

    def _entering(self, *, first: bool) -> Column | None:
        """A column that improves: the worst complaint, or under a stall the first one (Bland)."""
        bounds = [i for i in range(self.n) if self.individual and self.x[i] < int(self.values[1 << i])]
        if first and bounds:
            return ("bound", bounds[0])
        coalition, gain = self._worst(self.x, self.excess, first=first)
        if gain <= 0:
            return ("bound", bounds[0]) if bounds else None
        return ("open", coalition)

    def _worst(self, x: list[Fraction], excess: Fraction, *, first: bool = False) -> tuple[int, int]:
        """Open coalition with the greatest complaint beyond `excess`, or the first with any, and its scaled size."""
        scale = lcm(excess.denominator, *(a.denominator for a in x))
        parts = [int(a * scale) for a in x]
        limit = int(excess * scale)
        largest = int(max(abs(int(self.values.max())), abs(int(self.values.min())))) * scale + sum(abs(p) for p in parts) + abs(limit)
        values = self.values if largest < _SAFE else self.values.astype(object)
        gain = values * scale - coalition_sums(parts) - limit
        places = np.flatnonzero(self.open)
        shown = gain[places]
        best = int(np.argmax(shown > 0)) if first else int(np.argmax(shown))
        return int(places[best]), int(shown[best])


def _inverse(columns: list[list[int]]) -> list[list[Fraction]]:
    """Inverse of the matrix with these columns, by elimination in fractions."""
    size = len(columns)
    table = [[Fraction(columns[j][i]) for j in range(size)] + [Fraction(int(i == k)) for k in range(size)] for i in range(size)]
    for j in range(size):
        place = next(i for i in range(j, size) if table[i][j])
        table[j], table[place] = table[place], table[j]
        head = table[j][j]
        table[j] = [a / head for a in table[j]]
        for i in range(size):
            factor = table[i][j]
            if i != j and factor:
                table[i] = [a - factor * b for a, b in zip(table[i], table[j])]
    return [row[size:] for row in table]
