"""What images say of each parcel: indices of bands, changed area, means by exact shares (地块信号)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from qianmo.geo.fractions import Fractions, weighted_mean, weighted_sum
from qianmo.schema.errors import SchemaError

__all__ = ["BANDS", "band_indices", "parcel_signals"]

BANDS = ("blue", "green", "red", "nir", "swir16", "swir22")
"""Names of bands that indices are made of (波段名)."""


def band_indices(image: np.ndarray, bands: Sequence[str], *, typical: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Indices that the bands allow (光谱指数).

    Parameters
    ----------
    image : ndarray (bands, y, x)
        Reflectance, or numbers in proportion to it; nan = no data.
    bands : sequence of str
        Name of each band, of `BANDS`, or '' for one that is not used.
    typical : mapping of str to float
        Median of each band in the scene; brightness and colour are told against it, so numbers that are not reflectance do.

    Returns
    -------
    dict of str to ndarray (y, x)
        ``ndvi``, ``ndwi`` (McFeeters), ``ndbi``, each from −1 to 1 where bands are not negative; ``brightness``, mean of
        the visible bands over their median in the scene; ``blue_red``, blue over red, both over their median. An index
        whose bands are missing is left out.

    Raises
    ------
    SchemaError
        Names and bands do not match, or a name is unknown or given twice.
    """
    named = [b for b in bands if b]
    if len(bands) != len(image) or len(set(named)) != len(named) or not set(named) <= set(BANDS):
        raise SchemaError(f"影像 {len(image)} 个波段, 波段名 {', '.join(bands)}", expected=f"每个波段一个名称, 取自 {', '.join(BANDS)}; 不用的波段留空")
    got = {b: np.asarray(image[k], dtype=float) for k, b in enumerate(bands) if b}
    out = {}
    for name, (high, low) in {"ndvi": ("nir", "red"), "ndwi": ("green", "nir"), "ndbi": ("swir16", "nir")}.items():
        if high in got and low in got:
            total = got[high] + got[low]
            out[name] = np.divide(got[high] - got[low], total, out=np.full(total.shape, np.nan), where=total > 0)
    seen = [b for b in ("blue", "green", "red") if b in got and typical[b] > 0]
    if seen:
        out["brightness"] = sum(got[b] / typical[b] for b in seen) / len(seen)
    if "blue" in seen and "red" in seen:
        red = got["red"] / typical["red"]
        out["blue_red"] = np.divide(got["blue"] / typical["blue"], red, out=np.full(red.shape, np.nan), where=red > 0)
    return out


def parcel_signals(
    fractions: Fractions, *, changed: np.ndarray, seen: np.ndarray, chance: np.ndarray, cells: np.ndarray, area_m2: np.ndarray, before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """Signals of each parcel; spectral ones over its changed part (地块信号表).

    Parameters
    ----------
    fractions : Fractions
        Of n parcels on the raster of the images.
    changed : ndarray (y, x), bool
    seen : ndarray (y, x), bool
        Where both images show the place.
    chance : ndarray (y, x), float
        Probability of change, nan where not known.
    cells : ndarray (n,)
        Area of each parcel in cells, land beyond the raster included, above 0.
    area_m2 : ndarray (n,)
        Area of each parcel, such as its register area [m2].
    before, after : mapping of str to ndarray (y, x)
        Indices of `band_indices`.

    Returns
    -------
    DataFrame, n rows
        ``seen_share`` of the parcel with data at both dates, 0 to 1, and ``changed_share`` of the parcel that was seen to
        change: land not seen counts as not changed; ``changed_m2``, that share of the area, in hundredths of a square metre;
        ``chance`` and ``<index>_before``, ``<index>_after`` over the changed part, nan where nothing changed.

    Raises
    ------
    SchemaError
        A raster is on another grid.
    """  # fmt: skip
    whole = np.asarray(cells, dtype=float)
    seen_share = np.minimum(weighted_sum(fractions, np.asarray(seen, dtype=float)) / whole, 1.0)
    share = np.minimum(weighted_sum(fractions, (np.asarray(changed, dtype=bool) & np.asarray(seen, dtype=bool)).astype(float)) / whole, 1.0)
    table = pd.DataFrame({"seen_share": seen_share, "changed_share": share, "changed_m2": np.round(share * np.asarray(area_m2, dtype=float), 2)})
    only = np.asarray(changed, dtype=bool) & np.asarray(seen, dtype=bool)
    fields = {"chance": chance} | {f"{k}_before": v for k, v in before.items()} | {f"{k}_after": v for k, v in after.items()}
    for name, field in fields.items():
        table[name] = weighted_mean(fractions, np.where(only, field, np.nan))[0]
    return table
