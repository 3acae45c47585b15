"""Which coalitions would rather leave (核心与退出动机)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from qianmo.finance.distribution.exact import exact
from qianmo.finance.distribution.game import Game, coalition_sums, scaled_integers
from qianmo.schema.errors import SchemaError

__all__ = ["CoreCheck", "core_check", "dummies", "interchangeable"]


@dataclass(frozen=True)
class CoreCheck:
    """A split against what coalitions can earn (核心检验).

    `excess` is the greatest v(S) - x(S) over coalitions that are neither nobody nor all (0 with one party), `worst` such a
    coalition, `gainers` those that would gain by leaving and how much, greatest first. In the core: efficient and no gainers.
    """

    efficient: bool
    in_core: bool
    worst: tuple[str, ...]
    excess: Fraction
    gainers: tuple[tuple[tuple[str, ...], Fraction], ...]


def core_check(game: Game, amounts: Mapping[str, Any], *, most: int = 10, slack: int = 0) -> CoreCheck:
    """Test a split against all coalitions (核心检验).

    Parameters
    ----------
    game : Game
    amounts : mapping of party to number
        For every party of the game.
    most : int
        Gainers listed.
    slack : int
        Gain for each member of a coalition that does not count: 1 for amounts rounded to whole fen.

    Raises
    ------
    SchemaError
        Parties differ.

    Examples
    --------
    >>> from qianmo.finance.distribution.game import game_of_contributions
    >>> found = core_check(game_of_contributions(("甲", "乙"), [(("甲",), 4), (("甲", "乙"), 2)]), {"甲": 3, "乙": 3})
    >>> found.in_core, found.worst, int(found.excess)
    (False, ('甲',), 1)
    """
    if set(amounts) != set(game.parties):
        raise SchemaError(f"金额所属 {', '.join(amounts)}", expected=", ".join(game.parties), cure="检查参与方")
    paid = [exact(amounts[p]) for p in game.parties]
    whole, unit = scaled_integers(game.values)
    scale = lcm(unit, *(p.denominator for p in paid))
    sums = coalition_sums([int(p * scale) for p in paid])
    complaint = [int(v) * (scale // unit) - int(s) for v, s in zip(whole, sums)]
    efficient = complaint[-1] == 0
    inner = range(1, len(complaint) - 1)
    order = sorted(inner, key=lambda s: (-complaint[s], s.bit_count(), s))
    gainers = tuple((game.members(s), Fraction(complaint[s], scale)) for s in order if complaint[s] > slack * scale * s.bit_count())[:most]
    worst = order[0] if order else 0
    return CoreCheck(efficient, efficient and not gainers, game.members(worst), Fraction(complaint[worst], scale), gainers)


def interchangeable(game: Game) -> tuple[tuple[str, str], ...]:
    """Pairs of parties that add the same to every coalition of others (可互换的参与方)."""
    n, found = len(game.parties), []
    for i in range(n):
        for j in range(i + 1, n):
            both = 1 << i | 1 << j
            if all(game.values[s | 1 << i] == game.values[s | 1 << j] for s in range(1 << n) if not s & both):
                found.append((game.parties[i], game.parties[j]))
    return tuple(found)


def dummies(game: Game) -> tuple[str, ...]:
    """Parties that add to every coalition just what they have alone (哑参与方)."""
    n = len(game.parties)
    return tuple(
        p for i, p in enumerate(game.parties)
        if all(game.values[s | 1 << i] - game.values[s] == game.values[1 << i] for s in range(1 << n) if not s >> i & 1)
    )  # fmt: skip
