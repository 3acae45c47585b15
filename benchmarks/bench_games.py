"""Exact Shapley value of twenty parties and exact nucleolus of twelve: the house and coopgame-py."""

from __future__ import annotations

from pathlib import Path

import coopgame
import numpy as np
from measure import Way

from qianmo.finance.distribution.game import Game
from qianmo.finance.distribution.nucleolus import nucleolus
from qianmo.finance.distribution.nucleolus_check import check_nucleolus
from qianmo.finance.distribution.shapley import shapley_value

__all__ = ["made_game", "ways"]

SEED = 20260101
_MOST = 1e11


def made_game(n: int) -> Game:
    """An invented game with values up to 10^11 fen; nobody earns anything alone."""
    rng = np.random.default_rng(SEED + n)
    size = np.array([s.bit_count() for s in range(1 << n)])
    values = (rng.integers(0, int(_MOST), 1 << n) * (size / n)).astype(np.int64)
    values[[0, *(1 << i for i in range(n))]] = 0
    values[-1] = int(_MOST)
    return Game(tuple(f"p{i}" for i in range(n)), values)


def ways(size: int, cache: Path) -> list[Way]:
    """Twenty and twelve parties; twelve and eight where `size` is small. The figure is the amount of the first party."""
    many, few = (20, 12) if size > 2000 else (12, 8)
    large, small, tiny = made_game(many), made_game(few), made_game(4)
    floats = coopgame.Game(large.values[1:].astype(float).tolist())
    peer = coopgame.Game(small.values[1:].astype(float).tolist())
    found = nucleolus(small)

    def checked() -> float:
        if faults := check_nucleolus(small, found):
            raise AssertionError(faults[0])
        return float(found.amounts["p0"])

    def certified() -> float:
        amounts = list(found.amounts.values())
        if not coopgame.certify_rational(small.values[1:].tolist(), amounts, "imputation")["satisfied"]:
            raise AssertionError("coopgame refutes the nucleolus")
        return float(amounts[0])

    return [
        Way("shapley", "qianmo, exact fractions", 1 << many, lambda: float(shapley_value(large)["p0"]), lambda: shapley_value(tiny)),
        Way("shapley", "coopgame-py, floats", 1 << many, lambda: float(coopgame.shapley(floats)[0]), lambda: coopgame.Game([0.0]), 1e-6),
        Way("nucleolus", "qianmo, exact fractions with proof", 1 << few, lambda: float(nucleolus(small).amounts["p0"])),
        Way("nucleolus", "qianmo, the proof checked", 1 << few, checked),
        Way("nucleolus", "coopgame-py, floats", 1 << few, lambda: float(coopgame.nucleolus(peer)["allocation"][0]), None, 1e-6),
        Way("nucleolus", "coopgame-py, rational test of our result", 1 << few, certified),
    ]
