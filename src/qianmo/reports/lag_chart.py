"""F1 of a detector by the delay that is allowed, with its interval (时滞精度图)."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qianmo.reports.fonts import map_font, visible_text

__all__ = ["lag_chart"]


def lag_chart(scores: pd.DataFrame, *, title: str, note: str, dpi: int = 130) -> bytes:
    """Points with whiskers of 95 %, a panel wide as half a page (时滞精度图).

    Parameters
    ----------
    scores : DataFrame
        lag_days, f1, low, high, hits, false_alarms, misses; rows without a score (nan) are left out.
    title, note : str
        Heading, and the line below.

    Returns
    -------
    bytes
        PNG.
    """
    known = scores[np.isfinite(scores["f1"])]
    figure = Figure(figsize=(7.2, 4.2), dpi=dpi)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.11, 0.20, 0.85, 0.66))
    place = np.arange(len(known))
    whisker = np.array([known["f1"] - known["low"], known["high"] - known["f1"]])
    axes.errorbar(place, known["f1"], yerr=np.maximum(whisker, 0.0), color="#1f5f99", marker="o", capsize=4, linewidth=1.2)
    for x, row in zip(place, known.itertuples()):
        axes.annotate(f"{row.f1:.2f}", (x, row.f1), xytext=(7, 5), textcoords="offset points", fontproperties=map_font(9))
    axes.set_xticks(place, [f"{v:.0f}" for v in known["lag_days"]])
    axes.set_ylim(0, 1.05)
    axes.set_xlim(-0.4, max(len(known) - 0.4, 0.6))
    axes.set_xlabel("允许的时滞 (天)", fontproperties=map_font(10))
    axes.set_ylabel("F1 与 95% 区间", fontproperties=map_font(10))
    axes.grid(color="#dddddd", linewidth=0.5)
    for mark in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        mark.set_fontproperties(map_font(9))
    figure.text(0.5, 0.92, visible_text(title), ha="center", fontproperties=map_font(13))
    figure.text(0.02, 0.03, visible_text(note), fontproperties=map_font(8), color="#555555")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
