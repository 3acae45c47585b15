"""One map sheet with frame, grid, scale, legend and marks, as PNG or PDF bytes (图件)."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib.patheffects as effects
import numpy as np
import pyproj
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from qianmo.reports.fonts import map_font, visible_text
from qianmo.reports.map_furniture import (
    coordinate_grid,
    draw_legend,
    draw_north,
    draw_scale_bar,
    lonlat_grid,
    scale_bar,
    text_width,
    wrapped,
    write,
)
from qianmo.reports.map_paths import Extent, draw_layer
from qianmo.reports.map_style import MapLayer, Symbol
from qianmo.reports.marks import MARK, mark_text
from qianmo.schema.errors import CrsError, MissingDataError, QianmoError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PAPERS", "Paper", "SheetNotes", "draw_sheet", "map_sheet", "scale_denominator"]

_RED = "#c8102e"
_BLOCK_ROW = 0.66
"""Height of a row of the title block, in mm a point of small text."""

_SCALES = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5)


@dataclass(frozen=True)
class Paper:
    """A landscape sheet: size and map frame [mm], size of small text [pt] (图幅)."""

    name: str
    width: float
    height: float
    frame: Extent
    text_pt: float


PAPERS = {
    "A3": Paper("A3", 420.0, 297.0, (22.0, 36.0, 334.0, 266.0), 9.0),
    "A4": Paper("A4", 297.0, 210.0, (16.0, 27.0, 234.0, 187.0), 6.5),
}


@dataclass(frozen=True)
class SheetNotes:
    """What is written on a sheet besides its title (图面说明).

    Parameters
    ----------
    crs_text, date, vintage, office : str
        Coordinate system, day of drawing, date of the data, map-making unit.
    synthetic : tuple of str
        Labels of invented layers on the sheet; any makes the red mark.
    remarks : tuple of str
        Lines under the legend: what is missing or how the sheet was made.
    statement : str
        Large words in the middle of the map where there is nothing to draw: 不涉及, 数据不含权属.
    block : tuple of (label, text)
        Rows of the title block (图签) below the legend; an empty text leaves room to sign.
    """

    crs_text: str
    date: str
    vintage: str
    office: str = ""
    synthetic: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    statement: str = ""
    block: tuple[tuple[str, str], ...] = ()


def map_sheet(
    layers: Sequence[MapLayer], *, title: str, crs_text: str, date: str, vintage: str, office: str = "", synthetic: Sequence[str] = (),
    remarks: Sequence[str] = (), statement: str = "", extent: Extent | None = None, size: str = "A3", dpi: int = 150,
    grid: str = "project", file_format: str = "png", block: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A map sheet as bytes (图件).

    Parameters
    ----------
    layers : sequence of MapLayer
        From bottom to top, all in one metric CRS. [m]
    title, crs_text, date, vintage, office, synthetic, remarks, statement, block
        What is written on the sheet, see `SheetNotes`.
    extent : (west, south, east, north), optional
        What must be inside the frame; by default all layers. [m]
    size : 'A3' or 'A4'
        Landscape paper at which the numeric scale is true.
    grid : 'project' or 'lonlat'
        Lines of project coordinates, or meridians and parallels.
    file_format : 'png' or 'pdf'
        Pixels at `dpi`, or vectors.

    Returns
    -------
    bytes
        The file. The same input gives the same bytes.

    Raises
    ------
    CrsError
        Layers without a CRS, in degrees, or in different systems.
    MissingDataError
        No layer and no extent.
    """
    notes = SheetNotes(crs_text, date, vintage, office, tuple(synthetic), tuple(remarks), statement, tuple(block))
    figure = draw_sheet(layers, title=title, notes=notes, extent=extent, size=size, dpi=dpi, grid=grid)
    made = io.BytesIO()
    if file_format == "png":
        _picture(figure).save(made, format="png", dpi=(dpi, dpi), compress_level=6)
    else:
        figure.savefig(made, format=file_format, metadata={"CreationDate": None, "Producer": None, "Creator": "Qianmo"})
    return made.getvalue()


def _picture(figure: Figure) -> Image.Image:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3])


def draw_sheet(
    layers: Sequence[MapLayer], *, title: str, notes: SheetNotes, extent: Extent | None = None, size: str = "A3", dpi: int = 150,
    grid: str = "project",
) -> Figure:
    """The sheet as a figure: axes 0 is the map in metres, axes 1 the page in millimetres. See `map_sheet`."""
    if size not in PAPERS:
        raise QianmoError(f"paper size {size!r}", expected=", ".join(PAPERS))
    paper, crs = PAPERS[size], _common_crs(layers)
    wanted = extent or _bounds(layers)
    denominator = scale_denominator(wanted, paper)
    shown = _shown(wanted, paper, denominator)
    figure = Figure(figsize=(paper.width / 25.4, paper.height / 25.4), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    axes, page = _axes(figure, paper, shown)
    legend = _draw_map(axes, layers, shown, pixel_m=denominator * 0.0254 / dpi)
    if grid == "lonlat":
        note = lonlat_grid(axes, page, crs, extent=shown, frame_mm=paper.frame, size=paper.text_pt)
    else:
        note = coordinate_grid(axes, page, extent=shown, frame_mm=paper.frame, size=paper.text_pt)
    _dress(page, paper, title, notes, legend, denominator, note)
    return figure


def scale_denominator(extent: Extent, paper: Paper) -> float:
    """The largest round scale (smallest denominator) at which the extent fits into the frame with a margin of 3 %."""
    west, south, east, north = extent
    left, low, right, high = paper.frame
    least = max((east - west) / (right - left), (north - south) / (high - low)) * 1000.0 * 1.03
    least = max(least, 100.0)
    power = 10.0 ** math.floor(math.log10(least))
    return next(s * p for p in (power, power * 10.0) for s in _SCALES if s * p >= least * (1 - 1e-12))


def _shown(extent: Extent, paper: Paper, denominator: float) -> Extent:
    left, low, right, high = paper.frame
    half_x, half_y = (right - left) * denominator / 2000.0, (high - low) * denominator / 2000.0
    x, y = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
    return x - half_x, y - half_y, x + half_x, y + half_y


def _common_crs(layers: Sequence[MapLayer]) -> pyproj.CRS:
    systems = [layer.frame.crs for layer in layers]
    if not systems:
        raise MissingDataError("a map sheet without layers", expected="at least one layer", cure="提供至少一个图层")
    if any(s is None for s in systems) or any(s != systems[0] for s in systems):
        raise CrsError(f"layers of one sheet in {[str(s) if s else 'no CRS' for s in systems]}", expected="one CRS", cure="先统一坐标系")
    found = pyproj.CRS(systems[0])
    if not found.is_projected:
        raise CrsError(f"a map sheet in {found.name}", expected="a projected CRS in metres", cure="先投影到项目坐标系")
    return found


def _bounds(layers: Sequence[MapLayer]) -> Extent:
    boxes = np.array([layer.frame.total_bounds for layer in layers if len(layer.frame)])
    boxes = boxes[np.isfinite(boxes).all(axis=1)] if len(boxes) else boxes
    if not len(boxes):
        raise MissingDataError("all layers of a sheet are empty", expected="polygons or an extent", cure="图层没有要素, 请给出图幅范围")
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _axes(figure: Figure, paper: Paper, shown: Extent) -> tuple[Axes, Axes]:
    left, low, right, high = paper.frame
    place = (left / paper.width, low / paper.height, (right - left) / paper.width, (high - low) / paper.height)
    axes = figure.add_axes(place, xlim=(shown[0], shown[2]), ylim=(shown[1], shown[3]), autoscale_on=False)
    axes.set_xticks([])
    axes.set_yticks([])
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, paper.width), ylim=(0, paper.height), facecolor="none", autoscale_on=False)
    page.set_axis_off()
    return axes, page


def _draw_map(axes: Axes, layers: Sequence[MapLayer], shown: Extent, *, pixel_m: float) -> list[Symbol]:
    legend: list[Symbol] = []
    for n, layer in enumerate(layers):
        legend += [s for s in draw_layer(axes, layer, extent=shown, pixel_m=pixel_m, zorder=2 + n * 0.1) if s not in legend]
        if layer.labels:
            _label(axes, layer, shown)
    return legend


def _label(axes: Axes, layer: MapLayer, shown: Extent) -> None:
    halo = [effects.withStroke(linewidth=2.2, foreground="white")]
    geometries = np.asarray(layer.frame.geometry.array)
    window = shapely.box(*shown)
    for text, geometry in zip(layer.frame[layer.labels].astype("string").fillna(""), geometries, strict=True):
        if not text or geometry is None or geometry.is_empty or not geometry.intersects(window):
            continue
        point = shapely.point_on_surface(geometry)
        axes.text(
            point.x, point.y, visible_text(str(text)), fontproperties=map_font(layer.label_pt), ha="center", va="center", zorder=30,
            path_effects=halo, clip_on=True, parse_math=False,
        )


def _dress(page: Axes, paper: Paper, title: str, notes: SheetNotes, legend: list[Symbol], denominator: float, grid_note: str) -> None:
    left, low, right, high = paper.frame
    small = paper.text_pt
    margin = small * 0.55
    page.add_patch(Rectangle((left - margin, low - margin), right - left + 2 * margin, high - low + 2 * margin, fill=False, linewidth=1.2))
    size = min(small * 2.7, (right - left) * 0.8 / (text_width(title) * 25.4 / 72.0))
    write(page, (left + right) / 2, (high + margin) * 0.55 + paper.height * 0.45, title, size=size, across="center", up="center")
    if notes.statement:
        _state(page, paper, notes.statement)
    _panel(page, paper, notes, legend)
    _foot(page, paper, notes, denominator, grid_note)
    if notes.synthetic:
        _synthetic_mark(page, paper, notes)


def _state(page: Axes, paper: Paper, statement: str) -> None:
    left, low, right, high = paper.frame
    size = paper.text_pt * 2.2
    lines = wrapped(statement, width_mm=(right - left) * 0.6, size=size)
    said = write(page, (left + right) / 2, (low + high) / 2, "\n".join(lines), size=size, across="center", up="center")
    said.set_bbox({"boxstyle": "square,pad=0.8", "edgecolor": "#1a1a1a", "facecolor": "#ffffffee", "linewidth": 0.8})
    said.set_linespacing(1.6)


def _panel(page: Axes, paper: Paper, notes: SheetNotes, legend: list[Symbol]) -> None:
    left, low, right, high = paper.frame
    small = paper.text_pt
    x, width = right + small * 1.1, paper.width - right - small * 1.1 - small * 0.9
    top = high - small * 3.6
    draw_north(page, x=x + width / 2, y=high - small * 2.3, height=small * 2.0)
    lines = [line for remark in notes.remarks for line in wrapped("注:" + remark, width_mm=width - 3.0, size=small * 0.92)]
    signed = len(notes.block) * small * _BLOCK_ROW
    foot = len(lines) * small * 0.46 + (3.0 if lines else 0.0) + signed
    draw_legend(page, legend, x=x, top=top, width=width, height=top - low - foot, size=small)
    for n, line in enumerate(lines):
        write(page, x + 1.5, low + foot - 3.0 - n * small * 0.46, line, size=small * 0.92, up="top")
    _block(page, notes.block, x=x, low=low - small * 0.55, width=width, small=small)
    page.add_patch(Rectangle((x, low - small * 0.55), width, high - low + small * 1.1, fill=False, linewidth=0.6))


def _block(page: Axes, rows: Sequence[tuple[str, str]], *, x: float, low: float, width: float, small: float) -> None:
    """The title block: a row a label, with its text or room to sign."""
    high, split = small * _BLOCK_ROW, x + width * 0.3
    for n, (label, text) in enumerate(reversed(rows)):
        y = low + n * high
        page.add_patch(Rectangle((x, y), width, high, fill=False, linewidth=0.4, gid=f"title_block_{label}"))
        write(page, x + 1.2, y + high / 2, label, size=small * 0.82, up="center")
        room = wrapped(text, width_mm=x + width - split - 2.0, size=small * 0.82) if text else []
        write(page, split + 1.0, y + high / 2, room[0] if room else "", size=small * 0.82 if len(room) < 2 else small * 0.7, up="center")
    if rows:
        page.plot([split, split], [low, low + len(rows) * high], color="#1a1a1a", linewidth=0.4)


def _foot(page: Axes, paper: Paper, notes: SheetNotes, denominator: float, grid_note: str) -> None:
    left, low, right, _ = paper.frame
    small = paper.text_pt
    y = low - small * 1.1
    for n, line in enumerate((f"坐标系统:{notes.crs_text}", f"数据时点:{notes.vintage}", f"{grid_note};箭头指坐标北")):
        write(page, left, y - n * small * 0.55, line, size=small, up="top")
    bar = scale_bar(denominator, room_mm=paper.width * 0.22)
    centre = (left + right) / 2 + small * 1.5
    write(page, centre, y, f"1:{denominator:,.0f}({paper.name}图幅)".replace(",", " "), size=small * 1.25, across="center", up="top")
    draw_scale_bar(page, bar, x=centre - bar.length_mm / 2, y=y - small * 1.78, size=small * 0.9)
    edge = paper.width - small * 0.9
    for n, line in enumerate((f"编制单位:{notes.office or '未注明'}", f"制图日期:{notes.date}")):
        write(page, edge, y - n * small * 0.58, line, size=small, across="right", up="top")


def _synthetic_mark(page: Axes, paper: Paper, notes: SheetNotes) -> None:
    small = paper.text_pt
    edge = paper.width - small * 0.9
    mark = write(page, edge - small * 0.3, paper.height - small * 1.2, MARK, size=small * 1.8, colour=_RED, across="right", up="center")
    mark.set_bbox({"boxstyle": "square,pad=0.25", "edgecolor": _RED, "facecolor": "white", "linewidth": 1.2})
    mark.set_gid("synthetic_mark")
    text = mark_text(notes.synthetic) + "。合成数据仅供演示，不得作为审批依据。"
    for n, line in enumerate(wrapped(text, width_mm=paper.width - paper.frame[0] - small * 2, size=small)[:2]):
        write(page, paper.frame[0], small * 0.62 - n * small * 0.42, line, size=small * 0.9, colour=_RED)
