"""Map sheet and charts of predicted mining subsidence (开采沉陷预计图件)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qianmo.reports.fonts import map_font, visible_text
from qianmo.reports.map_sheet import map_sheet
from qianmo.reports.map_style import Classes, MapLayer, symbol, symbols

__all__ = ["BREAKS_MM", "damage_sheet", "profile_chart", "subsidence_sheet", "trade_off_chart"]

BREAKS_MM = (10.0, 100.0, 500.0, 1000.0, 2000.0)
"""Bounds of the bands of the style group ``subsidence``. [mm]"""


def subsidence_sheet(
    bands: gpd.GeoDataFrame, faces: gpd.GeoDataFrame, edge: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame | None, *, title: str, crs_text: str, date: str,
    vintage: str, office: str = "", synthetic: Sequence[str] = (), remarks: Sequence[str] = (), size: str = "A3", dpi: int = 150,
) -> bytes:  # fmt: skip
    """Bands of subsidence, working faces, the 10 mm line and buildings (地表下沉预计图).

    Parameters
    ----------
    bands : GeoDataFrame (value, geometry)
        Number of the band by `BREAKS_MM`, from 1.
    faces, edge : GeoDataFrame
        Table ``working_face`` and the polygon of the basin.
    buildings : GeoDataFrame, table ``building``, optional
    title, crs_text, date, vintage, office, synthetic, remarks, size, dpi
        As for `map_sheet`.
    """
    shown = bands.assign(band=bands["value"].astype(int).astype(str))
    layers = [MapLayer(shown, Classes("band", {k: s for k, s in symbols("subsidence").items() if k in set(shown["band"])}))]
    if buildings is not None and len(buildings):
        layers.append(MapLayer(buildings, symbol("layer", "building")))
    layers += [MapLayer(edge, symbol("layer", "basin_edge")), MapLayer(faces, symbol("layer", "working_face"), labels="face_name")]
    return map_sheet(layers, title=title, crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=remarks, size=size,
                     dpi=dpi)  # fmt: skip


def damage_sheet(
    patches: gpd.GeoDataFrame | None, buildings: gpd.GeoDataFrame | None, faces: gpd.GeoDataFrame, edge: gpd.GeoDataFrame, *, title: str, crs_text: str, date: str,
    vintage: str, office: str = "", synthetic: Sequence[str] = (), remarks: Sequence[str] = (), size: str = "A3", dpi: int = 150,
) -> bytes:  # fmt: skip
    """Grades of damage of land and buildings over the working faces (损坏等级图).

    Parameters
    ----------
    patches : GeoDataFrame (grade, geometry), optional
        Land with grade 1 to 3.
    buildings : GeoDataFrame (grade, geometry), optional
        Buildings with grade I to IV.
    faces, edge : GeoDataFrame
        Table ``working_face`` and the polygon of the basin.
    title, crs_text, date, vintage, office, synthetic, remarks, size, dpi
        As for `map_sheet`.
    """
    layers = []
    for frame, group in ((patches, "land_damage"), (buildings, "building_damage")):
        if frame is not None and len(frame):
            shown = frame.assign(grade=frame["grade"].astype(str))
            layers.append(MapLayer(shown, Classes("grade", {k: s for k, s in symbols(group).items() if k in set(shown["grade"])})))
    layers += [MapLayer(edge, symbol("layer", "basin_edge")), MapLayer(faces, symbol("layer", "working_face"), labels="face_name")]
    return map_sheet(layers, title=title, crs_text=crs_text, date=date, vintage=vintage, office=office, synthetic=synthetic, remarks=remarks, size=size,
                     dpi=dpi)  # fmt: skip


def profile_chart(lines: Mapping[str, tuple[np.ndarray, np.ndarray]], points: tuple[np.ndarray, np.ndarray, np.ndarray] | None, *, title: str, note: str) -> bytes:
    """Subsidence along a section, down on the page, with measured points (主断面下沉曲线图).

    Parameters
    ----------
    lines : mapping of label to (distance, subsidence)
        [m], [mm]; the first is drawn strong.
    points : (distance, subsidence, standard error), optional
    title, note : str

    Returns
    -------
    bytes
        PNG.
    """
    figure = Figure(figsize=(9.5, 5.2), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.1, 0.17, 0.86, 0.7))
    for k, (label, (x, w)) in enumerate(lines.items()):
        axes.plot(x, w, color="#1f4e79" if k == 0 else "#8a8a8a", linestyle="-" if k == 0 else "--", linewidth=1.8 if k == 0 else 1.2, label=visible_text(label))
    if points is not None:
        axes.errorbar(points[0], points[1], yerr=points[2], fmt="o", markersize=4, color="#b5651d", elinewidth=0.8, capsize=2, label="实测下沉（±中误差）")
    axes.invert_yaxis()
    _dress(figure, axes, "距离（米）", "下沉（毫米）", title, note)
    axes.legend(prop=map_font(10), frameon=False)
    return _bytes(figure)


_PANELS_ACROSS = 3
_MOST_SHOWN = 3.0
"""Times the least misfit up to which a curve is drawn, so that its valley can be seen."""


def trade_off_chart(curves: Mapping[str, tuple[np.ndarray, np.ndarray, float, float]], *, title: str, note: str) -> bytes:
    """Best misfit for each fixed value of each parameter, with the range of one standard error (参数权衡曲线图).

    Parameters
    ----------
    curves : mapping of label to (values, rms, low, high)
    title, note : str

    Returns
    -------
    bytes
        PNG, one panel a parameter.
    """
    across = 2 if len(curves) == 4 else min(len(curves), _PANELS_ACROSS)
    down = -(-len(curves) // across)
    figure = Figure(figsize=(3.6 * across + 1.0, 3.2 * down + 1.2), dpi=150)
    FigureCanvasAgg(figure)
    wide, high_of = 0.92 / across, (3.2 * down + 1.2)
    for k, (label, (x, rms, low, high)) in enumerate(curves.items()):
        row, column = divmod(k, across)
        axes = figure.add_axes((0.07 + column * wide, (0.95 + 3.2 * (down - 1 - row)) / high_of, wide - 0.08, 2.4 / high_of))
        axes.axvspan(low, high, color="#d9e6f2")
        axes.plot(x, rms, color="#1f4e79", marker="o", markersize=3)
        axes.set_ylim(top=min(float(rms.max()) * 1.03, _MOST_SHOWN * float(rms.min())))
        _dress(figure, axes, label, "均方根残差（毫米）" if column == 0 else "", "", "")
    figure.text(0.5, 1.0 - 0.4 / high_of, visible_text(title), ha="center", fontproperties=map_font(14))
    figure.text(0.5, 0.13 / high_of, visible_text(note), ha="center", fontproperties=map_font(9), color="#333333")
    return _bytes(figure)


def _dress(figure: Figure, axes, across: str, up: str, title: str, note: str) -> None:  # type: ignore[no-untyped-def]
    axes.set_xlabel(visible_text(across), fontproperties=map_font(10))
    axes.set_ylabel(up, fontproperties=map_font(10))
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontproperties(map_font(9))
    axes.grid(True, linewidth=0.3, color="#dddddd")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if title:
        figure.text(0.5, 0.92, visible_text(title), ha="center", fontproperties=map_font(14))
        figure.text(0.5, 0.03, visible_text(note), ha="center", fontproperties=map_font(9), color="#333333")


def _bytes(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
