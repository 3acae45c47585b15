"""A township with a plan and an edit after it: state 1 is the survey, 2 has a plan, 3 has another plan and changed land use."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import shapely

from qianmo.jobs.context import Context
from qianmo.jobs.make_village import run as make_village
from qianmo.jobs.registry import job_spec
from qianmo.jobs.spec import checked_values
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.store.project import change

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PLANNED, REPLANNED, EDITED = 7, 11, 13
"""Every so-many-th patch is planned to be dry land; planned so after all; or was changed to a pond."""


def planned_township(folder: Path, *, patches: int = 400) -> gpd.GeoDataFrame:
    """Make it, and give the land use of the survey."""
    make_village(Context(user="测试", clock=lambda: NOW), checked_values(job_spec("village"), {"into": str(folder), "patches": patches, "villages": 3}))
    survey = gpd.read_parquet(folder / "generations" / "0001" / "layers" / "landuse_patch.parquet")
    with change(folder, what="规划", user="甲", now=NOW) as stage:
        stage.put_layer(_plan(survey, PLANNED), _told(stage, "plan_parcel", "规划图斑", len(survey)))
    edited = survey.copy()
    edited.loc[edited.index % EDITED == 0, "class_code"] = "1104"
    half = shapely.box(*edited.geometry.iloc[5].bounds)
    west = shapely.box(half.bounds[0], half.bounds[1], half.centroid.x, half.bounds[3])
    with change(folder, what="变更调查", user="乙", now=NOW) as stage:
        whole = edited.geometry.iloc[5]
        cut = edited.iloc[[5]].copy()
        cut["patch_id"], cut["class_code"] = "cut-off", "0702"
        cut.geometry = [whole.intersection(west)]
        edited.loc[edited.index[5], "geometry"] = whole.difference(west)
        edited = gpd.GeoDataFrame(gpd.pd.concat([edited, cut], ignore_index=True), crs=survey.crs)
        stage.put_layer(edited, _told(stage, "landuse_patch", "地类图斑", len(edited)))
        stage.put_layer(_plan(survey, REPLANNED), _told(stage, "plan_parcel", "规划图斑", len(survey)))
    return survey


def _plan(survey: gpd.GeoDataFrame, every: int) -> gpd.GeoDataFrame:
    plan = survey[["patch_id", "village_code", "class_code", "area_m2", "class_area_m2", "geometry"]].copy()
    chosen = plan.index % every == 0
    plan["measure"], plan["cost_yuan"], plan["reason"] = "keep", 0.0, "示例"
    plan["target_class"] = plan["class_code"].where(~chosen, "0103")
    return plan


def _told(stage, kind: str, zh: str, rows: int) -> Dataset:
    base = stage.datasets["landuse_patch"]
    return Dataset(kind, kind, zh, base.crs, base.class_scheme, base.vintage, True, rows, Lineage("测试", "", "测试", NOW.isoformat(), "测试"))
