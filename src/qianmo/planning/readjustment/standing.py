"""What each owner holds before and after: value, area, distance, plots and blocks (权利人现状与调换后对比)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qianmo.geo.adjacency import shared_borders_noded
from qianmo.geo.blocks import core_graph
from qianmo.planning.readjustment.holdings import Holdings
from qianmo.planning.readjustment.pieces import Pieces

__all__ = ["block_labels", "standing", "worse_off"]


def block_labels(geometry: np.ndarray, owner: np.ndarray, *, gap_m: float, least_border_m: float) -> np.ndarray:
    """Block of each piece: pieces of one owner that share a border, or lie within a gap, are one block (连片地块编号).

    Parameters
    ----------
    gap_m : float
        0: a common border of at least `least_border_m`; else pieces at most this far apart, across a ridge or ditch. [m]

    Returns
    -------
    (m,) int
        From 0.
    """
    if gap_m > 0:
        pairs = core_graph(geometry, gap_m=gap_m)
    else:
        pairs = shared_borders_noded(geometry)
        pairs = pairs[pairs["length_m"] >= least_border_m]
    i, j = pairs["i"].to_numpy(), pairs["j"].to_numpy()
    same = owner[i] == owner[j]
    graph = coo_array((np.ones(int(same.sum()), np.int8), (i[same], j[same])), shape=(len(owner), len(owner)))
    return np.asarray(connected_components(graph, directed=False)[1])


def standing(problem: Holdings, pieces: Pieces, *, gap_m: float, least_border_m: float) -> pd.DataFrame:
    """One row an owner: value_fen, value_cut_fen, area_dm2, mean_distance_m, plots, blocks (权属状况).

    Distance is that of the centroid of each piece to the owner's anchor, weighted by area.
    """
    k, o = problem.k, pieces.owner
    label = block_labels(pieces.geometry, o, gap_m=gap_m, least_border_m=least_border_m)
    middle = shapely.centroid(pieces.geometry)
    far = np.hypot(shapely.get_x(middle) - problem.anchor[o, 0], shapely.get_y(middle) - problem.anchor[o, 1])
    area = _sum(pieces.area_dm2, o, k)
    first = np.unique(label, return_index=True)[1]
    return pd.DataFrame({
        "owner_id": problem.owner_id, "value_fen": _sum(pieces.value_fen, o, k), "value_cut_fen": np.bincount(o, pieces.value_cut_fen, k),
        "area_dm2": area, "mean_distance_m": np.bincount(o, pieces.area_dm2 * far, k) / np.maximum(area, 1),
        "plots": np.bincount(o, minlength=k), "blocks": np.bincount(o[first], minlength=k),
    })  # fmt: skip


def worse_off(
    before: pd.DataFrame, after: pd.DataFrame, *, value_tolerance: float, distance_tolerance: float, area_tolerance: float
) -> pd.DataFrame:
    """Who would lose, and in what: bool columns value, distance, area, blocks (受损判定).

    Parameters
    ----------
    value_tolerance : float
        Share of the value by which the drawn land may differ.
    distance_tolerance, area_tolerance : float
        Share by which the mean distance may grow; by which the area may differ either way, inf for any.
    """
    value = before["value_fen"].to_numpy(float)
    area = before["area_dm2"].to_numpy(float)
    far = before["mean_distance_m"].to_numpy(float)
    return pd.DataFrame({
        "value": np.abs(after["value_cut_fen"].to_numpy(float) - value) > value_tolerance * value + 0.5,
        "distance": after["mean_distance_m"].to_numpy(float) > far * (1 + distance_tolerance) + 1e-6,
        "area": np.abs(after["area_dm2"].to_numpy(float) - area) > area_tolerance * area + 0.5,
        "blocks": after["blocks"].to_numpy() > before["blocks"].to_numpy(),
    })  # fmt: skip


def _sum(values: np.ndarray, owner: np.ndarray, k: int) -> np.ndarray:
    out = np.zeros(k, np.int64)
    np.add.at(out, owner, values)
    return out
