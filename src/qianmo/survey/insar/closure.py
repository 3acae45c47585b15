"""Loops of three interferograms: how well they close, and whole turns that unwrapping got wrong (闭合差)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange

from qianmo.schema.errors import SchemaError

__all__ = ["ClosureReport", "closures", "correct_turns", "odd_pairs", "report"]


@dataclass(frozen=True)
class ClosureReport:
    """How the loops close (闭合差统计)."""

    loops: int
    mean_abs_rad: float
    share_over_pi: float
    worst_loop: int
    worst_share_over_pi: float


def closures(unwrapped: np.ndarray, loops: np.ndarray) -> np.ndarray:
    """φ(ab) + φ(bc) − φ(ac) of every loop (t, n) [rad] (三角闭合差)."""
    return unwrapped[loops[:, 0]] + unwrapped[loops[:, 1]] - unwrapped[loops[:, 2]]


def report(unwrapped: np.ndarray, loops: np.ndarray) -> ClosureReport:
    """Statistics of all loops over all pixels that have them (闭合差统计).

    Raises
    ------
    SchemaError
        The network has no closed loop.
    """
    if not len(loops):
        raise SchemaError("干涉网络没有三角闭合环", expected="至少一个 a-b, b-c, a-c 组合", cure="增加干涉对, 否则无法检验解缠")
    off = np.abs(closures(unwrapped, loops))
    over = np.array([float(np.mean(row[np.isfinite(row)] > np.pi)) if np.isfinite(row).any() else 0.0 for row in off])
    return ClosureReport(len(loops), float(np.nanmean(off)), float(np.nanmean(np.where(np.isfinite(off), off > np.pi, np.nan))), int(over.argmax()), float(over.max()))


def odd_pairs(unwrapped: np.ndarray, loops: np.ndarray, *, times: float, least_rad: float) -> list[tuple[int, float]]:
    """Pairs all of whose loops close badly while the others close well, with the misclosure of the best of them [rad] (可疑干涉对).

    One pair that is wrapped, turned in sign or in another unit hardly moves the statistics of the whole; but no loop with it closes. A pair in several loops is
    told apart from its neighbours (an even offset,
    as noise of the reference pixel leaves it, does not count): the fewest pairs that account for all bad loops are named; where several account for the same loops, all of these.

    Parameters
    ----------
    unwrapped : ndarray (p, n)
    loops : ndarray (t, 3)
    times, least_rad : float
        Mean absolute misclosure from which a loop is bad: so many times the median of the loops, and at least so much.

    Returns
    -------
    list of (pair, misclosure), worst first; empty without loops.
    """
    if not len(loops):
        return []
    off = closures(unwrapped, loops)
    seen = np.isfinite(off)
    off = np.abs(off - np.array([np.median(row[s]) if s.any() else 0.0 for row, s in zip(off, seen)])[:, None])
    size = np.where(seen, off, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    known = seen.any(axis=1)
    limit = max(least_rad, times * float(np.median(size[known]))) if known.any() else np.inf
    of: dict[int, set[int]] = {}
    for k in np.flatnonzero(known):
        for pair in loops[k].tolist():
            of.setdefault(pair, set()).add(int(k))
    bad = {int(k) for k in np.flatnonzero(known & (size > limit))}
    named: list[tuple[int, float]] = []
    while bad:
        left = {pair: on & bad for pair, on in of.items() if on & bad and all(size[k] > limit for k in on)}
        if not left:
            break
        most = max(left.values(), key=lambda on: (len(on), -min(on)))
        named += [(pair, float(min(size[k] for k in of[pair]))) for pair, on in left.items() if on == most]
        bad -= most
    return sorted(named, key=lambda found: -found[1])


def correct_turns(unwrapped: np.ndarray, loops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add whole turns to pairs so that the loops close, the fewest first (按闭合差改正解缠误差).

    For each pixel the pair whose turn most lowers the sum of the loops' misclosures (in whole turns) is turned, as long as one lowers it.

    Parameters
    ----------
    unwrapped : ndarray (p, n), float32
        [rad]; nan = no data.
    loops : ndarray (t, 3), int32

    Returns
    -------
    corrected : ndarray (p, n), float32
        A copy; only whole turns were added.
    left : ndarray (n,), int32
        Whole turns of misclosure that remain: 0 where all loops close.
    """
    phase = np.ascontiguousarray(unwrapped, dtype=np.float32)
    if not len(loops):
        return phase.copy(), np.zeros(phase.shape[1], np.int32)
    member: list[list[tuple[int, int]]] = [[] for _ in range(phase.shape[0])]
    for t, (ab, bc, ac) in enumerate(loops.tolist()):
        member[ab].append((t, 1))
        member[bc].append((t, 1))
        member[ac].append((t, -1))
    start = np.concatenate([[0], np.cumsum([len(m) for m in member])]).astype(np.int64)
    of = np.array([t for m in member for t, _ in m], dtype=np.int64)
    sign = np.array([s for m in member for _, s in m], dtype=np.int64)
    return _turned(phase, np.ascontiguousarray(loops), start, of, sign)


@njit(cache=True, parallel=True)
def _turned(phase, loops, start, of, sign):
    n = phase.shape[1]
    out, left = phase.copy(), np.zeros(n, np.int32)
    for k in prange(n):
        left[k] = _turn_pixel(phase, out, k, loops, start, of, sign)
    return out, left


@njit(cache=True)
def _turn_pixel(phase, out, k, loops, start, of, sign):
    """Turn pairs of one pixel as long as a turn lowers the sum of misclosures; what remains."""
    turn = 2.0 * np.pi
    miss = np.zeros(loops.shape[0], np.int64)
    for t in range(loops.shape[0]):
        off = np.float64(phase[loops[t, 0], k]) + phase[loops[t, 1], k] - phase[loops[t, 2], k]
        miss[t] = int(np.rint(off / turn)) if abs(off) < np.inf else 0
    best = 1
    while best > 0:
        best, pair, way = 0, 0, 0
        for p in range(phase.shape[0]):
            if not abs(phase[p, k]) < np.inf:
                continue
            for s in (-1, 1):
                gain = 0
                for m in range(start[p], start[p + 1]):
                    gain += abs(miss[of[m]]) - abs(miss[of[m]] + s * sign[m])
                if gain > best:
                    best, pair, way = gain, p, s
        if best > 0:
            for m in range(start[pair], start[pair + 1]):
                miss[of[m]] += way * sign[m]
            out[pair, k] += np.float32(way * turn)
    return np.abs(miss).sum()
