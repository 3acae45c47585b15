"""Unwrapping of one interferogram by a kept library, checked for residues and congruence (相位解缠)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["Unwrapped", "residues", "unwrap"]

_TURN = 2.0 * np.pi


@dataclass(frozen=True)
class Unwrapped:
    """An interferogram unwrapped (解缠结果).

    Attributes
    ----------
    phase_rad : ndarray (rows, columns), float32
        The wrapped phase plus whole turns; nan outside the largest component that was unwrapped in one piece.
    component : ndarray (rows, columns), int32
        Components by the library, 0 = not trusted. Whole turns between two components are not known.
    residues : int
        Loops of four cells around which the wrapped phase does not close: 0 means that any path gives the same answer.
    jumps : int
        Neighbours inside the largest component that still differ by more than half a turn: the cuts that the residues need.
    """

    phase_rad: np.ndarray
    component: np.ndarray
    residues: int
    jumps: int


def residues(wrapped_rad: np.ndarray) -> np.ndarray:
    """Turns by which each loop of four cells fails to close, (rows − 1, columns − 1), int8: −1, 0 or 1; 0 where a corner has no data (残差点).

    References
    ----------
    .. [1] R. M. Goldstein, H. A. Zebker, C. L. Werner, Radio Science, vol. 23, pp. 713-720, 1988.
    """
    w = np.asarray(wrapped_rad, dtype=float)
    right, down = _short(np.diff(w, axis=1)), _short(np.diff(w, axis=0))
    turn = (right[:-1] + down[:, 1:] - right[1:] - down[:, :-1]) / _TURN
    return np.nan_to_num(np.rint(turn)).astype(np.int8)


def unwrap(wrapped_rad: np.ndarray, coherence: np.ndarray, *, looks: float, least_cells: int = 100) -> Unwrapped:
    """Unwrap by minimum cost flow (library whirlwind, BSD or Apache) and look whether the answer can be right (最小费用流解缠).

    Parameters
    ----------
    wrapped_rad : ndarray (rows, columns)
        −π to π; nan = no data.
    coherence : ndarray (rows, columns)
        0 to 1.
    looks : float
        Independent looks behind the coherence, at least 1.
    least_cells : int
        Smaller components are not trusted.

    Raises
    ------
    SchemaError
        Shapes, phases beyond ±π, coherence outside 0 to 1, looks below 1, or an answer that is not the wrapped phase plus whole turns.
    MissingDataError
        No cell with data, or none that the library trusts.

    Notes
    -----
    Where the true phase changes by more than half a turn between neighbours — steep bowls, thick forest — no unwrapping can know it.
    """
    import whirlwind  # loaded where it is asked for

    w, c = np.asarray(wrapped_rad, dtype=np.float32), np.asarray(coherence, dtype=np.float32)
    if w.ndim != 2 or w.shape != c.shape or not looks >= 1:
        raise SchemaError(f"相位 {w.shape}, 相干性 {c.shape}, 视数 {looks}", expected="同样大小的两个格网, 视数不小于 1")
    known = np.isfinite(w) & np.isfinite(c) & (c > 0)
    if not known.any():
        raise MissingDataError("干涉图没有有效像元", expected="至少一个有相位与相干性的像元")
    if np.abs(w[known]).max() > np.pi + 1e-3 or c[known].max() > 1.0 + 1e-6:
        raise SchemaError(f"相位至 {np.abs(w[known]).max():.3g}, 相干性至 {c[known].max():.3g}", expected="相位在 ±π 之间, 相干性 0 至 1", cure="已解缠的相位不必再解缠")
    signal = np.where(known, np.exp(1j * np.where(known, w, 0.0)), 0.0).astype(np.complex64)
    phase, part = whirlwind.unwrap(signal, np.where(known, c, 0.0).astype(np.float32), float(looks), known, min_size_px=least_cells)
    part = np.where(known & np.isfinite(phase), part, 0).astype(np.int32)
    sizes = np.bincount(part.ravel())
    if len(sizes) < 2 or not sizes[1:].any():
        raise MissingDataError("解缠没有得到可信的连通区", expected="相干性足够的区域", cure="提高多视数或滤波后再解缠")
    inside = part == 1 + int(sizes[1:].argmax())
    turns = (phase.astype(float) - w)[inside] / _TURN
    if np.abs(turns - np.rint(turns)).max() > 1e-3:
        raise SchemaError("解缠结果与缠绕相位不相差整周", expected="整周之差", cure="不采用此结果, 换用其它软件解缠")
    # whole turns are added to the phase as given, so that rounding in the library leaves no trace
    whole = np.full(w.shape, np.nan)
    whole[inside] = w[inside] + np.rint(turns) * _TURN
    jumps = sum(int((np.abs(np.diff(whole, axis=a)) > np.pi + 1e-3).sum()) for a in (0, 1))
    return Unwrapped(whole.astype(np.float32), part, int(np.abs(residues(np.where(known, w, np.nan))).sum()), jumps)


def _short(step: np.ndarray) -> np.ndarray:
    return step - _TURN * np.rint(step / _TURN)
