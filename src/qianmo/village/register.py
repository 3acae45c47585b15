"""Register columns of invented patches: areas, ridges, slope, ids, owners (虚拟图斑属性)."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from qianmo.schema.codes import FARMLAND_CODES, domain_codes, land_classes
from qianmo.village import names

__all__ = ["RIDGE_SHARE", "SCHEME", "describe", "levelled", "ridges", "slope_classes"]

SCHEME = "SD3"
DATA_YEAR = 2023
RIDGE_SHARE = {
    "TT": {"2": 0.0420, "3": 0.0815, "4": 0.1307, "5": 0.1866},
    "PD": {"2": 0.0298, "3": 0.0521, "4": 0.0743, "5": 0.0912},
}
"""Ridge coefficients by farmland type and slope class: an invented county table, as no national one exists."""

_STATE = ("1001", "1003", "1101", "1103", "1107", "1107A", "1109")
_LINEAR = ("1001", "1002", "1003", "1004", "1006", "1009", "1101", "1107", "1107A")
_RESTORABLE = ("0201", "0201K", "0202", "0202K", "0307", "1104", "1104A")
_PLANTING = {"LS": 0.72, "FLS": 0.14, "LYFL": 0.05, "WG": 0.06, "XG": 0.03}
_RESTORABLE_TAGS = {"JKHF": 0.12, "GCHF": 0.10, "": 0.78}
_GROUPS_PER_VILLAGE = 8


def levelled(area_m2: np.ndarray, control_m2: np.ndarray, zone: np.ndarray) -> np.ndarray:
    """Areas to 0.01 m2 that sum to the control area of each zone exactly (面积平差).

    The difference is spread in hundredths over the zone's patches, the larger patches first.

    Parameters
    ----------
    area_m2 : ndarray, shape (n,)
        Computed areas. [m2]
    control_m2 : ndarray, shape (k,)
        Control areas, multiples of 0.01. [m2]
    zone : ndarray, shape (n,), int
        Zone of each patch, 0 to k - 1.

    Returns
    -------
    ndarray, shape (n,)
        Levelled areas. [m2]
    """
    cents = np.round(area_m2 * 100).astype(np.int64)
    control = np.round(control_m2 * 100).astype(np.int64)
    count = np.bincount(zone, minlength=len(control))
    total = np.zeros(len(control), dtype=np.int64)
    np.add.at(total, zone, cents)
    diff = control - total
    sign, each, rest = np.sign(diff), np.abs(diff) // np.maximum(count, 1), np.abs(diff) % np.maximum(count, 1)
    order = np.lexsort([-cents, zone])
    rank = np.empty(len(cents), dtype=np.int64)
    rank[order] = np.arange(len(cents)) - (np.cumsum(count) - count)[zone[order]]
    return (cents + sign[zone] * (each[zone] + (rank < rest[zone]))) / 100


def slope_classes(slope_deg: np.ndarray) -> np.ndarray:
    """Slope class '1' to '5' of slopes in degrees, upper limits included (耕地坡度级别)."""
    return np.array(list("12345"), dtype=object)[np.searchsorted(_slope_limits(), slope_deg, side="left")]


def ridges(area_m2: np.ndarray, farmland_type: np.ndarray, slope_class: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge coefficient and ridge area of each patch, 0 where none applies (田坎系数与面积)."""
    share = np.zeros(len(area_m2))
    for kind, by_class in RIDGE_SHARE.items():
        for slope, value in by_class.items():
            share[(farmland_type == kind) & (slope_class == slope)] = value
    return share, np.round(area_m2 * share, 2)


def describe(
    classes: np.ndarray, village: np.ndarray, area_m2: np.ndarray, slope_deg: np.ndarray, width_m: np.ndarray,
    is_town: np.ndarray, *, rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """All columns of table ``landuse_patch`` for invented patches, legal in scheme SD3 (图斑属性表).

    Parameters
    ----------
    classes : ndarray, shape (n,), object
        Class codes.
    village : ndarray, shape (n,), int
        Number of the village.
    area_m2 : ndarray, shape (n,)
        Register areas, levelled. [m2]
    slope_deg, width_m : ndarray, shape (n,)
        Mean slope [degree]; width of linear patches [m].
    is_town : ndarray, shape (n,), bool
        Patches in a town rather than a village.

    Returns
    -------
    DataFrame, n rows
        Without geometry, elevation, and computed areas.
    """
    n = len(classes)
    farm = np.isin(classes, FARMLAND_CODES)
    slope = np.where(farm, slope_classes(slope_deg), "")
    kind = np.where(farm & (slope > "1"), np.where((classes == "0101") | (rng.random(n) < 0.6), "TT", "PD"), "").astype(object)
    share, ridge = ridges(area_m2, kind, slope)
    count = int(village.max()) + 1
    codes = np.array([names.village_code(k) for k in range(count)], dtype=object)
    places = np.array([names.place_name(k) for k in range(count)], dtype=object)
    zh = {code: found.zh for code, found in land_classes(SCHEME).items()}
    frame = pd.DataFrame({
        "patch_id": names.feature_ids(n, 2001),
        "patch_number": pd.Series(village).groupby(village).cumcount().add(1).astype(str).to_numpy(dtype=object),
        "class_code": classes,
        "class_name": pd.Series(classes).map(zh).to_numpy(dtype=object),
    })  # fmt: skip
    frame[["tenure_code", "owner_code", "owner_name"]] = _owners(classes, village, is_town, rng)
    frame["location_code"] = (codes + "0000000")[village]
    frame["location_name"] = places[village]
    frame["village_code"] = codes[village]
    frame["area_m2"] = area_m2
    frame["ridge_class_code"] = np.where(share > 0, "1203", "").astype(object)
    frame["ridge_coefficient"], frame["ridge_area_m2"] = share, ridge
    frame["class_area_m2"] = np.round(area_m2 - ridge, 2)
    frame["farmland_type"], frame["slope_class"] = kind, slope.astype(object)
    frame["linear_width_m"] = np.where(np.isin(classes, _LINEAR) & (width_m > 0), np.round(width_m, 1), np.nan)
    frame["refined_code"] = ""
    frame["planting_code"] = _planting(classes, farm, slope_deg, rng)
    frame["quality_grade"] = pd.array(_grades(classes, slope_deg, rng), dtype="Int64")
    frame.loc[~farm, "quality_grade"] = pd.NA
    frame["settlement_code"] = _settlement(classes, is_town)
    frame["data_year"] = DATA_YEAR
    frame["island_code"] = "00"
    frame["remark"] = "虚拟数据"
    frame["slope_deg"] = np.round(slope_deg, 2)
    return frame


def _slope_limits() -> np.ndarray:
    labels = list(domain_codes("GDPDJB").values())[:-1]
    return np.array([max(float(x) for x in re.findall(r"\d+(?:\.\d+)?", label)) for label in labels])


def _owners(classes: np.ndarray, village: np.ndarray, is_town: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    state = np.isin(classes, _STATE) | (is_town & np.isin([c[:2] for c in classes], ("05", "06", "07", "08")))
    group = rng.integers(0, _GROUPS_PER_VILLAGE, len(classes))
    whole = ~state & (rng.random(len(classes)) < 0.3)
    holder = np.where(state, _GROUPS_PER_VILLAGE + 1, np.where(whole, _GROUPS_PER_VILLAGE, group))
    key = village * (_GROUPS_PER_VILLAGE + 2) + holder
    unique, row = np.unique(key, return_inverse=True)
    table = np.array([_owner(*divmod(int(k), _GROUPS_PER_VILLAGE + 2)) for k in unique], dtype=object)[row]
    table[state & is_town & (classes != "1101"), 0] = "20"
    return pd.DataFrame(table, columns=["tenure_code", "owner_code", "owner_name"])


def _owner(village: int, group: int) -> tuple[str, str, str]:
    code = names.village_code(village)
    if group > _GROUPS_PER_VILLAGE:
        return "10", f"{code[:9]}0000000000", f"{names.COUNTY_NAME}国有土地"
    if group == _GROUPS_PER_VILLAGE:
        return "32", f"{code}0000000", f"{names.village_name(village)}集体经济组织"
    return "31", f"{code}{group + 1:02d}00000", names.village_name(village) + names.group_name(group)


def _planting(classes: np.ndarray, farm: np.ndarray, slope_deg: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    tags = np.full(len(classes), "", dtype=object)
    tags[farm] = rng.choice(list(_PLANTING), size=int(farm.sum()), p=list(_PLANTING.values()))
    could = np.isin(classes, _RESTORABLE) & (slope_deg <= _slope_limits()[2])
    tags[could] = rng.choice(list(_RESTORABLE_TAGS), size=int(could.sum()), p=list(_RESTORABLE_TAGS.values()))
    return tags


def _grades(classes: np.ndarray, slope_deg: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    base = np.where(classes == "0101", 5.5, np.where(classes == "0102", 6.5, 8.0))
    return np.clip(np.round(base + slope_deg / 7 + rng.normal(0, 0.8, len(classes))), 1, 15).astype(int)


def _settlement(classes: np.ndarray, is_town: np.ndarray) -> np.ndarray:
    built = np.isin([c[:2] for c in classes], ("05", "06", "07", "08")) | np.isin(classes, ("1201", "1004"))
    code = np.where(built, np.where(is_town, "202", "203"), "").astype(object)
    code[classes == "0601"] = np.where(is_town[classes == "0601"], "202A", "203A")
    code[classes == "0602"] = "204"
    return code
