"""The smoothest model that fits the data within their errors (最平滑模型反演)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import sparray, spmatrix

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.resistivity.simulation import Forward

__all__ = ["Smoothest", "smoothest_model"]


@dataclass(frozen=True)
class Smoothest:
    """A smooth model (反演结果).

    Attributes
    ----------
    model : ndarray (m,)
        Log resistivity.
    fitted : ndarray (d,)
        Log data of the model.
    reduced_chi2 : float
        Mean square of misfit over error: near 1 where the errors are right.
    sensitivity : ndarray (m,)
        Root sum of squares of the weighted derivatives of the data by each cell: what the data know of it.
    resolution : ndarray (m,)
        Diagonal of the resolution matrix, 0 (from the neighbours alone) to 1 (from the data alone).
    sigma : ndarray (m,)
        Standard error of the log resistivity given the smoothness.
    steps : int
    """

    model: np.ndarray
    fitted: np.ndarray
    reduced_chi2: float
    sensitivity: np.ndarray
    resolution: np.ndarray
    sigma: np.ndarray
    steps: int


def smoothest_model(
    forward: Forward, observed: np.ndarray, sigma: np.ndarray, *, start: np.ndarray, roughness: spmatrix | sparray, most_steps: int = 14, target: float = 1.0
) -> Smoothest:
    r"""Gauss-Newton with a weight of the roughness that falls until the data fit (高斯-牛顿反演).

    Each step solves :math:`(J^T W J + \lambda R^T R)\,m = J^T W (d - f + J m_k)` for the weight that lowers the misfit most,
    or the largest that reaches the target: the smoothest model that fits [1]_.

    Parameters
    ----------
    forward : (function, function)
    observed, sigma : ndarray (d,)
        Log data and their standard errors, above 0.
    start : ndarray (m,)
    roughness : sparse (r, m)
        Differences of neighbours.
    target : float
        Reduced chi-square to reach.

    Raises
    ------
    SchemaError
        Lengths differ, or values are not finite.
    MissingDataError
        The fit does not come below a reduced chi-square of 4: data, errors or geometry are wrong.

    References
    ----------
    .. [1] S. C. Constable, R. L. Parker, C. G. Constable, Geophysics, vol. 52, pp. 289-300, 1987.
    """
    if observed.shape != sigma.shape or not (np.isfinite(observed).all() and (sigma > 0).all()):
        raise SchemaError("观测值与中误差不成对, 或含非有限值", expected="等长, 中误差大于 0")
    answer, derivatives = forward
    penalty = np.asarray((roughness.T @ roughness).todense())
    penalty += 1e-6 * penalty.diagonal().max() * np.eye(len(start))
    model, fitted = start.copy(), answer(start)
    chi2 = float((((observed - fitted) / sigma) ** 2).mean())
    weight, steps = None, 0
    for steps in range(1, most_steps + 1):
        scaled = derivatives(model) / sigma[:, None]
        normal = scaled.T @ scaled
        right = scaled.T @ ((observed - fitted) / sigma + scaled @ model)
        if weight is None:
            weight = 10.0 * float(np.trace(normal) / np.trace(penalty))
        trial = []
        for factor in (1.0, 0.4, 0.1):
            made = cho_solve(cho_factor(normal + factor * weight * penalty), right)
            made = model + np.clip(made - model, -2.0, 2.0)
            seen = answer(made)
            trial.append((float((((observed - seen) / sigma) ** 2).mean()), factor * weight, made, seen))
            if trial[-1][0] <= target:
                break
        best = next((t for t in trial if t[0] <= target), min(trial, key=lambda t: t[0]))
        done = best[0] <= target or (steps > 3 and best[0] > 0.97 * chi2)
        if best[0] < chi2:
            chi2, weight, model, fitted = best
        if done:
            break
    if not chi2 <= 4.0:
        raise MissingDataError(f"反演不收敛: 约化卡方 {chi2:.1f}", expected="不大于 4", cure="核对单位、装置几何与中误差")
    scaled = derivatives(model) / sigma[:, None]
    normal = scaled.T @ scaled
    inverse = cho_solve(cho_factor(normal + (weight or 1.0) * penalty), np.eye(len(model)))
    return Smoothest(model, fitted, chi2, np.sqrt(np.diag(normal)), np.einsum("ij,ji->i", inverse, normal), np.sqrt(np.maximum(np.diag(inverse), 0.0)), steps)
