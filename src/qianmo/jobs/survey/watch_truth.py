"""Parcels with a known date of change, and the F1 of a detector by the delay that is allowed (带日期标注与时滞精度)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.survey.change.accuracy import LagScore, lag_scores

__all__ = ["changes_known", "scored", "scored_pair", "scores_table", "told_lines"]

_HEAD = ["patch_id", "change_date"]


def changes_known(path: str) -> pd.Series:
    """Date of change by patch, empty where nothing changed, from a CSV with the columns patch_id, change_date (变化日期标注).

    Returns
    -------
    Series, index patch_id (text), of date or None

    Raises
    ------
    MissingDataError
        No such file, or no patch.
    SchemaError
        Another heading, a patch twice, or what is no date; the line is named.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingDataError(f"没有文件 {file}", expected="带日期的标注 (CSV)", cure="核对路径")
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SchemaError(f"{file.name} 不是 UTF-8", expected="UTF-8 编码的 CSV", cure="另存为 CSV UTF-8") from None
    if not lines or [c.strip() for c in lines[0].split(",")] != _HEAD:
        raise SchemaError(f"{file.name} 第 1 行 {lines[0] if lines else ''!r}", expected="表头 patch_id,change_date; 没有变化的图斑日期留空")
    found: dict[str, date | None] = {}
    for k, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = [c.strip() for c in line.split(",")]
        if len(cells) != 2 or not cells[0] or cells[0] in found:
            raise SchemaError(f"{file.name} 第 {k} 行 {line!r}", expected="图斑编号,日期; 每个图斑一行")
        try:
            found[cells[0]] = datetime.fromisoformat(cells[1]).date() if cells[1] else None
        except ValueError:
            raise SchemaError(f"{file.name} 第 {k} 行 {cells[1]!r}", expected="年-月-日, 如 2017-06-30; 没有变化的留空") from None
    if not found:
        raise MissingDataError(f"{file.name} 没有一个图斑", expected="至少一行标注")
    return pd.Series(found, dtype=object, name="change_date")


def scored(truth: pd.Series, told: pd.Series, *, since: date, until: date, name: str) -> list[LagScore]:
    """Scores of alarms against known changes at the delays of ``change_lag_first_days``, doubled up to the length of the watch (时滞精度).

    Parameters
    ----------
    truth : Series
        Of `changes_known`.
    told : Series, index patch_id
        Day (year-month-day) on which each watched patch was told to have changed, '' where it was not.
    since, until : date
        Last day before the watch, and its last day; only changes between them can be scored.
    name : str
        File of the labels, for messages.

    Raises
    ------
    SchemaError
        Labelled patches that are not watched, or changes outside the watch.
    """
    strange = [k for k in truth.index if k not in told.index]
    if strange:
        raise SchemaError(f"{name} 中 {len(strange)} 个图斑不在监测之列: {', '.join(strange[:5])}", expected="图斑编号与项目一致, 且影像盖住该图斑", cure="核对 patch_id")
    outside = [k for k, day in truth.items() if day is not None and not since < day <= until]
    if outside:
        raise SchemaError(f"{name} 中 {len(outside)} 个变化日期不在 {since} 之后至 {until}: {', '.join(map(str, outside[:5]))}", expected="监测期内的变化", cure="调整 --history, 或删去这些行")
    alarm = np.array([(date.fromisoformat(told[k]) - since).days if told[k] else np.nan for k in truth.index], dtype=float)
    change = np.array([(day - since).days if day is not None else np.nan for day in truth], dtype=float)
    return lag_scores(alarm, change, lags(float((until - since).days)))


def scored_pair(path: str, signals: pd.DataFrame | None, before: str, after: str) -> tuple[list[LagScore], int]:
    """Scores of two images against known changes between them, and the patches labelled: the alarm comes with the later image (双时相时滞精度).

    A parcel counts as told changed where ``change_told_share`` of it was seen to change.

    Raises
    ------
    SchemaError
        As `scored`.
    MissingDataError
        The project has no parcels on the images, or as `changes_known`.
    """
    if signals is None:
        raise MissingDataError("项目中没有地类图斑, 无法按图斑评价", cure="先入库地类图斑: qianmo ingest …")
    truth = changes_known(path)
    changed = signals["changed_share"].to_numpy(float) >= parameter("change_told_share")
    told = pd.Series(np.where(changed, after, ""), index=signals["patch_id"].astype(str), dtype=object)
    return scored(truth, told, since=date.fromisoformat(before), until=date.fromisoformat(after), name=Path(path).name), len(truth)


def lags(longest: float) -> Sequence[float]:
    """Delays told: the first, its doubles, and the whole length of the watch [d] (允许时滞)."""
    first = parameter("change_lag_first_days")
    out = [first * 2**k for k in range(12) if first * 2**k < longest]
    return [*out, longest]


def scores_table(scores: Sequence[LagScore]) -> pd.DataFrame:
    """One row a delay (时滞精度表): lag_days, f1, low, high, hits, false_alarms, misses."""
    return pd.DataFrame([(s.lag, s.f1, s.low, s.high, s.hits, s.false_alarms, s.misses) for s in scores], columns=["lag_days", "f1", "low", "high", "hits", "false_alarms", "misses"])


def told_lines(scores: Sequence[LagScore], count: int) -> list[str]:
    """What a report says of the scores (时滞精度说明)."""
    lines = [f"按 {count} 个带日期标注的图斑检验 (F1 与 95% 区间, 时滞从变化日算到确认告警之日):"]
    return lines + [
        f"  {s.lag:.0f} 天内: F1 {s.f1:.3f} ({s.low:.3f}-{s.high:.3f}), 命中 {s.hits}, 误报 {s.false_alarms}, 漏报 {s.misses}" if s.f1 == s.f1 else f"  {s.lag:.0f} 天内: 没有变化也没有告警, 无从评价"
        for s in scores
    ]  # fmt: skip
