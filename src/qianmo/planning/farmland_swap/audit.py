"""Connected components counted once more, by union and find (连片核验).

Shares no code with the modules that make blocks large enough: plain Python over borders and units.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["small_blocks"]


def small_blocks(
    selected: Sequence[bool], area_m2: Sequence[float], i: Sequence[int], j: Sequence[int], *, least_m2: float, needs: Sequence[bool] | None = None
) -> list[tuple[float, list[int]]]:
    """Connected blocks of selected units smaller than the least area (小于下限的连片).

    Parameters
    ----------
    selected : (n,) bool
    area_m2 : (n,) float
        Counted in whole square decimetres. [m2]
    i, j : (k,) int
        Units that share a border.
    least_m2 : float
        A block of exactly this area is large enough. [m2]
    needs : (n,) bool, optional
        Only blocks with one of these units must be large enough; all by default.

    Returns
    -------
    list of (area_m2, units)
        Empty where every block is large enough.
    """
    parent = list(range(len(selected)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for a, b in zip(i, j):
        if selected[a] and selected[b]:
            parent[root(int(a))] = root(int(b))
    blocks: dict[int, list[int]] = {}
    for k, chosen in enumerate(selected):
        if chosen:
            blocks.setdefault(root(k), []).append(k)
    found = []
    for units in blocks.values():
        cents = sum(round(float(area_m2[k]) * 100) for k in units)
        if cents < round(least_m2 * 100) and (needs is None or any(needs[k] for k in units)):
            found.append((cents / 100, units))
    return sorted(found)
