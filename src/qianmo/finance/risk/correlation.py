"""Correlation of uncertain inputs: checked, factored, or brought to the nearest one that can be (相关矩阵)."""

from __future__ import annotations

from typing import Any

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["checked_correlation", "correlation_factor", "nearest_correlation"]

_ZERO = 1e-10
_ROUNDS = 500


def checked_correlation(matrix: Any, names: tuple[str, ...], *, nearest: bool = False) -> np.ndarray:
    """Correlation of the normal scores, refused where no joint distribution has it (相关矩阵检查).

    Parameters
    ----------
    matrix : array (inputs, inputs)
        Correlations.
    names : tuple of str
        Inputs in its order.
    nearest : bool
        The user agrees to the nearest possible matrix where this one is not.

    Returns
    -------
    array (inputs, inputs)
        Positive semi-definite with unit diagonal.

    Raises
    ------
    SchemaError
        Not square, not symmetric, a diagonal other than one, an entry outside −1 to 1; or not positive semi-definite and
        `nearest` was not agreed to: the smallest eigenvalue and the inputs in conflict are named.
    """
    found = np.asarray(matrix, dtype=np.float64)
    if found.shape != (len(names), len(names)) or not np.isfinite(found).all():
        raise SchemaError(f"相关矩阵为 {found.shape}", expected=f"{len(names)} 行 {len(names)} 列: {', '.join(names)}")
    if np.abs(found - found.T).max(initial=0.0) > _ZERO or np.abs(np.diag(found) - 1).max(initial=0.0) > _ZERO or np.abs(found).max(initial=0.0) > 1 + _ZERO:
        raise SchemaError("相关矩阵不对称、对角线不为 1, 或有数超出 -1 到 1", expected="相关系数")
    roots, vectors = np.linalg.eigh(found)
    if len(roots) and roots[0] < -_ZERO:
        if nearest:
            return nearest_correlation(found)
        worst = [names[k] for k in np.argsort(-np.abs(vectors[:, 0]))[:3]]
        raise SchemaError(
            f"相关系数互相矛盾, 没有这样的联合分布: 最小特征值 {roots[0]:.4g}, 主要涉及 {', '.join(worst)}",
            expected="半正定的相关矩阵", cure="减弱这几个相关系数, 或同意取最近的相关矩阵 (nearest = true)",
        )  # fmt: skip
    return found


def correlation_factor(matrix: np.ndarray) -> np.ndarray:
    """Factor F with F Fᵀ = matrix; lower triangular where it can be (相关矩阵分解).

    Parameters
    ----------
    matrix : array (inputs, inputs)
        From `checked_correlation`.

    Returns
    -------
    array (inputs, inputs)
        The identity for the identity.
    """
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        roots, vectors = np.linalg.eigh(matrix)
        return vectors * np.sqrt(np.maximum(roots, 0.0))


def nearest_correlation(matrix: np.ndarray) -> np.ndarray:
    """Nearest correlation matrix in the sum of squares, by alternating projections with correction (最近相关矩阵).

    Parameters
    ----------
    matrix : array (n, n)
        Symmetric.

    Returns
    -------
    array (n, n)
        Positive semi-definite to rounding, unit diagonal.

    References
    ----------
    .. [1] N. J. Higham, IMA Journal of Numerical Analysis, vol. 22, pp. 329-343, 2002.
    """
    found, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(_ROUNDS):
        roots, vectors = np.linalg.eigh(found - correction)
        cone = (vectors * np.maximum(roots, 0.0)) @ vectors.T
        correction = cone - (found - correction)
        before, found = found, cone.copy()
        np.fill_diagonal(found, 1.0)
        if np.abs(found - before).max() < 1e-14:
            break
    roots, vectors = np.linalg.eigh(found)
    cone = (vectors * np.maximum(roots, 0.0)) @ vectors.T
    size = np.sqrt(np.diag(cone))
    return cone / np.outer(size, size)
