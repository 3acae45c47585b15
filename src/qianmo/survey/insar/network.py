"""The network of interferograms: dates, pairs, loops, rank (干涉对网络)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["Network", "design_matrix", "make_network", "rank", "triplets"]


@dataclass(frozen=True)
class Network:
    """Dates and pairs of a stack (干涉网络).

    Attributes
    ----------
    dates : tuple of date, d
        Rising.
    first, second : ndarray (p,), int32
        Indices of the earlier and the later date of each pair.
    """

    dates: tuple[date, ...]
    first: np.ndarray
    second: np.ndarray

    @property
    def days(self) -> np.ndarray:
        """Days since the first date, (d,), float."""
        return np.array([(d - self.dates[0]).days for d in self.dates], dtype=float)

    @property
    def widest(self) -> int:
        """Largest number of dates a pair spans: the bandwidth of the normal equations."""
        return int((self.second - self.first).max())


def make_network(pairs: Sequence[tuple[date, date]]) -> Network:
    """The network of these pairs, in their order (建立网络).

    Raises
    ------
    SchemaError
        No pair, a pair twice, a pair whose dates do not rise, or dates that no chain of pairs joins.
    """
    if not pairs:
        raise SchemaError("没有干涉对", expected="至少一个干涉对")
    turned = [f"{a}-{b}" for a, b in pairs if not a < b]
    if turned:
        raise SchemaError(f"干涉对日期顺序有误: {', '.join(turned[:5])}", expected="先前日期在前", cure="核对文件名中的日期; 主辅影像确实颠倒的, 交换并将相位反号")
    twice = sorted({f"{a}-{b}" for a, b in pairs if list(pairs).count((a, b)) > 1}) if len(set(pairs)) < len(pairs) else []
    if twice:
        raise SchemaError(f"干涉对重复: {', '.join(twice[:5])}", expected="每对日期一个干涉图", cure="保留相干性高的一个")
    dates = tuple(sorted({d for pair in pairs for d in pair}))
    at = {d: k for k, d in enumerate(dates)}
    first, second = (np.array([at[p[k]] for p in pairs], dtype=np.int32) for k in (0, 1))
    group = _groups(len(dates), first, second)
    if len(set(group)) > 1:
        parts = [[str(d) for d, g in zip(dates, group) if g == which] for which in dict.fromkeys(group)]
        raise SchemaError(
            f"干涉网络断开为 {len(parts)} 段: " + "; ".join(f"{p[0]} 至 {p[-1]} ({len(p)} 期)" for p in parts[:4]),
            expected="任意两期之间有干涉对相连", cure="补充跨段的干涉对, 或分段处理",
        )  # fmt: skip
    return Network(dates, first, second)


def design_matrix(network: Network) -> np.ndarray:
    """Pairs by dates without the first one: +1 at the later date, −1 at the earlier, (p, d − 1) (设计矩阵)."""
    full = np.zeros((len(network.first), len(network.dates)))
    rows = np.arange(len(network.first))
    full[rows, network.second] = 1.0
    full[rows, network.first] = -1.0
    return full[:, 1:]


def rank(network: Network) -> int:
    """Rank of the design matrix; d − 1 where every date is determined (秩)."""
    return int(np.linalg.matrix_rank(design_matrix(network)))


def triplets(network: Network) -> np.ndarray:
    """Closed loops of three pairs (t, 3), int: pair a–b, pair b–c, pair a–c (三角闭合环)."""
    at = {(int(a), int(b)): k for k, (a, b) in enumerate(zip(network.first, network.second))}
    after: dict[int, list[int]] = {}
    for a, b in at:
        after.setdefault(a, []).append(b)
    found = [(at[a, b], at[b, c], at[a, c]) for a, b in at for c in after.get(b, []) if (a, c) in at]
    return np.array(sorted(found), dtype=np.int32).reshape(-1, 3)


def _groups(count: int, first: np.ndarray, second: np.ndarray) -> list[int]:
    root = list(range(count))

    def top(k: int) -> int:
        while root[k] != k:
            root[k] = root[root[k]]
            k = root[k]
        return k

    for a, b in zip(first.tolist(), second.tolist()):
        root[top(b)] = top(a)
    return [top(k) for k in range(count)]
