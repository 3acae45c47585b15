"""Electrical lines: checks, inversion to a section (高密度电法)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import diags_array, eye_array, kron, vstack

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.resistivity.section import ResistivitySection
from qianmo.survey.resistivity.simulation import electrical_forward
from qianmo.survey.resistivity.smoothest import smoothest_model

__all__ = ["ElectricalLine", "checked_line", "dipole_dipole", "inverted_line", "padded_edges"]


@dataclass(frozen=True, eq=False)
class ElectricalLine:
    """Readings of a line of electrodes (电法测线).

    Attributes
    ----------
    electrodes_m : ndarray (e,)
        Distance along the line, rising.
    arrays : ndarray (k, 4), int
        Electrodes A, B, M, N of each reading, from 0.
    apparent_ohm_m : ndarray (k,)
        Apparent resistivity, above 0.
    error : ndarray (k,)
        Relative standard error, 0.001 to 0.5.
    """

    electrodes_m: np.ndarray
    arrays: np.ndarray
    apparent_ohm_m: np.ndarray
    error: np.ndarray


def checked_line(line: ElectricalLine) -> ElectricalLine:
    """The same line after its electrodes, arrays and values were checked (电法数据核对).

    Raises
    ------
    SchemaError
        Electrodes that do not rise or lie outside 0.1–200 m apart (millimetres?), arrays that name an electrode twice or none, resistivity
        outside 0.01–1e6 Ω·m (wrong unit or sign of K), errors out of range; the rows are named.
    MissingDataError
        Fewer than eight electrodes or twenty readings.
    """
    x, arrays = line.electrodes_m, line.arrays
    if len(x) < 8 or len(arrays) < 20:
        raise MissingDataError(f"电极 {len(x)} 个, 读数 {len(arrays)} 个", expected="至少 8 个电极与 20 个读数")
    step = np.diff(x)
    if not (np.isfinite(x).all() and (step > 0).all()):
        raise SchemaError(f"电极位置不递增, 第 {(np.flatnonzero(~(step > 0)) + 2)[:5].tolist()} 个", expected="沿测线递增的距离 (米)", cure="按测线方向排序")
    if step.min() < 0.1 or step.max() > 200.0:
        raise SchemaError(f"电极距 {step.min():g} 至 {step.max():g} m", expected="0.1 至 200 m", cure="核对单位 (米与毫米)")
    bad = [k + 1 for k, row in enumerate(arrays) if len(set(row.tolist())) < 4 or row.min() < 0 or row.max() >= len(x)]
    if bad:
        raise SchemaError(f"装置的电极号重复或不存在, 第 {_listed(bad)} 个读数", expected=f"四个不同的电极, 0 至 {len(x) - 1}")
    rho, error = line.apparent_ohm_m, line.error
    bad = (np.flatnonzero(~(np.isfinite(rho) & (rho >= 0.01) & (rho <= 1e6))) + 1).tolist()
    if bad:
        raise SchemaError(f"视电阻率为负、为零或超出范围, 第 {_listed(bad)} 个读数", expected="0.01 至 1e6 Ω·m", cure="删除坏点, 核对装置系数与单位")
    bad = (np.flatnonzero(~((error >= 1e-3) & (error <= 0.5))) + 1).tolist()
    if bad or error.shape != rho.shape:
        raise SchemaError(f"相对中误差超出范围, 第 {_listed(bad)} 个读数", expected="0.001 至 0.5 (不是百分数)", cure="核对误差列的单位")
    return line


def _listed(bad: list[int]) -> str:
    return ", ".join(map(str, bad[:5])) + (f" 等 {len(bad)}" if len(bad) > 5 else "")


def dipole_dipole(electrodes: int, *, lengths: tuple[int, ...], steps: int) -> np.ndarray:
    """Arrays A, B, M, N of a dipole-dipole programme (偶极-偶极装置), (k, 4) int."""
    rows = [(i, i + a, i + a + a * n, i + 2 * a + a * n) for a in lengths for n in range(1, steps + 1) for i in range(electrodes - 2 * a - a * n)]
    return np.array(rows, dtype=np.int64)


def padded_edges(electrodes_m: np.ndarray, *, cell_m: float, depth_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges of cells: even under the line, growing outside it and with depth (反演网格), x and z rising, ground at 0."""
    aside = np.cumsum(cell_m * 1.5 ** np.arange(1, 10))
    middle = np.arange(electrodes_m[0] - 2 * cell_m, electrodes_m[-1] + 2.5 * cell_m, cell_m)
    x = np.concatenate([middle[0] - aside[::-1], middle, middle[-1] + aside])
    down, thick = [0.0], 0.6 * cell_m
    while down[-1] < depth_m:
        down.append(down[-1] + thick)
        thick = min(thick * 1.08, 1.5 * cell_m)
    below = down[-1] + np.cumsum(thick * 1.5 ** np.arange(1, 9))
    return x, -np.concatenate([down, below])[::-1]


def inverted_line(line: ElectricalLine, *, cell_m: float | None = None, depth_m: float | None = None, flatness: float = 2.0) -> ResistivitySection:
    """Smoothest section that fits the readings within their errors (二维电阻率反演).

    Parameters
    ----------
    line : ElectricalLine
    cell_m : float, optional
        Width of a cell, half the median electrode distance by default.
    depth_m : float, optional
        Depth of the section, 0.3 of the longest array by default.
    flatness : float
        How much dearer a change along the line is than one with depth.

    Raises
    ------
    SchemaError, MissingDataError
        See `checked_line`, `smoothest_model`; SimPEG is not installed.
    """
    checked_line(line)
    span = float(np.ptp(line.electrodes_m[line.arrays], axis=1).max())
    cell, depth = cell_m or float(np.median(np.diff(line.electrodes_m))) / 2, depth_m or 0.3 * span
    x, z = padded_edges(line.electrodes_m, cell_m=cell, depth_m=depth)
    nx, nz = len(x) - 1, len(z) - 1
    start = np.full(nx * nz, float(np.log(np.median(line.apparent_ohm_m))))
    found = smoothest_model(
        electrical_forward(line.electrodes_m, line.arrays, edges_x_m=x, edges_z_m=z), np.log(line.apparent_ohm_m), line.error, start=start,
        roughness=vstack([np.sqrt(flatness) * kron(eye_array(nz), _steps(nx)), kron(_steps(nz), eye_array(nx))]).tocsr(),
    )  # fmt: skip
    keep_x = (x[1:] > line.electrodes_m[0]) & (x[:-1] < line.electrodes_m[-1])
    keep_z = z[1:] > -depth
    cut = lambda v: v.reshape(nz, nx)[::-1][keep_z[::-1]][:, keep_x]  # noqa: E731
    left, deep = np.flatnonzero(keep_x), np.flatnonzero(keep_z)
    area = np.outer(np.diff(z), np.diff(x)).ravel()
    return ResistivitySection(
        x[left[0] : left[-1] + 2], -z[deep[0] : deep[-1] + 2][::-1], np.exp(cut(found.model)), cut(found.sensitivity / area), cut(found.sigma), found.reduced_chi2,
    )  # fmt: skip


def _steps(n: int):  # type: ignore[no-untyped-def]
    return diags_array([-np.ones(n - 1), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n))
