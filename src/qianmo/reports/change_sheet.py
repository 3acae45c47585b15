"""Map sheet of changed patches and of the lights of cultivated parcels (变化图斑与红绿灯图)."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from qianmo.reports.map_sheet import map_sheet
from qianmo.reports.map_style import Classes, MapLayer, symbol, symbols

__all__ = ["change_sheet"]


def change_sheet(
    patches: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame | None, *, title: str, crs_text: str, date: str, vintage: str, office: str = "",
    synthetic: Sequence[str] = (), remarks: Sequence[str] = (), size: str = "A3", dpi: int = 150,
) -> bytes:  # fmt: skip
    """Cultivated parcels by their light under the outlines of what changed (变化图斑与红绿灯图).

    Parameters
    ----------
    patches : GeoDataFrame, layer ``change_patch``
        At least one. Metric CRS. [m]
    parcels : GeoDataFrame (light, geometry), optional
        Cultivated parcels with a light of `qianmo.survey.change.lights`.
    title, crs_text, date, vintage, office, synthetic, remarks, size, dpi
        As for `map_sheet`.

    Returns
    -------
    bytes
        PNG; the legend lists the lights that occur.
    """
    layers = []
    if parcels is not None and len(parcels):
        present = {k: s for k, s in symbols("light").items() if k in set(parcels["light"])}
        layers.append(MapLayer(parcels, Classes("light", present)))
    layers.append(MapLayer(patches, symbol("layer", "change_patch")))
    return map_sheet(layers, title=title, crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=remarks, size=size,
                     dpi=dpi)  # fmt: skip
