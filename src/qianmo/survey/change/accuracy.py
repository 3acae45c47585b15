"""Accuracy of a change map on labelled pixels, and of any classified map (精度评价)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["Accuracy", "change_accuracy", "confusion", "kappa"]


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


def kappa(table: np.ndarray) -> float:
    """Cohen's kappa of a confusion matrix, at most 1 (Kappa 系数); nan where chance alone explains all."""
    total = table.sum()
    agreed, chance = np.trace(table) / total, float(table.sum(axis=0) @ table.sum(axis=1)) / float(total) ** 2
    return float((agreed - chance) / (1 - chance)) if chance < 1 else float("nan")
