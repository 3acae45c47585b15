"""What every coalition of parties can earn by itself (合作博弈).

Coalitions are numbered by bits: party i is in coalition s when bit i of s is set. Values are whole numbers (fen) or fractions,
never floats, so that shares and certificates are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np

from qianmo.finance.distribution.exact import exact
from qianmo.schema.errors import SchemaError

__all__ = ["Game", "claims_game", "coalition_sums", "game_of_contributions", "game_of_values", "scaled_integers"]

MOST_PARTIES = 20
"""Coalitions are all listed: a million at twenty parties."""


@dataclass(frozen=True, eq=False)
class Game:
    """Parties and the value of each coalition (合作博弈).

    `values` has 2^n entries, the first (nobody) is 0; dtype int64, or object with Fractions and large integers.
    """

    parties: tuple[str, ...]
    values: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.parties)
        if not 1 <= n <= MOST_PARTIES or len(set(self.parties)) < n:
            raise SchemaError(f"{n} 个参与方, 其中 {len(set(self.parties))} 个不同", expected=f"1 至 {MOST_PARTIES} 个不同的参与方", cure="检查参与方")
        if len(self.values) != 1 << n or self.values[0] != 0 or self.values.dtype.kind not in "iO":
            raise SchemaError(f"{len(self.values)} 个联盟价值, 类型 {self.values.dtype}, 第一个为 {self.values[0]}", expected=f"{1 << n} 个精确值, 空联盟为 0")

    def coalition(self, members: Iterable[str]) -> int:
        """Number of a coalition.

        Raises
        ------
        SchemaError
            Somebody is no party.
        """
        names = list(members)
        strange = [m for m in names if m not in self.parties]
        if strange:
            raise SchemaError(f"联盟中有 {', '.join(strange)}", expected=", ".join(self.parties), cure="检查参与方名称")
        return sum(1 << self.parties.index(m) for m in set(names))

    def members(self, coalition: int) -> tuple[str, ...]:
        """Names in a coalition."""
        return tuple(p for i, p in enumerate(self.parties) if coalition >> i & 1)

    @property
    def total(self) -> Fraction:
        """Value of all parties together."""
        return Fraction(self.values[-1])


def game_of_values(parties: Sequence[str], values: Mapping[tuple[str, ...], Any]) -> Game:
    """Game from a value for every coalition (逐一给出联盟价值).

    Raises
    ------
    SchemaError
        A coalition is missing, listed twice or unknown.

    Examples
    --------
    >>> game_of_values(("甲", "乙"), {("甲",): 0, ("乙",): 2, ("甲", "乙"): 5}).values.tolist()
    [0, 0, 2, 5]
    """
    frame = Game(tuple(parties), np.zeros(1 << len(parties), dtype=np.int64))
    found: dict[int, Fraction] = {0: Fraction(0)}
    for members, value in values.items():
        s = frame.coalition(members)
        if s in found:
            raise SchemaError(f"联盟 {'、'.join(members) or '(空)'} 重复", expected="每个联盟一次", cure="删去重复的联盟")
        found[s] = exact(value)
    lacking = [s for s in range(1 << len(parties)) if s not in found]
    if lacking:
        raise SchemaError(
            f"{len(lacking)} 个联盟没有价值, 第一个是 {'、'.join(frame.members(lacking[0]))}",
            expected=f"{(1 << len(parties)) - 1} 个联盟", cure="补全联盟价值, 或改用 together 写法",
        )  # fmt: skip
    return Game(tuple(parties), _array([found[s] for s in range(1 << len(parties))]))


def game_of_contributions(parties: Sequence[str], terms: Sequence[tuple[Sequence[str], Any]]) -> Game:
    """Game from amounts that arise when certain parties are all there (按共同作用列项).

    v(S) is the sum of the amounts of all groups inside S; any game has exactly one such list.

    Examples
    --------
    >>> game_of_contributions(("甲", "乙"), [(("甲",), 1), (("甲", "乙"), 4)]).values.tolist()
    [0, 1, 0, 5]
    """
    frame = Game(tuple(parties), np.zeros(1 << len(parties), dtype=np.int64))
    value = _array([Fraction(0)] * (1 << len(parties)), exact_objects=True)
    for members, amount in terms:
        s = frame.coalition(members)
        if not s:
            raise SchemaError(f"金额 {amount} 没有参与方", expected="至少一个参与方", cure="补充参与方")
        value[s] += exact(amount)
    for i in range(len(parties)):
        pair = value.reshape(-1, 2, 1 << i)
        pair[:, 1] += pair[:, 0]
    return Game(tuple(parties), _array(list(value)))


def claims_game(estate: Any, claims: Mapping[str, Any]) -> Game:
    """Game of a claims problem: a coalition is sure of what the others' claims leave (债权博弈)."""
    owed = [exact(c) for c in claims.values()]
    left = [max(exact(estate) - sum((c for i, c in enumerate(owed) if not s >> i & 1), Fraction(0)), Fraction(0)) for s in range(1 << len(owed))]
    left[0] = Fraction(0)
    return Game(tuple(claims), _array(left))


def coalition_sums(parts: Sequence[int]) -> np.ndarray:
    """Sum of the parts of each coalition, (2^n,), int64 where that is safe, else object."""
    safe = sum(abs(p) for p in parts) < 1 << 62
    sums = np.zeros(1 << len(parts), dtype=np.int64 if safe else object)
    for i, part in enumerate(parts):
        sums[1 << i : 2 << i] = sums[: 1 << i] + part
    return sums


def scaled_integers(values: np.ndarray) -> tuple[list[int] | np.ndarray, int]:
    """Values times their least common denominator, and that denominator."""
    if values.dtype.kind == "i":
        return values, 1
    fractions = [Fraction(v) for v in values]
    scale = lcm(*{f.denominator for f in fractions})
    return [f.numerator * (scale // f.denominator) for f in fractions], scale


def _array(values: list[Fraction], *, exact_objects: bool = False) -> np.ndarray:
    if not exact_objects and all(v.denominator == 1 and abs(v) < 1 << 53 for v in values):
        return np.array([int(v) for v in values], dtype=np.int64)
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made
