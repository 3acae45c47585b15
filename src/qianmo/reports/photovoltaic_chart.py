"""Monthly energy of a photovoltaic plant as a chart (月发电量图)."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qianmo.reports.fonts import map_font, visible_text

__all__ = ["monthly_chart"]

_BAR, _LINE = "#d98e04", "#1f4e79"


def monthly_chart(energy_mwh: np.ndarray, plane_kwh_m2: np.ndarray, *, title: str, note: str = "", kind: str = "png") -> bytes:
    """Energy and light of the twelve months (月发电量图).

    Parameters
    ----------
    energy_mwh, plane_kwh_m2 : ndarray (12,)
        Energy fed in, shown as bars in 万千瓦时 with its number, and light on the modules as a line.
    title, note : str
        Heading, and a line under the chart.
    kind : 'png' or 'pdf'
    """
    figure = Figure(figsize=(8.0, 4.4), dpi=160)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    months, energy = np.arange(1, 13), np.asarray(energy_mwh, float) / 10.0
    axes.bar(months, energy, color=_BAR, width=0.72, zorder=2)
    for month, value in zip(months, energy):
        axes.annotate(f"{value:,.1f}" if energy.max() < 1000 else f"{value:,.0f}", (month, value), ha="center", va="bottom", fontproperties=map_font(7.5), xytext=(0, 1), textcoords="offset points")
    axes.set_ylim(0, max(float(energy.max()), 1e-9) * 1.16)
    axes.set_xticks(months, [f"{m}月" for m in months])
    axes.set_ylabel("发电量 (万千瓦时)", fontproperties=map_font(9))
    light = axes.twinx()
    light.plot(months, plane_kwh_m2, "o-", color=_LINE, linewidth=1.3, markersize=3.5)
    light.set_ylim(0, max(float(np.max(plane_kwh_m2)), 1e-9) * 1.35)
    light.set_ylabel("组件面辐射 (千瓦时/平方米，折线)", fontproperties=map_font(9), color=_LINE)
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels(), *light.get_yticklabels()):
        tick.set_fontproperties(map_font(8))
    axes.grid(True, axis="y", linewidth=0.3, color="#dddddd", zorder=0)
    figure.suptitle(visible_text(title), fontproperties=map_font(12))
    figure.text(0.5, 0.012, visible_text(note), ha="center", fontproperties=map_font(8), color="#444444")
    figure.tight_layout(rect=(0, 0.035 if note else 0, 1, 0.99))
    out = io.BytesIO()
    figure.savefig(out, format=kind, metadata={"CreationDate": None} if kind == "pdf" else {"Software": None})
    return out.getvalue()
