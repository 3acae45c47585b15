"""A stack of unwrapped interferograms as it arrives: unit, signs of a wrong product, islands (干涉堆栈检查)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.radar_stack import StackHeader
from qianmo.survey.insar.network import Network

__all__ = ["check_phases", "check_unit", "islands"]

_RADIANS = ("", "rad", "radian", "radians", "弧度")
_NEAR_PI = 0.02
"""Share of phases beyond 0.9 π from which a stack that never leaves ±π counts as wrapped; wrapped noise has a tenth there."""
_REPEATED = 0.005
"""Share of cells that hold exactly the largest or smallest value of a pair from which that value is taken for no data."""


def check_unit(header: StackHeader) -> None:
    """Refuse a stack whose stated unit is not the radian (单位检查).

    Raises
    ------
    SchemaError
        Another unit, such as mm, m or degree.
    """
    if header.unit.strip().lower() not in _RADIANS:
        raise SchemaError(f"相位单位为 {header.unit}", expected="弧度 (radian)", cure="给解缠相位而非位移或速率; 度须先换算为弧度")


def check_phases(
    phase: np.ndarray, coherence: np.ndarray | None, network: Network, *, most_rad: float, least_rad: float, allow_wrapped: bool = False
) -> None:
    """Look for what a wrong product shows in its numbers (相位检查).

    Parameters
    ----------
    phase : ndarray (p, n)
        [rad], nan = no data: all pixels, or enough of them.
    coherence : ndarray (p, n), optional
    network : Network
        For the dates in the messages.
    most_rad, least_rad : float
        99 % of the phases of a pair, less their median, lie between these: beyond they are millimetres or degrees, below metres.
    allow_wrapped : bool
        Go on although the phases look wrapped.

    Raises
    ------
    MissingDataError
        A pair without a valid pixel.
    SchemaError
        No-data values that nothing states, wrapped phases, another unit, coherence outside 0 to 1. A stack in millimetres without a
        stated unit whose numbers are those of phases cannot be told.
    """
    seen = np.isfinite(phase)
    empty = [_said(network, int(k)) for k in np.flatnonzero(~seen.any(axis=1))]
    if empty:
        raise MissingDataError(f"干涉图没有有效像元: {', '.join(empty[:5])}", expected="至少一个有效值", cure="去掉这些干涉对; 有效值恰为 0 或等于 nodata 的, 重新导出")
    for k, row in enumerate(phase):
        values = row[seen[k]]
        for odd in (values.min(), values.max()):
            share = float((values == odd).mean())
            if share > _REPEATED and (values == odd).sum() > 3 and values.min() < values.max():
                raise SchemaError(f"{_said(network, k)}: {share:.1%} 的像元恰为 {odd:g}, 像是未标明的无数据值", expected="无数据值为 0 或在文件中标明", cure="用处理软件写明 nodata")
    size = np.abs(phase[seen])
    near = float((size > 0.9 * np.pi).mean())
    if not allow_wrapped and size.max() <= np.pi + 0.01 and near > _NEAR_PI:
        raise SchemaError(
            f"所有相位都在 -π 至 π 之间, 且 {near:.1%} 紧靠两端, 像是未解缠的相位", expected="解缠相位 (弧度)", cure="先解缠; 若确为形变很小的解缠相位, 用 --allow-wrapped"
        )
    reach = np.array([np.percentile(np.abs(row[s] - np.median(row[s])), 99) for row, s in zip(phase, seen)])
    if np.median(reach) > most_rad:
        raise SchemaError(f"相位幅度达 {np.median(reach):.0f}, 像是毫米或度", expected=f"弧度, 99 % 在 ±{most_rad:g} 之内", cure="核对单位 (解缠相位, 弧度) 与字节序")
    if np.median(reach) < least_rad and seen.sum(axis=1).max() > 20:
        raise SchemaError(f"相位幅度仅 {np.median(reach):.2g}, 像是米", expected=f"弧度, 噪声不低于 {least_rad:g}", cure="核对单位 (解缠相位, 弧度, 而非位移)")
    if coherence is not None and (np.nanmin(coherence, initial=0.0) < 0 or np.nanmax(coherence, initial=0.0) > 1.0 + 1e-6):
        raise SchemaError(f"相干性范围 {np.nanmin(coherence):g} 至 {np.nanmax(coherence):g}", expected="0 至 1", cure="核对是否为 0-255 的整数影像, 或无效值未标记")


def islands(valid: np.ndarray, row: int, column: int) -> np.ndarray:
    """Valid cells that no chain of valid neighbours joins to the reference (孤岛像元).

    Unwrapping cannot carry whole turns across a gap: the phases of an island may be off by whole turns against the reference.

    Parameters
    ----------
    valid : ndarray (rows, columns), bool
    row, column : int
        Reference cell, which is valid.
    """
    named, _ = label(valid, structure=np.ones((3, 3)))
    return valid & (named != named[row, column])


def _said(network: Network, pair: int) -> str:
    return f"{network.dates[network.first[pair]]:%Y%m%d}-{network.dates[network.second[pair]]:%Y%m%d}"
