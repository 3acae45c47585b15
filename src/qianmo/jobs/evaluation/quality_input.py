"""What an evaluation by a standard reads: facts of patches, rows of a user's file joined by the parcel code (评价指标读取)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.evaluation.quality_facts import patch_facts, soil_facts
from qianmo.geo.adjacency import shared_borders
from qianmo.geo.grid import zonal_majority
from qianmo.jobs.opened import Opened, read_tables
from qianmo.schema.errors import CrsError, SchemaError
from qianmo.schema.shipped import shipped_rows
from qianmo.store.model_tables import read_model_rows
from qianmo.store.read_cog import read_cog

__all__ = ["KEYS", "joined_rows", "merged_facts", "soil_of", "told_facts"]

KEYS = ("patch_id", "BSM", "标识码")
"""Names of the column that holds the code of the parcel."""

_INDICATORS = ("quality_indicator", "suitability_criterion", "gradation_indicator", "reclamation_criterion", "high_standard_indicator")


def joined_rows(path: Path, opened: Opened, columns: Mapping[str, str], *, words: Collection[str] = (), needed: Collection[str] = (), once: bool = True) -> pd.DataFrame:
    """Rows of a user's CSV file that name parcels of the project (按图斑编码挂接).

    Parameters
    ----------
    columns : mapping of column to Chinese name
        Columns that may stand beside the code of the parcel.
    words : columns that hold words; the others hold numbers, or blanks
    needed : columns that must be there
    once : bool
        Each parcel at most once.

    Returns
    -------
    DataFrame
        patch_id and the columns of the file, numbers as float (NaN blank), in the order of the file. Facts of the other standards are left out, so that one
        file serves all of them.

    Raises
    ------
    SchemaError
        No code column or no rows, an unknown column, a parcel that is not in the project or twice, a cell that is no number; the rows are named as in the file.
    """
    frame = pd.DataFrame(read_model_rows(path))
    listed = ", ".join(f"{k} ({zh})" if zh else k for k, zh in columns.items())
    keys = [k for k in KEYS if k in frame]
    if len(keys) != 1 or len(frame) == 0:
        raise SchemaError(f"{path.name} 没有 patch_id (或 BSM、标识码) 列或没有行", expected=f"patch_id 与列: {listed}", cure="第一行写列名, 图斑编码为项目地类图斑的标识码")
    frame = frame.rename(columns={keys[0]: "patch_id"})
    frame = frame.drop(columns=[c for c in frame.columns if c not in columns and c in _facts_of_standards()])
    known = set(opened.patches["patch_id"].astype(str))
    strange = [c for c in frame.columns if c != "patch_id" and c not in columns]
    lacking = [c for c in needed if c not in frame]
    lost = [f"第 {k + 2} 行 {p}" for k, p in enumerate(frame["patch_id"]) if p not in known]
    twice = [f"第 {k + 2} 行 {frame['patch_id'][k]}" for k in np.flatnonzero(frame["patch_id"].duplicated())] if once else []
    if strange or lacking or lost or twice:
        what = (
            f"列 {', '.join(strange)}" if strange else f"缺列 {', '.join(lacking)}" if lacking else f"项目中没有的图斑 {', '.join(lost[:3])}" if lost else f"重复的图斑 {', '.join(twice[:3])}"
        )
        raise SchemaError(f"{path.name}: {what}", expected=f"列名为 {listed}; 图斑在项目中{', 各一行' if once else ''}", cure="列名带单位, 单位不同须先换算; 图斑编码核对标识码")
    for name in frame.columns:
        if name == "patch_id" or name in words:
            continue
        number = pd.to_numeric(frame[name].replace("", np.nan), errors="coerce")
        bad = frame.index[number.isna() & (frame[name] != "")]
        if len(bad):
            raise SchemaError(f"{path.name} 第 {bad[0] + 2} 行 {name} 为 {frame[name][bad[0]]!r}", expected="数, 或空白", cure="单位写在列名里, 不写在数后")
        frame[name] = number
    return frame


def told_facts(path: str | None, opened: Opened, columns: Mapping[str, str], *, words: Collection[str] = ()) -> pd.DataFrame | None:
    """Indicators of patches from a file, index patch_id and a column a fact; None without a file. Raises as :func:`joined_rows`."""
    return None if not path else joined_rows(Path(path), opened, columns, words=words).set_index("patch_id")


def merged_facts(
    patches: gpd.GeoDataFrame, opened: Opened, soil: pd.DataFrame | None, told: pd.DataFrame | None, *, names: Collection[str] = (), measure: np.ndarray | None = None
) -> pd.DataFrame:
    """Facts of the patches: measured on the map, from columns of the land-use layer called `names`, and over them what the user's file tells (图斑指标合并)."""
    borders = None if measure is None else shared_borders(patches.geometry.to_numpy())
    facts = patch_facts(patches, opened.layers, scheme=opened.scheme, soil=soil, borders=borders, measure=measure, overrides=opened.overrides)
    for name in names:
        if name not in facts and name in patches:
            facts[name] = patches[name].to_numpy()
    return facts if told is None else _over(facts, told)


def soil_of(opened: Opened) -> pd.DataFrame | None:
    """Soil of the patches where the project has a soil map with its types; else None.

    Raises
    ------
    CrsError
        The soil map lies in another system than the patches.
    """
    types = read_tables(opened.project, ("soil_type",)).get("soil_type")
    if "soil" not in opened.datasets or types is None:
        return None
    grid = read_cog(opened.project.state / "rasters" / "soil.tif")
    if grid.crs != opened.patches.crs:
        raise CrsError(f"土壤图坐标系 {grid.crs.name} 与图斑 {opened.patches.crs.name} 不同", expected="同一坐标系", cure="重新入库土壤图")
    code = zonal_majority(grid, opened.patches.geometry.to_numpy())
    return soil_facts(np.array([f"{c:g}" if np.isfinite(c) else "" for c in code], object), types, opened.overrides)


def _facts_of_standards() -> set[str]:
    return {r["fact"] for name in _INDICATORS for r in shipped_rows("parameters", name)}


def _over(facts: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    for name in told.columns:
        given = told[name].reindex(facts["patch_id"].astype(str)).to_numpy(object)
        blank = np.array([v is None or v != v or v == "" for v in given])
        have: Any = facts[name].to_numpy(object) if name in facts else np.full(len(facts), None, object)
        facts[name] = np.where(blank, have, given)
    return facts
