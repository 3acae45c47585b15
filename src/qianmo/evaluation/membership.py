"""Membership of measured values: from a quantity to 0..1 (隶属函数)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qianmo.schema.errors import RuleError

__all__ = ["CURVES", "check_concepts", "check_curve", "membership"]

CURVES = {"upper": "戒上型", "lower": "戒下型", "peak": "峰型", "rise": "直线升", "fall": "直线降", "concept": "概念型"}
"""Kinds of functions: more is better up to `c`; less is better from `c`; best at `c`; straight lines from `lower` to `upper`; a table of words."""


def membership(row: Mapping[str, Any], values: np.ndarray, concepts: Mapping[tuple[str, str], float]) -> np.ndarray:
    r"""Membership of n values (隶属度), (n,) in 0..1; NaN where the value is unknown.

    Parameters
    ----------
    row : mapping
        indicator, function, and a, c, lower, upper as the function needs.
    values : (n,)
        Numbers, or words for a concept; NaN, None or '' is unknown.
    concepts : mapping of (indicator, word) to membership

    Raises
    ------
    RuleError
        A word is not in the table of concepts.

    Notes
    -----
    As in GB/T 33469: ``upper`` :math:`1/(1+a(x-c)^2)` below c and 1 from c, 0 at or below `lower`; ``lower`` its mirror, 0 at or above `upper`;
    ``peak`` the bell on both sides, 0 outside `lower`..`upper`.
    """
    kind = row["function"]
    if kind == "concept":
        return _by_word(str(row["indicator"]), values, concepts)
    x = np.asarray(values, float)
    low, high = _number(row, "lower", -np.inf), _number(row, "upper", np.inf)
    if kind in ("rise", "fall"):
        up = np.clip((x - low) / (high - low), 0.0, 1.0)
        return up if kind == "rise" else 1.0 - up
    a, c = _number(row, "a"), _number(row, "c")
    bell = 1.0 / (1.0 + a * (x - c) ** 2)
    if kind == "upper":
        found = np.where(x >= c, 1.0, np.where(x <= low, 0.0, bell))
    elif kind == "lower":
        found = np.where(x <= c, 1.0, np.where(x >= high, 0.0, bell))
    else:
        found = np.where((x <= low) | (x >= high), 0.0, bell)
    return np.where(np.isfinite(x), found, np.nan)


def check_curve(row: Mapping[str, Any]) -> None:
    """Refuse a function whose numbers do not make the curve it is called (隶属函数检查).

    Raises
    ------
    RuleError
        Unknown kind; a number missing; a not above 0; bounds that leave no curve: the function would not rise, or not fall, where it must.
    """
    name, kind = row["indicator"], row["function"]
    if kind not in CURVES:
        raise RuleError(f"指标 {name} 的隶属函数 {kind}", expected=", ".join(f"{k} ({zh})" for k, zh in CURVES.items()))
    if kind == "concept":
        return
    if kind in ("rise", "fall"):
        low, high = _number(row, "lower"), _number(row, "upper")
        if not low < high:
            raise RuleError(f"指标 {name} ({CURVES[kind]}): lower {low:g}, upper {high:g}", expected="lower < upper, 否则函数不单调")
        return
    a, c = _number(row, "a"), _number(row, "c")
    low, high = _number(row, "lower", -np.inf), _number(row, "upper", np.inf)
    if not a > 0:
        raise RuleError(f"指标 {name} ({CURVES[kind]}): a = {a:g}", expected="a > 0, 否则函数不随指标单调变化")
    fits = {"upper": low < c, "lower": c < high, "peak": low < c < high}[kind]
    if not fits:
        raise RuleError(f"指标 {name} ({CURVES[kind]}): lower {low:g}, c {c:g}, upper {high:g}", expected="lower < c < upper (所用的界), 否则函数不单调")


def check_concepts(rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a table of words whose membership does not fall with the rank (概念型隶属度检查).

    Raises
    ------
    RuleError
        Outside 0..1, a word or rank twice, or a worse rank with a larger membership.
    """
    for name in dict.fromkeys(r["indicator"] for r in rows):
        mine = sorted((float(r["rank"]), str(r["value"]), float(r["membership"])) for r in rows if r["indicator"] == name)
        words, ranks, values = [m[1] for m in mine], [m[0] for m in mine], [m[2] for m in mine]
        if len(set(words)) < len(words) or len(set(ranks)) < len(ranks):
            raise RuleError(f"概念型指标 {name}: 取值或次序重复", expected="每个取值一行")
        if any(not 0 <= v <= 1 for v in values):
            raise RuleError(f"概念型指标 {name}: 隶属度 {values}", expected="0 至 1")
        if any(b > a for a, b in zip(values, values[1:])):
            raise RuleError(f"概念型指标 {name}: 隶属度 {dict(zip(words, values))} 不随次序递减", expected="次序越后隶属度越小")


def _by_word(name: str, values: np.ndarray, concepts: Mapping[tuple[str, str], float]) -> np.ndarray:
    words = np.asarray([("" if v is None or v != v else str(v)) for v in values], object)
    kinds, place = np.unique(words.astype(str), return_inverse=True)
    strange = [k for k in kinds if k and (name, k) not in concepts]
    if strange:
        raise RuleError(f"指标 {name} 的取值 {', '.join(strange)}", expected=", ".join(w for n, w in concepts if n == name), cure="改数据, 或在概念表中加一行")
    return np.array([concepts[name, k] if k else np.nan for k in kinds])[place]


def _number(row: Mapping[str, Any], key: str, otherwise: float | None = None) -> float:
    text = str(row.get(key, "") or "").strip()
    if not text and otherwise is not None:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        raise RuleError(f"指标 {row['indicator']}: {key} 为 {text!r}", expected="一个数") from None
    return value
