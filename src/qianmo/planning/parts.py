"""From tables to arrays: patches, options that may be chosen, and what each option changes (方案要素)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from qianmo.planning.service_effects import service_effects
from qianmo.planning.settings import PlanSettings
from qianmo.schema.codes import LandClass, land_class
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.measures import KEEP, Measure, measure
from qianmo.schema.tables import require_columns

__all__ = ["Parts", "assemble_parts", "class_area_after", "without_options"]

EXCLUDED_COLUMNS = ["row", "measure", "rule_ids"]


@dataclass(frozen=True)
class Parts:
    """Arrays of patches (n), options (m) and borders (k) that aims and limits are built from (方案要素).

    Areas in m2, money in yuan, slope in degrees (NaN unknown), grade 1 best (NaN unknown).
    `basic_share` and `redline_share` are the shares of each patch in protected farmland and inside
    the ecological redline, 0 where no layer was given. `excluded` lists options that may not be
    chosen: patch row, measure, ids of the rules against it.
    """

    patch_id: np.ndarray
    village: np.ndarray
    class_code: np.ndarray
    area: np.ndarray
    class_area: np.ndarray
    slope: np.ndarray
    grade: np.ndarray
    basic_share: np.ndarray
    redline_share: np.ndarray
    is_farmland: np.ndarray
    patch: np.ndarray
    measure: np.ndarray
    target_class: np.ndarray
    area_after: np.ndarray
    to_farmland: np.ndarray
    cost_low: np.ndarray
    cost: np.ndarray
    cost_high: np.ndarray
    why: np.ndarray
    effects: Mapping[str, np.ndarray]
    base: Mapping[str, float]
    border_i: np.ndarray
    border_j: np.ndarray
    border_m: np.ndarray
    excluded: pd.DataFrame

    @property
    def n(self) -> int:
        """Patches."""
        return len(self.patch_id)

    @property
    def m(self) -> int:
        """Options."""
        return len(self.patch)


def assemble_parts(
    patches: pd.DataFrame,
    options: pd.DataFrame,
    borders: pd.DataFrame,
    *,
    settings: PlanSettings,
    basic_share: np.ndarray | None = None,
    redline_share: np.ndarray | None = None,
) -> Parts:
    """Arrays of one planning area (整理方案要素).

    Parameters
    ----------
    patches : DataFrame, table ``landuse_patch``, n rows
    options : DataFrame, table ``measure_option``
        Any number of rows a patch; rows with ``blocked_by`` are never chosen.
    borders : DataFrame, columns i, j, length_m
        Rows of `patches` that share a border, by position. [m]
    basic_share, redline_share : (n,) float, optional
        Share of each patch inside protected farmland, inside the redline. [0..1]

    Raises
    ------
    SchemaError
        Columns missing, ids doubled or unknown, numbers missing, areas that do not fit.
    CodeError
        A class or measure is not in its list.
    """
    require_columns("landuse_patch", list(patches.columns))
    require_columns("measure_option", list(options.columns))
    _refuse_bad_patches(patches)
    allowed, excluded = _sort_options(patches, options)
    classes = {c: land_class(c, scheme=settings.class_scheme) for c in {*patches["class_code"], *allowed["target_class"]}}
    head = _patch_arrays(patches, classes, basic_share, redline_share)
    row = allowed["row"].to_numpy(np.int64)
    target = allowed["target_class"].to_numpy(object)
    area_after = class_area_after(head["class_code"][row], target, head["area"][row], head["class_area"][row], classes)
    effects = _effects(head, row, allowed, area_after, classes)
    i, j, length = _borders(borders, len(patches))
    return Parts(
        **head,
        patch=row,
        measure=allowed["measure"].to_numpy(object),
        target_class=target,
        area_after=area_after,
        to_farmland=np.array([classes[c].is_farmland for c in target], bool),
        cost_low=allowed["cost_low_yuan"].to_numpy(float).round(2),
        cost=allowed["cost_yuan"].to_numpy(float).round(2),
        cost_high=allowed["cost_high_yuan"].to_numpy(float).round(2),
        why=allowed["reason"].fillna("").astype(str).to_numpy(object),
        effects=effects,
        base=_base(head, classes),
        border_i=i,
        border_j=j,
        border_m=length,
        excluded=excluded,
    )


def without_options(parts: Parts, dropped: Mapping[int, str]) -> Parts:
    """The same parts without some options; each goes to `excluded` with the rules against it (剔除选项)."""
    if not dropped:
        return parts
    keep = np.ones(parts.m, bool)
    keep[list(dropped)] = False
    new = [{"row": int(parts.patch[o]), "measure": str(parts.measure[o]), "rule_ids": r} for o, r in sorted(dropped.items())]
    names = ("patch", "measure", "target_class", "area_after", "to_farmland", "cost_low", "cost", "cost_high", "why")
    return replace(
        parts,
        **{k: getattr(parts, k)[keep] for k in names},
        effects={k: v[keep] for k, v in parts.effects.items()},
        excluded=pd.concat([parts.excluded, pd.DataFrame(new, columns=EXCLUDED_COLUMNS)], ignore_index=True),
    )


def class_area_after(
    before: np.ndarray, target: np.ndarray, area: np.ndarray, class_area: np.ndarray, classes: Mapping[str, LandClass]
) -> np.ndarray:
    """Class area after a change of class [m2] (规划后图斑地类面积).

    Ridges stay deducted while the new class has ridges and are given back otherwise. Land that
    becomes farmland has no ridge deduction until it is surveyed.
    """
    keeps_ridges = np.array([classes[b].ridge_applies and classes[t].ridge_applies for b, t in zip(before, target)], bool)
    return np.where((before == target) | keeps_ridges, class_area, area)


def _refuse_bad_patches(patches: pd.DataFrame) -> None:
    doubled = patches["patch_id"][patches["patch_id"].duplicated()].astype(str).tolist()
    if doubled:
        raise SchemaError(f"patch_id doubled: {', '.join(doubled[:5])}", expected="one row a patch", cure="repair the base layer")
    areas = patches[["area_m2", "class_area_m2"]].to_numpy(float)
    bad = ~np.isfinite(areas).all(axis=1) | (areas < 0).any(axis=1)
    if bad.any():
        rows = patches["patch_id"][bad].astype(str).tolist()
        raise SchemaError(f"no area in patches {', '.join(rows[:5])}", expected="area_m2 and class_area_m2 of at least 0")


def _sort_options(patches: pd.DataFrame, options: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    place = pd.Series(np.arange(len(patches)), index=patches["patch_id"].to_numpy(object))
    table = options[options["measure"] != KEEP].copy()
    table["row"] = table["patch_id"].map(place)
    _refuse_bad_options(table, patches)
    table["row"] = table["row"].astype(np.int64)
    said = table["blocked_by"] if "blocked_by" in table else pd.Series("", index=table.index)
    blocked = said.fillna("").astype(str).str.strip()
    gone = table[blocked != ""].assign(rule_ids=blocked[blocked != ""])
    allowed = table[blocked == ""].sort_values(["row", "measure", "target_class"], kind="stable").reset_index(drop=True)
    return allowed, gone[EXCLUDED_COLUMNS].reset_index(drop=True)


def _refuse_bad_options(table: pd.DataFrame, patches: pd.DataFrame) -> None:
    for name in set(table["measure"]):
        measure(name)
    if table["row"].isna().any():
        raise SchemaError(
            f"options for unknown patches {', '.join(table['patch_id'][table['row'].isna()].astype(str)[:5])}",
            expected="patch_id of the patch table",
        )
    twice = table.duplicated(["patch_id", "measure", "target_class"])
    if twice.any():
        raise SchemaError(f"the same option twice for patches {', '.join(table['patch_id'][twice].astype(str)[:5])}")
    numbers = table[["area_m2", "cost_low_yuan", "cost_yuan", "cost_high_yuan"]].to_numpy(float)
    bad = ~np.isfinite(numbers).all(axis=1) | (numbers < 0).any(axis=1)
    bad |= numbers[:, 0] > patches["area_m2"].to_numpy(float)[table["row"].to_numpy(np.int64)] + 0.01
    if bad.any():
        raise SchemaError(
            f"options of patches {', '.join(table['patch_id'][bad].astype(str)[:5])} have no valid area or cost",
            expected="numbers of at least 0, and an area not above that of the patch",
        )


def _patch_arrays(
    patches: pd.DataFrame, classes: Mapping[str, LandClass], basic: np.ndarray | None, redline: np.ndarray | None
) -> dict[str, Any]:
    def number(name: str) -> np.ndarray:
        return patches[name].to_numpy(float, na_value=np.nan) if name in patches else np.full(len(patches), np.nan)

    code = patches["class_code"].to_numpy(object)
    village = patches["village_code"].fillna("").astype(str) if "village_code" in patches else pd.Series([""] * len(patches))
    slope = number("slope_deg")
    return {
        "patch_id": patches["patch_id"].to_numpy(object),
        "village": village.to_numpy(object),
        "class_code": code,
        "area": number("area_m2"),
        "class_area": number("class_area_m2"),
        "slope": slope,
        "grade": number("quality_grade"),
        "basic_share": _share(basic, len(patches), "basic_share"),
        "redline_share": _share(redline, len(patches), "redline_share"),
        "is_farmland": np.array([classes[c].is_farmland for c in code], bool),
    }


def _share(share: np.ndarray | None, n: int, name: str) -> np.ndarray:
    if share is None:
        return np.zeros(n)
    found = np.asarray(share, float)
    if found.shape != (n,):
        raise SchemaError(f"{name} has shape {found.shape}", expected=f"({n},), one share a patch")
    if not np.isfinite(found).all() or found.min(initial=0.0) < 0 or found.max(initial=0.0) > 1 + 1e-9:
        raise MissingDataError(f"{name} holds values outside 0 to 1", expected="one share a patch", cure="overlay again")
    return np.minimum(found, 1.0)


def _effects(
    head: Mapping[str, Any], row: np.ndarray, allowed: pd.DataFrame, after: np.ndarray, classes: Mapping[str, LandClass]
) -> dict[str, np.ndarray]:
    source = [classes[c] for c in head["class_code"][row]]
    target = [classes[c] for c in allowed["target_class"]]
    works = [measure(x) for x in allowed["measure"]]
    before = head["class_area"][row]

    def change(flag: str) -> np.ndarray:
        return after * [getattr(t, flag) for t in target] - before * [getattr(s, flag) for s in source]

    farm = change("is_farmland")
    lost = np.array([s.is_farmland and not t.is_farmland for s, t in zip(source, target)], bool)
    agri_in = np.array([t.is_farmland and not s.is_farmland and s.big_class == "农用地" for s, t in zip(source, target)], bool)
    agri_out = np.array([x and not t.is_construction for x, t in zip(lost, target)], bool)
    is_new = np.array([t.is_farmland and not s.is_farmland for s, t in zip(source, target)], bool)
    return {
        "farmland_m2": farm,
        "new_farmland_m2": np.where(is_new, after, 0.0),
        "farmland_lost_m2": np.where(lost, before, 0.0),
        "agri_in_m2": np.where(agri_in, after, 0.0),
        "agri_out_m2": np.where(agri_out, before, 0.0),
        "construction_m2": change("is_construction"),
        "eco_m2": change("is_eco"),
        "basic_farmland_m2": np.where(lost, -before * head["basic_share"][row], 0.0),
        "revitalised_m2": np.where([_revitalises(w) for w in works], before, 0.0),
        "high_standard_m2": np.where([w.id == "high_standard" for w in works], before, 0.0),
        "cost_yuan": allowed["cost_yuan"].to_numpy(float).round(2),
        **service_effects(allowed),
    }


def _revitalises(works: Measure) -> bool:
    return works.goal == "revitalisation"


def _base(head: Mapping[str, Any], classes: Mapping[str, LandClass]) -> dict[str, float]:
    kinds = {"farmland_m2": "is_farmland", "construction_m2": "is_construction", "eco_m2": "is_eco"}
    base = {
        k: float(head["class_area"][np.array([getattr(classes[c], flag) for c in head["class_code"]], bool)].sum())
        for k, flag in kinds.items()
    }
    base["basic_farmland_m2"] = float((head["class_area"] * head["basic_share"])[head["is_farmland"]].sum())
    return base


def _borders(borders: pd.DataFrame, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    missing = [c for c in ("i", "j", "length_m") if c not in borders]
    if missing:
        raise SchemaError(f"borders lack {', '.join(missing)}", expected="columns i, j, length_m")
    i, j = borders["i"].to_numpy(np.int64), borders["j"].to_numpy(np.int64)
    length = borders["length_m"].to_numpy(float)
    bad = (i == j) | (i < 0) | (j < 0) | (i >= n) | (j >= n) | ~(length >= 0)
    if bad.any():
        raise SchemaError(f"borders in rows {np.flatnonzero(bad)[:5].tolist()} do not join two patches", expected=f"0 to {n - 1}")
    return np.minimum(i, j), np.maximum(i, j), length
