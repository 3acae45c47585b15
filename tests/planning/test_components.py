"""Pieces of equal use are counted as a plain flood does, and areas are kept to the square decimetre."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from qianmo.planning.components import audit_components, region_pieces
from qianmo.planning.fields import jittered_borders


def flood(uses: np.ndarray, i: np.ndarray, j: np.ndarray) -> list[set[int]]:
    near: dict[int, set[int]] = {k: set() for k in range(len(uses))}
    for a, b in zip(i.tolist(), j.tolist()):
        near[a].add(b)
        near[b].add(a)
    left, found = set(near), []
    while left:
        start = min(left)
        piece, queue = {start}, deque([start])
        while queue:
            for other in near[queue.popleft()]:
                if other not in piece and uses[other] == uses[start]:
                    piece.add(other)
                    queue.append(other)
        left -= piece
        found.append(piece)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_audit_finds_the_pieces_that_a_flood_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    borders = jittered_borders(150, rng=rng)
    uses, area = rng.integers(0, 3, 150), rng.integers(1, 10**9, 150)
    table, pieces = audit_components(uses, borders.i, borders.j, area), flood(uses, borders.i, borders.j)
    assert table["first"].tolist() == [min(p) for p in pieces]
    assert table["parcels"].tolist() == [len(p) for p in pieces]
    assert table["area_dm2"].tolist() == [sum(int(area[k]) for k in p) for p in pieces]
    assert table["area_dm2"].sum() == area.sum()
    split = region_pieces(uses, borders.i, borders.j)
    assert split == {int(u): mine for u in np.unique(uses) if len(mine := [min(p) for p in pieces if uses[min(p)] == u]) > 1}
