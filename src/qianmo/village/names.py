"""Invented names and codes; none is a real place (虚拟地名与编码)."""

from __future__ import annotations

import numpy as np

__all__ = ["COUNTY_CODE", "COUNTY_NAME", "feature_ids", "group_name", "place_name", "town_of", "village_code", "village_name"]

COUNTY_CODE = "990101"
"""A county code that GB/T 2260 does not hold: whatever carries it is invented."""
COUNTY_NAME = "虚拟县"

_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_TOWNS = ("阡陌镇", "田畴镇", "沟洫镇", "垄亩镇", "原隰乡", "畎浍乡", "井田镇", "禾黍乡", "桑麻镇", "稼穑乡", "陂塘镇", "嘉禾乡")
_GROUPS = "一二三四五六七八九十"
_PER_TOWN = 60
_FIRST_TOWN, _FIRST_VILLAGE = 100, 200


def town_of(village: int) -> int:
    """Number of the town of a village: 60 villages a town (村所属镇序号)."""
    return village // _PER_TOWN


def _town_name(town: int) -> str:
    """Invented name of a town, 阡陌镇 first (镇名)."""
    name = _TOWNS[town % len(_TOWNS)]
    return name if town < len(_TOWNS) else f"{name[:-1]}{town // len(_TOWNS) + 1}{name[-1]}"


def village_name(village: int) -> str:
    """Invented name of a village from the sexagenary cycle, 甲子村 first (村名)."""
    k = village % _PER_TOWN
    return _STEMS[k % 10] + _BRANCHES[k % 12] + "村"


def village_code(village: int, *, county: str = COUNTY_CODE) -> str:
    """Twelve-digit code of a village: county, town from 100, village from 200 (村代码)."""
    return f"{county}{_FIRST_TOWN + town_of(village):03d}{_FIRST_VILLAGE + village % _PER_TOWN:03d}"


def place_name(village: int) -> str:
    """Full invented name of a village: county, town, village (坐落名称)."""
    return COUNTY_NAME + _town_name(town_of(village)) + village_name(village)


def group_name(group: int) -> str:
    """Invented name of a villager group, 第一村民小组 first (村民小组)."""
    return f"第{_GROUPS[group % len(_GROUPS)]}村民小组"


def feature_ids(count: int, layer: int, *, county: str = COUNTY_CODE) -> np.ndarray:
    """Identifiers of 18 digits: county, layer of four digits, serial of eight (标识码)."""
    return np.array([f"{county}{layer:04d}{k:08d}" for k in range(1, count + 1)], dtype=object)
