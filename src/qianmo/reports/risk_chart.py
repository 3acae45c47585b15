"""Charts of a risk run: tornado, spider, distribution, fan of the coverage (风险分析图)."""

from __future__ import annotations

import io
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from qianmo.reports.fonts import map_font, visible_text

__all__ = ["coverage_chart", "distribution_chart", "spider_chart", "tornado_chart"]

_INK, _LOW, _HIGH, _WARN = "#1f4e79", "#b5651d", "#2e75b6", "#a61c1c"
_WIDE = 60
_COLOURS = ("#1f4e79", "#b5651d", "#3c7d3c", "#7b4f9d", "#a61c1c", "#2b8a8a", "#6b6b6b", "#b08a00")
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_THOUSANDS = FuncFormatter(lambda x, _: f"{x:,.6g}")
_BOX = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


def tornado_chart(table: pd.DataFrame, *, title: str, label: str, scale: float = 1.0, kind: str = "png", mark: str = "", most: int = 12) -> bytes:
    """Bars from the figure at each input's low to that at its high percentile (龙卷风图).

    Parameters
    ----------
    table : DataFrame
        As `sensitivity.tornado` gives it: ``zh, low_value, high_value, at_low, at_high, base``.
    title, label : str
        Heading and what the axis shows, with its unit.
    scale : float
        The figures are divided by it for the axis.
    kind : 'png' or 'pdf'
    mark : str
        What invented data it rests on.
    most : int
        Inputs shown, the widest.

    Returns
    -------
    bytes
        Inputs that do not move the figure are left out and counted below.
    """
    moving = table[table["swing"] > 0].head(most).iloc[::-1]
    still = len(table) - int((table["swing"] > 0).sum())
    figure, axes = _page(7.6, 1.6 + 0.42 * max(len(moving), 1))
    base = float(table["base"].iloc[0]) / scale
    low, high = moving["at_low"].to_numpy() / scale, moving["at_high"].to_numpy() / scale
    places = np.arange(len(moving))
    for ends, colour, words, values in ((low, _LOW, "低值 (P10)", moving["low_value"]), (high, _HIGH, "高值 (P90)", moving["high_value"])):
        axes.barh(places, ends - base, left=base, color=colour, height=0.62, label=words)
        for y, x, value in zip(places, ends, values, strict=True):
            right = x >= base
            axes.annotate(f"{value:.3g}", (x, y), xytext=(4 if right else -4, 0), textcoords="offset points", va="center", ha="left" if right else "right",
                          fontproperties=map_font(7), color="#444444")  # fmt: skip
    axes.axvline(base, color="#333333", linewidth=0.9)
    axes.set_yticks(places, [visible_text(str(z)) for z in moving["zh"]])
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(_THOUSANDS)
    axes.legend(prop=map_font(8), loc="lower right", frameon=False)
    note = f"基准值 {base:,.2f}" + (f"; 另有 {still} 个因素不影响该指标" if still else "")
    return _finished(figure, axes, title, label, "", note, mark, kind)


def distribution_chart(
    values: np.ndarray, *, title: str, label: str, scale: float = 1.0, target: float = 0.0, target_words: str = "", kind: str = "png", mark: str = ""
) -> bytes:
    """Histogram of a figure with its cumulative curve, percentiles and the chance of falling short (概率分布图).

    Parameters
    ----------
    values : array (scenarios,)
        nan where the figure does not exist; those are counted below.
    title, label : str
    scale : float
        The values are divided by it for the axis.
    target : float
        Value below which the project falls short, before scaling.
    target_words : str
        What the target is.
    kind : 'png' or 'pdf'
    mark : str

    Returns
    -------
    bytes
        The curve reads on the right: the share of scenarios below.
    """
    known = np.sort(values[~np.isnan(values)]) / scale
    figure, axes = _page(7.0, 4.3)
    if len(known) == 0:
        axes.text(0.5, 0.5, "没有可显示的情景", transform=axes.transAxes, ha="center", fontproperties=map_font(11))
        return _finished(figure, axes, title, label, "", "", mark, kind)
    low, high = np.quantile(known, [0.001, 0.999])
    edges = np.linspace(low, high, 61) if high > low else np.array([low - 0.5, low + 0.5])
    counts, _ = np.histogram(known, edges)
    middle = (edges[:-1] + edges[1:]) / 2
    short = target / scale
    colours = [_WARN if m < short else _HIGH for m in middle]
    axes.bar(middle, counts / len(known), width=np.diff(edges), color=colours, edgecolor="white", linewidth=0.3)
    axes.set_ylabel("情景比例", fontproperties=map_font(9))
    curve = axes.twinx()
    curve.plot(known[:: max(len(known) // 2000, 1)], np.linspace(0, 1, len(known))[:: max(len(known) // 2000, 1)], color="#333333", linewidth=1.2)
    curve.set_ylim(0, 1.02)
    curve.set_ylabel("累计概率", fontproperties=map_font(9))
    curve.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    curve.spines["top"].set_visible(False)
    curve.set_xlim(edges[0], edges[-1])
    axes.xaxis.set_major_formatter(_THOUSANDS)
    _ticks(curve)
    for share in (0.1, 0.5, 0.9):
        value = float(np.quantile(known, share))
        curve.plot([value, value], [0, share], color="#777777", linewidth=0.8, linestyle=":")
        curve.annotate(f"P{100 * share:g}  {value:,.4g}", (value, share), xytext=(5, -3), textcoords="offset points", fontproperties=map_font(8), va="top", bbox=_BOX)
    if low < short < high:
        axes.axvline(short, color=_WARN, linewidth=1.0)
    chance = float((known < short).mean())
    note = f"{target_words or '低于目标'} 的概率 {chance:.1%} (红色); {len(known):,} 个情景" + (f", 另有 {len(values) - len(known):,} 个情景无此指标" if len(known) < len(values) else "")
    return _finished(figure, axes, title, label, "", note, mark, kind)


def coverage_chart(fan: pd.DataFrame, *, title: str = "各年偿债备付率", asked: float = 1.0, base_year: int = 0, kind: str = "png", mark: str = "") -> bytes:
    """Bands of the coverage in every year of the loan (偿债备付率扇形图).

    Parameters
    ----------
    fan : DataFrame
        As `tables.coverage_fan`: ``year`` and percentile columns from the lowest to the highest.
    title : str
    asked : float
        Coverage that must be reached, a line.
    base_year : int
        Calendar year of year 1; 0 shows the number of the year.
    kind : 'png' or 'pdf'
    mark : str

    Returns
    -------
    bytes
        The outer band holds the share between the first and the last percentile, the line is the middle one.
    """
    figure, axes = _page(7.0, 4.0)
    marks = [c for c in fan.columns if c != "year"]
    years = fan["year"].to_numpy() + (base_year - 1 if base_year else 0)
    for k in range(len(marks) // 2):
        low, high = fan[marks[k]].to_numpy(), fan[marks[-1 - k]].to_numpy()
        axes.fill_between(years, low, high, color=_HIGH, alpha=0.22 + 0.2 * k, linewidth=0, label=f"{marks[k].upper()}–{marks[-1 - k].upper()}")
    if len(marks) % 2:
        axes.plot(years, fan[marks[len(marks) // 2]], color=_INK, linewidth=1.6, label=marks[len(marks) // 2].upper())
    axes.axhline(1.0, color=_WARN, linewidth=1.0)
    if asked != 1.0:
        axes.axhline(asked, color=_WARN, linewidth=1.0, linestyle="--", label=f"要求 {asked:g}")
    reach = fan[marks].to_numpy() if len(fan) else np.ones((1, 1))
    axes.set_ylim(min(0.0, float(np.nanmin(reach))), 1.18 * max(float(np.nanmax(reach)), asked))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(prop=map_font(8), frameon=False, loc="upper left", ncols=4)
    return _finished(figure, axes, title, "年份" if base_year else "年序", "偿债备付率 (现金口径)", "红线为 1: 当年现金刚够还本付息", mark, kind)


def spider_chart(table: pd.DataFrame, *, title: str, label: str, scale: float = 1.0, kind: str = "png", mark: str = "", most: int = 8) -> bytes:
    """The figure along relative changes of each input (蛛网图).

    Parameters
    ----------
    table : DataFrame
        As `sensitivity.spider` gives it: ``input, zh, change, figure, coefficient``.
    title, label : str
        Heading and what the upright axis shows, with its unit.
    scale : float
        The figures are divided by it for the axis.
    kind : 'png' or 'pdf'
    mark : str
    most : int
        Inputs drawn, the steepest.

    Returns
    -------
    bytes
        Inputs whose line is level are left out; the sensitivity coefficient stands behind each name.
    """
    figure, axes = _page(7.2, 4.4)
    spans = table.groupby("input", sort=False)["figure"].agg(lambda x: x.max() - x.min())
    steep = [n for n in spans.sort_values(ascending=False, kind="stable").index[:most] if spans[n] > 0]
    for n, name in enumerate(steep):
        mine = table[table["input"] == name].sort_values("change")
        strength = float(mine["coefficient"].iloc[-1])
        words = visible_text(f"{mine['zh'].iloc[0]} ({strength:+.2f})" if np.isfinite(strength) else str(mine["zh"].iloc[0]))
        axes.plot(mine["change"], mine["figure"] / scale, color=_COLOURS[n % len(_COLOURS)], marker=_MARKS[n % len(_MARKS)], markersize=4, linewidth=1.3, label=words)
    axes.axvline(0.0, color="#999999", linewidth=0.7)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(_THOUSANDS)
    if steep:
        axes.legend(prop=map_font(8), frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), title="因素 (敏感度系数)", title_fontproperties=map_font(8))
    still = table["input"].nunique() - len(steep)
    return _finished(figure, axes, title, "因素变化率", label, f"另有 {still} 个因素未画出" if still else "", mark, kind)


def _page(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=160)
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _ticks(axes: Axes) -> None:
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontproperties(map_font(8))


def _finished(figure: Figure, axes: Axes, title: str, across: str, up: str, note: str, mark: str, kind: str) -> bytes:
    axes.set_xlabel(visible_text(across), fontproperties=map_font(9))
    if up:
        axes.set_ylabel(visible_text(up), fontproperties=map_font(9))
    _ticks(axes)
    axes.grid(True, axis="x", linewidth=0.3, color="#dddddd")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    lines = [line for text in (note, mark) if text for line in textwrap.wrap(text, _WIDE)]
    figure.suptitle(visible_text(title), fontproperties=map_font(12))
    figure.text(0.5, 0.012, visible_text("\n".join(lines)), ha="center", va="bottom", fontproperties=map_font(8), color="#444444")
    figure.tight_layout(rect=(0, (0.08 + 0.15 * len(lines)) / figure.get_figheight(), 1, 0.99))
    out = io.BytesIO()
    figure.savefig(out, format=kind, metadata={"CreationDate": None} if kind == "pdf" else {"Software": None})
    return out.getvalue()
