"""Scores by classes of a measured value: intervals of numbers, or words (分级赋分)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qianmo.evaluation.own_tables import Rows, number_of
from qianmo.schema.errors import RuleError

__all__ = ["check_steps", "step_scores", "step_words", "word_ranks"]


def step_scores(rows: Rows, values: np.ndarray, *, what: str) -> np.ndarray:
    """Score of n values (分值), (n,); NaN where the value is unknown.

    Parameters
    ----------
    rows : rows of ``from``, ``to``, ``value``, ``score``
        Intervals closed below and open above, a blank end is infinite; or words.
    values : (n,)
        Numbers, or words where the rows have words; NaN, None or '' is unknown.

    Raises
    ------
    RuleError
        A word that has no row.
    """
    scores = np.array([number_of(r, "score", what=what) for r in rows])
    if any(r["value"] for r in rows):
        return _by_word(rows, scores, values, what=what)
    x = np.asarray(values, float)
    upper = np.array([number_of(r, "to", what=what, otherwise=np.inf) for r in rows])
    order = np.argsort(upper, kind="stable")
    place = np.searchsorted(upper[order][:-1], x, side="right")
    return np.where(np.isfinite(x), scores[order][place], np.nan)


def check_steps(rows: Rows, *, what: str, lowest: float, highest: float) -> None:
    """Refuse classes that leave a value without a score, or give it two (分级赋分检查).

    Raises
    ------
    RuleError
        No rows; words and numbers mixed; a word twice; intervals with a gap or an overlap, or whose ends are not open; a score outside `lowest` to `highest`.
    """
    if not rows:
        raise RuleError(f"{what} 没有分级", expected="每一级一行")
    scores = [number_of(r, "score", what=what) for r in rows]
    bad = [s for s in scores if not lowest <= s <= highest]
    if bad:
        raise RuleError(f"{what}: 分值 {', '.join(f'{s:g}' for s in bad)}", expected=f"{lowest:g} 至 {highest:g}")
    words = [r["value"] for r in rows if r["value"]]
    if words:
        mixed = len(words) < len(rows) or any(r["from"] or r["to"] for r in rows)
        if mixed or len(set(words)) < len(words):
            raise RuleError(f"{what}: 取值 {', '.join(words)} 有重复, 或与区间混用", expected="每个取值一行, 不填 from 与 to")
        return
    ends = sorted((number_of(r, "from", what=what, otherwise=-np.inf), number_of(r, "to", what=what, otherwise=np.inf)) for r in rows)
    joined = ends[0][0] == -np.inf and ends[-1][1] == np.inf and all(a[1] == b[0] for a, b in zip(ends, ends[1:]))
    if not joined or any(a >= b for a, b in ends):
        raise RuleError(f"{what}: 区间 {'; '.join(f'{a:g} 至 {b:g}' for a, b in ends)}", expected="首尾相接, 两端开放 (最低一级不填 from, 最高一级不填 to)")


def step_words(rows: Rows) -> dict[str, str]:
    """Words of the rows with their Chinese names (取值名称)."""
    return {r["value"]: r.get("value_zh") or r["value"] for r in rows if r["value"]}


def word_ranks(rows: Rows) -> dict[str, float]:
    """Words of the rows with their scores, for what works must at least reach (取值次序)."""
    return {r["value"]: number_of(r, "score", what=r["value"]) for r in rows if r["value"]}


def _by_word(rows: Rows, scores: np.ndarray, values: np.ndarray, *, what: str) -> np.ndarray:
    score: Mapping[str, float] = dict(zip((r["value"] for r in rows), scores))
    words = np.array([("" if v is None or v != v else str(v)) for v in values], object).astype(str)
    kinds, place = np.unique(words, return_inverse=True)
    strange = [k for k in kinds if k and k not in score]
    if strange:
        raise RuleError(f"{what} 的取值 {', '.join(strange[:5])}", expected=", ".join(score), cure="改数据, 或在分级表中加一行")
    return np.array([score[k] if k else np.nan for k in kinds])[place] if len(kinds) else np.empty(0)
