"""Weights from pairwise judgements and the check of their consistency (层次分析法权重)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from qianmo.schema.errors import RuleError
from qianmo.schema.shipped import shipped_rows

__all__ = ["check_weight_sum", "consistency_ratio", "judgement_matrix", "pairwise_weights"]

_LARGEST = 9.0


@cache
def random_index() -> tuple[float, ...]:
    """Mean consistency index of random judgements by order, from 1 (平均随机一致性指标)."""
    return tuple(float(r["random_index"]) for r in shipped_rows("parameters", "random_index"))


def judgement_matrix(names: Sequence[str], judgements: Mapping[tuple[str, str], float], *, what: str) -> np.ndarray:
    """Full reciprocal matrix from judgements of one side (判断矩阵), (n, n).

    Raises
    ------
    RuleError
        A pair is missing, judged twice with different results, names something unknown, or lies outside 1/9 to 9.
    """
    place = {n: k for k, n in enumerate(names)}
    matrix = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    for (row, column), value in judgements.items():
        if row not in place or column not in place or row == column:
            raise RuleError(f"判断矩阵 {what}: {row} 对 {column}", expected=f"{', '.join(names)} 中两个不同的指标")
        if not 1.0 / _LARGEST - 1e-9 <= value <= _LARGEST + 1e-9:
            raise RuleError(f"判断矩阵 {what}: {row} 对 {column} 为 {value:g}", expected="1/9 至 9")
        i, j = place[row], place[column]
        if np.isfinite(matrix[i, j]) and abs(matrix[i, j] - value) > 1e-9 * value:
            raise RuleError(f"判断矩阵 {what}: {row} 对 {column} 有两个值 {matrix[i, j]:g} 与 {value:g}", expected="互为倒数, 每对一个")
        matrix[i, j], matrix[j, i] = value, 1.0 / value
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise RuleError(f"判断矩阵 {what}: 缺 {names[i]} 对 {names[j]}", expected="每一对指标都判断")
    return matrix


def pairwise_weights(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    r"""Weights and largest eigenvalue of a reciprocal matrix (权重与最大特征根).

    Returns
    -------
    (weights (n,), lambda)
        The principal eigenvector with sum 1; lambda is at least n, and n where the judgements agree.
    """
    values, vectors = np.linalg.eig(np.asarray(matrix, float))
    top = int(np.argmax(values.real))
    weight = np.abs(vectors[:, top].real)
    return weight / weight.sum(), float(values[top].real)


def consistency_ratio(matrix: np.ndarray) -> float:
    r"""Consistency ratio of judgements (一致性比率): 0 where they agree, about 1 for random ones.

    :math:`CR = \frac{\lambda - n}{(n - 1)\,RI_n}` [1]_; 0 for two or fewer.

    Raises
    ------
    RuleError
        More things than the table of random indices has.

    References
    ----------
    .. [1] T. L. Saaty, The Analytic Hierarchy Process, 1980.
    """
    n = len(matrix)
    if n > len(random_index()):
        raise RuleError(f"判断矩阵 {n} 阶", expected=f"不超过 {len(random_index())} 阶", cure="分组判断")
    if n <= 2:
        return 0.0
    return max(0.0, (pairwise_weights(matrix)[1] - n) / ((n - 1) * random_index()[n - 1]))


def check_weight_sum(names: Sequence[str], weights: Sequence[float], *, what: str, tolerance: float = 1e-3) -> None:
    """Refuse weights that are negative or do not sum to 1 (权重检查).

    Raises
    ------
    RuleError
        A weight below 0, not a number, or the sum off 1 by more than the tolerance.
    """
    bad = [n for n, w in zip(names, weights) if not w >= 0]
    if bad:
        raise RuleError(f"{what}: {', '.join(bad)} 的权重为负或不是数", expected="0 至 1")
    total = float(sum(weights))
    if abs(total - 1.0) > tolerance:
        raise RuleError(f"{what}: 权重合计 {total:.4f}", expected="1", cure="改权重使合计为 1, 或按判断矩阵重算")
