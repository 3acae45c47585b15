"""Course of an index on some parcels with season and alarm (地块时序曲线)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from qianmo.reports.fonts import map_font, visible_text

__all__ = ["ParcelCourse", "series_chart"]


@dataclass(frozen=True)
class ParcelCourse:
    """One parcel (地块时序): title, values at the dates (nan = not seen), the season expected, its spread, date of the alarm."""

    title: str
    values: np.ndarray
    season: np.ndarray
    sigma: float
    alarm: date | None


def series_chart(courses: Sequence[ParcelCourse], days: Sequence[date], *, history_end: date, index: str, title: str, notes: Sequence[str], dpi: int = 130) -> bytes:
    """One panel a parcel: seen values, expected season with two standard deviations, alarm (时序曲线).

    Parameters
    ----------
    courses : sequence of ParcelCourse
        One to four.
    days : sequence of date
    history_end : date
        Up to here the season was learnt; shaded after.
    index : str
        Name of the index for the axis.
    title, notes
        Heading, and lines printed below.

    Returns
    -------
    bytes
        PNG.
    """
    count = min(len(courses), 4)
    high = 1.5 + 2.3 * count
    figure = Figure(figsize=(11.7, high), dpi=dpi)
    FigureCanvasAgg(figure)
    when = np.array(days, dtype="datetime64[D]")
    for k, course in enumerate(courses[:count]):
        axes = figure.add_axes((0.07, (0.75 + 2.3 * (count - 1 - k)) / high, 0.90, 1.75 / high))
        axes.axvspan(date2num(history_end), date2num(days[-1]), color="#f1efe6", linewidth=0)
        axes.fill_between(when, course.season - 2 * course.sigma, course.season + 2 * course.sigma, color="#3b7d4f", alpha=0.15, linewidth=0)
        axes.plot(when, course.season, color="#3b7d4f", linewidth=1.2, label="历史季节模型与两倍中误差")
        axes.plot(when, course.values, linestyle="", marker="o", markersize=3.5, color="#1f5f99", label="看清的观测")
        if course.alarm is not None:
            axes.axvline(date2num(course.alarm), color="#c8102e", linewidth=1.2, linestyle="--", label=f"告警起点 {course.alarm}")
        axes.set_ylabel(index, fontproperties=map_font(9))
        axes.set_title(visible_text(course.title), fontproperties=map_font(10), loc="left", pad=3)
        axes.grid(color="#dddddd", linewidth=0.5)
        axes.set_xlim(when[0], when[-1])
        axes.legend(prop=map_font(8), frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=3, borderpad=0.1)
        for mark in (*axes.get_xticklabels(), *axes.get_yticklabels()):
            mark.set_fontproperties(map_font(8))
    figure.text(0.5, 1 - 0.35 / high, visible_text(title), ha="center", fontproperties=map_font(14))
    figure.text(0.02, 0.12 / high, visible_text("  ".join(notes)), fontproperties=map_font(8), color="#555555")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
