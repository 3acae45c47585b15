"""Fragmentation of holdings before and after: Simpson, Januszewski, Igozurike, Schmook, distance, shape (地块破碎化指数)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

__all__ = ["holding_indices", "igozurike", "januszewski", "schmook", "simpson", "total_indices"]


def simpson(area: np.ndarray) -> float:
    r"""Simpson's index :math:`1 - \sum a^2 / A^2` (辛普森指数): 0 for one plot, towards 1 for many equal ones [1]_.

    References
    ----------
    .. [1] J. Blarel, P. Hazell, F. Place, J. Quiggin, World Bank Economic Review, vol. 6, pp. 233-254, 1992.
    """
    a = np.asarray(area, dtype=float)
    return float(1.0 - (a**2).sum() / a.sum() ** 2)


def januszewski(area: np.ndarray) -> float:
    r"""Januszewski's index :math:`\sqrt{A} / \sum \sqrt{a}` (雅努谢夫斯基指数): 1 for one plot, falls with their number [1]_.

    References
    ----------
    .. [1] J. Januszewski, "Index of land consolidation as a criterion of the degree of concentration", Geographia Polonica, 14, 1968.
    """
    a = np.asarray(area, dtype=float)
    return float(np.sqrt(a.sum()) / np.sqrt(a).sum())


def igozurike(area_m2: np.ndarray, distance_m: np.ndarray) -> float:
    r"""Igozurike's index :math:`D / (\bar a / 100)` (伊戈祖里克指数), with the mean plot in hectares and D in kilometres [1]_.

    D is the round trips from the farmstead to every plot, each plot on its own: the order of visits does not matter. Rises with
    fragmentation; 0 for one plot at the farmstead.

    References
    ----------
    .. [1] M. U. Igozurike, "Land tenure, social relations and the analysis of spatial discontinuity", Area, vol. 6, 1974.
    """
    trips_km = 2.0 * np.asarray(distance_m, dtype=float).sum() / 1000.0
    return float(trips_km / (np.asarray(area_m2, dtype=float).mean() / 1e4 / 100.0))


def schmook(geometry: np.ndarray) -> float:
    r"""Schmook's index: area of the convex polygon round all plots over the area of the plots (施穆克指数) [1]_.

    1 for one convex block, large for scattered plots.

    References
    ----------
    .. [1] G. Schmook, "The spontaneous evolution from farming on scattered strips to farming in severalty in Flanders", 1976.
    """
    shapes = np.asarray(geometry, dtype=object)
    return float(shapely.area(shapely.convex_hull(shapely.geometrycollections(shapes))) / shapely.area(shapes).sum())


def holding_indices(geometry: np.ndarray, owner: np.ndarray, block: np.ndarray, anchor: np.ndarray, owner_id: np.ndarray) -> pd.DataFrame:
    """Indices of every holding, taken over its blocks: what lies together counts as one plot (各户指数).

    Parameters
    ----------
    geometry : (m,) polygons, owner : (m,) int, block : (m,) int
        Pieces, their owners, and the blocks they form. [m]
    anchor : (k, 2), owner_id : (k,)
        Farmsteads [m] and names.

    Returns
    -------
    DataFrame, one row an owner with land
        owner_id, plots, blocks, area_m2, simpson, januszewski, igozurike, schmook, mean_distance_m (area-weighted, of blocks),
        shape (perimeter over that of the circle of the same area, area-weighted over pieces; from 1).
    """
    area, edge = shapely.area(geometry), shapely.length(geometry)
    middle = shapely.get_coordinates(shapely.centroid(geometry))
    shape = edge / (2.0 * np.sqrt(np.pi * area))
    rows = []
    for o, at in pd.Series(np.arange(len(owner))).groupby(owner):
        pieces = at.to_numpy()
        names, place = np.unique(block[pieces], return_inverse=True)
        mine = np.bincount(place, area[pieces])
        centre = np.column_stack([np.bincount(place, area[pieces] * middle[pieces, axis]) for axis in (0, 1)]) / mine[:, None]
        far = np.hypot(*(centre - anchor[o]).T)
        rows.append((
            owner_id[o], len(pieces), len(names), float(mine.sum()), simpson(mine), januszewski(mine), igozurike(mine, far),
            schmook(geometry[pieces]), float((mine * far).sum() / mine.sum()), float((area[pieces] * shape[pieces]).sum() / mine.sum()),
        ))  # fmt: skip
    names_of = ["owner_id", "plots", "blocks", "area_m2", "simpson", "januszewski", "igozurike", "schmook", "mean_distance_m", "shape"]
    return pd.DataFrame(rows, columns=names_of)


def total_indices(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """One row an index: mean over holdings before and after, and the change as a share (总体指数对比).

    Counts of plots and blocks are sums; distance is weighted by area.
    """
    rows = []
    for name in before.columns[1:]:
        old, new = (_whole(frame, name) for frame in (before, after))
        rows.append((name, old, new, (new - old) / old if old else 0.0))
    return pd.DataFrame(rows, columns=["index", "before", "after", "change"])


def _whole(frame: pd.DataFrame, name: str) -> float:
    if name in ("plots", "blocks", "area_m2"):
        return float(frame[name].sum())
    if name == "mean_distance_m":
        return float((frame[name] * frame["area_m2"]).sum() / frame["area_m2"].sum())
    return float(frame[name].mean())
