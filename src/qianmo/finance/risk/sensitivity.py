"""One input at a time: tornado, spider with sensitivity coefficients (敏感性分析)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from qianmo.finance.risk.kernel import FIGURES
from qianmo.finance.risk.marginals import quantiles
from qianmo.finance.risk.model import RiskModel
from qianmo.finance.risk.simulate import evaluate
from qianmo.schema.errors import SchemaError

__all__ = ["spider", "tornado"]


def tornado(model: RiskModel, figure: str = "npv_fen", *, low: float = 0.1, high: float = 0.9) -> pd.DataFrame:
    """Figure with each input at its low and its high percentile, the others at their medians (龙卷风图数据).

    Parameters
    ----------
    model : RiskModel
    figure : str
        One of `kernel.FIGURES`.
    low, high : float
        Percentiles as shares.

    Returns
    -------
    DataFrame, a row an input, widest swing first
        ``input, zh, low_value, high_value, at_low, at_high, base, swing``; an input that makes the figure undefined at one
        end comes first.

    Raises
    ------
    SchemaError
        No such figure, or percentiles not between 0 and 1 in order.
    """
    _check(model, figure)
    if not 0 < low < high < 1:
        raise SchemaError(f"percentiles {low:g} and {high:g}", expected="0 < low < high < 1")
    ends = np.array([[quantiles(x.marginal, s) for s in (low, high)] for x in model.inputs])
    count = len(model.inputs)
    values = np.repeat(model.base_values, 2 * count + 1, axis=1)
    for k in range(count):
        values[k, 2 * k : 2 * k + 2] = ends[k]
    found = evaluate(model, values)[figure]
    pairs = found[:-1].reshape(count, 2)
    table = pd.DataFrame({
        "input": model.names, "zh": [x.zh for x in model.inputs], "low_value": ends[:, 0], "high_value": ends[:, 1],
        "at_low": pairs[:, 0], "at_high": pairs[:, 1], "base": found[-1], "swing": np.abs(pairs[:, 1] - pairs[:, 0]),
    })  # fmt: skip
    return table.sort_values("swing", ascending=False, na_position="first", kind="stable", ignore_index=True)


def spider(model: RiskModel, figure: str = "npv_fen", *, changes: Sequence[float] = (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2)) -> pd.DataFrame:
    """Figure along relative changes of each input, the others at their medians (蛛网图数据, 敏感度系数).

    Parameters
    ----------
    model : RiskModel
    figure : str
        One of `kernel.FIGURES`.
    changes : sequence of float
        Relative changes of the base value.

    Returns
    -------
    DataFrame, a row an input and change
        ``input, zh, change, value, figure, coefficient``. `coefficient` is the relative change of the figure over that of
        the input (敏感度系数 S_AF), nan at no change and where the base figure is 0. Inputs whose base value is 0 have no
        relative change and are left out.

    Raises
    ------
    SchemaError
        No such figure.
    """
    _check(model, figure)
    moved = [k for k in range(len(model.inputs)) if model.inputs[k].base != 0]
    steps = np.asarray(changes, dtype=np.float64)
    values = np.repeat(model.base_values, len(moved) * len(steps) + 1, axis=1)
    for n, k in enumerate(moved):
        values[k, n * len(steps) : (n + 1) * len(steps)] = model.inputs[k].base * (1.0 + steps)
    found = evaluate(model, values)[figure]
    base = found[-1]
    change = np.tile(steps, len(moved))
    known = (change != 0) & (base != 0)
    coefficient = np.divide((found[:-1] - base) / (base or 1.0), change, out=np.full(change.shape, np.nan), where=known)
    return pd.DataFrame({
        "input": np.repeat([model.names[k] for k in moved], len(steps)), "zh": np.repeat([model.inputs[k].zh for k in moved], len(steps)),
        "change": change, "value": [values[k, n * len(steps) + i] for n, k in enumerate(moved) for i in range(len(steps))],
        "figure": found[:-1], "coefficient": coefficient,
    })  # fmt: skip


def _check(model: RiskModel, figure: str) -> None:
    if figure not in FIGURES:
        raise SchemaError(f"figure {figure!r}", expected=", ".join(FIGURES))
    if not model.inputs:
        raise SchemaError("a model without uncertain inputs", expected="at least one")
