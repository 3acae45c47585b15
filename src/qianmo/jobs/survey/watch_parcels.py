"""Series of parcels from a stack of images, a block of parcels and some dates at a time, with resume (地块时序读取)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import shapely

from qianmo.geo.fraction_blocks import FractionBlock, fraction_blocks
from qianmo.geo.fractions import weighted_mean
from qianmo.jobs.context import Context
from qianmo.jobs.survey.detect_land import Parcels
from qianmo.jobs.survey.detect_tiles import Images
from qianmo.schema.errors import MissingDataError
from qianmo.store.block_folder import BlockFolder

__all__ = ["ParcelSeries", "parcel_series", "parcels_sha256"]

_DATES_AT_ONCE = 8
"""Dates that are in memory at once."""

_PARCELS_AT_ONCE = 32_768
"""Parcels whose shares of cells are in memory at once."""

_LEAST_SEEN = 0.5
"""Part of a parcel that must be clear for a date to count."""


@dataclass(frozen=True)
class ParcelSeries:
    """Means by date and parcel (地块时序).

    Attributes
    ----------
    mean : ndarray (dates, n), float32
        nan where less than half of the parcel was seen.
    met : ndarray (n,), bool
        The parcel lies on the images.
    parts, resumed : int
        Parts of the work, and those that an earlier run had finished.
    beyond, cloudy : float
        Share of the values that no index can have, and of the cells that the mask calls cloudy, in the rows read.
    worst : float
        One such value, 0 where there is none.
    """

    mean: np.ndarray
    met: np.ndarray
    parts: int
    resumed: int
    beyond: float
    cloudy: float
    worst: float


def parcels_sha256(parcels: Parcels) -> str:
    """Fingerprint of the parcels as the series see them: their ids and outlines (地块指纹)."""
    found = hashlib.sha256("\n".join(parcels.frame["patch_id"].astype(str)).encode())
    shapes = parcels.frame.geometry.to_numpy()
    for first in range(0, len(shapes), _PARCELS_AT_ONCE):
        for outline in shapely.to_wkb(shapes[first : first + _PARCELS_AT_ONCE]):
            found.update(outline or b"")
    return found.hexdigest()


def parcel_series(context: Context, stack: Images, cloud: Images | None, parcels: Parcels, scale: float, parts: BlockFolder, *, most: float) -> ParcelSeries:
    """Mean of each date over each parcel by exact shares; parts that an earlier run finished are taken up (地块时序).

    Values whose size is above `most` (1 for a normalised index, inf for any other) count as missing and are told in `beyond`.

    Raises
    ------
    MissingDataError
        No parcel lies on the images.
    TopologyError
        A parcel crosses itself.
    """
    shapes, dates = parcels.frame.geometry.to_numpy(), len(stack.bands)
    out, met = np.full((dates, len(shapes)), np.nan, dtype=np.float32), np.zeros(len(shapes), dtype=bool)
    done, resumed, counted = 0, 0, np.zeros(4)
    for block in fraction_blocks(shapes, stack.bands[0].transform, stack.shape, at_once=_PARCELS_AT_ONCE):
        met[block.polygon] = np.diff(block.fractions.start) > 0
        for first in range(0, dates, _DATES_AT_ONCE):
            part, name = slice(first, first + _DATES_AT_ONCE), f"part_{done:06d}"
            if parts.has(name):
                resumed += 1
            else:
                context.step(f"地块时序, 第 {done + 1} 段, {first + 1}/{dates} 期", 0.1 + 0.6 * min(1.0, done * _PARCELS_AT_ONCE * _DATES_AT_ONCE / (dates * max(len(shapes), 1))))
                mean, counts = _means(stack, cloud, block, scale, part, most)
                parts.put(name, {"mean": mean, "counts": counts})
            out[part, block.polygon] = parts.get(name, "mean")
            new = parts.get(name, "counts")
            counted[:3] += new[:3]
            counted[3] = new[3] if abs(new[3]) > abs(counted[3]) else counted[3]
            done += 1
    if not met.any():
        raise MissingDataError("影像与项目的地类图斑没有重叠", expected="同一地区", cure="核对影像坐标系与项目位置")
    cells, cloudy, beyond, worst = counted
    return ParcelSeries(out, met, done, resumed, float(beyond / max(cells - cloudy, 1)), float(cloudy / max(cells, 1)), float(worst))


def _means(stack: Images, cloud: Images | None, block: FractionBlock, scale: float, part: slice, most: float) -> tuple[np.ndarray, np.ndarray]:
    """Means (dates, k); and cells read, cloudy ones, values beyond `most`, the largest of them."""
    values = Images(stack.bands[part], stack.crs, stack.name, stack.sha256).part(block.rows, slice(None))
    values *= np.float32(scale)
    cloudy = 0
    if cloud is not None:
        hidden = Images(cloud.bands[part], cloud.crs, cloud.name, cloud.sha256).part(block.rows, slice(None)) != 0
        cloudy, values[hidden] = int(hidden.sum()), np.nan
    wrong = np.abs(values) > most
    beyond, worst = int(wrong.sum()), float(values[wrong][0]) if wrong.any() else 0.0
    values[wrong] = np.nan
    mean, seen = weighted_mean(block.fractions, values)
    return np.where(seen >= _LEAST_SEEN, mean, np.nan).astype(np.float32), np.array([values.size, cloudy, beyond, worst])
