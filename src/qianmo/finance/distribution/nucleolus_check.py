"""Checking a nucleolus by hand arithmetic: sums, ranks and signs, no solver (核仁证明的核验).

Level by level, with the settled coalitions of the levels before: the weights are of the right sign, sum to 1 over the open
coalitions and to 0 for every party; the weighted values give the excess; no open coalition complains more than that. By
duality no split with the same settled sums does better, and coalitions with a weight above 0 hold with equality in all that do
as well. When the settled coalitions reach rank n, one split is left.
"""

from __future__ import annotations

from fractions import Fraction

from qianmo.finance.distribution.game import Game
from qianmo.finance.distribution.nucleolus import Level, Nucleolus
from qianmo.schema.errors import SchemaError

__all__ = ["certificate_record", "check_nucleolus", "read_certificate"]


def check_nucleolus(game: Game, found: Nucleolus) -> tuple[str, ...]:
    """Faults of a claimed nucleolus with its certificate; none means it is proved (核验核仁).

    Reads values, amounts and weights only; shares no arithmetic with the solver.
    """
    n, full = len(game.parties), (1 << len(game.parties)) - 1
    if tuple(found.amounts) != game.parties:
        return ("parties differ from the game",)
    x, v = list(found.amounts.values()), [Fraction(a) for a in game.values]
    faults = [] if sum(x, Fraction(0)) == v[full] else ["amounts do not sum to the value of all"]
    if found.individual:
        faults += [f"{p} gets less than alone" for i, p in enumerate(game.parties) if x[i] < v[1 << i]]
    pay = _subset_sums(x)
    settled = [full]
    for number, level in enumerate(found.levels, 1):
        inside = _in_span(settled, n)
        faults += [f"level {number}: {fault}" for fault in _level_faults(level, found.individual, settled, inside, v, pay, x)]
        settled += [s for s in (*level.open_weights, *(1 << i for i in level.bound_weights)) if s not in settled]
    if _rank(settled, n) < n:
        faults.append("levels leave the split open")
    return tuple(faults)


def certificate_record(game: Game, found: Nucleolus) -> dict[str, object]:
    """The certificate as plain data for JSON: fractions as text, coalitions as lists of parties (证明记录)."""
    return {
        "parties": list(game.parties), "individual": found.individual, "amounts": {p: str(a) for p, a in found.amounts.items()},
        "levels": [{
            "excess": str(level.excess),
            "open": [[list(game.members(s)), str(w)] for s, w in level.open_weights.items()],
            "bounds": [[game.parties[i], str(w)] for i, w in level.bound_weights.items()],
            "settled": [[list(game.members(s)), str(w)] for s, w in level.settled_weights.items()],
        } for level in found.levels],
    }  # fmt: skip


def read_certificate(game: Game, record: dict[str, object]) -> Nucleolus:
    """The certificate back from plain data (读回证明).

    Raises
    ------
    SchemaError
        The record is not one of `certificate_record` for these parties.
    """
    try:
        levels = tuple(
            Level(
                Fraction(item["excess"]), {game.coalition(s): Fraction(w) for s, w in item["open"]},
                {game.parties.index(p): Fraction(w) for p, w in item["bounds"]}, {game.coalition(s): Fraction(w) for s, w in item["settled"]},
            )
            for item in record["levels"]  # type: ignore[attr-defined]
        )  # fmt: skip
        amounts = {p: Fraction(a) for p, a in record["amounts"].items()}  # type: ignore[attr-defined]
        return Nucleolus(amounts, levels, bool(record["individual"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError) as fault:
        raise SchemaError(f"证明读不出: {fault}", expected="certificate_record 写出的记录", cure="重新生成证明") from None


def _level_faults(
    level: Level, individual: bool, settled: list[int], inside: list[bool], v: list[Fraction], pay: list[Fraction], x: list[Fraction]
) -> list[str]:
    faults = []
    if min(level.open_weights.values(), default=Fraction(-1)) <= 0 or min(level.bound_weights.values(), default=Fraction(1)) <= 0:
        faults.append("a weight has the wrong sign")
    if level.bound_weights and not individual:
        faults.append("bounds are used that do not hold")
    if any(inside[s] for s in level.open_weights) or not set(level.settled_weights) <= set(settled):
        faults.append("a coalition is open and settled")
    if sum(level.open_weights.values(), Fraction(0)) != 1:
        faults.append("weights of open coalitions do not sum to 1")
    used = [*level.open_weights.items(), *level.settled_weights.items(), *((1 << i, w) for i, w in level.bound_weights.items())]
    if any(sum((w for s, w in used if s >> i & 1), Fraction(0)) for i in range(len(x))):
        faults.append("weights do not balance")
    proved = sum((w * v[s] for s, w in level.open_weights.items()), Fraction(0)) + sum((w * v[1 << i] for i, w in level.bound_weights.items()), Fraction(0))
    if proved + sum((w * pay[s] for s, w in level.settled_weights.items()), Fraction(0)) != level.excess:
        faults.append("weights do not prove the excess")
    if max((v[s] - pay[s] for s in range(len(v)) if not inside[s]), default=level.excess) != level.excess:
        faults.append("an open coalition complains more, or none as much")
    return faults


def _subset_sums(parts: list[Fraction]) -> list[Fraction]:
    sums = [Fraction(0)]
    for part in parts:
        sums += [s + part for s in sums]
    return sums


def _in_span(settled: list[int], n: int) -> list[bool]:
    """For each coalition: does it lie in the span of the settled ones."""
    echelon = _echelon(settled, n)
    pivots = [next(i for i, a in enumerate(row) if a) for row in echelon]
    inside = [True] * (1 << n)
    for f in (i for i in range(n) if i not in pivots):
        kernel = [Fraction(0)] * n
        kernel[f] = Fraction(1)
        for row, lead in zip(echelon, pivots):
            kernel[lead] = -row[f]
        inside = [known and not total for known, total in zip(inside, _subset_sums(kernel))]
    return inside


def _rank(settled: list[int], n: int) -> int:
    return len(_echelon(settled, n))


def _echelon(settled: list[int], n: int) -> list[list[Fraction]]:
    """Reduced rows of the settled coalitions, by plain Gauss-Jordan elimination column by column."""
    table = [[Fraction(s >> i & 1) for i in range(n)] for s in settled]
    done = 0
    for column in range(n):
        place = next((k for k in range(done, len(table)) if table[k][column]), None)
        if place is None:
            continue
        table[done], table[place] = table[place], table[done]
        table[done] = [a / table[done][column] for a in table[done]]
        for k in range(len(table)):
            if k != done and table[k][column]:
                factor = table[k][column]
                table[k] = [a - factor * b for a, b in zip(table[k], table[done])]
        done += 1
    return table[:done]
