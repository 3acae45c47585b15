"""Map sheet of erosion grades (土壤侵蚀强度分级图)."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from qianmo.reports.map_sheet import map_sheet
from qianmo.reports.map_style import Classes, MapLayer, symbol, symbols

__all__ = ["erosion_sheet"]


def erosion_sheet(
    grades: gpd.GeoDataFrame, villages: gpd.GeoDataFrame | None, samples: gpd.GeoDataFrame | None = None, *, title: str, crs_text: str, date: str, vintage: str, office: str = "",
    synthetic: Sequence[str] = (), remarks: Sequence[str] = (), size: str = "A3", dpi: int = 150,
) -> bytes:  # fmt: skip
    """Cells by their grade of SL 190 under the borders of the villages (土壤侵蚀强度分级图).

    Parameters
    ----------
    grades : GeoDataFrame (value, geometry)
        Polygons of equal grade, 1 to 6, see `qianmo.geo.grid.polygonize`. Metric CRS. [m]
    villages : GeoDataFrame, table ``village``, optional
    samples : GeoDataFrame (kind, said, geometry), optional
        Discs at measured points, by how the model stands to them, with a text each.
    title, crs_text, date, vintage, office, synthetic, remarks, size, dpi
        As for `map_sheet`.

    Returns
    -------
    bytes
        PNG.
    """
    shown = grades.assign(grade=grades["value"].astype(int).astype(str))
    present = {g: s for g, s in symbols("erosion").items() if g in set(shown["grade"])}
    layers = [MapLayer(shown, Classes("grade", present))]
    if villages is not None and len(villages):
        layers.append(MapLayer(villages, symbol("layer", "village"), labels="village_name"))
    if samples is not None and len(samples):
        kinds = {k: s for k, s in symbols("residual").items() if k in set(samples["kind"])}
        layers.append(MapLayer(samples, Classes("kind", kinds), labels="said", label_pt=7.0))
    return map_sheet(layers, title=title, crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=remarks, size=size,
                     dpi=dpi)  # fmt: skip
