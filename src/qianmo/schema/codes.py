"""Code lists of the national standards: land classes, domains, layers (代码表)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from qianmo.schema.errors import CodeError
from qianmo.schema.shipped import shipped_rows

__all__ = [
    "FARMLAND_CODES",
    "LandClass",
    "class_schemes",
    "domain_codes",
    "land_class",
    "land_classes",
    "zone_activities",
]

FARMLAND_CODES = ("0101", "0102", "0103")
"""Codes of cultivated land (耕地) in SD3 and GB/T 21010."""


@dataclass(frozen=True)
class LandClass:
    """One class of one scheme (地类).

    `big_class` is one of 农用地 建设用地 未利用地 (or 'mixed' for a first level that spans two).
    """

    scheme: str
    code: str
    zh: str
    en: str
    level: int
    parent: str
    big_class: str
    is_farmland: bool
    is_construction: bool
    is_eco: bool
    is_wetland: bool
    ridge_applies: bool
    linear_width_applies: bool
    carbon_class: str
    esv_class: str
    landsea_2023: str
    gbt21010_2017: str


@cache
def class_schemes() -> tuple[str, ...]:
    """Names of the land-class schemes that ship (SD3, GBT21010_2017, …), sorted."""
    return tuple(sorted({r["scheme"] for r in shipped_rows("codes", "land_classes")}))


@cache
def land_classes(scheme: str) -> dict[str, LandClass]:
    """All classes of one scheme by code.

    Raises
    ------
    CodeError
        No such scheme.
    """
    found = {r["code"]: _land_class(r) for r in shipped_rows("codes", "land_classes") if r["scheme"] == scheme}
    if not found:
        raise CodeError(f"no land-class scheme {scheme!r}", expected=", ".join(class_schemes()))
    return found


def land_class(code: str, *, scheme: str) -> LandClass:
    """One class by code.

    Raises
    ------
    CodeError
        The scheme or the code does not exist.
    """
    classes = land_classes(scheme)
    if code not in classes:
        raise CodeError(f"land class {code!r} is not in scheme {scheme}", cure="check DLBM and the class_scheme of the dataset")
    return classes[code]


@cache
def domain_codes(domain: str) -> dict[str, str]:
    """Code → Chinese name of one domain (QSXZ, GDPDJB, GDLX, ZZSXDM, CZCSXM, …).

    Raises
    ------
    CodeError
        No such domain.
    """
    found = {r["code"]: r["name_zh"] for r in shipped_rows("codes", "dltb_domains") if r["domain"] == domain}
    if not found:
        raise CodeError(f"no code domain {domain!r}")
    return found


@cache
def zone_activities() -> dict[str, dict[str, str]]:
    """Activity × zone matrix: activity id → row with zone columns A (allowed) / C (conditional) / P (prohibited)."""
    return {r["activity_id"]: dict(r) for r in shipped_rows("codes", "zone_activity_matrix")}


def _land_class(r: dict[str, str]) -> LandClass:
    return LandClass(
        r["scheme"], r["code"], r["name_zh"], r["name_en"], int(r["level"]), r["parent"], r["big_class_3"],
        r["is_farmland"] == "1", r["is_construction"] == "1", r["is_eco"] == "1", r["is_wetland"] == "1",
        r["kc_applicable"] == "1", r["linear_width_applicable"] == "1", r["carbon_class"], r["esv_class"],
        r["map_landsea_2023"], r["map_gbt21010_2017"],
    )  # fmt: skip
