"""A field survey of wind, gully, gravity and freeze-thaw erosion on the patches of a project (侵蚀类型调查)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError
from qianmo.store.model_tables import read_model_rows
from qianmo.survey.erosion.kinds import KINDS, SURVEYED, surveyed_kinds

__all__ = ["kind_words", "kinds_of", "survey_from"]


def survey_from(path: str, patch_ids: np.ndarray) -> pd.DataFrame:
    """Survey in the order of the patches, nan where a patch or a value is not given (侵蚀调查表).

    Raises
    ------
    SchemaError
        No ``patch_id``, a patch that is not in the project or given twice, unknown columns, or values that are no numbers.
    """
    name = Path(path).name
    table = pd.DataFrame(read_model_rows(Path(path)))
    strange = [c for c in table.columns if c != "patch_id" and c not in SURVEYED]
    if "patch_id" not in table or strange or len(table.columns) < 2:
        raise SchemaError(f"{name}: 列 {', '.join(table.columns)}", expected=f"patch_id 与 {', '.join(SURVEYED)} 中的列", cure="改列名, 去掉别的列")
    known = set(patch_ids.tolist())
    lost = [p for p in table["patch_id"] if p not in known]
    twice = table.loc[table["patch_id"].duplicated(), "patch_id"].tolist()
    if lost or twice:
        raise SchemaError(f"{name}: 项目中没有的图斑 {'、'.join(lost[:3]) or '无'}, 重复的图斑 {'、'.join(twice[:3]) or '无'}", expected="项目的图斑, 各一行", cure="核对 patch_id")
    values = table.drop(columns="patch_id").replace("", np.nan)
    numbers = values.apply(pd.to_numeric, errors="coerce")
    bad = [int(k) + 2 for k in np.flatnonzero((numbers.isna() & values.notna()).any(axis=1))]
    if bad:
        raise SchemaError(f"{name}: 第 {', '.join(map(str, bad[:8]))} 行不是数", expected="数值, 没有调查的留空")
    return numbers.set_index(table["patch_id"]).reindex(patch_ids).reset_index(drop=True)


def kinds_of(survey: pd.DataFrame, patch: pd.DataFrame, area_ha: np.ndarray) -> pd.DataFrame:
    """Table ``erosion_kind``: grade of every kind on every patch and the one that leads (侵蚀类型表). `patch` is ``erosion_patch``, `area_ha` (n,)."""
    own = patch[["patch_id", "class_code"]].reset_index(drop=True).assign(area_ha=area_ha)
    return pd.concat([own, survey.reset_index(drop=True), surveyed_kinds(survey, patch["grade"].to_numpy(int))], axis=1)


def kind_words(table: pd.DataFrame) -> list[str]:
    """Area by leading kind for the report; 微度 counts as no erosion (各侵蚀类型面积)."""
    eroded = table[table["grade"] >= 2]
    said = [f"{KINDS[k]} {eroded.loc[eroded['kind'] == k, 'area_ha'].sum():.2f} 公顷" for k in KINDS if (eroded["kind"] == k).any()]
    surveyed = int(table[[c for c in SURVEYED if c in table]].notna().any(axis=1).sum())
    return [f"  实地调查 {surveyed} 个图斑; 轻度以上按主导类型: {', '.join(said) or '无'}"]
