"""The front of several aims as a chart: one panel a pair of aims (前沿图)."""

from __future__ import annotations

import io
import itertools
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qianmo.reports.fonts import map_font, visible_text
from qianmo.schema.units import M2_PER_HA, MU_PER_HA

__all__ = ["front_chart"]

_SIZE = 4.6
_NEAR = 0.045
_LETTERS = 40
_INK, _HULL, _BOUND = "#1f4e79", "#9db7d5", "#b5651d"


def front_chart(points: pd.DataFrame, plans: pd.DataFrame, *, kind: str = "png", title: str = "多目标前沿", mark: str = "") -> bytes:
    """Chart of a front (前沿图).

    Parameters
    ----------
    points, plans : DataFrame
        Tables ``front_points`` and ``front_plans``.
    kind : 'png' or 'pdf'
    title, mark : str
        Heading, and what invented data it rests on.

    Returns
    -------
    bytes
        Full marks are plans of weightings, joined in the panel of two aims; hollow ones come from
        floors. Dotted lines are what no plan exceeds in one aim. Numbers are those of the tables.
    """
    aims = points.drop_duplicates("aim")
    pairs = list(itertools.combinations(range(len(aims)), 2))
    columns = min(len(pairs), 3)
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(_SIZE * columns + 0.6, _SIZE * rows + 0.7), dpi=160)
    FigureCanvasAgg(figure)
    for at, (i, j) in enumerate(pairs, 1):
        _panel(figure.add_subplot(rows, columns, at), points, plans, aims.iloc[i], aims.iloc[j], joined=len(pairs) == 1)
    lines = textwrap.wrap(mark, int(columns * _LETTERS))
    figure.suptitle(visible_text(title), fontproperties=map_font(12))
    figure.text(0.5, 0.008, visible_text("实心: 加权求得  空心: 目标下限求得  虚线: 单项目标的上界" + "".join(f"\n{line}" for line in lines)), ha="center", fontproperties=map_font(8), color="#444444")
    figure.tight_layout(rect=(0, (0.25 + 0.13 * len(lines)) / figure.get_figheight(), 1, 0.99))
    out = io.BytesIO()
    figure.savefig(out, format=kind, metadata={"CreationDate": None} if kind == "pdf" else {"Software": None})
    return out.getvalue()


def _panel(axes: Axes, points: pd.DataFrame, plans: pd.DataFrame, first: pd.Series, second: pd.Series, *, joined: bool) -> None:
    x, y = (_shown(points[points["aim"] == a["aim"]]["amount"].to_numpy(), a) for a in (first, second))
    floored = (plans["question"] == "floors").to_numpy()
    if joined:
        weighted = np.flatnonzero(~floored)
        axes.plot(x[weighted], y[weighted], "-", color=_HULL, linewidth=1.2, zorder=1)
    axes.scatter(x[~floored], y[~floored], s=34, color=_INK, zorder=3)
    axes.scatter(x[floored], y[floored], s=34, facecolors="white", edgecolors=_INK, zorder=3)
    for number, a, b in _apart(plans["number"].to_numpy(), x, y):
        axes.annotate(str(number), (a, b), xytext=(5, 4), textcoords="offset points", fontproperties=map_font(8))
    for aim, line in ((first, axes.axvline), (second, axes.axhline)):
        limit = _shown(np.array([aim["ideal_points"] / aim["points_per_unit"]]), aim)[0]
        if np.isfinite(limit):
            line(limit, linestyle=":", color=_BOUND, linewidth=1.0)
    axes.set_xlabel(_label(first), fontproperties=map_font(9))
    axes.set_ylabel(_label(second), fontproperties=map_font(9))
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontproperties(map_font(8))
    axes.ticklabel_format(style="plain", useOffset=False)
    axes.grid(True, linewidth=0.3, color="#dddddd")
    axes.margins(0.08)


def _apart(number: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[tuple[int, float, float]]:
    """Marks whose numbers do not run into one another: those too near to a numbered one go without."""
    wide, high = (float(np.ptp(v)) or 1.0 for v in (x, y))
    shown: list[tuple[int, float, float]] = []
    for k, a, b in zip(number.tolist(), x.tolist(), y.tolist()):
        if all(abs(a - p) / wide + abs(b - q) / high > _NEAR for _, p, q in shown):
            shown.append((k, a, b))
    return shown


def _shown(amount: np.ndarray, aim: pd.Series) -> np.ndarray:
    """Amounts in the unit of the axis; saved cost is shown as cost."""
    if aim["unit"] == "m2":
        return amount / M2_PER_HA * MU_PER_HA
    if aim["unit"] == "yuan":
        return (-amount if aim["aim"] == "cost" else amount) / 1e4
    return amount


def _label(aim: pd.Series) -> str:
    if aim["aim"] == "cost":
        return "工程费 (万元, 越少越好)"
    unit = {"m2": "亩", "yuan": "万元", "m": "米"}.get(str(aim["unit"]), str(aim["unit"]))
    return visible_text(f"{aim['zh']} ({unit}, 越多越好)")
