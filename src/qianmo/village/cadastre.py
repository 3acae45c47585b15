"""Owners and parcels for land that names none (虚拟权属与宗地)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.schema.codes import FARMLAND_CODES
from qianmo.schema.land_values import land_value
from qianmo.schema.rules import parameter
from qianmo.schema.tables import require_columns
from qianmo.village import names

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["invent_tenure"]

_GROUPS = 6
_RIGHTS = {
    "contract": ("JD", "土地承包经营权"),
    "homestead": ("JC", "宅基地使用权"),
    "site": ("JB", "集体建设用地使用权"),
    "forest": ("JE", "林地承包经营权"),
}
_USE = {"0101": "paddy", "0102": "irrigated", "0103": "dry", "02": "orchard"}
_PARCELS_PER_HOUSEHOLD = 5
_STRIDE = 7919
_STATE = ("1001", "1003", "1101", "1102", "1103")


def invent_tenure(
    patches: gpd.GeoDataFrame, *, rng: np.random.Generator, parameters: Mapping[str, float] | None = None
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Owners of patches and parcels in a register, for land use that names none (虚拟权属, synthetic).

    Rule: rivers, lakes, railways and highways are state land (10); every other patch belongs to one of six groups of
    its village (31), by the bearing of its inner point from the middle of the village. Farmland and gardens (JD),
    homesteads (JC), other building land (JB) and forest (JE) make one parcel a patch; its registered area differs
    from the patch by normal noise of ``synthetic_register_error_rel``, so that the register never fits exactly.

    Parameters
    ----------
    patches : GeoDataFrame, table ``landuse_patch``
        With class_code (SD3), village_code, area_m2.
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    patches : GeoDataFrame
        Copy with tenure_code, owner_code, owner_name filled.
    parcels : GeoDataFrame, table ``parcel``
        Geometry of the patches; both frames carry ``attrs["synthetic"] = True``.
    """
    require_columns("landuse_patch", list(patches.columns), names=("class_code", "village_code", "area_m2"))
    out = patches.copy()
    state = patches["class_code"].isin(_STATE).to_numpy()
    village, codes = pd.factorize(patches["village_code"].astype(str))
    group = _group(patches, village)
    out["tenure_code"] = np.where(state, "10", "31")
    villages = _village_names(patches, codes)
    code = np.array([[f"{village_code}{g + 1:02d}00000" for g in range(_GROUPS)] for village_code in codes], dtype=object)
    label = np.array([[name + names.group_name(g) for g in range(_GROUPS)] for name in villages], dtype=object)
    out["owner_code"] = np.where(state, names.COUNTY_CODE + "0" * 13, code[village, group])
    out["owner_name"] = np.where(state, f"{names.COUNTY_NAME}国有土地", label[village, group])
    parcels = parcels_of(out, rng=rng, error_rel=parameter("synthetic_register_error_rel", parameters))
    out.attrs["synthetic"] = True
    return out, parcels


def parcels_of(patches: gpd.GeoDataFrame, *, rng: np.random.Generator, error_rel: float) -> gpd.GeoDataFrame:
    """One parcel for each patch that carries a use right (宗地), held by invented households; homesteads are where they live."""
    right = _right(patches["class_code"])
    held = np.flatnonzero(right != "")
    kind = right[held]
    letters = pd.Series(kind).map({k: v[0] for k, v in _RIGHTS.items()})
    prefix = patches["village_code"].astype(str).to_numpy(dtype=object)[held] + letters.to_numpy(dtype=object)
    serial = pd.Series(prefix).groupby(prefix).cumcount() + 1
    area = patches["area_m2"].to_numpy(dtype=float)[held]
    village = patches["village_code"].astype(str).to_numpy(dtype=object)[held]
    classes, holders = patches["class_code"].astype(str).to_numpy(dtype=object)[held], _households(village, kind)
    use = [_USE.get(c[:4], _USE.get(c[:2], "")) if right == "contract" else "" for c, right in zip(classes, kind)]
    grades = patches["quality_grade"].to_numpy(dtype=float, na_value=np.nan)[held] if "quality_grade" in patches else np.full(len(held), np.nan)
    ids = [f"{p}{s:05d}" for p, s in zip(prefix, serial, strict=True)]
    parcels = gpd.GeoDataFrame({
        "parcel_id": np.array(ids, dtype=object),
        "registered_area_m2": np.round(area * np.clip(rng.normal(1.0, error_rel, len(held)), 0.5, 1.5), 2),
        "land_type": pd.Series(kind).map({k: v[1] for k, v in _RIGHTS.items()}).to_numpy(dtype=object),
        "title_number": [f"虚（2023）阡陌不动产权第{k:07d}号" for k in range(1, len(held) + 1)],
        "holder_id": holders, "holder_name": [f"虚拟农户{h[-4:]}" if h else "" for h in holders], "collective_code": village,
        "use_class": use, "value_yuan_m2": [land_value(u, g) if u else np.nan for u, g in zip(use, grades)],
        "kept_reason": np.where(kind == "contract", "", "not_agricultural").astype(object),
    }, geometry=patches.geometry.to_numpy()[held], crs=patches.crs)  # fmt: skip
    parcels.attrs["synthetic"] = True
    return parcels


def _households(village: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Household of each contract and homestead parcel: five contract parcels a household, strewn over the village by a stride."""
    out = np.full(len(village), "", dtype=object)
    for code in np.unique(village.astype(str)):
        land, homes = (np.flatnonzero((village == code) & (kind == k)) for k in ("contract", "homestead"))
        count = max(len(land) // _PARCELS_PER_HOUSEHOLD, 2)
        out[land] = [f"{code}H{(i * _STRIDE) % count + 1:04d}" for i in range(len(land))]
        out[homes] = [f"{code}H{i % count + 1:04d}" for i in range(len(homes))]
    return out


def _village_names(patches: gpd.GeoDataFrame, codes: pd.Index) -> list[str]:
    """Name of each village from `location_name`, else its code."""
    if "location_name" not in patches:
        return [str(code) for code in codes]
    known = patches["location_name"].groupby(patches["village_code"].astype(str)).first()
    return [str(known[code]) if isinstance(known[code], str) and known[code] else str(code) for code in codes]


def _group(patches: gpd.GeoDataFrame, village: np.ndarray) -> np.ndarray:
    point = patches.geometry.representative_point()
    x, y = point.x.to_numpy(), point.y.to_numpy()
    count = np.maximum(np.bincount(village), 1)
    dx, dy = x - (np.bincount(village, x) / count)[village], y - (np.bincount(village, y) / count)[village]
    return np.floor((np.arctan2(dy, dx) + np.pi) / (2 * np.pi) * _GROUPS).astype(int) % _GROUPS


def _right(codes: pd.Series) -> np.ndarray:
    first = codes.str[:2]
    conditions = [codes.isin(FARMLAND_CODES) | (first == "02"), codes == "0702", first.isin(("05", "06", "08")), first == "03"]
    return np.select([c.to_numpy() for c in conditions], ["contract", "homestead", "site", "forest"], default="").astype(object)
