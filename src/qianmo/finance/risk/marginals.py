"""Distributions of one uncertain input, read by their quantiles (概率分布)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from qianmo.schema.errors import SchemaError

__all__ = ["KINDS", "Marginal", "marginal_from", "quantiles", "values_of_scores"]

KINDS = ("constant", "normal", "lognormal", "uniform", "triangular", "discrete", "empirical")
"""定值, 正态, 对数正态, 均匀, 三角, 离散, 经验分布."""

_FIELDS = {
    "constant": ("value",), "normal": ("mean", "deviation"), "lognormal": ("median", "log_deviation"), "uniform": ("low", "high"),
    "triangular": ("low", "mode", "high"), "discrete": ("values", "chances"), "empirical": ("values",),
}  # fmt: skip


_MOST = 1e12
_MOST_LOG = 5.0


@dataclass(frozen=True)
class Marginal:
    """One distribution (分布).

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    numbers : tuple of float
        constant (value), normal (mean, deviation), lognormal (median, deviation of the logarithm), uniform (low, high),
        triangular (low, mode, high); the values of discrete and empirical, rising.
    chances : tuple of float
        Probabilities of the discrete values.
    """

    kind: str
    numbers: tuple[float, ...]
    chances: tuple[float, ...] = ()

    @property
    def support(self) -> tuple[float, float]:
        """Least and largest value it can take (取值范围)."""
        if self.kind == "normal":
            return (-np.inf, np.inf) if self.numbers[1] > 0 else (self.numbers[0], self.numbers[0])
        if self.kind == "lognormal":
            return 0.0, np.inf
        return self.numbers[0], self.numbers[-1]

    @property
    def mean(self) -> float:
        """Mean; closed form (均值)."""
        a = self.numbers
        if self.kind == "lognormal":
            return a[0] * float(np.exp(a[1] ** 2 / 2))
        if self.kind == "discrete":
            return float(np.dot(a, self.chances))
        if self.kind == "empirical":
            return float(np.mean((np.array(a[1:]) + np.array(a[:-1])) / 2)) if len(a) > 1 else a[0]
        return a[0] if self.kind in ("constant", "normal") else float(np.mean(a))


def marginal_from(given: Mapping[str, Any] | float, name: str = "input") -> Marginal:
    """A distribution from a number or a plain mapping such as ``{"kind": "triangular", "low": 0.8, "mode": 1, "high": 1.1}`` (读取分布).

    Parameters
    ----------
    given : number or mapping
        A number is a constant. ``discrete`` takes ``values`` and ``chances``; ``empirical`` takes observed ``values``.
    name : str
        Name of the input, for messages.

    Returns
    -------
    Marginal
        Checked.

    Raises
    ------
    SchemaError
        Unknown kind, a number missing, too many, not finite, or out of order; chances that do not sum to one.
    """
    if not isinstance(given, Mapping):
        given = {"kind": "constant", "value": given}
    kind = str(given.get("kind", ""))
    if kind not in KINDS:
        raise SchemaError(f"{name}: 没有分布 {kind!r}", expected=", ".join(KINDS))
    wanted = {"kind", *_FIELDS[kind]}
    if set(given) != wanted:
        raise SchemaError(f"{name}: 分布 {kind} 写了 {', '.join(sorted(set(given) - {'kind'}))}", expected=", ".join(_FIELDS[kind]))
    parts = [_numbers(given[f], f"{name}: {kind} 的 {f}", f in ("values", "chances")) for f in _FIELDS[kind]]
    if any(not (np.abs(p) <= _MOST).all() or p.size == 0 for p in parts):
        raise SchemaError(f"{name}: 分布 {kind} 有缺失、无穷或过大的数", expected=f"至少一个数, 大小不超过 {_MOST:g}")
    return _listed(kind, parts, name) if kind in ("discrete", "empirical") else _shaped(kind, [p.item() for p in parts], name)


def quantiles(marginal: Marginal, share: Any) -> Any:
    """Value below which a share of the distribution lies (分位数).

    Parameters
    ----------
    marginal : Marginal
    share : float or array
        0 to 1.

    Returns
    -------
    float or array
        Empirical values are joined by straight lines, so a sample of one is a constant.
    """
    chance = np.asarray(share, dtype=np.float64)
    if marginal.kind in ("normal", "lognormal"):
        found = _of_scores(marginal, ndtri(chance))
    else:
        found = _of_chances(marginal, chance)
    return float(found) if found.ndim == 0 else found


def values_of_scores(marginal: Marginal, score: np.ndarray) -> np.ndarray:
    """Values at standard normal scores, the way of the Gaussian copula (由正态分数取值).

    Parameters
    ----------
    marginal : Marginal
    score : array
        Standard normal numbers, correlated or not.

    Returns
    -------
    array
        Same shape; rises with the score.
    """
    if marginal.kind in ("normal", "lognormal"):
        return _of_scores(marginal, score)
    return _of_chances(marginal, ndtr(score))


def _numbers(given: Any, where: str, many: bool) -> np.ndarray:
    """One number, or a list of them; a text or a truth value is none."""
    found = list(given) if many and isinstance(given, list | tuple) else [given]
    if any(isinstance(x, bool) or not isinstance(x, int | float | np.integer | np.floating) for x in found):
        raise SchemaError(f"{where} = {given!r} 不是数", expected="若干个数" if many else "一个数")
    return np.array(found, dtype=np.float64)


def _of_scores(marginal: Marginal, score: np.ndarray) -> np.ndarray:
    a, b = marginal.numbers
    return a + b * score if marginal.kind == "normal" else a * np.exp(b * score)


def _of_chances(marginal: Marginal, chance: np.ndarray) -> np.ndarray:
    a = marginal.numbers
    if marginal.kind == "constant":
        return np.full(chance.shape, a[0])
    if marginal.kind == "uniform":
        return a[0] + (a[1] - a[0]) * chance
    if marginal.kind == "triangular":
        low, mode, high = a
        wide = high - low
        if wide == 0:
            return np.full(chance.shape, low)
        rising = low + np.sqrt(chance * wide * (mode - low))
        falling = high - np.sqrt((1.0 - chance) * wide * (high - mode))
        return np.where(chance * wide < mode - low, rising, falling)
    if marginal.kind == "discrete":
        steps = np.cumsum(marginal.chances)[:-1]
        return np.asarray(a)[np.searchsorted(steps, chance, side="right")]
    places = np.linspace(0.0, 1.0, len(a)) if len(a) > 1 else np.zeros(1)
    return np.interp(chance, places, np.asarray(a))


def _shaped(kind: str, numbers: Sequence[float], name: str) -> Marginal:
    rising = list(numbers) == sorted(numbers)
    fits = {"normal": numbers[-1] >= 0, "lognormal": numbers[0] > 0 and 0 <= numbers[-1] <= _MOST_LOG, "constant": True}.get(kind, rising)
    if not fits:
        raise SchemaError(f"{name}: 分布 {kind} 的参数 {dict(zip(_FIELDS[kind], numbers, strict=True))} 不成立", expected="low ≤ mode ≤ high; deviation 不为负; median 大于 0; log_deviation 不超过 5")
    return Marginal(kind, tuple(numbers))


def _listed(kind: str, parts: Sequence[np.ndarray], name: str) -> Marginal:
    values = parts[0]
    if kind == "empirical":
        return Marginal(kind, tuple(np.sort(values).tolist()))
    chances = parts[1]
    if chances.shape != values.shape or (chances < 0).any() or abs(chances.sum() - 1.0) > 1e-9:
        raise SchemaError(f"{name}: {len(values)} 个取值的概率为 {chances.tolist()}", expected="每个取值一个概率, 不为负, 合计 1")
    order = np.argsort(values, kind="stable")
    return Marginal(kind, tuple(values[order].tolist()), tuple((chances[order] / chances.sum()).tolist()))
