"""What many scenarios say: percentiles and chances (概率表)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from qianmo.finance.risk.kernel import FIGURES
from qianmo.finance.risk.model import RiskModel
from qianmo.finance.risk.simulate import RiskRun, evaluate_yearly

__all__ = ["FIGURE_NAMES", "chance_table", "coverage_fan", "percentile_table"]

FIGURE_NAMES = dict(
    zip(
        FIGURES,
        ("项目投资财务净现值(税后)", "项目投资内部收益率(税后)", "静态投资回收期", "动态投资回收期", "资本金财务净现值", "资本金内部收益率", "债务本金",
         "最低偿债备付率", "自平衡比(反哺比)", "资金缺口年数", "项目现金流变号次数", "资本金现金流变号次数", "计算期内未到账的推迟收入"),
        strict=True,
    )
)  # fmt: skip
"""Chinese names of the figures."""


def percentile_table(run: RiskRun, shares: Sequence[float] = (0.1, 0.5, 0.9)) -> pd.DataFrame:
    """Mean, deviation and percentiles of every figure (分位数表).

    Parameters
    ----------
    run : RiskRun
    shares : sequence of float
        P10 is the value below which one tenth of the scenarios lies.

    Returns
    -------
    DataFrame, a row a figure
        ``figure, zh, mean, deviation, p10, p50, p90 …, scenarios, missing``; over scenarios in which the figure exists.
        A payback that is missing never comes: its percentiles then look better than they are, so read `missing` beside them.
    """
    rows = []
    for name in FIGURES:
        values = run.figures[name]
        known = values[~np.isnan(values)]
        marks = np.quantile(known, shares) if len(known) else np.full(len(shares), np.nan)
        mean, deviation = (known.mean(), known.std(ddof=1)) if len(known) > 1 else (np.nan, np.nan)
        rows.append((name, FIGURE_NAMES[name], mean, deviation, *marks, len(known), len(values) - len(known)))
    return pd.DataFrame(rows, columns=["figure", "zh", "mean", "deviation", *(f"p{100 * s:g}" for s in shares), "scenarios", "missing"])


def chance_table(run: RiskRun, *, hurdle_rate: float, coverage: float = 1.0) -> pd.DataFrame:
    """Chances that decide (概率表).

    Parameters
    ----------
    run : RiskRun
    hurdle_rate : float
        Benchmark rate that the rate of return must reach.
    coverage : float
        Coverage the bank asks for, beside 1.

    Returns
    -------
    DataFrame, a row a question
        ``question, zh, chance, error, scenarios``: share of the scenarios in which the figure exists, its standard error,
        and their number. A year that cannot pay counts as failed even where the total balances.
    """
    f = run.figures
    asked = [
        ("npv_negative", "项目净现值 < 0", f["npv_fen"] < 0, f["npv_fen"]),
        ("irr_below_hurdle", f"项目内部收益率 < {hurdle_rate:.2%}", f["irr"] < hurdle_rate, f["irr"]),
        ("equity_npv_negative", "资本金净现值 < 0", f["equity_npv_fen"] < 0, f["equity_npv_fen"]),
        ("self_balance", "自平衡比 ≥ 1", f["self_balance_ratio"] >= 1, f["self_balance_ratio"]),
        ("coverage_below_one", "最低偿债备付率 < 1", f["min_coverage"] < 1, f["min_coverage"]),
        ("coverage_below_asked", f"最低偿债备付率 < {coverage:g}", f["min_coverage"] < coverage, f["min_coverage"]),
        ("short_of_cash", "至少一年资金缺口", f["short_years"] > 0, f["short_years"]),
        ("never_paid_back", "计算期内收不回投资", np.isnan(f["payback_years"]), np.zeros(run.scenarios)),
        ("irr_refused", "现金流多次变号, 不给出内部收益率", f["irr_sign_changes"] > 1, f["irr_sign_changes"]),
    ]
    rows = []
    for name, zh, yes, figure in asked:
        known = ~np.isnan(figure)
        count = int(known.sum())
        chance = float(yes[known].mean()) if count else np.nan
        rows.append((name, zh, chance, float(np.sqrt(chance * (1 - chance) / count)) if count else np.nan, count))
    return pd.DataFrame(rows, columns=["question", "zh", "chance", "error", "scenarios"])


def coverage_fan(model: RiskModel, values: np.ndarray, shares: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> pd.DataFrame:
    """Percentiles of the coverage of every year of the loan (偿债备付率扇形表).

    Parameters
    ----------
    model : RiskModel
    values : array (inputs, n)
        Drawn inputs, some thousands of scenarios: twelve rows by year are kept of each.
    shares : sequence of float

    Returns
    -------
    DataFrame
        ``year`` from 1, one column a percentile; years without service are left out.
    """
    rows = evaluate_yearly(model, values).rows["coverage"]
    years = np.flatnonzero((~np.isnan(rows)).any(axis=1))
    marks = [np.quantile(rows[t][~np.isnan(rows[t])], shares) for t in years]
    return pd.DataFrame([(int(t) + 1, *m) for t, m in zip(years, marks, strict=True)], columns=["year", *(f"p{100 * s:g}" for s in shares)])
