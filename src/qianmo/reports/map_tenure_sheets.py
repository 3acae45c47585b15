"""Sheets of re-allotted lots and of integrated titles (权属调整图件)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.reports.map_sheet import PAPERS, map_sheet, scale_denominator
from qianmo.reports.map_style import Classes, MapLayer, symbol, symbols

__all__ = ["allotment_sheet", "integration_sheet"]

_LETTER_MM = 0.95
"""Width of a letter of the small labels on paper."""

_BLOCK_LABEL_MM = 4.0
"""Half the width of the label of a block on paper."""


def allotment_sheet(
    lots: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, surfaces: Mapping[str, gpd.GeoDataFrame], *, crs_text: str, date: str, vintage: str,
    office: str = "", synthetic: Sequence[str] = (), remarks: Sequence[str] = (), size: str = "A3", dpi: int = 150,
) -> bytes:  # fmt: skip
    """Lots with the numbers of their owners between roads, ditches and tracks (田块设计与分地图).

    Parameters
    ----------
    lots, blocks : GeoDataFrames, tables ``lot``, ``allotment_block``
    surfaces : mapping of 'road', 'ditch', 'track' to GeoDataFrame of polygons
        Empty ones are left out.
    crs_text, date, vintage, office, synthetic, remarks, size, dpi
        As for `map_sheet`.

    Returns
    -------
    bytes
        PNG. Labels are owner ids; they are left out where a lot is narrower on paper than its label is long.
    """
    parity = np.where(lots["place"].to_numpy() % 2 == 1, "odd", "even")
    style = Classes("parity", {p: symbol("layer", f"lot_{p}") for p in ("odd", "even")})
    layers = [MapLayer(frame, symbol("layer", f"allotment_{kind}")) for kind, frame in surfaces.items() if len(frame)]
    named = _room_for_label(lots, blocks, size)
    label = lots["owner_id"].where(pd.Series(named, index=lots.index), "")
    layers.append(MapLayer(lots.assign(parity=parity, label=label), style, labels="label", label_pt=4.2))
    layers.append(MapLayer(blocks, symbol("layer", "allotment_block"), labels="block_id", label_pt=9.0))
    rest = "" if named.all() else ";宗块过窄处从略,见分地宗块表"
    said = [*remarks, f"宗块内注记为权利人编号{rest}。"]
    return map_sheet(layers, title="田块设计与分地图", crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=said,
                     size=size, dpi=dpi)  # fmt: skip


def integration_sheet(
    outcome: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, *, crs_text: str, date: str, vintage: str, office: str = "", synthetic: Sequence[str] = (),
    remarks: Sequence[str] = (), size: str = "A3", dpi: int = 150,
) -> bytes:  # fmt: skip
    """Titles by what becomes of them, and the outline of the consolidated blocks (产权整合图).

    Parameters
    ----------
    outcome, blocks : GeoDataFrames, tables ``title_outcome``, ``industrial_block``
    crs_text, date, vintage, office, synthetic, remarks, size, dpi
        As for `map_sheet`.
    """
    layers = [MapLayer(outcome, Classes("mode", symbols("disposal")), labels="title_id", label_pt=6.0)]
    if len(blocks):
        layers.append(MapLayer(blocks, symbol("layer", "industrial_block")))
    return map_sheet(layers, title="零散产权整合图", crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=remarks,
                     size=size, dpi=dpi)  # fmt: skip


def _room_for_label(lots: gpd.GeoDataFrame, blocks: gpd.GeoDataFrame, size: str) -> np.ndarray:
    """Lots wide enough on paper for the id of their owner and not under the id of a block, (n,) bool."""
    west, south, east, north = blocks.total_bounds
    metres_a_mm = scale_denominator((west, south, east, north), PAPERS[size]) / 1000.0
    long = lots["owner_id"].astype(str).str.len().to_numpy() * _LETTER_MM * metres_a_mm
    centre = shapely.point_on_surface(blocks.geometry.to_numpy())
    away = shapely.distance(shapely.point_on_surface(lots.geometry.to_numpy())[:, None], centre[None, :]).min(axis=1)
    return (lots["width_m"].to_numpy(dtype=float) >= long) & (away > _BLOCK_LABEL_MM * metres_a_mm + long / 2)
