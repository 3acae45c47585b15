"""Traffic lights of parcels by a tree of questions that the user may edit (红绿灯判定树)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qianmo.schema.errors import RuleError, SchemaError
from qianmo.schema.shipped import shipped_rows

__all__ = ["LIGHTS", "Question", "lights", "shipped_tree", "what_if", "with_thresholds"]

LIGHTS = ("red", "yellow", "green", "grey")
"""Lights from the gravest to the one that says nothing (灯色)."""

_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@dataclass(frozen=True)
class Question:
    """One question of the tree (判定节点): where to go on yes, on no, and where the signal is missing.

    `yes`, `no` and `missing` are the node of a later question, or ``light:candidate``.
    """

    node: str
    zh: str
    signal: str
    relation: str
    threshold: float
    unit: str
    yes: str
    no: str
    missing: str
    source: str
    confidence: str


def shipped_tree() -> tuple[Question, ...]:
    """The tree of ``rules/change_lights.csv``, in the order of the file; the first question is asked of all (随包判定树).

    Raises
    ------
    RuleError
        A row leads nowhere or backwards, or a node occurs twice.
    """
    rows = shipped_rows("rules", "change_lights")
    tree = tuple(
        Question(r["node"], r["question_zh"], r["signal"], r["relation"], float(r["threshold"]), r["unit"], r["yes"], r["no"], r["missing"], r["source"], r["confidence"])
        for r in rows
    )
    _refuse_loose(tree)
    return tree


def with_thresholds(tree: Sequence[Question], thresholds: Mapping[str, float]) -> tuple[Question, ...]:
    """The tree with some thresholds replaced, by node (用户阈值).

    Raises
    ------
    RuleError
        A node that the tree does not have, or a threshold that is not a finite number.
    """
    known = [q.node for q in tree]
    strange = [k for k in thresholds if k not in known]
    if strange:
        raise RuleError(f"判定树没有节点 {', '.join(strange)}", expected=", ".join(known), cure="改正阈值文件中的节点名")
    wrong = [k for k, v in thresholds.items() if isinstance(v, bool) or not isinstance(v, int | float) or not np.isfinite(v)]
    if wrong:
        raise RuleError(f"节点 {', '.join(wrong)} 的阈值不是数字", expected="有限的数", cure="改正阈值文件")
    return tuple(replace(q, threshold=float(thresholds.get(q.node, q.threshold))) for q in tree)


def lights(signals: pd.DataFrame, tree: Sequence[Question]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Light, candidate and deciding question of each parcel, and how many took each branch (红绿灯).

    Parameters
    ----------
    signals : DataFrame, n rows
        One column a signal; a column that is not there counts as missing for all.
    tree : sequence of Question
        Questions lead to later ones only.

    Returns
    -------
    found : DataFrame, n rows (light, candidate, node)
        `node` is the question that decided.
    branches : DataFrame (node, question_zh, threshold, yes, no, missing)
        Parcels on each branch.

    Raises
    ------
    RuleError
        The tree leads nowhere or backwards.
    """
    _refuse_loose(tree)
    n, names = len(signals), [q.node for q in tree]
    at = np.zeros(n, dtype=np.int64)
    light, candidate, node = (np.full(n, "", dtype=object) for _ in range(3))
    rows = []
    for k, question in enumerate(tree):
        here = np.flatnonzero(at == k)
        value = signals[question.signal].to_numpy(float)[here] if question.signal in signals else np.full(len(here), np.nan)
        lost = ~np.isfinite(value)
        yes = ~lost & _RELATIONS[question.relation](value, question.threshold)
        ways = (("yes", yes), ("no", ~yes & ~lost), ("missing", lost))
        for name, mask in ways:
            goal = getattr(question, name)
            if goal in names:
                at[here[mask]] = names.index(goal)
                continue
            light[here[mask]], candidate[here[mask]] = goal.split(":")
            node[here[mask]] = question.node
            at[here[mask]] = -1
        rows.append((question.node, question.zh, question.threshold, *(int(m.sum()) for _, m in ways)))
    found = pd.DataFrame({"light": light, "candidate": candidate, "node": node})
    return found, pd.DataFrame(rows, columns=["node", "question_zh", "threshold", "yes", "no", "missing"])


def what_if(signals: pd.DataFrame, tree: Sequence[Question], other: Sequence[Question]) -> tuple[pd.DataFrame, np.ndarray]:
    """Lights before and after a change of thresholds, from the signals alone (阈值试算).

    Returns
    -------
    counts : DataFrame (before, after, parcels)
        Every pair of lights that occurs, gravest first.
    moved : ndarray (n,), bool
        Parcels whose light or candidate is another.

    Raises
    ------
    SchemaError
        The trees ask different questions.
    RuleError
        As `lights`.
    """
    if [replace(q, threshold=0.0) for q in tree] != [replace(q, threshold=0.0) for q in other]:
        raise SchemaError("两棵判定树的问题不同", expected="只有阈值不同")
    old, new = lights(signals, tree)[0], lights(signals, other)[0]
    pair = pd.DataFrame({"before": old["light"], "after": new["light"]})
    counts = pair.groupby(["before", "after"], as_index=False).size().rename(columns={"size": "parcels"})
    rank = {light: k for k, light in enumerate(LIGHTS)}
    counts = counts.sort_values(["before", "after"], key=lambda c: c.map(rank)).reset_index(drop=True)
    return counts, ((old["light"] != new["light"]) | (old["candidate"] != new["candidate"])).to_numpy()


def _refuse_loose(tree: Sequence[Question]) -> None:
    names = [q.node for q in tree]
    for k, question in enumerate(tree):
        for goal in (question.yes, question.no, question.missing):
            later = goal in names[k + 1 :]
            if not later and not (goal.count(":") == 1 and goal.split(":")[0] in LIGHTS):
                raise RuleError(f"判定节点 {question.node} 通向 {goal!r}", expected="后面的节点, 或 灯色:类型", cure="改正判定树")
    if not tree or len(set(names)) != len(names) or any(q.relation not in _RELATIONS for q in tree):
        raise RuleError("判定树为空、节点重复或比较符有误", expected=f"不重复的节点, 比较符 {' '.join(_RELATIONS)}")
