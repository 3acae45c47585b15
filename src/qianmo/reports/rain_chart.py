"""Mean rain of the months as bars (各月平均降水量图)."""

from __future__ import annotations

import io
import textwrap

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qianmo.reports.fonts import map_font, visible_text
from qianmo.reports.marks import mark_text
from qianmo.reports.table_nature import station_label
from qianmo.reports.typography import cell_text
from qianmo.schema.book import BookMap

__all__ = ["rain_chart"]

_SIZE_MM = (297.0, 210.0)
_MM_PER_INCH = 25.4
_MOST_STATIONS = 4
_RED = "#c8102e"
_COLOURS = (("#1f5f99", "#a9c6e3"), ("#b5651d", "#e6c7a3"), ("#3b7d4f", "#b5d8bf"), ("#6b4c8f", "#cfc0e0"))
"""Bar of a month of the flood season, and of another, for each station."""


def rain_chart(months: pd.DataFrame, summary: pd.DataFrame, *, synthetic: tuple[str, ...] = (), dpi: int = 150) -> BookMap:
    """Bars of the mean rain of each month (各月平均降水量图).

    Parameters
    ----------
    months, summary : DataFrame
        Tables ``rain_month`` and ``rain_summary``; the first four stations are drawn, months without a whole one stay blank.
    synthetic : tuple of str
        Labels of invented rain; printed in red.

    Returns
    -------
    BookMap
        A sheet of A4 with the key ``rain_month``; the months of the flood season are darker, the numbers those of the table.
    """
    shown = summary.head(_MOST_STATIONS).to_dict("records")
    figure = Figure(figsize=(_SIZE_MM[0] / _MM_PER_INCH, _SIZE_MM[1] / _MM_PER_INCH), dpi=dpi)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.09, 0.17, 0.86, 0.67))
    width = 0.76 / len(shown)
    for k, station in enumerate(shown):
        mine = months[months["station_id"] == station["station_id"]].sort_values("month")
        height = mine["mean_mm"].to_numpy(float)
        place = mine["month"].to_numpy() + (k - (len(shown) - 1) / 2) * width
        dark, pale = _COLOURS[k]
        bars = axes.bar(place, np.nan_to_num(height), width * 0.94, color=[dark if f else pale for f in mine["is_flood_season"]], label=visible_text(station_label(station["station_id"], station["station_name"])))
        if len(shown) <= 2:
            for bar, value in zip(bars, height):
                if np.isfinite(value):
                    axes.annotate(cell_text(value, "0.0"), (bar.get_x() + bar.get_width() / 2, value), xytext=(0, 3), textcoords="offset points", ha="center", fontproperties=map_font(10))
    axes.set_xticks(range(1, 13), [f"{m}月" for m in range(1, 13)])
    axes.set_ylabel("月平均降水量（毫米）", fontproperties=map_font(12))
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontproperties(map_font(11))
    axes.set_axisbelow(True)
    axes.grid(True, axis="y", linewidth=0.4, color="#d5d5d5")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.margins(y=0.1)
    if len(shown) > 1:
        axes.legend(prop=map_font(11), frameon=False)
    figure.text(0.5, 0.91, "各月平均降水量图", ha="center", fontproperties=map_font(18))
    note = _note(shown, len(summary))
    figure.text(0.5, 0.05, "\n".join(textwrap.wrap(visible_text(note), 62)), ha="center", va="bottom", fontproperties=map_font(10), color="#333333")
    if synthetic:
        figure.text(0.5, 0.015, visible_text(mark_text(synthetic)), ha="center", fontproperties=map_font(11), color=_RED)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return BookMap("rain_month", "各月平均降水量图", out.getvalue(), note, synthetic, _SIZE_MM)


def _note(shown: list[dict[str, object]], count: int) -> str:
    first = shown[0]
    named = "、".join(station_label(s["station_id"], s["station_name"]) for s in shown) + (f"等{count}个站中的前{len(shown)}个" if count > len(shown) else "")
    begin, end = (min(str(s["first_day"]) for s in shown), max(str(s["last_day"]) for s in shown))
    return f"雨量站：{named}；资料 {begin} 至 {end}，只取无缺测的月份；深色为汛期（{first['flood_first_month']}月至{first['flood_last_month']}月）。"
