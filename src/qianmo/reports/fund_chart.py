"""Money in, money out and what is left by year (资金平衡图)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from qianmo.reports.fonts import map_font, visible_text

__all__ = ["fund_chart"]

_IN, _OUT, _LINES = "#2e75b6", "#b5651d", ("#a61c1c", "#3c7d3c", "#7b4f9d", "#2b8a8a")
_YUAN_PER_WAN = 1e4
_THOUSANDS = FuncFormatter(lambda x, _: f"{x:,.0f}")


def fund_chart(
    income_yuan: Sequence[float], uses_yuan: Sequence[float], balances_yuan: Mapping[str, Sequence[float]], *, title: str, base_year: int, mark: str = "", kind: str = "png"
) -> bytes:
    """Bars of income and uses, lines of balances, in ten thousand yuan (资金平衡图).

    Parameters
    ----------
    income_yuan, uses_yuan : sequence of float, (years,)
        Both positive; uses are drawn downward.
    balances_yuan : mapping of Chinese name to sequence of float, (years,)
        Cumulative balance, accounts.
    title, mark : str
        Heading, and what invented data it rests on.
    base_year : int
        Calendar year of the first year.
    kind : 'png' or 'pdf'

    Returns
    -------
    bytes
    """
    years = base_year + np.arange(len(income_yuan))
    figure = Figure(figsize=(8.4, 4.6), dpi=160)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.bar(years, np.asarray(income_yuan) / _YUAN_PER_WAN, color=_IN, label="收入", width=0.7)
    axes.bar(years, -np.asarray(uses_yuan) / _YUAN_PER_WAN, color=_OUT, label="支出", width=0.7)
    for k, (name, values) in enumerate(balances_yuan.items()):
        axes.plot(years, np.asarray(values) / _YUAN_PER_WAN, color=_LINES[k % len(_LINES)], marker="o", markersize=3, linewidth=1.6, label=visible_text(name))
    axes.axhline(0, color="#333333", linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(_THOUSANDS)
    axes.set_xlabel("年份", fontproperties=map_font(9))
    axes.set_ylabel("万元", fontproperties=map_font(9))
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontproperties(map_font(9))
    axes.grid(True, axis="y", linewidth=0.3, color="#dddddd")
    axes.set_axisbelow(True)
    axes.legend(prop=map_font(9), frameon=False, ncols=min(2 + len(balances_yuan), 4), loc="upper center", bbox_to_anchor=(0.5, 1.1))
    figure.suptitle(visible_text(title), fontproperties=map_font(12))
    if mark:
        figure.text(0.995, 0.005, visible_text(mark), ha="right", va="bottom", fontproperties=map_font(7), color="#a61c1c")
    figure.tight_layout(rect=(0.0, 0.02, 1.0, 0.98))
    out = io.BytesIO()
    figure.savefig(out, format=kind, metadata={"CreationDate": None} if kind == "pdf" else {"Software": None})
    return out.getvalue()
