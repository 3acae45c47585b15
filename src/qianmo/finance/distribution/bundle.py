"""What bundling adds, and to whom it is owed: with and without (捆绑增量归属)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from qianmo.finance.distribution.exact import whole_amounts
from qianmo.finance.distribution.game import game_of_values
from qianmo.finance.distribution.shapley import shapley_value
from qianmo.schema.errors import SchemaError

__all__ = ["attributed_increments", "increments"]


def increments(with_fen: Mapping[str, Sequence[int]], without_fen: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """Flows of each line with the bundle less without it, by year (有无对比增量). [fen]

    A line on one side only counts as 0 on the other.

    Raises
    ------
    SchemaError
        Lines differ in their number of years.
    """
    years = {len(v) for v in (*with_fen.values(), *without_fen.values())}
    if len(years) > 1:
        raise SchemaError(f"各科目年数 {sorted(years)}", expected="年数一致", cure="检查年度序列")
    nothing = (0,) * next(iter(years), 0)
    names = dict.fromkeys([*with_fen, *without_fen])
    return {k: tuple(a - b for a, b in zip(with_fen.get(k, nothing), without_fen.get(k, nothing))) for k in names}


def attributed_increments(parts: Sequence[str], flows_fen: Mapping[tuple[str, ...], Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """Increment of a bundle by part and year, whatever the order of adding them (增量归属). [fen]

    Parameters
    ----------
    parts : sequence of str
        Sub-projects: consolidation, wellness tourism, and so on.
    flows_fen : mapping of the parts built to flows, (years,)
        For every set of parts, with ``()`` for none of them.

    Returns
    -------
    dict of part to tuple of int, (years,)
        Mean over all orders of what the part adds (Shapley). Each year sums to all parts less none, to the fen.

    Raises
    ------
    SchemaError
        A set is missing, or flows differ in length.

    Examples
    --------
    >>> attributed_increments(["整治", "康养"], {(): [0], ("整治",): [-60], ("康养",): [100], ("整治", "康养"): [140]})
    {'整治': (-10,), '康养': (150,)}
    """
    years = {len(f) for f in flows_fen.values()}
    if len(years) != 1 or () not in flows_fen:
        raise SchemaError(f"各情形年数 {sorted(years)}, {'有' if () in flows_fen else '没有'}无项目情形", expected="年数一致, 含一个都不做的情形", cure="补充无项目情形")
    made: dict[str, list[int]] = {p: [] for p in parts}
    for t in range(years.pop()):
        base = flows_fen[()][t]
        game = game_of_values(parts, {s: f[t] - base for s, f in flows_fen.items() if s})
        found = shapley_value(game)
        for part, amount in zip(parts, whole_amounts([Fraction(found[p]) for p in parts]), strict=True):
            made[part].append(amount)
    return {p: tuple(v) for p, v in made.items()}
