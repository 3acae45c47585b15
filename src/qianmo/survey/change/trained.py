"""A detector trained on the user's labels (监督变化检测)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter
from sklearn.ensemble import ExtraTreesClassifier

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.change.two_dates import irmad

__all__ = ["block_split", "change_features", "train_and_find"]


def change_features(before: np.ndarray, after: np.ndarray, *, valid: np.ndarray | None = None, windows: tuple[int, ...] = (3, 7)) -> np.ndarray:
    """What a detector sees of each pixel: both dates, their difference, IR-MAD, and means of the surroundings (特征).

    Parameters
    ----------
    before, after, valid
        As in `two_dates.change_vector`.
    windows : tuple of int
        Sides of the windows whose means are added.

    Returns
    -------
    ndarray (y, x, features), float32
        nan pixels stay nan.

    Raises
    ------
    SchemaError, MissingDataError
        As `two_dates.irmad`.
    """
    strength = irmad(before, after, valid=valid).strength
    base = [*np.asarray(before, dtype=np.float32), *np.asarray(after, dtype=np.float32)]
    base += [b - a for a, b in zip(np.asarray(before, dtype=np.float32), np.asarray(after, dtype=np.float32))]
    base.append(np.minimum(strength, np.nanquantile(strength, 0.999)).astype(np.float32))
    near = [uniform_filter(np.nan_to_num(band), w) for w in windows for band in base]
    out = np.stack(base + near, axis=-1).astype(np.float32)
    out[~np.isfinite(strength)] = np.nan
    return out


def block_split(shape: tuple[int, int], *, block: int) -> np.ndarray:
    """A chequered half of the pixels in blocks (y, x), bool: neighbours are not both trained on and tested (分块划分).

    Raises
    ------
    SchemaError
        A block below one pixel.
    """
    if block < 1:
        raise SchemaError(f"分块边长 {block}", expected="至少 1 个像元")
    y, x = np.indices(shape)
    return (y // block + x // block) % 2 == 0


def train_and_find(features: np.ndarray, labels: np.ndarray, *, seed: int = 0, trees: int = 200) -> np.ndarray:
    """Probability of change of every pixel from labelled ones (变化概率).

    Parameters
    ----------
    features : ndarray (y, x, f)
        Of `change_features`.
    labels : ndarray (y, x), int
        1 changed, 0 unchanged, −1 not labelled.
    seed : int
        The answer depends on it alone.
    trees : int

    Returns
    -------
    ndarray (y, x), float
        0 to 1; nan where a feature is missing.

    Raises
    ------
    SchemaError
        Shapes differ, or labels other than −1, 0, 1.
    MissingDataError
        Fewer than ten labels of a kind.
    """
    lab = np.asarray(labels)
    if features.ndim != 3 or lab.shape != features.shape[:2] or not np.isin(lab, (-1, 0, 1)).all():
        raise SchemaError(f"特征 {features.shape}, 标注 {lab.shape}", expected="同一格网; 标注为 -1, 0, 1")
    good = np.isfinite(features).all(axis=2)
    counts = [int(((lab == k) & good).sum()) for k in (0, 1)]
    if min(counts) < 10:
        raise MissingDataError(f"标注像元: 未变化 {counts[0]} 个, 变化 {counts[1]} 个", expected="各至少 10 个", cure="补充标注")
    use = good & (lab >= 0)
    forest = ExtraTreesClassifier(trees, min_samples_leaf=2, class_weight="balanced", random_state=seed, n_jobs=1).fit(features[use], lab[use])
    out = np.full(lab.shape, np.nan)
    out[good] = forest.predict_proba(features[good])[:, 1]
    return out
