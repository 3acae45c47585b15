"""Merging cells to an exact number of patches (图斑归并)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError
from qianmo.village.mesh import Mesh, components

__all__ = ["contiguous", "merged"]

_CAP_M2 = {"01": 9_000.0, "02": 20_000.0, "03": 400_000.0, "07": 6_000.0}
_CAP_OTHER_M2 = 8_000.0
_EAGERNESS = {"01": 0.7, "02": 2.0, "03": 6.0}
_SMALL_M2 = 700.0


def contiguous(mesh: Mesh, label: np.ndarray) -> np.ndarray:
    """Give stray pieces of a label to the neighbour with the longest border, so each label is one piece (飞地归并)."""
    label = label.copy()
    for _ in range(20):
        piece = components(mesh, label)
        size = np.bincount(piece[mesh.inside])
        owner = np.zeros(len(size), dtype=int)
        owner[piece[mesh.inside]] = label[mesh.inside]
        largest = pd.Series(size).groupby(owner).idxmax().to_numpy()
        stray = np.setdiff1d(np.arange(len(size)), largest)
        if not stray.size:
            return label
        _hand_over(mesh, label, piece, stray)
    raise SchemaError("villages did not become contiguous in 20 rounds", cure="use another seed")


def merged(
    mesh: Mesh, classes: np.ndarray, village: np.ndarray, is_strip: np.ndarray, *, patches: int, rng: np.random.Generator
) -> np.ndarray:
    """Number of the patch of each cell, exactly `patches` of them (归并为图斑).

    Cells of one class and village join in random order, forest most eagerly, small cells first, up to a size that suits
    the class; strips of one class and village always join.

    Raises
    ------
    SchemaError
        The cells cannot make that number of patches.
    """
    code, villages = pd.factorize(classes.astype(str))[0], int(village.max()) + 1
    alone = (code.max() + 1) * villages + np.arange(len(code))
    start = components(mesh, np.where(is_strip, code * villages + village, alone))
    count = int(start.max()) + 1
    if count < patches:
        raise SchemaError(f"the mesh has {count} pieces", expected=f"at least {patches}", cure="more patches per village")
    joined = _joined(mesh, classes, village, is_strip, start, count - patches, rng)
    face = np.full(len(code), -1)
    face[mesh.inside] = np.unique(joined[start[mesh.inside]], return_inverse=True)[1]
    return face


def _hand_over(mesh: Mesh, label: np.ndarray, piece: np.ndarray, stray: np.ndarray) -> None:
    both = mesh.inside[mesh.left] & mesh.inside[mesh.right]
    a, b = np.concatenate([mesh.left[both], mesh.right[both]]), np.concatenate([mesh.right[both], mesh.left[both]])
    length = np.tile(mesh.length_m[both], 2)
    border = np.isin(piece[a], stray) & (label[a] != label[b])
    table = pd.DataFrame({"piece": piece[a[border]], "to": label[b[border]], "m": length[border]})
    longest = table.groupby(["piece", "to"])["m"].sum().reset_index().sort_values("m").drop_duplicates("piece", keep="last")
    new = pd.Series(longest["to"].to_numpy(), index=longest["piece"].to_numpy())
    cells = np.flatnonzero(np.isin(piece, longest["piece"]))
    label[cells] = new.loc[piece[cells]].to_numpy()


def _joined(
    mesh: Mesh, classes: np.ndarray, village: np.ndarray, is_strip: np.ndarray, start: np.ndarray, needed: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    a, b = mesh.left, mesh.right
    able = mesh.inside[a] & mesh.inside[b] & ~is_strip[a] & (classes[a] == classes[b]) & (village[a] == village[b])
    able &= (mesh.length_m > 2.0) & (mesh.start != mesh.end)
    a, b = a[able], b[able]
    group = np.array([c[:2] for c in classes[a]], dtype=object)
    area = np.bincount(start[mesh.inside], mesh.cell_area_m2[mesh.inside])
    eager = pd.Series(group).map(_EAGERNESS).fillna(1.0).to_numpy()
    small = np.minimum(area[start[a]], area[start[b]])
    order = np.argsort(rng.exponential(1.0, len(a)) / eager + np.where(small < _SMALL_M2, -100.0, 0.0), kind="stable")
    cap = (pd.Series(group).map(_CAP_M2).fillna(_CAP_OTHER_M2).to_numpy() * rng.lognormal(0.0, 0.5, len(a)))[order]
    parent = list(range(len(area)))
    pairs = list(zip(start[a[order]].tolist(), start[b[order]].tolist(), cap.tolist(), strict=True))
    size = area.tolist()
    for limited in (True, False):
        needed = _unite(parent, size, pairs, needed, limited=limited)
    if needed:
        raise SchemaError(f"{needed} merges too few", expected="cells enough of one class and village", cure="use another seed")
    return np.array([_root(parent, k) for k in range(len(parent))])


def _unite(parent: list[int], size: list[float], pairs: list[tuple[int, int, float]], needed: int, *, limited: bool) -> int:
    for i, j, cap in pairs:
        if not needed:
            break
        p, q = _root(parent, i), _root(parent, j)
        if p != q and (not limited or size[p] + size[q] <= cap):
            parent[q] = p
            size[p] += size[q]
            needed -= 1
    return needed


def _root(parent: list[int], k: int) -> int:
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k
