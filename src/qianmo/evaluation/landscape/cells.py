"""Patches of a class raster and what is counted on their cells (栅格斑块)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label
from scipy.spatial import ConvexHull, cKDTree
from scipy.spatial.distance import pdist

from qianmo.evaluation.landscape.core_search import searched_cores
from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["Patches", "patches_of"]

_EIGHT, _FOUR = np.ones((3, 3), dtype=bool), np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool)


@dataclass(frozen=True)
class Patches:
    """Patches of a class raster (斑块).

    Attributes
    ----------
    labels : ndarray (y, x), int
        Number of the patch from 1; 0 outside.
    codes : ndarray (y, x)
        The classes, as given; `valid` tells where they count.
    valid : ndarray (y, x), bool
    class_code : ndarray (p,)
        Class of each patch.
    cells, edges, core_cells, cores : ndarray (p,), int
        Cells; sides of cells that are not shared within the patch, the map's edge included; core cells; disjunct cores.
    core_parts : ndarray (k,), int and core_class : ndarray (k,)
        Cells of every disjunct core and its class.
    gyrate_m, contiguity, circle, nearest_m : ndarray (p,)
        Radius of gyration, contiguity index 0..1, 1 − area over the circle on the two corners farthest apart, 0..1, distance to the nearest patch of the
        class between cell centres (nan for the only one).
    cell_m : float
    """

    labels: np.ndarray
    codes: np.ndarray
    valid: np.ndarray
    class_code: np.ndarray
    cells: np.ndarray
    edges: np.ndarray
    core_cells: np.ndarray
    cores: np.ndarray
    core_parts: np.ndarray
    core_class: np.ndarray
    gyrate_m: np.ndarray
    contiguity: np.ndarray
    circle: np.ndarray
    nearest_m: np.ndarray
    cell_m: float


def patches_of(codes: np.ndarray, cell_m: float, *, valid: np.ndarray | None = None, eight: bool = True, as_listed: bool = False) -> Patches:
    """Patches of equal class that touch by sides, and by corners as well if `eight` (斑块识别).

    Parameters
    ----------
    codes : ndarray (y, x), int
    cell_m : float
        Side of a cell [m], above 0.
    valid : ndarray (y, x), bool, optional
        Where classes count; everywhere by default.
    eight : bool
        Eight or four neighbours.
    as_listed : bool
        Cores as FRAGSTATS 4.2 lists them, without those that its search passes over (:func:`~qianmo.evaluation.landscape.core_search.searched_cores`), to
        compare with tables of that program. By default every core counts.

    Raises
    ------
    SchemaError
        Not a class raster of whole numbers, a mask of another shape, or a cell side not above 0.
    MissingDataError
        No valid cell.
    """
    grid = np.asarray(codes)
    good = np.ones(grid.shape, bool) if valid is None else np.asarray(valid, bool)
    if grid.ndim != 2 or grid.dtype.kind not in "iu" or good.shape != grid.shape or not cell_m > 0:
        raise SchemaError(f"栅格 {grid.shape} {grid.dtype}, 掩膜 {good.shape}, 像元 {cell_m} m", expected="整数类别栅格, 同形掩膜, 像元边长大于 0")
    if not good.any():
        raise MissingDataError("没有有效像元", expected="至少一个")
    structure = _EIGHT if eight else _FOUR
    labels, classes, count = np.zeros(grid.shape, np.int64), [], 0
    for code in np.unique(grid[good]):
        here, found = label((grid == code) & good, structure=structure)
        labels[here > 0] = here[here > 0] + count
        classes += [code] * found
        count += found
    framed = np.pad(labels, 1)
    inner = framed[1:-1, 1:-1]
    sides = [framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]]
    slants = [framed[:-2, :-2], framed[:-2, 2:], framed[2:, :-2], framed[2:, 2:]]
    apart = sum((s != inner).astype(np.int64) for s in sides)
    core = (apart == 0) & (labels > 0)
    cells = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    weight = 1 + 2 * sum((s == inner).astype(np.int64) for s in sides) + sum((s == inner).astype(np.int64) for s in slants)
    summed = lambda what: np.bincount(labels.ravel(), weights=what.ravel(), minlength=count + 1)[1:]  # noqa: E731
    core_label = searched_cores(labels, core, eight=eight) if as_listed else label(core, structure=structure)[0]
    core, core_of = core_label > 0, _patch_of_core(labels, core_label)
    classes_of = np.asarray(classes)
    return Patches(
        labels, grid, good, classes_of, cells, np.rint(summed(apart)).astype(np.int64), np.rint(summed(core)).astype(np.int64),
        np.bincount(core_of, minlength=count + 1)[1:], np.bincount(core_label[core_label > 0], minlength=1)[1:], classes_of[core_of - 1],
        _gyration(labels, cells) * cell_m, (summed(weight) / cells - 1.0) / 12.0, _circles(labels, apart > 0, cells), _nearest(labels, apart > 0, classes_of) * cell_m, cell_m,
    )  # fmt: skip


def _patch_of_core(labels: np.ndarray, core_label: np.ndarray) -> np.ndarray:
    """Patch of each disjunct core, in the order of their numbers. Cores of two patches never touch by a side or corner."""
    first = np.zeros(int(core_label.max()) + 1, np.int64)
    first[core_label] = labels
    return first[1:]


def _gyration(labels: np.ndarray, cells: np.ndarray) -> np.ndarray:
    row, column = np.nonzero(labels)
    which = labels[row, column]
    mean = [np.bincount(which, weights=v)[1:] / cells for v in (row, column)]
    away = np.hypot(row - mean[0][which - 1], column - mean[1][which - 1])
    return np.bincount(which, weights=away)[1:] / cells


def _circles(labels: np.ndarray, rim: np.ndarray, cells: np.ndarray) -> np.ndarray:
    row, column = np.nonzero(rim & (labels > 0))
    which = labels[row, column]
    order = np.argsort(which, kind="stable")
    row, column = row[order], column[order]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(which, minlength=len(cells) + 1)[1:])])
    widest = np.empty(len(cells))
    for k in range(len(cells)):
        part = slice(bounds[k], bounds[k + 1])
        base = np.column_stack([row[part], column[part]]).astype(float)
        corners = np.concatenate([base, base + [0, 1], base + [1, 0], base + [1, 1]])
        if len(base) > 8:
            corners = corners[ConvexHull(corners).vertices]
        widest[k] = pdist(corners).max()
    return np.where(cells == 1, 0.0, 1.0 - cells / (np.pi * (widest / 2) ** 2))


def _nearest(labels: np.ndarray, rim: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Distance in cells from each patch to the nearest other patch of its class."""
    found = np.full(len(classes), np.inf)
    row, column = np.nonzero(rim & (labels > 0))
    which, at = labels[row, column], np.column_stack([row, column]).astype(float)
    of = classes[which - 1]
    for code in np.unique(classes):
        mine = of == code
        patch, where = which[mine], at[mine]
        if len(np.unique(patch)) < 2:
            continue
        tree, open_, near = cKDTree(where), np.arange(len(where)), 8
        while len(open_):
            far, other = tree.query(where[open_], k=min(near, len(where)))
            foreign = patch[other] != patch[open_][:, None]
            hit = foreign.any(axis=1)
            column_of = foreign.argmax(axis=1)
            np.minimum.at(found, patch[open_][hit] - 1, far[hit, column_of[hit]])
            # a cell is done when another patch was met, or when it already lies farther out than the best of its patch
            out = hit | (far[:, -1] >= found[patch[open_] - 1])
            open_, near = open_[~out], near * 4
    return np.where(np.isfinite(found), found, np.nan)
