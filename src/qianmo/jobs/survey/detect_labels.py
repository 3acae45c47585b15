"""Change by a detector that is trained on the user's labels, with its accuracy on labels it has not seen (监督变化检测作业)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import minimum_filter

from qianmo.jobs.context import Context
from qianmo.jobs.survey.detect_tiles import Images, Strength, image_of
from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.survey.change.accuracy import change_accuracy
from qianmo.survey.change.trained import block_split, change_features, train_and_find

__all__ = ["TRAINED", "Learnt", "accuracy_lines", "learnt_from"]

TRAINED = "trained"
"""Name of the method in results."""

_REACH = 3
"""Cells that the widest window of the features reaches beyond its middle."""

_WHOLE = slice(None), slice(None)


@dataclass(frozen=True)
class Learnt:
    """What the labels taught (监督检测结果): probability of change, its threshold, accuracy by fold, facts, name and hash of the labels."""

    strength: Strength
    limit: float
    accuracy: pd.DataFrame
    told: dict[str, Any]
    name: str
    sha256: str


def learnt_from(path: str, before: Images, after: Images, *, limit: float | None, method: str, scratch: Path, context: Context) -> Learnt:
    """Train on half of the blocks and test on the other, the other way round, then train on all labels (按标注训练).

    Labels within the windows of the features at the border of a block are left out of training when the other half is tested, so that no
    tested cell was seen; the maps of the scene come from all labels, which is why the accuracy is told of the halves.

    Raises
    ------
    SchemaError
        Another method was asked for, several bands, or the scene is too large for features of the whole.
    CrsError
        The labels lie on another grid.
    MissingDataError
        Too few labels of a kind, in all or in a half.
    """
    if method not in ("irmad", TRAINED):
        raise SchemaError(f"--labels 与 --method {method}", expected="给出标注即用监督检测", cure="去掉 --labels 或 --method")
    rows, columns = before.shape
    most = parameter("change_whole_cells_max")
    if rows * columns > most:
        raise SchemaError(f"监督检测需整景计算, 影像 {rows} × {columns}", expected=f"不超过 {most:.0f} 像元", cure="裁切影像")
    limit = parameter("change_trained_chance") if limit is None else limit
    if not 0 < limit < 1:
        raise SchemaError(f"--threshold {limit:g}", expected="监督检测的阈值是概率, 在 0 与 1 之间")
    images = image_of(path, scratch / "labels")
    labels = _labels(images, before)
    context.step("监督检测: 特征", 0.1)
    features = change_features(before.part(*_WHOLE), after.part(*_WHOLE))
    side = int(parameter("change_label_block_cells"))
    half = block_split((rows, columns), block=side)
    folds = []
    for k, taught in enumerate((half, ~half)):
        context.step(f"监督检测: 检验 {k + 1}/2", 0.2 + 0.15 * k)
        inner = minimum_filter(taught, size=4 * _REACH + 1, mode="nearest")
        folds.append((k + 1, *_tested(features, labels, inner, ~taught, limit, fold=k + 1)))
    context.step("监督检测: 全部标注", 0.5)
    chance = train_and_find(features, labels).astype(np.float32)
    accuracy = pd.DataFrame(folds, columns=["fold", "trained", "tested", "tested_changed", "overall", "kappa", "precision", "recall", "f1"])
    told = {"labels": int((labels >= 0).sum()), "labels_changed": int((labels == 1).sum()), "label_block_cells": side, "f1": float(accuracy["f1"].mean()),
            "overall": float(accuracy["overall"].mean()), "accuracy": accuracy.to_dict("records")}  # fmt: skip
    return Learnt(Strength(chance, 0, 1, 0, None, is_chance=True), limit, accuracy, told, images.name, images.sha256)


def accuracy_lines(accuracy: pd.DataFrame) -> list[str]:
    """What the report says of each half (精度说明)."""
    lines = ["监督检测精度 (棋盘分块, 一半训练一半检验, 训练块边缘像元剔除; 全图用全部标注训练):"]
    lines += [
        f"  第 {r.fold} 折: 训练 {r.trained} 个, 检验 {r.tested} 个 (变化 {r.tested_changed}); 总体精度 {r.overall:.4f}, Kappa {r.kappa:.4f}, 查准 {r.precision:.4f}, 查全 {r.recall:.4f}, F1 {r.f1:.4f}"
        for r in accuracy.itertuples()
    ]  # fmt: skip
    return lines


def _tested(features: np.ndarray, labels: np.ndarray, taught: np.ndarray, tested: np.ndarray, limit: float, *, fold: int) -> tuple[int, int, int, float, float, float, float, float]:
    """Cells trained on and tested, tested ones that changed, and the scores."""
    given = np.where(taught, labels, -1)
    try:
        chance = train_and_find(features, given)
    except MissingDataError as fault:
        raise MissingDataError(f"第 {fold} 折{fault.found}", expected="每一半分块内变化与未变化的标注各至少 10 个", cure="把标注分散到全图, 或减小 change_label_block_cells") from None
    seen = tested & (labels >= 0) & np.isfinite(chance)
    if not seen.any():
        raise MissingDataError(f"第 {fold} 折没有可检验的标注", expected="标注分散到全图")
    scores = change_accuracy(chance > limit, labels == 1, seen)
    trained = int(((given >= 0) & np.isfinite(chance)).sum())
    return trained, scores.count, int((labels[seen] == 1).sum()), scores.overall, scores.kappa, scores.precision, scores.recall, scores.f1


def _labels(images: Images, like: Images) -> np.ndarray:
    """Labels (y, x) of 1, 0 and −1 where nothing is labelled."""
    if len(images.bands) != 1:
        raise SchemaError(f"{images.name} 有 {len(images.bands)} 个波段", expected="一个波段: 1 变化, 0 未变化, 其他或无数据为未标注")
    if images.shape != like.shape or not images.bands[0].transform.almost_equals(like.bands[0].transform, 1e-6) or images.crs != like.crs:
        raise CrsError(f"{images.name} 的格网 {images.shape} 与 {like.name} 的 {like.shape} 不一致", expected="与影像同一格网", cure="按影像的范围与像元重新导出标注")
    values = images.part(*_WHOLE)[0]
    return np.where(values == 1, 1, np.where(values == 0, 0, -1)).astype(np.int8)
