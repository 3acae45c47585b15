"""Exact shares of cells for many polygons, a block of polygons and its rows of the raster at a time (分块像元份额)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import affine
import numpy as np
import shapely

from qianmo.geo.cells import placed
from qianmo.geo.fractions import Fractions, cell_fractions
from qianmo.schema.errors import SchemaError

__all__ = ["FractionBlock", "fraction_blocks"]


@dataclass(frozen=True)
class FractionBlock:
    """Some of the polygons and the rows of the raster that they meet (一块图斑).

    Attributes
    ----------
    polygon : ndarray (k,), int
        Places of the polygons among all.
    rows : slice
        Rows of the raster that `fractions` is told of.
    fractions : Fractions
        Of the k polygons, on those rows alone.
    """

    polygon: np.ndarray
    rows: slice
    fractions: Fractions


def fraction_blocks(geoms: np.ndarray, transform: affine.Affine, shape: tuple[int, int], *, at_once: int) -> Iterator[FractionBlock]:
    """Shares of `at_once` polygons at a time, ordered by the first row they meet (逐块求像元份额).

    Memory holds the shares of one block, and a reader needs the rows of one block: a million parcels on
    a scene of thirty million cells fit into a small machine.

    Parameters
    ----------
    geoms : ndarray of geometry, n
        As in `cell_fractions`.
    transform : Affine
    shape : (int, int)
        Rows and columns of the whole raster.
    at_once : int
        Polygons in a block, at least 1.

    Yields
    ------
    FractionBlock
        Every polygon that meets the raster by its bounds comes once; the others in no block.

    Raises
    ------
    SchemaError
        `at_once` below 1, or a raster without cells.
    TopologyError
        A polygon of the block crosses itself.
    """
    if at_once < 1:
        raise SchemaError(f"每块 {at_once} 个图斑", expected="至少 1")
    top, bottom = _rows_met(np.asarray(geoms, dtype=object), transform, shape)
    meets = np.flatnonzero(top < bottom)
    order = meets[np.argsort(top[meets], kind="stable")]
    for first in range(0, len(order), at_once):
        some = order[first : first + at_once]
        rows = slice(int(top[some].min()), int(bottom[some].max()))
        moved = transform * affine.Affine.translation(0, rows.start)
        yield FractionBlock(some, rows, cell_fractions(np.asarray(geoms, dtype=object)[some], moved, (rows.stop - rows.start, shape[1])))


def _rows_met(array: np.ndarray, transform: affine.Affine, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """First row, and the row after the last, that the bounds of each polygon meet; equal where they meet no cell."""
    if min(shape) < 1:
        raise SchemaError(f"栅格 {shape}", expected="至少一行一列")
    bounds = shapely.bounds(array)
    corners = [placed(~transform, bounds[:, i], bounds[:, j]) for i in (0, 2) for j in (1, 3)]
    u, v = np.stack([c[0] for c in corners]), np.stack([c[1] for c in corners])
    known = np.isfinite(bounds).all(axis=1)
    known &= (u.min(axis=0) < shape[1]) & (u.max(axis=0) > 0)
    top = np.where(known, np.clip(np.floor(np.where(known, v.min(axis=0), 0.0)), 0, shape[0]), 0).astype(int)
    bottom = np.where(known, np.clip(np.ceil(np.where(known, v.max(axis=0), 0.0)), 0, shape[0]), 0).astype(int)
    return top, bottom
