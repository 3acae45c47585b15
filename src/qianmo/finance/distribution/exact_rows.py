"""Rank and null space of coalitions, in fractions (联盟的秩)."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

__all__ = ["Rows", "null_space"]


class Rows:
    """Independent coalitions in reduced form (行最简形): `add` says whether a coalition was independent of those before."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.rows: dict[int, list[Fraction]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, coalition: int) -> bool:
        """Add a coalition; False when it lies in the span already."""
        row = [Fraction(coalition >> i & 1) for i in range(self.n)]
        for lead, other in self.rows.items():
            if row[lead]:
                factor = row[lead]
                row = [a - factor * b for a, b in zip(row, other)]
        lead = next((i for i, a in enumerate(row) if a), -1)
        if lead < 0:
            return False
        row = [a / row[lead] for a in row]
        for place, other in self.rows.items():
            if other[lead]:
                factor = other[lead]
                self.rows[place] = [a - factor * b for a, b in zip(other, row)]
        self.rows[lead] = row
        return True


def null_space(rows: Rows) -> list[list[int]]:
    """Whole-number directions that change no coalition of the span (零空间), n - rank of them."""
    free = [i for i in range(rows.n) if i not in rows.rows]
    found = []
    for f in free:
        direction = [Fraction(0)] * rows.n
        direction[f] = Fraction(1)
        for lead, row in rows.rows.items():
            direction[lead] = -row[f]
        scale = lcm(*(a.denominator for a in direction))
        found.append([int(a * scale) for a in direction])
    return found
