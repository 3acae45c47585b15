"""How much of the variance each input brings, alone and with others: Sobol indices (索博尔敏感度指数)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import qmc

from qianmo.finance.risk.draws import values_at_chances
from qianmo.finance.risk.kernel import FIGURES
from qianmo.finance.risk.model import RiskModel
from qianmo.finance.risk.simulate import evaluate
from qianmo.schema.errors import SchemaError

__all__ = ["sobol_indices", "sobol_table"]

_EDGE = 2.0**-40


def sobol_indices(function: Callable[[np.ndarray], np.ndarray], inputs: int, *, points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """First-order and total indices of functions of independent uniform inputs (一阶与总效应指数).

    Parameters
    ----------
    function : callable
        From chances (inputs, n) to figures (figures, n).
    inputs : int
    points : int
        A power of two; the function is asked for points × (inputs + 2) values.
    seed : int
        Of the scrambled Sobol sequence.

    Returns
    -------
    tuple of array (figures, inputs)
        First order and total; about 0 to 1. nan for a figure that is missing somewhere or does not vary.

    Raises
    ------
    SchemaError
        Points not a power of two.

    Notes
    -----
    First order by the estimator of [1]_, total by that of [2]_, on centred figures.

    References
    ----------
    .. [1] A. Saltelli et al., Computer Physics Communications, vol. 181, pp. 259-270, 2010, table 2 (b).
    .. [2] M. J. W. Jansen, Computer Physics Communications, vol. 117, pp. 35-43, 1999.
    """
    if points < 2 or points & (points - 1):
        raise SchemaError(f"{points} points", expected="a power of two")
    both = qmc.Sobol(2 * inputs, scramble=True, rng=np.random.default_rng(seed)).random(points).T
    both = np.clip(both, _EDGE, 1.0 - _EDGE)
    one, two = both[:inputs], both[inputs:]
    mixed = [np.where((np.arange(inputs) == k)[:, None], two, one) for k in range(inputs)]
    found = np.atleast_2d(function(np.concatenate([one, two, *mixed], axis=1))).reshape(-1, inputs + 2, points)
    pair = found[:, :2].reshape(len(found), -1)
    found = found - pair.mean(axis=1)[:, None, None]
    variance = pair.var(axis=1)[:, None]
    variance = np.where(variance > 0, variance, np.nan)
    a, b, changed = found[:, :1], found[:, 1:2], found[:, 2:]
    return (b * (changed - a)).mean(axis=2) / variance, ((a - changed) ** 2).mean(axis=2) / (2.0 * variance)


def sobol_table(
    model: RiskModel, figures: Sequence[str] = ("npv_fen", "min_coverage"), *, points: int = 4096, seed: int = 20260101, independent: bool = False
) -> pd.DataFrame:
    """Indices of the uncertain inputs of a project (敏感度指数表).

    Parameters
    ----------
    model : RiskModel
    figures : sequence of str
        Of `kernel.FIGURES`.
    points : int
        A power of two.
    seed : int
    independent : bool
        The user agrees to take correlated inputs as independent: variance cannot be shared out among inputs that move
        together.

    Returns
    -------
    DataFrame, a row a figure and input
        ``figure, input, zh, first_order, total``.

    Raises
    ------
    SchemaError
        No such figure; or correlated inputs and `independent` was not agreed to.
    """
    for name in figures:
        if name not in FIGURES:
            raise SchemaError(f"figure {name!r}", expected=", ".join(FIGURES))
    count = len(model.inputs)
    if count == 0:
        raise SchemaError("a model without uncertain inputs", expected="at least one")
    if not independent and np.abs(model.factor - np.eye(count)).max() > 0:
        raise SchemaError("Sobol indices of correlated inputs", expected="independent inputs", cure="agree to take them as independent (independent = true)")

    def figures_at(chances: np.ndarray) -> np.ndarray:
        found = evaluate(model, values_at_chances(model.marginals, np.eye(count), chances))
        return np.stack([found[name] for name in figures])

    first, total = sobol_indices(figures_at, count, points=points, seed=seed)
    rows = [(f, x.name, x.zh, first[i, k], total[i, k]) for i, f in enumerate(figures) for k, x in enumerate(model.inputs)]
    return pd.DataFrame(rows, columns=["figure", "input", "zh", "first_order", "total"])
