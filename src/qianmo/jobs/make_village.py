"""An invented township for tests, training and benchmarks (虚拟乡镇)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from qianmo import __version__
from qianmo.geo.grid import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.tables import table_names, table_spec
from qianmo.store.durable import replace_bytes
from qianmo.store.project import change
from qianmo.village.make import make_township
from qianmo.village.soil import soil_indicators

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Make a township of a given size and store it as a project; every layer is labelled synthetic."""
    folder = Path(values["into"])
    context.step("生成虚拟乡镇", 0.0)
    town = make_township(patches=values["patches"], villages=values["villages"], rng=np.random.default_rng(values["seed"]))
    now = context.clock()
    lineage = Lineage("按规则生成 (qianmo.village.make)", "", f"qianmo {__version__} village", now.isoformat(timespec="seconds"), context.user, dict(values))
    context.step("写入项目", 0.7)
    text = f'[project]\nname = "虚拟乡镇 {values["patches"]} 图斑（合成）"\n[parameters]\n[plan]\n[documents]\n[office]\n'
    with change(folder, what="生成虚拟乡镇", user=context.user, now=now, settings_text=text) as stage:
        for item in fields(town):
            value = getattr(town, item.name)
            if isinstance(value, gpd.GeoDataFrame) and item.name in table_names() and len(value):
                scheme = "SD3" if "class_code" in value.columns else ""
                code = f"EPSG:{value.crs.to_epsg()}"
                stage.put_layer(value, Dataset(item.name, item.name, table_spec(item.name).zh, code, scheme, "", True, len(value), lineage))
            elif isinstance(value, Grid):
                code = f"EPSG:{value.crs.to_epsg()}"
                stage.put_grid(value, Dataset("dem", "raster", "数字高程模型", code, "", "", True, value.values.size, lineage))
    indicators = soil_indicators(town.landuse_patch, rng=np.random.default_rng([values["seed"], 1]))
    path = folder / "耕地质量指标（合成）.csv"
    replace_bytes(path, indicators.to_csv(index=False).encode("utf-8-sig"))
    return JobReport(
        (f"虚拟乡镇: {values['patches']} 个图斑, {values['villages']} 个村 [合成]", f"耕地质量评价: qianmo quality {folder} --indicators {path}"),
        ((str(folder), "项目文件夹"), (str(path), "耕地的土壤指标 [合成]")),
    )


SPECS = (
    JobSpec(
        "village", "生成虚拟乡镇", "make an invented township (synthetic)",
        (
            JobOption("into", "path", "项目文件夹", "project folder", required=True),
            JobOption("patches", "integer", "图斑数", "number of patches", default=2000),
            JobOption("villages", "integer", "村数", "number of villages", default=6),
            JobOption("seed", "integer", "随机种子", "seed of the generator", default=20260101),
        ),
        run,
    ),
)  # fmt: skip
