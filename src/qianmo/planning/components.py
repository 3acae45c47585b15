"""Pieces of equal use on the graph of borders, counted apart from any solver (连通性核查)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["audit_components", "region_pieces"]


def audit_components(uses: np.ndarray, i: np.ndarray, j: np.ndarray, area_dm2: np.ndarray) -> pd.DataFrame:
    """Connected pieces of one use each: how many parcels and how much area (连片核查).

    Parameters
    ----------
    uses : (n,) int
        Use of every parcel after the plan.
    i, j : (b,) int
        Parcels that share a border.
    area_dm2 : (n,) int
        [dm2]

    Returns
    -------
    DataFrame (component, use, first, parcels, area_dm2)
        One row a piece, in order of its first parcel. Areas sum exactly to that of all parcels.
    """
    label = _label(np.asarray(uses), i, j)
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    component = place[back]
    area = np.zeros(len(first), np.int64)
    np.add.at(area, component, np.asarray(area_dm2, np.int64))
    return pd.DataFrame(
        {
            "component": np.arange(len(first)), "use": np.asarray(uses)[first[order]], "first": first[order],
            "parcels": np.bincount(component, minlength=len(first)), "area_dm2": area,
        }
    )  # fmt: skip


def region_pieces(code: np.ndarray, i: np.ndarray, j: np.ndarray) -> dict[int, list[int]]:
    """First parcel of each piece of the regions that are in more than one piece (分区不连通).

    `code` (n,) is the region of each parcel, below 0 outside all.
    """
    label = _label(np.asarray(code), i, j)
    first = np.unique(label, return_index=True)[1]
    first = np.sort(first[code[first] >= 0])
    pieces = pd.Series(first).groupby(np.asarray(code)[first]).agg(list)
    return {int(region): [int(k) for k in parcels] for region, parcels in pieces.items() if len(parcels) > 1}


def _label(kind: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    same = kind[i] == kind[j]
    n = len(kind)
    graph = coo_array((np.ones(int(same.sum()), np.int8), (np.asarray(i)[same], np.asarray(j)[same])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])
