"""Bars over years as a drawing in the page: places of bars and years, no script (横道图)."""

from __future__ import annotations

from typing import Any

import pandas as pd
from django.urls import reverse

from qianmo.web.pages.library_sheets import CLASS_MARK, class_word, state_word

__all__ = ["gantt"]

_LABEL, _YEAR, _ROW, _HEAD = 215, 92, 30, 34
_LETTERS = 15


def gantt(rows: pd.DataFrame) -> dict[str, Any]:
    """Sizes and places of a bar chart over years (横道图布局).

    Parameters
    ----------
    rows : DataFrame
        As `governance.library.board.bars` gives.

    Returns
    -------
    dict
        width, height, years with their x, bars with x, y, width, label, title, link and class; empty where no project has a start year.
    """
    if rows.empty:
        return {}
    first, last = int(rows["start_year"].min()), int(rows["end_year"].max())
    years = [{"year": y, "x": _LABEL + (y - first) * _YEAR, "middle": _LABEL + (y - first) * _YEAR + _YEAR // 2} for y in range(first, last + 1)]
    bars = [_bar(r, n, first) for n, r in enumerate(rows.to_dict("records"))]
    return {"width": _LABEL + len(years) * _YEAR + 10, "height": _HEAD + len(bars) * _ROW + 8, "head": _HEAD, "years": years, "bars": bars, "right": _LABEL + len(years) * _YEAR}


def _bar(r: dict[str, Any], n: int, first: int) -> dict[str, Any]:
    start, end, name = int(r["start_year"]), int(r["end_year"]), str(r["name"])
    return {
        "x": _LABEL + (start - first) * _YEAR + 4, "y": _HEAD + n * _ROW + 5, "width": (end - start + 1) * _YEAR - 8, "height": _ROW - 10, "baseline": _HEAD + n * _ROW + 20,
        "label": name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…", "kind": CLASS_MARK.get(str(r["project_class"]), ""), "link": reverse("library-project", args=[r["project_id"]]),
        "title": f"{r['project_id']} {name} · {class_word(str(r['project_class']))} · {state_word(str(r['state']))} · {start}–{end}", "state": state_word(str(r["state"])),
    }  # fmt: skip
