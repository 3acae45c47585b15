"""Score and rank of projects, ties told in words (项目评分与排序)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from qianmo.governance.blank import is_blank
from qianmo.schema.library import Criterion, library_criteria, readiness_of
from qianmo.schema.tables import table_spec

__all__ = ["normed_values", "ranked", "score_of"]


def normed_values(project: Mapping[str, Any]) -> dict[str, Fraction]:
    """Value of each criterion from 0 to 1; a blank counts 0 (标准化得分).

    Parameters
    ----------
    project : mapping, row of table ``library_project``

    Returns
    -------
    dict
        Criterion → exact value of what is written, so that equal scores are equal.
    """
    return {c.id: _normed(c, project.get(c.column)) for c in library_criteria().values()}


def score_of(normed: Mapping[str, Fraction], weights: Mapping[str, Fraction]) -> Fraction:
    """Weighted sum, from 0 to 1 where the weights sum to 1 (加权得分)."""
    return sum((weights[k] * normed[k] for k in weights), Fraction(0))


def ranked(projects: pd.DataFrame, weights: Mapping[str, Fraction]) -> pd.DataFrame:
    """Ranked list (项目排序).

    Equal scores are ordered by the day of the proposal, then by the id; the column `tie` says so.

    Parameters
    ----------
    projects : DataFrame, table ``library_project``
    weights : mapping
        Criterion → weight, as `weights.direct_weights` gives.

    Returns
    -------
    DataFrame, table ``library_rank``
    """
    rows = []
    for row in projects.to_dict("records"):
        normed = normed_values(row)
        day = row.get("proposed")
        rows.append((-score_of(normed, weights), _text(day) or "9999-12-31", str(row["project_id"]), str(row["name"]), normed))
    rows.sort(key=lambda r: r[:3])
    out = []
    for k, (score, day, project, name, normed) in enumerate(rows):
        out.append((k + 1, project, name, float(-score), _parts(normed, weights), _tie(rows[k - 1][:3] if k else None, (score, day, project))))
    return pd.DataFrame(out, columns=list(table_spec("library_rank").column_names))


def _normed(criterion: Criterion, value: Any) -> Fraction:
    text = _text(value)
    if not text:
        return Fraction(0)
    coded = readiness_of(criterion.column, text)
    if coded is None:
        try:
            coded = Fraction(text)
        except ValueError:
            return Fraction(0)
    return min(Fraction(1), max(Fraction(0), (coded - criterion.least) / (criterion.most - criterion.least)))


def _text(value: Any) -> str:
    return "" if is_blank(value) else str(value).strip()


def _parts(normed: Mapping[str, Fraction], weights: Mapping[str, Fraction]) -> str:
    known = library_criteria()
    return " + ".join(f"{known[k].zh} {float(w):.3g}×{float(normed[k]):.3g}" for k, w in weights.items() if w)


def _tie(above: tuple[Fraction, str, str] | None, here: tuple[Fraction, str, str]) -> str:
    if above is None or above[0] != here[0]:
        return ""
    if above[1] != here[1]:
        mine = "未填" if here[1] == "9999-12-31" else here[1]
        return f"与 {above[2]} 同分, 其申报日期 {above[1]} 早于 {mine}"
    return f"与 {above[2]} 同分同日, 按项目编号先后"
