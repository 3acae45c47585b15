"""Schemes of a distribution side by side as bars (分配方案对照图)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qianmo.finance.distribution.fairness import FairnessRow
from qianmo.finance.distribution.schemes import SCHEME_WORDS
from qianmo.reports.fonts import map_font, visible_text

__all__ = ["scheme_chart"]

_COLOURS = ("#1f4e79", "#b5651d", "#5b8c5a", "#8c6bb1", "#c2a83e", "#7f7f7f", "#c8102e", "#2a9d8f")
_FEN_PER_WAN = 1e6
_WIDTH = 0.8


def scheme_chart(rows: Sequence[FairnessRow], names: Mapping[str, str], *, title: str, mark: str = "", kind: str = "png") -> bytes:
    """One group of bars a scheme, one bar a party, in ten thousand yuan (方案对照图).

    Under each scheme stands whether it lies in the core, where that was tested.

    Parameters
    ----------
    rows : sequence of FairnessRow
        At least one, all of the same parties.
    names : mapping of party to Chinese name
    title, mark : str
        Heading, and what invented data it rests on.
    kind : 'png' or 'pdf'

    Returns
    -------
    bytes
    """
    parties = list(rows[0].amounts_fen)
    figure = Figure(figsize=(max(1.7 * len(rows) + 1.5, 6.5), 4.8), dpi=160)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    wide = _WIDTH / len(parties)
    for k, party in enumerate(parties):
        values = np.array([r.amounts_fen[party] for r in rows]) / _FEN_PER_WAN
        at = np.arange(len(rows)) + (k - (len(parties) - 1) / 2) * wide
        bars = axes.bar(at, values, wide * 0.92, color=_COLOURS[k % len(_COLOURS)], label=visible_text(names.get(party, party)))
        axes.bar_label(bars, labels=[f"{v:,.1f}" for v in values], padding=2, fontproperties=map_font(7), rotation=90 if wide < 0.17 else 0)
    axes.set_xticks(range(len(rows)), [visible_text(_label(r)) for r in rows])
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontproperties(map_font(9))
    axes.axhline(0, color="#333333", linewidth=0.8)
    axes.set_ylabel("万元", fontproperties=map_font(9))
    axes.grid(True, axis="y", linewidth=0.3, color="#dddddd")
    axes.set_axisbelow(True)
    axes.margins(y=0.16)
    axes.legend(prop=map_font(9), frameon=False, ncols=min(len(parties), 4), loc="upper center", bbox_to_anchor=(0.5, 1.1))
    figure.suptitle(visible_text(title), fontproperties=map_font(12))
    if mark:
        figure.text(0.5, 0.012, visible_text(mark), ha="center", fontproperties=map_font(8), color="#c8102e")
    figure.tight_layout(rect=(0, 0.035 if mark else 0, 1, 0.99))
    out = io.BytesIO()
    figure.savefig(out, format=kind, metadata={"CreationDate": None} if kind == "pdf" else {"Software": None})
    return out.getvalue()


def _label(row: FairnessRow) -> str:
    core = "" if row.core is None else "在核心内" if row.core.in_core else "不在核心内"
    return "\n".join(filter(None, (SCHEME_WORDS.get(row.scheme, row.scheme), core)))

