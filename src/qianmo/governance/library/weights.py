"""Weights of the score: typed in, or from comparisons two by two (评分权重, 层次分析法)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from qianmo.schema.errors import SchemaError
from qianmo.schema.library import library_criteria, random_index

__all__ = ["Comparison", "compared_weights", "default_weights", "direct_weights"]


@dataclass(frozen=True)
class Comparison:
    """Weights from comparisons (层次分析结果).

    `weights` sum to 1; `ratio` is the consistency ratio, 0 for comparisons that never contradict each other; `worst` names the
    comparison that fits the others least.
    """

    weights: Mapping[str, Fraction]
    ratio: float
    worst: tuple[str, str]


def default_weights() -> dict[str, Fraction]:
    """The weights that ship (缺省权重)."""
    return {c.id: c.weight for c in library_criteria().values()}


def direct_weights(given: Mapping[str, float | str | Fraction]) -> dict[str, Fraction]:
    """Weights as typed, made to sum to 1 (直接赋权).

    Parameters
    ----------
    given : mapping
        Criterion → weight of at least 0; those not named get 0. Decimal numbers are taken as they are written.

    Raises
    ------
    SchemaError
        An unknown criterion, a negative weight, or nothing above 0.
    """
    known = library_criteria()
    strange = [k for k in given if k not in known]
    weights = {k: _fraction(k, v) for k, v in given.items() if k in known}
    wrong = [k for k, w in weights.items() if w < 0]
    total = sum(weights.values())
    if strange or wrong or total <= 0:
        found = f"权重 {', '.join(f'{k}={given[k]}' for k in (*strange, *wrong)) or '全为 0'}"
        raise SchemaError(found, expected=f"不小于 0 的权重, 指标: {', '.join(known)}", cure="改正权重表")
    return {k: weights.get(k, Fraction(0)) / total for k in known}


def compared_weights(criteria: Sequence[str], table: np.ndarray, *, ratio_max: float) -> Comparison:
    r"""Weights from a table of comparisons two by two (层次分析法).

    Parameters
    ----------
    criteria : sequence of str, n
    table : (n, n) float
        How many times criterion i outweighs criterion j, from 1/9 to 9; ``table[j, i]`` is its reciprocal.
    ratio_max : float
        Largest consistency ratio that is taken; 0.1 by Saaty.

    Returns
    -------
    Comparison

    Raises
    ------
    SchemaError
        The table is no table of comparisons, or contradicts itself too much: the comparison to think over is named.

    Notes
    -----
    The weights are the principal eigenvector; with its eigenvalue :math:`\lambda` the ratio is
    :math:`(\lambda - n) / ((n - 1) \mathrm{RI}_n)` [1]_.

    References
    ----------
    .. [1] T. L. Saaty, The Analytic Hierarchy Process, McGraw-Hill, 1980.
    """
    a, n = np.asarray(table, float), len(criteria)
    if a.shape != (n, n) or not n or not np.isfinite(a).all() or (a <= 0).any():
        raise SchemaError(f"比较矩阵 {a.shape}", expected=f"{n}×{n} 的正数", cure="逐对比较, 1 至 9 及其倒数")
    known = library_criteria()
    if strange := [c for c in criteria if c not in known]:
        raise SchemaError(f"评分指标 {', '.join(strange)}", expected=", ".join(known))
    for i in range(n):
        for j in range(i, n):
            if abs(a[i, j] * a[j, i] - 1) > 1e-3 or not 1 / 9.001 <= a[i, j] <= 9.001:
                raise SchemaError(f"{criteria[i]} 比 {criteria[j]}: {a[i, j]:g}, 反向 {a[j, i]:g}", expected="1/9 至 9, 两个方向互为倒数")
    values, vectors = np.linalg.eig(a)
    top = int(np.argmax(values.real))
    weight = np.abs(vectors[:, top].real)
    weight /= weight.sum()
    index = random_index(n)
    ratio = max(0.0, (float(values[top].real) - n) / (n - 1) / index) if index else 0.0
    off = np.abs(np.log(a * weight[None, :] / weight[:, None]))
    i, j = divmod(int(np.argmax(np.triu(off, 1))), n)
    if ratio > ratio_max:
        fits = weight[i] / weight[j]
        raise SchemaError(
            f"比较矩阵一致性比率 {ratio:.3f}", expected=f"不大于 {ratio_max:g}",
            cure=f"重新考虑 {criteria[i]} 与 {criteria[j]} 的比较: 填 {a[i, j]:.2g}, 与其余比较相符的约为 {fits:.2g}",
        )  # fmt: skip
    whole = {c: Fraction(float(w)).limit_denominator(10**9) for c, w in zip(criteria, weight)}
    total = sum(whole.values())
    return Comparison({c: whole.get(c, Fraction(0)) / total for c in known}, ratio, (criteria[i], criteria[j]))


def _fraction(name: str, value: float | str | Fraction) -> Fraction:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise SchemaError(f"{name} 的权重 {value!r}", expected="一个数") from None
