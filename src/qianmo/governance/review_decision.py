"""What the decision document says, as tables (联审意见内容)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from qianmo.governance.review_meeting import item_count
from qianmo.governance.review_opinions import is_overruled
from qianmo.governance.review_package import ReviewPackage
from qianmo.governance.review_progress import due_outcome, open_points
from qianmo.governance.review_records import Opinion, ReviewState
from qianmo.governance.review_rights import local_time
from qianmo.schema.errors import SchemaError

__all__ = ["Decision", "decision_content"]


@dataclass(frozen=True, eq=False)
class Decision:
    """Everything a decision document prints (联审意见); words are machine words, the document makes them Chinese.

    `opinions`, `answers`, `overrules`, `tasks`, `votes`, `history`, `parts` and `signatures` are tables; `minutes` text; `open_points` department, id
    and text of the mandatory points that no standing opinion answers.
    """

    project: str
    package: str
    round: int
    outcome: str
    is_final: bool
    decided_by: str
    opinions: pd.DataFrame
    answers: pd.DataFrame
    overrules: pd.DataFrame
    tasks: pd.DataFrame
    votes: pd.DataFrame
    history: pd.DataFrame
    parts: pd.DataFrame
    signatures: pd.DataFrame
    minutes: tuple[str, ...]
    open_points: tuple[tuple[str, str, str], ...] = ()


def decision_content(state: ReviewState, package: ReviewPackage, points: pd.DataFrame) -> Decision:
    """The content of the decision document from state, package and checklist (生成联审意见内容).

    Parameters
    ----------
    state : ReviewState
        A review that is not done gives a draft: `is_final` is False and the outcome what opinions and votes lead to so far.
    package : ReviewPackage
        The package under review; its hash is printed.
    points : DataFrame, table ``review_point``

    Raises
    ------
    SchemaError
        The package is another than the one under review.
    """
    if package.sha256 != state.package:
        raise SchemaError(f"package {package.version} is not the one under review", expected=state.package[:12])
    standing = [o for o in state.opinions if o.standing == "valid"]
    answers = _answers(standing, points)
    return Decision(
        state.project, state.package, state.round, state.outcome or due_outcome(state), state.phase == "DONE", _name(state, state.decided_by),
        pd.DataFrame([(o.department, o.result, o.reason, "；".join(o.conditions), _signed(state, o)) for o in standing],
                     columns=["department", "result", "reason", "conditions", "signed"]),
        answers, answers[answers["overruled"]].reset_index(drop=True),
        pd.DataFrame([(t.text, t.raised_by, _name(state, t.owner), "" if t.due is None else t.due.isoformat(), t.standing) for t in state.tasks if t.standing != "dropped"],
                     columns=["text", "raised_by", "owner", "due", "standing"]),
        _votes(state), _history(state),
        pd.DataFrame([(i.kind, i.zh, i.version, None if i.rows < 0 else i.rows, i.sha256[:16]) for i in package.items], columns=["kind", "zh", "version", "rows", "sha256"]),
        pd.DataFrame([(o.department, _signed(state, o), local_time(o.time).strftime("%Y-%m-%d %H:%M"), o.seal[:16], "已附电子签名" if o.signature else "") for o in standing],
                     columns=["department", "signed", "time", "seal", "by_key"]),
        tuple(m.minutes for m in state.meetings if m.round == state.round and m.minutes),
        tuple((d, i, str(state.suggestions[i].get("zh", ""))) for d, items in open_points(state).items() for i in items),
    )  # fmt: skip


def _name(state: ReviewState, person: str) -> str:
    found = state.roster.get(person)
    return found.name if found else person


def _signed(state: ReviewState, opinion: Opinion) -> str:
    name = _name(state, opinion.person)
    return f"{name}（受{_name(state, opinion.on_behalf_of)}委托）" if opinion.on_behalf_of else name


def _answers(standing: list[Opinion], points: pd.DataFrame) -> pd.DataFrame:
    """Every point of the departments that signed: what was suggested, what was answered, why."""
    given: dict[tuple[str, str], Mapping[str, Any]] = {(o.department, a["item"]): a for o in standing for a in o.answers}
    rows = []
    for p in points[points["department"].isin([o.department for o in standing])].itertuples():
        a = given.get((p.department, p.item_id), {})
        answer = str(a.get("answer", ""))
        confirmed = "已核实条文" if a.get("text_confirmed") else ""
        reason = "；".join(x for x in (str(a.get("reason", "")), confirmed) if x)
        rows.append((p.department, p.item_id, p.item_zh, p.suggested, p.rules, answer, reason, p.parcels, bool(answer) and is_overruled(p.suggested, answer)))
    columns = ["department", "item_id", "item_zh", "suggested", "rules", "answer", "reason", "parcels", "overruled"]
    return pd.DataFrame(rows, columns=columns).astype({"overruled": bool})


def _votes(state: ReviewState) -> pd.DataFrame:
    rows = []
    for m in state.meetings:
        if m.round == state.round and m.standing in ("closed", "no_quorum"):
            for item, title in m.agenda:
                c = item_count(m, item)
                out = "、".join(f"{_name(state, p)}（{why}）" for i, p, why in m.recused if i == item)
                rows.append((title, c["entitled"], c["present"], c["yes"], c["no"], c["abstain"], out, m.results.get(item, "no_quorum")))
    return pd.DataFrame(rows, columns=["title", "entitled", "present", "yes", "no", "abstain", "recused", "result"])


def _history(state: ReviewState) -> pd.DataFrame:
    """Opinions that no longer stand; they stay on record."""
    rows = [(o.round, o.package[:12], o.department, o.result, o.reason, _signed(state, o), o.standing) for o in state.opinions if o.standing != "valid"]
    return pd.DataFrame(rows, columns=["round", "package", "department", "result", "reason", "signed", "standing"])
