"""What the sheets of one plan share: layers, plan, options, extent (图件素材)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.reports.map_paths import Extent
from qianmo.reports.map_style import MapLayer, symbol
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.measures import measures

__all__ = ["Sheet", "Subject", "subject"]


@dataclass(frozen=True, eq=False)
class Sheet:
    """One sheet before it is drawn (图幅内容). `uses` names the inputs it shows; '*' stands for all."""

    key: str
    title: str
    layers: tuple[MapLayer, ...]
    uses: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    statement: str = ""
    grid: str = "project"


@dataclass(frozen=True, eq=False)
class Subject:
    """Everything the sheets of one plan are drawn from (图件素材).

    `plan` is None before there is a plan; it carries geometry and ``project_class``. `options` are the measures possible.
    `swaps_basic_farmland` is None where nobody said whether permanent basic farmland is moved.
    """

    layers: Mapping[str, gpd.GeoDataFrame]
    plan: gpd.GeoDataFrame | None
    options: pd.DataFrame | None
    swaps_basic_farmland: bool | None
    scheme: str

    def has(self, key: str) -> bool:
        """True when the layer is there and holds rows."""
        return key in self.layers and len(self.layers[key]) > 0

    def plain(self, key: str, *, style: str = "", labels: str = "") -> list[MapLayer]:
        """A layer in its usual symbol, or nothing where it is missing."""
        if not self.has(key):
            return []
        frame = self.layers[key]
        return [MapLayer(frame, symbol("layer", style or key), labels=labels if labels in frame.columns else "")]

    def frame_lines(self) -> list[MapLayer]:
        """Village borders with names and the outline of the project, as on every sheet."""
        return [*self.plain("village", labels="village_name"), *self.plain("project_area")]

    def extent(self) -> Extent:
        """The box all sheets show: the project, else the patches, else everything."""
        shown = next((self.layers[k] for k in ("project_area", "landuse_patch") if self.has(k)), None)
        boxes = [shown.total_bounds] if shown is not None else [f.total_bounds for f in self.layers.values() if len(f)]
        if not boxes:
            raise MissingDataError("no layer to draw", expected="landuse_patch or project_area", cure="先接入地类图斑或整治区域范围")
        corners = np.array(boxes)
        low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def subject(
    layers: Mapping[str, gpd.GeoDataFrame], plan: pd.DataFrame | None, *, options: pd.DataFrame | None, swaps: bool | None, scheme: str
) -> Subject:
    """Gather the material; a plan without geometry takes that of the patches.

    Raises
    ------
    MissingDataError
        The plan names patches that are not in the layer of patches.
    """
    placed = None if plan is None else _placed(plan, layers)
    return Subject(_outlined(layers), placed, options, swaps, scheme)


def _outlined(layers: Mapping[str, gpd.GeoDataFrame]) -> Mapping[str, gpd.GeoDataFrame]:
    villages = layers.get("village")
    if "project_area" in layers or villages is None or villages.empty:
        return layers
    outline = shapely.union_all(np.asarray(villages.geometry.array))
    return {**layers, "project_area": gpd.GeoDataFrame({"project_id": ["villages"]}, geometry=[outline], crs=villages.crs)}


def _placed(plan: pd.DataFrame, layers: Mapping[str, gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    if isinstance(plan, gpd.GeoDataFrame):
        made = plan.copy()
    elif "landuse_patch" in layers:
        patches = layers["landuse_patch"]
        missing = sorted(set(plan["patch_id"]) - set(patches["patch_id"]))
        if missing:
            raise MissingDataError(
                f"{len(missing)} planned patches have no geometry, first {missing[:3]}", expected="patch_id of landuse_patch", cure="规划图斑与现状图斑须同一版本"
            )
        made = gpd.GeoDataFrame(plan.merge(patches[["patch_id", patches.geometry.name]], on="patch_id"), geometry=patches.geometry.name, crs=patches.crs)
    else:
        raise MissingDataError("a plan without geometry and no landuse_patch layer", expected="landuse_patch", cure="请提供地类图斑图层")
    unknown = sorted(set(made["measure"]) - set(measures()))
    if unknown:
        raise SchemaError(f"plan measures {unknown}", expected=", ".join(measures()))
    made["project_class"] = made["measure"].map({m.id: m.project_class for m in measures().values()})
    return made
