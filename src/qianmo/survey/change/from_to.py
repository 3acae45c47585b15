"""From which class to which: classes of patches and of changed cells (变化类型)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import uniform_filter
from sklearn.ensemble import ExtraTreesClassifier

from qianmo.geo.fractions import Fractions
from qianmo.schema.errors import MissingDataError, SchemaError

__all__ = ["classes_after", "main_class", "pure_cells"]


def pure_cells(fractions: Fractions, classes: np.ndarray, *, least: float) -> np.ndarray:
    """Class of each cell that lies almost whole in polygons of one class, (y, x) int, −1 elsewhere (纯像元类别).

    Parameters
    ----------
    fractions : Fractions
        Of n polygons.
    classes : ndarray (n,), int
        Class of each polygon from 0; −1 teaches nothing.
    least : float
        Share of the cell that polygons of the class must cover, above 0.5, at most 1.

    Raises
    ------
    SchemaError
        A share out of range, or not one class a polygon.
    """
    kinds = np.asarray(classes)
    if not 0.5 < least <= 1.0 or kinds.shape != (len(fractions.start) - 1,):
        raise SchemaError(f"份额 {least}, 类别 {kinds.shape}", expected="份额大于 0.5 至 1, 每个图斑一个类别")
    out = np.full(fractions.shape[0] * fractions.shape[1], -1, dtype=np.int64)
    of_entry = kinds[fractions.zone()]
    for kind in np.unique(kinds[kinds >= 0]):
        mine = of_entry == kind
        share = np.bincount(fractions.cell[mine], weights=fractions.share[mine], minlength=len(out))
        out[share >= least - 1e-9] = kind
    return out.reshape(fractions.shape)


def classes_after(
    planes: Iterable[np.ndarray], known: np.ndarray, wanted: np.ndarray, *, seed: int = 0, trees: int = 100, each: int = 2000, window: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Class of changed cells, taught by unchanged cells of known class in the same image (变化后地类).

    Parameters
    ----------
    planes : iterable of ndarray (y, x)
        Bands of the later image, one after the other; nan = no data.
    known : ndarray (y, x), int
        Class of unchanged cells from 0, −1 elsewhere, of `pure_cells` without the changed cells.
    wanted : ndarray (y, x), bool
        Cells to be classified.
    seed, trees, each, window : int
        Start of the draws, trees, most cells of a class that teach, side of the window whose mean and spread are added.

    Returns
    -------
    found : ndarray (y, x), int
        Class, −1 where not wanted or without data.
    probability : ndarray (y, x), float
        Share of the trees' votes for it, nan where not wanted.

    Raises
    ------
    SchemaError
        Rasters of different shapes.
    MissingDataError
        Fewer than two classes with twenty cells each.
    """
    flat, asked = np.asarray(known).ravel(), np.flatnonzero(np.asarray(wanted, dtype=bool).ravel())
    rng = np.random.default_rng(seed)
    kinds = [np.flatnonzero(flat == k) for k in np.unique(flat[flat >= 0])]
    use = np.concatenate([np.empty(0, np.int64), *(rng.choice(c, each, replace=False) if len(c) > each else c for c in kinds)])
    features = _features(planes, np.concatenate([use, asked]), np.shape(known), window)
    if np.shape(known) != np.shape(wanted) or features is None:
        raise SchemaError(f"已知类别 {np.shape(known)}, 待分 {np.shape(wanted)}", expected="与影像同一格网")
    good = np.isfinite(features).all(axis=1)
    teach = good[: len(use)]
    enough = [k for k in np.unique(flat[use[teach]]) if (flat[use[teach]] == k).sum() >= 20]
    if len(enough) < 2:
        raise MissingDataError(f"未变化的纯像元只够 {len(enough)} 类", expected="至少两类, 每类 20 个像元", cure="换更高分辨率的影像, 或提供两期分类图")
    teach &= np.isin(flat[use], enough)
    forest = ExtraTreesClassifier(trees, min_samples_leaf=2, class_weight="balanced", random_state=seed, n_jobs=1)
    forest.fit(features[: len(use)][teach], flat[use[teach]])
    found, probability = np.full(flat.shape, -1, dtype=np.int64), np.full(flat.shape, np.nan)
    rows, cells = features[len(use) :][good[len(use) :]], asked[good[len(use) :]]
    if len(cells):
        votes = forest.predict_proba(rows)
        found[cells], probability[cells] = forest.classes_[votes.argmax(axis=1)], votes.max(axis=1)
    return found.reshape(np.shape(known)), probability.reshape(np.shape(known))


def _features(planes: Iterable[np.ndarray], cells: np.ndarray, shape: tuple[int, ...], window: int) -> np.ndarray | None:
    """Level, mean and spread of the surroundings of some cells, band by band; None where a band has another shape."""
    columns = []
    for plane in planes:
        if np.shape(plane) != shape:
            return None
        level = np.asarray(plane, dtype=np.float32)
        whole = np.nan_to_num(level)
        near = uniform_filter(whole, window)
        spread = np.sqrt(np.maximum(uniform_filter(whole * whole, window) - near**2, 0.0))
        columns += [v.ravel()[cells] for v in (level, near, spread)]
    return np.column_stack(columns) if columns else None


def main_class(labels: np.ndarray, classes: np.ndarray, *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Class that holds most cells of each patch and its share of the patch (图斑主类).

    Parameters
    ----------
    labels : ndarray (y, x), int
        Patch of each cell from 1; 0 is no patch.
    classes : ndarray (y, x), int
        Class of each cell; −1 unknown.
    count : int
        Number of patches.

    Returns
    -------
    found : ndarray (count,), int
        −1 where no cell of the patch has a class; the smaller class on a tie.
    share : ndarray (count,), float
        0 to 1.

    Raises
    ------
    SchemaError
        Rasters of different shapes, or a patch above `count`.
    """
    lab, kind = np.asarray(labels).ravel(), np.asarray(classes).ravel()
    if lab.shape != kind.shape or (len(lab) and lab.max() > count):
        raise SchemaError(f"图斑栅格 {np.shape(labels)}, 类别栅格 {np.shape(classes)}", expected=f"同一格网, 图斑不超过 {count}")
    size = np.bincount(lab, minlength=count + 1)[1:]
    use = (lab > 0) & (kind >= 0)
    width = int(kind.max(initial=0)) + 1
    table = np.bincount((lab[use] - 1) * width + kind[use], minlength=count * width).reshape(count, width)
    best = table.argmax(axis=1) if count else np.empty(0, np.int64)
    most = table[np.arange(count), best]
    return np.where(most > 0, best, -1), most / np.maximum(size, 1)
