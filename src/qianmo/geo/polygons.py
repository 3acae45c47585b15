"""Polygons that are compared with others: checked once, indexed once (待叠加的面)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from qianmo.geo.edge_index import EdgeIndex, edge_index
from qianmo.geo.side_by_side import side_by_side
from qianmo.schema.errors import TopologyError

__all__ = ["Polygons", "valid_polygons"]


@dataclass(frozen=True, eq=False)
class Polygons:
    """Polygons with the index of their edges, made when first asked for (面及其索引); see `valid_polygons`."""

    geoms: np.ndarray
    is_kept: bool = False

    @cached_property
    def index(self) -> EdgeIndex:
        """Edges of all of them."""
        return edge_index(self.geoms)

    def only(self, rows: np.ndarray, *, check: str = "") -> tuple[Polygons, np.ndarray]:
        """Those that are used, and the positions in them; all of them where they are kept for several comparisons.

        With `check`, the name of the layer, those used are checked as by `valid_polygons`.
        """
        if self.is_kept:
            return self, rows
        used, number = np.unique(rows, return_inverse=True)
        geoms = self.geoms[used]
        return valid_polygons(geoms, which=check, rows=used) if check else Polygons(geoms), number


def valid_polygons(geoms: np.ndarray, *, which: str, rows: np.ndarray | None = None, keep: bool = False) -> Polygons:
    """Polygons after a check (检查有效性); missing ones are let through.

    Parameters
    ----------
    geoms : ndarray of geometry
    which : str
        Name of the layer in the message.
    rows : ndarray, int, optional
        Their positions in the layer, where they are a part of it.
    keep : bool
        Index them as a whole, for comparison with several other layers.

    Raises
    ------
    TopologyError
        A geometry is not valid; the rows are named.
    """
    array = np.asarray(geoms, dtype=object)
    bad = np.flatnonzero(~side_by_side(shapely.is_valid, array) & ~shapely.is_missing(array))
    if len(bad):
        named = (bad if rows is None else np.asarray(rows)[bad])[:10].tolist()
        raise TopologyError(
            f"geometries of the {which} layer are not valid: rows {named}", expected="valid polygons",
            cure="ingest with --repair (请先修复图形)",
        )  # fmt: skip
    return Polygons(array, is_kept=keep)
