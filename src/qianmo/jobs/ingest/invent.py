"""What no source gives, made by documented rules and labelled synthetic (合成补充图层)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np

from qianmo import __version__
from qianmo.geo.adjacency import shared_borders
from qianmo.jobs.ingest.layer import Prepared, Setting
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError
from qianmo.schema.tables import table_spec
from qianmo.village.cadastre import invent_tenure
from qianmo.village.growth import invent_villages
from qianmo.village.lines import invent_basic_farmland, invent_eco_redline, invent_planning_zones, invent_urban_boundary

__all__ = ["invent"]


def invent(layers: list[Prepared], setting: Setting) -> list[Prepared]:
    """Add villages, tenure, three lines and planning zones to a land-use layer that has none.

    The recipe says what: ``[invent] villages = 6, tenure = true, lines = true``. Every layer made here is synthetic; the
    land-use layer keeps its own mark, and its lineage tells which of its columns were invented.

    Raises
    ------
    MissingDataError
        There is no land-use layer to start from.
    """
    wish = setting.recipe.invent
    base = next((x for x in layers if x.dataset.kind == "landuse_patch"), None)
    if base is None:
        raise MissingDataError("没有地类图斑, 不能生成村界与三线", expected="一个地类图斑图层")
    borders = shared_borders(base.frame.geometry.to_numpy())
    made: dict[str, gpd.GeoDataFrame] = {}
    frame = base.frame
    columns: list[str] = []
    if wish.get("villages"):
        frame, made["village"] = invent_villages(frame, count=int(wish["villages"]), borders=borders)
        columns += ["village_code", "location_code", "location_name"]
    if wish.get("tenure"):
        rng = np.random.default_rng(int(wish.get("seed", 20260101)))
        frame, made["parcel"] = invent_tenure(frame, rng=rng)
        columns += ["tenure_code", "owner_code", "owner_name"]
    if wish.get("lines"):
        made["basic_farmland"] = invent_basic_farmland(frame, borders=borders)
        made["eco_redline"] = invent_eco_redline(frame, basic_farmland=made["basic_farmland"], borders=borders)
        made["urban_boundary"] = invent_urban_boundary(frame, basic_farmland=made["basic_farmland"], eco_redline=made["eco_redline"])
        made["planning_zone"] = invent_planning_zones(
            frame, basic_farmland=made["basic_farmland"], eco_redline=made["eco_redline"], urban_boundary=made["urban_boundary"]
        )
    lineage = replace(base.dataset.lineage, parameters={**base.dataset.lineage.parameters, "synthetic_columns": columns})
    out = [replace(base, frame=frame, dataset=replace(base.dataset, lineage=lineage)), *(x for x in layers if x is not base)]
    taken = {x.dataset.name for x in layers}
    return out + [_dataset(name, layer, setting, dict(wish)) for name, layer in made.items() if name not in taken and len(layer)]


def _dataset(name: str, frame: gpd.GeoDataFrame, setting: Setting, wish: dict[str, Any]) -> Prepared:
    lineage = Lineage(
        "按规则生成 (qianmo.village, 见 docs/explanation/village)", "", f"qianmo {__version__} village", setting.now.isoformat(timespec="seconds"),
        setting.user, {"rule": f"invent_{name}", **wish},
    )  # fmt: skip
    scheme = "SD3" if "class_code" in frame.columns else ""
    return Prepared(frame, Dataset(name, name, table_spec(name).zh, f"EPSG:{setting.crs}", scheme, "", True, len(frame), lineage))
