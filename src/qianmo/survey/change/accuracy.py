"""Accuracy of a change map on labelled pixels, and of any classified map (精度评价)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["Accuracy", "LagScore", "change_accuracy", "class_accuracy", "confusion", "kappa", "lag_scores"]


@dataclass(frozen=True)
class Accuracy:
    """Scores of a map of change (变化检测精度): 0 to 1; kappa from −1."""

    overall: float
    kappa: float
    precision: float
    recall: float
    f1: float
    count: int


def change_accuracy(found: np.ndarray, truth: np.ndarray, labelled: np.ndarray) -> Accuracy:
    """Overall accuracy, kappa, precision, recall and F1 on labelled pixels (总体精度等).

    Parameters
    ----------
    found, truth, labelled : ndarray, one shape, bool
        Change found, change in truth, and where truth is known.

    Raises
    ------
    SchemaError
        Shapes differ.
    MissingDataError
        No labelled pixel.
    """
    if np.shape(found) != np.shape(truth) or np.shape(found) != np.shape(labelled):
        raise SchemaError(f"{np.shape(found)}, {np.shape(truth)}, {np.shape(labelled)}", expected="同形")
    use = np.asarray(labelled, dtype=bool)
    if not use.any():
        raise MissingDataError("没有标注像元", expected="至少一个")
    table = confusion(np.asarray(found, dtype=int)[use], np.asarray(truth, dtype=int)[use], classes=2)
    hit, false, miss = table[1, 1], table[1, 0], table[0, 1]
    precision = hit / (hit + false) if hit + false else float("nan")
    recall = hit / (hit + miss) if hit + miss else float("nan")
    f1 = 2 * hit / (2 * hit + false + miss) if hit + false + miss else float("nan")
    return Accuracy(float(np.trace(table) / table.sum()), kappa(table), float(precision), float(recall), float(f1), int(table.sum()))


@dataclass(frozen=True)
class LagScore:
    """F1 of alarms that came within `lag` days of the change, with its interval and the counts behind it (时滞内的 F1)."""

    lag: float
    f1: float
    low: float
    high: float
    hits: int
    false_alarms: int
    misses: int


def lag_scores(alarm_day: np.ndarray, change_day: np.ndarray, lags: Sequence[float], *, z: float = 1.96) -> list[LagScore]:
    r"""F1 of a monitor by the delay that is allowed, with an interval (按允许时滞的精度).

    Parameters
    ----------
    alarm_day, change_day : ndarray (n,)
        Days; nan where no alarm was raised, or nothing changed.
    lags : sequence of float
        Delays allowed [d].
    z : float
        Half width of the interval in standard deviations.

    Returns
    -------
    list of LagScore
        A hit is an alarm from the day of the change to `lag` days after it; an alarm on what did not change, or before it did, is false; a change without a hit is a miss, and
        an alarm that comes later than `lag` is a miss and no more. nan where there is nothing to score. Never falls as the lag grows.

    Raises
    ------
    SchemaError
        Shapes differ.

    Notes
    -----
    With the share :math:`J` of hits in hits, false alarms and misses, :math:`F_1 = 2J/(1+J)`; the ends are those of the Wilson interval [1]_ of J.

    References
    ----------
    .. [1] E. B. Wilson, Journal of the American Statistical Association, vol. 22, pp. 209-212, 1927.
    """
    alarm, changed = np.asarray(alarm_day, dtype=float), np.asarray(change_day, dtype=float)
    if alarm.shape != changed.shape:
        raise SchemaError(f"{alarm.shape}, {changed.shape}", expected="同形")
    happened, raised, delay = np.isfinite(changed), np.isfinite(alarm), alarm - changed
    early = int((raised & ~(delay >= 0)).sum())
    out = []
    for lag in lags:
        hits = int((happened & (delay >= 0) & (delay <= lag)).sum())
        misses = int(happened.sum()) - hits
        total = hits + early + misses
        share = hits / max(total, 1)
        if not total:
            out.append(LagScore(float(lag), float("nan"), float("nan"), float("nan"), 0, 0, 0))
            continue
        wide = 1 + z**2 / total
        middle, half = (share + z**2 / (2 * total)) / wide, z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2)) / wide
        low, high = middle - half, middle + half
        f1, least, most = (float(2 * j / (1 + j)) for j in (share, low, high))
        out.append(LagScore(float(lag), f1, least, most, hits, early, misses))
    return out


def confusion(found: np.ndarray, truth: np.ndarray, *, classes: int) -> np.ndarray:
    """Counts, rows found by columns true, (k, k) int (混淆矩阵).

    Raises
    ------
    SchemaError
        A class outside 0 to `classes` − 1, or lengths that differ.
    """
    a, b = np.asarray(found).ravel(), np.asarray(truth).ravel()
    if a.shape != b.shape or (len(a) and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= classes)):
        raise SchemaError("类别超出范围或长度不一致", expected=f"0 至 {classes - 1}, 等长")
    return np.bincount(a.astype(int) * classes + b.astype(int), minlength=classes**2).reshape(classes, classes)


def class_accuracy(table: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Precision, recall and F1 of every class of a classified map (分类精度).

    Parameters
    ----------
    table : ndarray (k, k)
        Counts or areas, rows found by columns true.
    names : sequence of k

    Returns
    -------
    DataFrame
        class_code, true, found, agreed, precision (user's accuracy, NaN where the class was not mapped), recall (producer's accuracy, NaN where it is not
        there), f1 (NaN where it is in neither).

    Raises
    ------
    SchemaError
        Not square, not of the length of the names, or a negative entry.
    """
    table = np.asarray(table, dtype=float)
    if table.shape != (len(names), len(names)) or (table < 0).any():
        raise SchemaError(f"混淆矩阵 {table.shape}", expected=f"({len(names)}, {len(names)}), 不为负")
    agreed, found, true = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall, f1 = (np.where(d > 0, n / d, np.nan) for n, d in ((agreed, found), (agreed, true), (2 * agreed, found + true)))
    return pd.DataFrame({"class_code": list(names), "true": true, "found": found, "agreed": agreed, "precision": precision, "recall": recall, "f1": f1})


def kappa(table: np.ndarray) -> float:
    """Cohen's kappa of a confusion matrix, at most 1 (Kappa 系数); nan where chance alone explains all."""
    total = table.sum()
    agreed, chance = np.trace(table) / total, float(table.sum(axis=0) @ table.sum(axis=1)) / float(total) ** 2
    return float((agreed - chance) / (1 - chance)) if chance < 1 else float("nan")
