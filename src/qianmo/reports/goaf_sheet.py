"""Map sheet of goaf zones over the anomalies they are made of (采空区分区图)."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np

from qianmo.reports.map_sheet import map_sheet
from qianmo.reports.map_style import Classes, MapLayer, symbol, symbols

__all__ = ["goaf_sheet"]

_MARGIN = 0.35
"""Ground shown around the anomalies, as a part of their extent."""


def goaf_sheet(
    zones: gpd.GeoDataFrame, anomalies: gpd.GeoDataFrame, villages: gpd.GeoDataFrame | None, *, title: str, crs_text: str, date: str, vintage: str, office: str = "",
    synthetic: Sequence[str] = (), remarks: Sequence[str] = (), size: str = "A3", dpi: int = 150,
) -> bytes:  # fmt: skip
    """Zones by their stability with number, and depth where known, outlines of the anomalies, borders of the villages (采空区分区图).

    Parameters
    ----------
    zones : GeoDataFrame, table ``goaf_zone``
        At least one. A zone without stability is drawn as one that could not be judged.
    anomalies : GeoDataFrame, table ``goaf_anomaly``
    villages : GeoDataFrame, table ``village``, optional
    title, crs_text, date, vintage, office, synthetic, remarks, size, dpi
        As for `map_sheet`.

    Returns
    -------
    bytes
        PNG; the frame holds the anomalies and a margin, whatever the size of the project.
    """
    depth = [f" {d:.1f}±{s:.1f}米" if np.isfinite(d) else "" for d, s in zip(zones["depth_m"], zones["sigma_m"])]
    shown = zones.assign(grade=zones["stability"].replace("", "unknown"), said=[f"{z}{d}" for z, d in zip(zones["zone_id"], depth)])
    layers = [MapLayer(shown, Classes("grade", {k: s for k, s in symbols("goaf").items() if k in set(shown["grade"])}), labels="said", label_pt=8.0)]
    layers.append(MapLayer(anomalies, symbol("layer", "goaf_anomaly")))
    if villages is not None and len(villages):
        layers.append(MapLayer(villages, symbol("layer", "village")))
    return map_sheet(layers, title=title, crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=remarks,
                     extent=_around(zones, anomalies), size=size, dpi=dpi)  # fmt: skip


def _around(*frames: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """Extent of all frames with the margin. [m]"""
    bounds = np.array([f.total_bounds for f in frames])
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    more = _MARGIN * float((high - low).max())
    return float(low[0]) - more, float(low[1]) - more, float(high[0]) + more, float(high[1]) + more
