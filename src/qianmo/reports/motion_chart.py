"""Map of rates and the course of points (形变速率图与时序曲线)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qianmo.geo.raster import Grid
from qianmo.reports.fonts import map_font, visible_text
from qianmo.reports.motion_sheet import coarse

__all__ = ["Course", "motion_chart"]

_COLOURS = ("#1f5f99", "#b5651d", "#3b7d4f")


@dataclass(frozen=True)
class Course:
    """Series of one point (点时序): name, row and column, displacement [mm] at each date, its fit and its half width."""

    name: str
    row: int
    column: int
    moved_mm: np.ndarray
    fit_mm: np.ndarray
    half_width_mm: float


def motion_chart(rate: Grid, courses: Sequence[Course], days: Sequence[date], *, title: str, unit: str, notes: Sequence[str], dpi: int = 150) -> bytes:
    """Rate map beside the series of some points (速率图与时序).

    Parameters
    ----------
    rate : Grid
        Rate; nan outside.
    courses : sequence of Course
        At most three.
    days : sequence of date
    title, unit : str
        Heading and what is mapped, e.g. 垂直向速率（毫米/年）.
    notes : sequence of str
        Reference, assumption, coherence: printed below.

    Returns
    -------
    bytes
        PNG; a diverging scale centred on 0 and cut at the 2nd and 98th percentile, dotted lines are the fits, bands their 68 % intervals of the date.
    """
    figure = Figure(figsize=(11.7, 6.2), dpi=dpi)
    FigureCanvasAgg(figure)
    left, bottom, wide, high = 0.07, 0.17, 0.42, 0.70
    axes = figure.add_axes((left, bottom, wide, high))
    shown = coarse(rate)
    values = np.where(shown.valid, shown.values, np.nan).astype(float)
    limit = max(float(np.nanmax(np.abs(np.nanpercentile(values, [2, 98])))), 1.0)
    rows, columns = rate.values.shape
    t = rate.transform
    extent = (t.c, t.c + columns * t.a, t.f + rows * t.e, t.f)
    picture = axes.imshow(values, cmap="RdBu", vmin=-limit, vmax=limit, extent=extent, interpolation="nearest")
    if rate.crs.is_geographic:
        axes.set_aspect(1.0 / np.cos(np.radians((extent[2] + extent[3]) / 2)))
    bar = figure.colorbar(picture, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label(unit, fontproperties=map_font(10))
    axes.set_xlabel("经度（度）" if rate.crs.is_geographic else "东坐标（米）", fontproperties=map_font(10))
    axes.set_ylabel("纬度（度）" if rate.crs.is_geographic else "北坐标（米）", fontproperties=map_font(10))
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.locator_params(axis="x", nbins=4)
    side = figure.add_axes((0.64, bottom, 0.33, high))
    when = np.array(days, dtype="datetime64[D]")
    for course, colour in zip(courses[: len(_COLOURS)], _COLOURS):
        x, y = t.c + (course.column + 0.5) * t.a, t.f + (course.row + 0.5) * t.e
        axes.plot([x], [y], marker="o", markersize=7, markerfacecolor="none", markeredgecolor=colour, markeredgewidth=1.8)
        side.plot(when, course.moved_mm, marker="o", markersize=3.5, color=colour, linewidth=1.0, label=visible_text(course.name))
        side.plot(when, course.fit_mm, color=colour, linewidth=1.0, linestyle=":")
        side.fill_between(when, course.fit_mm - course.half_width_mm, course.fit_mm + course.half_width_mm, color=colour, alpha=0.12, linewidth=0)
    side.set_ylabel("累计形变（毫米）", fontproperties=map_font(10))
    side.grid(color="#dddddd", linewidth=0.5)
    side.legend(prop=map_font(9), frameon=False)
    side.tick_params(axis="x", rotation=35)
    for axis in (axes, side, bar.ax):
        for mark in (*axis.get_xticklabels(), *axis.get_yticklabels()):
            mark.set_fontproperties(map_font(8))
    figure.text(0.5, 0.94, visible_text(title), ha="center", fontproperties=map_font(15))
    figure.text(0.02, 0.03, visible_text("  ".join(notes)), fontproperties=map_font(8), color="#555555")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
