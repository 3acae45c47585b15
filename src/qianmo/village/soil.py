"""Invented soil of the patches of a township, for the grades of farmland (虚拟土壤指标)."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["soil_indicators"]

_WET = ("0101", "0102")
_DRY = "0103"
_STEEP_DEG = 15.0


def soil_indicators(patches: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Depth, organic matter, texture and drainage of the cultivated patches (土壤指标表, 合成).

    Parameters
    ----------
    patches : DataFrame, table ``landuse_patch``
        With ``class_code``, and ``slope_deg`` where known [degree].
    rng : Generator

    Returns
    -------
    DataFrame, one row a cultivated patch
        patch_id, depth_cm (25–110, less on slopes), organic_g_kg (6–40, more in paddies), texture (loam, clay, sand), drainage (full, most, basic, none): the
        facts of ``quality_indicator.csv``.
    """
    own = patches[patches["class_code"].astype(str).isin((*_WET, _DRY))]
    count = len(own)
    wet = own["class_code"].astype(str).isin(_WET).to_numpy()
    slope = np.nan_to_num(own["slope_deg"].to_numpy(float)) if "slope_deg" in own else np.zeros(count)
    steep = np.clip(slope / _STEEP_DEG, 0.0, 1.0)
    depth = np.clip(rng.normal(85.0, 15.0, count) - 40.0 * steep, 25.0, 110.0)
    organic = np.clip(rng.normal(np.where(wet, 27.0, 19.0), 5.0) - 6.0 * steep, 6.0, 40.0)
    drainage = rng.choice(["full", "most", "basic", "none"], count, p=[0.3, 0.4, 0.25, 0.05])
    texture = rng.choice(["loam", "clay", "sand"], count, p=[0.6, 0.25, 0.15])
    return pd.DataFrame({
        "patch_id": own["patch_id"].to_numpy(object), "depth_cm": np.round(depth), "organic_g_kg": np.round(organic, 1), "texture": texture, "drainage": drainage,
    })  # fmt: skip
