"""Candidate parcels for photovoltaics on a map sheet (光伏候选地块图)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import pandas as pd

from qianmo.reports.map_sheet import map_sheet
from qianmo.reports.map_style import Classes, MapLayer, symbol, symbols

__all__ = ["candidate_sheet"]

_LABELLED = 20


def candidate_sheet(
    layers: Mapping[str, gpd.GeoDataFrame], table: pd.DataFrame, *, title: str, crs_text: str, date: str, vintage: str, synthetic: Sequence[str] = (), file_format: str = "png",
) -> bytes:  # fmt: skip
    """Candidates by their land verdict, the first twenty with their rank (光伏候选地块图).

    Parameters
    ----------
    layers : mapping
        ``landuse_patch``, and where they are known ``village``, ``basic_farmland``, ``eco_redline``.
    table : DataFrame, table ``photovoltaic_parcel``
    """
    patches = layers["landuse_patch"]
    drawn = patches[["patch_id", patches.geometry.name]].astype({"patch_id": str}).merge(table[["patch_id", "rank", "verdict"]], on="patch_id")
    drawn = gpd.GeoDataFrame(drawn, geometry=patches.geometry.name, crs=patches.crs)
    named = drawn[drawn["rank"].between(1, _LABELLED)].assign(rank_text=lambda f: f["rank"].astype(str))
    style = Classes("verdict", symbols("photovoltaic"))
    base = [MapLayer(patches, symbol("layer", "landuse_patch"))]
    base += [MapLayer(layers[k], symbol("layer", k)) for k in ("basic_farmland", "eco_redline") if k in layers and len(layers[k])]
    lines = [MapLayer(layers["village"], symbol("layer", "village"), labels="village_name" if "village_name" in layers["village"].columns else "")] if len(layers.get("village", ())) else []
    tags = [MapLayer(named, style, labels="rank_text", label_pt=7.5)] if len(named) else []
    remarks = (f"候选地块 {len(drawn)} 个；图上数字为前 {min(len(named), _LABELLED)} 名的名次，按年等效利用小时排列。", "用地判定依据光伏用地规则 F-11 至 F-14 与生态保护红线规则。")
    return map_sheet(
        [*base, MapLayer(drawn, style), *lines, *tags], title=title, crs_text=crs_text, date=date, vintage=vintage, synthetic=synthetic, remarks=remarks,
        statement="" if len(drawn) else "没有符合条件的候选地块", file_format=file_format,
    )  # fmt: skip
