"""A stack of unwrapped interferograms as it arrives: names, grids, signs of a wrong product (干涉堆栈检查)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from qianmo.geo.raster import Grid
from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.survey.insar.network import Network, make_network

__all__ = ["Stack", "named_pair", "stacked"]

_DATES = re.compile(r"(?<!\d)(\d{8})[^0-9]{1,3}(\d{8})(?!\d)")
_COHERENCE = re.compile(r"(?:^|[^a-z])(?:cc|coh|corr?|coherence)(?:[^a-z]|$)", re.IGNORECASE)

_NEAR_PI = 0.02
"""Share of phases beyond 0.9 π from which a stack that never leaves ±π counts as wrapped; wrapped noise has a tenth there."""


@dataclass(frozen=True)
class Stack:
    """Interferograms on one grid (干涉堆栈).

    `phase` (p, n) [rad], nan = no data; `coherence` (p, n) or None; `shape` rows and columns; `grid` carries transform and CRS.
    """

    network: Network
    phase: np.ndarray
    coherence: np.ndarray | None
    shape: tuple[int, int]
    grid: Grid


def named_pair(name: str) -> tuple[date, date, bool] | None:
    """Dates of a pair from a file name, and whether it holds coherence; None for a name without two dates (文件名解析).

    Raises
    ------
    SchemaError
        Eight digits that are no date.
    """
    found = _DATES.search(name)
    if found is None:
        return None
    try:
        first, second = (datetime.strptime(d, "%Y%m%d").date() for d in found.groups())
    except ValueError:
        raise SchemaError(f"{name}: 文件名中的 {found.group(1)}-{found.group(2)} 不是日期", expected="YYYYMMDD-YYYYMMDD", cure="改正文件名") from None
    return first, second, bool(_COHERENCE.search(name[found.end() :]) or _COHERENCE.search(name[: found.start()]))


def stacked(grids: Mapping[str, Grid], *, zero_is_nodata: bool = True, allow_wrapped: bool = False) -> Stack:
    """Pair up phases and coherences by the dates in their names, on one grid (组成堆栈).

    Parameters
    ----------
    grids : mapping of file name to Grid
    zero_is_nodata : bool
        A phase of exactly 0 is no data, as most processors write it.
    allow_wrapped : bool
        Go on although the phases look wrapped.

    Raises
    ------
    MissingDataError
        No interferogram, or coherence for some pairs alone.
    CrsError
        Grids that differ in shape, position or CRS.
    SchemaError
        Wrapped phases, two files for one pair, or a network that cannot be solved.
    """
    phases, quality = _sorted_out(grids)
    if not phases:
        raise MissingDataError(f"{len(grids)} 个栅格中没有干涉图", expected="文件名含两个日期 YYYYMMDD-YYYYMMDD 的解缠相位", cure="改文件名, 或指定正确的文件夹")
    lost = [f"{a:%Y%m%d}-{b:%Y%m%d}" for a, b in phases if quality and (a, b) not in quality]
    if lost:
        raise MissingDataError(f"{len(lost)} 个干涉对没有相干性: {', '.join(lost[:5])}", expected="全部有或全部没有", cure="补充相干性文件, 或只给相位")
    base = next(iter(phases.values()))
    for kind in (phases, quality):
        for (a, b), grid in kind.items():
            if grid.values.shape != base.values.shape or not grid.transform.almost_equals(base.transform, 1e-9) or grid.crs != base.crs:
                raise CrsError(f"{a:%Y%m%d}-{b:%Y%m%d} 的格网 {grid.values.shape} 与第一个 {base.values.shape} 不一致", expected="同一格网与坐标系", cure="先配准、裁切到同一范围")
    network = make_network(list(phases))
    phase = np.stack([np.where(g.valid & ((g.values != 0) | (not zero_is_nodata)), g.values, np.nan).ravel() for g in phases.values()]).astype(np.float32)
    empty = [f"{a:%Y%m%d}-{b:%Y%m%d}" for (a, b), row in zip(phases, phase) if not np.isfinite(row).any()]
    if empty:
        raise MissingDataError(f"干涉图没有有效像元: {', '.join(empty[:5])}", expected="至少一个有效值")
    size = np.abs(phase[np.isfinite(phase)])
    if not allow_wrapped and size.max() <= np.pi + 0.01 and (size > 0.9 * np.pi).mean() > _NEAR_PI:
        raise SchemaError(f"所有相位都在 -π 至 π 之间, 且 {(size > 0.9 * np.pi).mean():.1%} 紧靠两端, 像是未解缠的相位", expected="解缠相位 (弧度)", cure="先解缠; 若确为形变很小的解缠相位, 用 --allow-wrapped")
    seen = np.stack([np.where(quality[k].valid, quality[k].values, np.nan).ravel() for k in phases]).astype(np.float32) if quality else None
    rows, columns = base.values.shape
    return Stack(network, phase, seen, (rows, columns), base)


def _sorted_out(grids: Mapping[str, Grid]) -> tuple[dict[tuple[date, date], Grid], dict[tuple[date, date], Grid]]:
    phases: dict[tuple[date, date], Grid] = {}
    quality: dict[tuple[date, date], Grid] = {}
    for name in _in_order(grids):
        pair = named_pair(name)
        if pair is None:
            continue
        first, second, is_coherence = pair
        into = quality if is_coherence else phases
        if (first, second) in into:
            raise SchemaError(f"{first:%Y%m%d}-{second:%Y%m%d} 有两个{'相干性' if is_coherence else '相位'}文件, 其一为 {name}", expected="每个干涉对一个")
        into[first, second] = grids[name]
    return phases, quality


def _in_order(names: Mapping[str, Grid]) -> Sequence[str]:
    return sorted(names)
