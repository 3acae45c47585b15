"""What stands around a map: grid, scale bar, north arrow, legend (图廓整饰)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyproj
from matplotlib.patches import Polygon, Rectangle

from qianmo.reports.fonts import map_font, visible_text
from qianmo.reports.map_paths import Extent
from qianmo.reports.map_style import Symbol
from qianmo.reports.typography import chinese_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

__all__ = ["ScaleBar", "coordinate_grid", "draw_legend", "draw_north", "draw_scale_bar", "lonlat_grid", "nice_at_most", "scale_bar", "text_width", "wrapped", "write"]

_MM_PER_PT = 25.4 / 72.0
_GRID = "#7d8b9a"
_INK = "#1a1a1a"
_DATUM_ZH = {"China Geodetic Coordinate System 2000": "2000国家大地坐标系", "Xian 1980": "1980西安坐标系", "Beijing 1954": "1954北京坐标系"}


@dataclass(frozen=True)
class ScaleBar:
    """A bar of round ground length (比例尺). `length_mm` on paper is exact for the denominator."""

    length_m: float
    length_mm: float
    parts: int


def nice_at_most(value: float, steps: Sequence[float] = (1.0, 2.0, 5.0)) -> float:
    """Largest of the steps times a power of ten that does not exceed `value`.

    Examples
    --------
    >>> nice_at_most(730.0)
    500.0
    """
    power = 10.0 ** math.floor(math.log10(value))
    return max(s * power for s in (*steps, steps[0] * 0.1) if s * power <= value * (1 + 1e-12))


def scale_bar(denominator: float, *, room_mm: float) -> ScaleBar:
    """The longest round bar that fits into `room_mm` at the scale 1:`denominator`."""
    length = nice_at_most(room_mm * denominator / 1000.0)
    first = round(length / 10.0 ** math.floor(math.log10(length)))
    return ScaleBar(length, length * 1000.0 / denominator, 5 if first == 5 else 4)


def write(page: Axes, x: float, y: float, text: str, *, size: float, colour: str = _INK, across: str = "left", up: str = "baseline", turn: float = 0) -> Text:
    """Text on the page in millimetres with the shipped font; no character vanishes, none is read as a formula."""
    return page.text(
        x, y, visible_text(chinese_text(text)), fontproperties=map_font(size), color=colour, ha=across, va=up, rotation=turn, parse_math=False
    )


def draw_scale_bar(page: Axes, bar: ScaleBar, *, x: float, y: float, size: float) -> None:
    """A black and white bar with its lengths, lower left corner at x, y [mm]."""
    step = bar.length_mm / bar.parts
    for n in range(bar.parts):
        fill = _INK if n % 2 == 0 else "white"
        page.add_patch(Rectangle((x + n * step, y), step, 1.6, facecolor=fill, edgecolor=_INK, linewidth=0.5))
    page.add_patch(Rectangle((x, y), bar.length_mm, 1.6, fill=False, edgecolor=_INK, linewidth=0.6, gid="scale_bar"))
    unit, factor = ("千米", 0.001) if bar.length_m >= 1000 else ("米", 1.0)
    for n in range(bar.parts + 1):
        value = f"{bar.length_m * factor * n / bar.parts:g}"
        write(page, x + n * step, y + 2.4, value, size=size, across="center")
    write(page, x + bar.length_mm + 4.5, y + 2.4, unit, size=size)


def draw_north(page: Axes, *, x: float, y: float, height: float = 18.0) -> None:
    """Arrow to grid north, centred at x, foot at y [mm]."""
    half = height * 0.21
    foot = (x, y + height * 0.18)
    tip = (x, y + height * 0.75)
    page.add_patch(Polygon([tip, (x - half, y), foot], facecolor=_INK, edgecolor=_INK, linewidth=0.6))
    page.add_patch(Polygon([tip, (x + half, y), foot], facecolor="white", edgecolor=_INK, linewidth=0.6))
    write(page, x, y + height * 0.79, "北", size=height * 0.7, across="center")


def draw_legend(page: Axes, symbols: Sequence[Symbol], *, x: float, top: float, width: float, height: float, size: float) -> float:
    """The legend from the top down, in two columns where one does not fit; returns the lower end y [mm]."""
    write(page, x + width / 2, top - size * 0.45, "图  例", size=size * 1.45, across="center", up="top")
    top -= size * 1.25
    columns = 1 if len(symbols) * size * 0.62 <= height - size else 2
    lines = max(math.ceil(len(symbols) / columns), 1)
    step = min(size * 0.72, (height - size * 1.4) / lines)
    small = min(size, step / 0.5) if columns == 1 else min(size * 0.75, step / 0.5)
    for n, symbol in enumerate(symbols):
        left = x + 2.0 + (n // lines) * width / columns
        box = step * (1.7 if columns == 1 else 1.2)
        _legend_row(page, symbol, left, top - (n % lines + 1) * step, box, step * 0.7, small, width / columns - box - 4.0)
    return top - lines * step


def coordinate_grid(axes: Axes, page: Axes, *, extent: Extent, frame_mm: Extent, size: float) -> str:
    """Lines of round project coordinates with figures at the frame; returns the unit note of the figures."""
    west, south, east, north = extent
    left, low, right, high = frame_mm
    per_mm = (east - west) / (right - left)
    step = nice_at_most(75.0 * per_mm)
    factor, unit = (0.001, "千米") if step >= 100 else (1.0, "米")
    digits = max(0, -math.floor(math.log10(step * factor) + 1e-9))
    clear = size * 0.9 * per_mm
    for value in _ticks(west, east, step):
        axes.plot([value, value], [south, north], color=_GRID, linewidth=0.25, zorder=20, alpha=0.8)
        if not west + clear <= value <= east - clear:
            continue
        for y, up in ((low - 1.0, "top"), (high + 0.8, "bottom")):
            write(page, left + (value - west) / per_mm, y, f"{value * factor:.{digits}f}", size=size, across="center", up=up)
    for value in _ticks(south, north, step):
        axes.plot([west, east], [value, value], color=_GRID, linewidth=0.25, zorder=20, alpha=0.8)
        if not south + clear <= value <= north - clear:
            continue
        for x, across in ((left - 1.0, "right"), (right + 1.0, "left")):
            write(page, x, low + (value - south) / per_mm, f"{value * factor:.{digits}f}", size=size, across=across, up="center", turn=90)
    return f"坐标网注记单位:{unit}"


def lonlat_grid(axes: Axes, page: Axes, crs: pyproj.CRS, *, extent: Extent, frame_mm: Extent, size: float) -> str:
    """Meridians and parallels at round minutes with figures at the frame; returns the note on the datum."""
    west, south, east, north = extent
    left, low, right, high = frame_mm
    per_mm = (east - west) / (right - left)
    datum = pyproj.CRS(crs.geodetic_crs)
    turn = pyproj.Transformer.from_crs(crs, datum, always_xy=True)
    lon0, lat0, lon1, lat1 = turn.transform_bounds(*extent, densify_pts=21)
    step = _angle_step(max((lon1 - lon0), (lat1 - lat0)) / 4.0)
    back = pyproj.Transformer.from_crs(datum, crs, always_xy=True)
    for value in _ticks(lon0, lon1, step):
        x, y = back.transform(np.full(50, value), np.linspace(lat0, lat1, 50))
        axes.plot(x, y, color=_GRID, linewidth=0.35, zorder=20)
        foot = np.interp(south, y, x)
        if west < foot < east:
            write(page, left + (foot - west) / per_mm, low - 1.0, _angle(value, "E"), size=size, across="center", up="top")
    for value in _ticks(lat0, lat1, step):
        x, y = back.transform(np.linspace(lon0, lon1, 50), np.full(50, value))
        axes.plot(x, y, color=_GRID, linewidth=0.35, zorder=20)
        side = np.interp(west, x, y)
        if south < side < north:
            write(page, left - 1.0, low + (side - south) / per_mm, _angle(value, "N"), size=size, across="right", up="center", turn=90)
    return f"经纬网基准:{_DATUM_ZH.get(datum.name, datum.name)}"


def text_width(text: str) -> float:
    """Width of a line in units of the font height."""
    return sum(0.58 if ord(c) < 0x2000 else 1.0 for c in chinese_text(text))


def wrapped(text: str, *, width_mm: float, size: float) -> list[str]:
    """Lines of text no wider than `width_mm`; a Chinese character is as wide as the font is high."""
    room, lines, line, used = width_mm / (size * _MM_PER_PT), [], "", 0.0
    for c in chinese_text(text):
        wide = 0.58 if ord(c) < 0x2000 else 1.0
        if c == "\n" or (used + wide > room and c not in "。，；：）、"):
            lines.append(line)
            line, used = "", 0.0
        if c != "\n":
            line, used = line + c, used + wide
    return [*lines, line] if line else lines


def _legend_row(page: Axes, symbol: Symbol, x: float, y: float, wide: float, high: float, size: float, room: float) -> None:
    width = max(symbol.width_pt, 0.4)
    patch = Rectangle((x, y), wide, high, facecolor=symbol.fill or "none", edgecolor=symbol.edge, linewidth=width, hatch=symbol.hatch * 2 or None)
    patch.set_hatchcolor("#00000073")
    patch.set_hatch_linewidth(0.25)
    page.add_patch(patch)
    longest = room / (size * _MM_PER_PT)
    fitting = size * min(1.0, longest / max(text_width(symbol.label), 1.0))
    write(page, x + wide + 2.0, y + high / 2, symbol.label, size=fitting, up="center_baseline")


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _angle_step(most: float) -> float:
    seconds = most * 3600.0
    steps = [s for s in (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 18000, 36000) if s <= seconds]
    return (steps[-1] if steps else 1) / 3600.0


def _angle(value: float, side: str) -> str:
    whole = round(abs(value) * 3600)
    degrees, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    return f"{degrees}°{minutes:02d}′" + (f"{seconds:02d}″" if seconds else "") + side
