"""Schemes side by side: who gets what, and which promises each scheme keeps (公平性报告)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from qianmo.finance.distribution.core import CoreCheck, core_check, dummies, interchangeable
from qianmo.finance.distribution.game import Game
from qianmo.finance.distribution.schemes import Scheme, Situation, raised_contributions, schemes_for

__all__ = ["FairnessRow", "fairness_report"]

_ALL_COALITIONS = 5
"""Up to this many parties every coalition is raised in the test of monotony; above only single parties and all together."""


@dataclass(frozen=True)
class FairnessRow:
    """One scheme (一种方案).

    Parameters
    ----------
    amounts_fen : mapping of party to int
    efficient : bool
        Sums to the pool, to the fen.
    core : CoreCheck or None
        None without a game. A gain of a fen for each member is rounding and does not count.
    symmetric : bool or None
        Interchangeable parties get the same, but for one fen; None when there are none.
    dummy : bool or None
        Parties that add nothing to others get what they have alone, but for one fen; None when there are none.
    falls : tuple of str
        Parties that get less, by more than a fen, after they contribute more. Empty: monotone in own contribution, in all cases tried.
    """

    scheme: str
    amounts_fen: Mapping[str, int]
    efficient: bool
    core: CoreCheck | None
    symmetric: bool | None
    dummy: bool | None
    falls: tuple[str, ...]


def fairness_report(situation: Situation, *, step: Fraction, schemes: Mapping[str, Scheme] | None = None) -> tuple[FairnessRow, ...]:
    """Every scheme on the same facts, measured the same way (公平性报告).

    Parameters
    ----------
    situation : Situation
    step : Fraction
        By which contributions, and the values of coalitions in parts of the pool, are raised in the test of monotony.
    schemes : mapping, optional
        Default: all that the facts are enough for.

    Returns
    -------
    tuple of FairnessRow
        In the order of the schemes.
    """
    ways = schemes_for(situation) if schemes is None else schemes
    equal = interchangeable(situation.game) if situation.game else ()
    idle = dummies(situation.game) if situation.game else ()
    return tuple(_row(key, way, situation, step, equal, idle) for key, way in ways.items())


def _row(
    key: str, way: Scheme, situation: Situation, step: Fraction, equal: tuple[tuple[str, str], ...], idle: tuple[str, ...]
) -> FairnessRow:
    amounts = dict(way(situation))
    game = situation.game
    core = core_check(game, amounts, slack=1) if game else None
    symmetric = all(abs(amounts[a] - amounts[b]) <= 1 for a, b in equal) if equal else None
    dummy = all(abs(amounts[p] - game.values[game.coalition([p])]) <= 1 for p in idle) if idle and game else None
    falls = tuple(dict.fromkeys(p for p, more in _raised(situation, step) if way(more)[p] < amounts[p] - 1))
    return FairnessRow(key, amounts, sum(amounts.values()) == situation.pool_fen, core, symmetric, dummy, falls)


def _raised(situation: Situation, step: Fraction) -> Iterator[tuple[str, Situation]]:
    """Each party with the facts after it contributed more: more capital, or more value in one coalition it belongs to.

    Games in which the parties earn more apart than together are left out: nothing is to be shared there.
    """
    for party in situation.parties:
        if any(c.party == party and c.amount_fen for c in situation.contributions):
            yield party, replace(situation, contributions=raised_contributions(situation.contributions, party, 1 + step))
    if situation.game is None:
        return
    n, more = len(situation.game.parties), max(int(situation.pool_fen * step), 1)
    for i, party in enumerate(situation.game.parties):
        for s in range(1, 1 << n):
            if s >> i & 1 and (n <= _ALL_COALITIONS or s in (1 << i, (1 << n) - 1)):
                changed = _with_more(situation, situation.game, s, more)
                if changed.game and sum(changed.game.values[1 << j] for j in range(n)) <= changed.pool_fen:
                    yield party, changed


def _with_more(situation: Situation, game: Game, coalition: int, more: int) -> Situation:
    values = game.values.copy()
    values[coalition] += more
    pool = situation.pool_fen + (more if coalition == len(values) - 1 else 0)
    changed = Game(game.parties, values)
    return replace(situation, game=changed, pool_fen=pool)
