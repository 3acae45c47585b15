"""From shipments of value to pieces of land (调换后的地块)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from qianmo.planning.readjustment.flow import Transport
from qianmo.planning.readjustment.holdings import Holdings
from qianmo.planning.readjustment.split import cut_parcel

__all__ = ["Pieces", "cut_pieces", "status_quo", "whole_pieces"]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Land after the exchange: whole parcels and parts of cut ones (地块清单).

    Parameters
    ----------
    parcel, owner : (m,) int
        Positions in the problem.
    geometry : (m,) polygons [m]
    value_fen, area_dm2 : (m,) int64
        Sum to the parcel's exactly.
    value_cut_fen : (m,) float
        Value of the drawn shape: parcel value times its share of the drawn area.
    is_narrow : (m,) bool
        A part thinner than the least width that does not lie along its owner's land.
    """

    parcel: np.ndarray
    owner: np.ndarray
    geometry: np.ndarray
    value_fen: np.ndarray
    area_dm2: np.ndarray
    value_cut_fen: np.ndarray
    is_narrow: np.ndarray

    @property
    def is_cut(self) -> np.ndarray:
        """(m,) bool: a part of a cut parcel."""
        return np.asarray(np.bincount(self.parcel)[self.parcel] > 1)


def status_quo(problem: Holdings) -> Pieces:
    """Nothing moves (现状)."""
    return whole_pieces(problem, problem.owner)


def whole_pieces(problem: Holdings, owner: np.ndarray) -> Pieces:
    """Every parcel goes to one owner in one piece (整块调换)."""
    value = problem.value_fen
    return Pieces(
        np.arange(problem.n), owner.copy(), problem.geometry, value.copy(), problem.area_dm2.copy(), value.astype(float), np.zeros(problem.n, bool)
    )


def cut_pieces(
    problem: Holdings, shipped: list[tuple[np.ndarray, Transport, np.ndarray]], sites: np.ndarray, borders: pd.DataFrame, *,
    least_width_m: float, least_border_m: float,
) -> Pieces:  # fmt: skip
    """Cut every parcel that goes to several owners; the rest moves whole (生成地块).

    Parameters
    ----------
    shipped : list of (rows, Transport, owners)
        Flow of each pool, with the parcels and owners its positions stand for.
    sites : (k, 2) [m]
    borders : DataFrame (i, j, length_m)
        Neighbours before the exchange.
    """
    parcel, owner, amount = _shipments(problem, shipped)
    many = np.bincount(parcel, minlength=problem.n)[parcel] > 1
    whole_owner = np.full(problem.n, -1)
    whole_owner[parcel[~many]] = owner[~many]
    around = _neighbours(problem.n, borders, np.unique(parcel[many]))
    geometry = problem.geometry[parcel].copy()
    narrow = np.zeros(len(parcel), bool)
    cut_already: dict[int, list[tuple[int, shapely.Geometry]]] = {}
    starts = np.flatnonzero(many & np.concatenate([[True], parcel[1:] != parcel[:-1]]))
    for first in starts:
        j = int(parcel[first])
        rows = np.arange(first, first + int((parcel == j).sum()) if first + 64 > len(parcel) else first + int((parcel[first : first + 64] == j).sum()))
        land = _own_land(problem, around.get(j, ()), owner[rows], whole_owner, cut_already)
        made = cut_parcel(
            problem.geometry[j], amount[rows] / amount[rows].sum(), sites[owner[rows]], land, least_width_m=least_width_m, least_border_m=least_border_m
        )
        geometry[rows], narrow[rows] = made.parts, made.narrow
        cut_already[j] = list(zip(owner[rows].tolist(), made.parts))
    area = _shared_out(problem.area_dm2[parcel], amount, problem.value_fen[parcel], parcel)
    drawn = shapely.area(geometry) / shapely.area(problem.geometry[parcel])
    return Pieces(parcel, owner, geometry, amount, area, drawn * problem.value_fen[parcel], narrow)


def _shipments(problem: Holdings, shipped: list[tuple[np.ndarray, Transport, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    kept = np.flatnonzero(~problem.is_free)
    parcel = np.concatenate([kept, *[rows[t.parcel] for rows, t, _ in shipped]])
    owner = np.concatenate([problem.owner[kept], *[who[t.owner] for _, t, who in shipped]])
    amount = np.concatenate([problem.value_fen[kept], *[t.amount for _, t, _ in shipped]])
    order = np.lexsort((owner, parcel))
    return parcel[order], owner[order], amount[order]


def _neighbours(n: int, borders: pd.DataFrame, wanted: np.ndarray) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {int(j): [] for j in wanted}
    for i, j in zip(borders["i"].tolist(), borders["j"].tolist()):
        if i in found:
            found[i].append(j)
        if j in found:
            found[j].append(i)
    return found


def _own_land(
    problem: Holdings, around: list[int] | tuple[int, ...], owners: np.ndarray, whole_owner: np.ndarray,
    cut_already: dict[int, list[tuple[int, shapely.Geometry]]],
) -> dict[int, shapely.Geometry]:  # fmt: skip
    found: dict[int, shapely.Geometry] = {}
    for place, o in enumerate(owners.tolist()):
        shapes = [problem.geometry[i] for i in around if whole_owner[i] == o]
        shapes += [g for i in around for who, g in cut_already.get(i, ()) if who == o]
        if shapes:
            found[place] = shapes[0] if len(shapes) == 1 else shapely.multipolygons(shapely.get_parts(shapes))
    return found


def _shared_out(area: np.ndarray, amount: np.ndarray, value: np.ndarray, parcel: np.ndarray) -> np.ndarray:
    """Whole square decimetres in proportion to value, largest remainders first; they sum to the parcel's area."""
    exact = area.astype(float) * amount / value
    low = np.floor(exact).astype(np.int64)
    low = np.minimum(low, area)
    rest = np.bincount(parcel, minlength=int(parcel.max()) + 1).astype(np.int64) * 0
    np.add.at(rest, parcel, -low)
    total = np.zeros(len(rest), np.int64)
    total[parcel] = area
    rest += total
    order = np.lexsort((-(exact - low), parcel))
    start = np.searchsorted(parcel[order], parcel[order])
    rank = np.arange(len(order)) - start
    low[order] += rank < rest[parcel[order]]
    return low
