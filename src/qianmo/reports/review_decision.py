"""The decision of a joint review as a document: conclusion, opinions, overrules, vote, hash, signatures (联审意见书)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from qianmo.governance.review_decision import Decision
from qianmo.governance.review_records import MANDATORY
from qianmo.reports.typography import word
from qianmo.schema.book import Block, Book, BookColumn, BookTable, Chapter, Heading, Paragraph, TableBlock

__all__ = ["decision_book"]

_COLUMNS = {
    "review_opinions": (("department", "部门", "", "text"), ("result", "意见", "", "text"), ("reason", "理由", "", "text"), ("conditions", "条件", "", "text"), ("signed", "签署人", "", "text")),
    "review_overrules": (("department", "部门", "", "text"), ("item_id", "要点", "", "text"), ("item_zh", "内容", "", "text"), ("suggested", "规则预填", "", "text"),
                         ("answer", "审查结果", "", "text"), ("reason", "改变理由", "", "text"), ("rules", "相关规则", "", "text")),
    "review_answers": (("item_id", "要点", "", "text"), ("item_zh", "内容", "", "text"), ("suggested", "规则预填", "", "text"), ("answer", "审查结果", "", "text"),
                       ("reason", "说明", "", "text"), ("parcels", "涉及图斑", "个", "integer")),
    "review_votes": (("title", "议题", "", "text"), ("entitled", "应到", "人", "integer"), ("present", "实到", "人", "integer"), ("yes", "同意", "票", "integer"),
                     ("no", "反对", "票", "integer"), ("abstain", "弃权", "票", "integer"), ("recused", "回避", "", "text"), ("result", "结果", "", "text")),
    "review_tasks": (("text", "条件或任务", "", "text"), ("raised_by", "提出", "", "text"), ("owner", "负责", "", "text"), ("due", "期限", "", "text"), ("standing", "状态", "", "text")),
    "review_history": (("round", "轮次", "", "integer"), ("package", "版本号", "", "text"), ("department", "部门", "", "text"), ("result", "意见", "", "text"),
                       ("reason", "理由", "", "text"), ("signed", "签署人", "", "text"), ("standing", "状态", "", "text")),
    "review_parts": (("kind", "类别", "", "text"), ("zh", "名称", "", "text"), ("version", "时点或版本", "", "text"), ("rows", "条数", "条", "integer"), ("sha256", "内容摘要前16位", "", "text")),
    "review_signatures": (("department", "部门", "", "text"), ("signed", "签署人", "", "text"), ("time", "签署时间", "", "text"), ("seal", "意见摘要前16位", "", "text"),
                          ("place", "签名与盖章", "", "text")),
}  # fmt: skip
_TITLES = {
    "review_opinions": "部门审查意见表", "review_overrules": "改变规则判定一览表", "review_answers": "逐条审查结果表", "review_votes": "联席会议表决表",
    "review_tasks": "条件与督办事项表", "review_history": "已失效意见留痕表", "review_parts": "送审内容清单", "review_signatures": "签署栏",
}  # fmt: skip
_EMPTY = {
    "review_opinions": "尚无部门意见", "review_overrules": "各部门均未改变规则判定", "review_answers": "没有逐条审查记录", "review_votes": "未召开联席会议", "review_tasks": "没有条件与督办事项",
    "review_history": "没有撤回或失效的意见", "review_parts": "送审包为空", "review_signatures": "尚无签署",
}  # fmt: skip
_COVER = (("出具单位", "office"), ("出具日期", "date"), ("数据时点", "vintage"), ("坐标系统", "crs_text"))
_DRAFT_COVER = (("拟出具单位", "office"), ("打印日期", "date"), *_COVER[2:])
_WORDS = {"result": "review_result", "suggested": "review_suggested", "answer": "review_answer", "kind": "review_package"}


def decision_book(
    decision: Decision, *, title: str, office: str, date: str, vintage: str, crs_text: str, synthetic: Sequence[str] = (), log: tuple[int, str] | None = None
) -> Book:
    """The decision as a book for Word and PDF (编写联审意见书).

    Every table of the decision is there even when it is empty, and says so; a draft says that it is one on the cover.

    Parameters
    ----------
    decision : Decision
    title : str
        Name of the project.
    office : str
        Office that issues the decision.
    date, vintage, crs_text : str
        Date of issue, date of the land-use data, coordinate system. What is empty has no row on the cover.
    synthetic : sequence of str
        Labels of the invented inputs; every page shows them.
    log : (int, str), optional
        Number of entries of the log and the hash of the last one: who keeps the paper can show later that the log was not changed.
    """
    tables = [_table(key, frame) for key, frame in _frames(decision).items()]
    subtitle = "联合审查意见书" + ("" if decision.is_final else "（征求意见稿）")
    return Book(title, subtitle, office, date, vintage, crs_text, tuple(synthetic), _chapters(decision, log), tuple(tables), (), _COVER if decision.is_final else _DRAFT_COVER)


def _frames(d: Decision) -> dict[str, pd.DataFrame]:
    votes = d.votes.assign(result=[word("review_vote", r) if r != "no_quorum" else word("review_meeting", r) for r in d.votes["result"]])
    places = [k or "　　　　　（盖章）" for k in d.signatures["by_key"]]
    return {
        "review_opinions": d.opinions, "review_overrules": d.overrules, "review_votes": votes, "review_tasks": d.tasks.assign(standing=[word("review_task", s) for s in d.tasks["standing"]]),
        "review_answers": d.answers, "review_parts": d.parts,
        "review_history": d.history.assign(standing=[word("review_standing", s) for s in d.history["standing"]]), "review_signatures": d.signatures.assign(place=places),
    }  # fmt: skip


def _table(key: str, frame: pd.DataFrame) -> BookTable:
    columns = tuple(BookColumn(n, zh, unit, form) for n, zh, unit, form in _COLUMNS[key])
    shown = frame.copy()
    for name in ("reason", "conditions", "recused", "due"):
        if name in shown:
            shown[name] = [str(v) or "—" for v in shown[name]]
    if "rules" in shown:
        shown["rules"] = shown["rules"].str.replace(";", "、")
    for name, group in _WORDS.items():
        if name in shown and not (key == "review_votes" and name == "result"):
            shown[name] = [word(group, str(v)) for v in shown[name]]
    return BookTable(key, _TITLES[key], shown[[c.name for c in columns]].reset_index(drop=True), columns, source="审查日志与送审包", empty=_EMPTY[key])


def _chapters(d: Decision, log: tuple[int, str] | None) -> tuple[Chapter, ...]:
    counted = d.opinions["result"].value_counts()
    said = "、".join(f"{word('review_result', str(r))}{n}个" for r, n in counted.items()) or "尚无意见"
    outcome = word("review_outcome", d.outcome) if d.outcome else ""
    so_far = f"按现有意见与表决，结论将为：{outcome}。" if outcome else "意见或会议尚未齐备，还不能得出结论。"
    state = f"经审查，结论为：{outcome}。" if d.is_final else f"本件为征求意见稿，尚未出具。{so_far}"
    by = f"出具人：{d.decided_by}。" if d.decided_by else ""
    minutes = [Paragraph(f"会议纪要：{text}") for text in d.minutes]
    kept = [Paragraph(f"审查日志共{log[0]}条，末条摘要：{_grouped(log[1])}。")] if log else []
    parts: list[tuple[str, list[Block]]] = [
        ("审查结论与部门意见", [
            Paragraph(f"{d.project}第{d.round}轮联合审查，送审版本号{d.package[:12]}，各部门审查的是同一版本。部门意见：{said}。{state}{by}"), TableBlock("review_opinions"),
            Heading("改变规则判定及理由"),
            Paragraph("规则预填由程序按规则库得出；经办人可以改变，但须写明理由。置信度不足的规则，须先核实条文原文。"), TableBlock("review_overrules"),
            Heading("联席会议"), *minutes, TableBlock("review_votes"), Heading("条件与督办"), TableBlock("review_tasks")]),
        ("逐条审查结果", [TableBlock("review_answers"), *_unanswered(d)]),
        ("送审内容与意见留痕", [
            Paragraph(f"送审包内容摘要（SHA-256）：{_grouped(d.package)}。任何内容变化都会得到另一摘要，原有意见随之失效，须重新签署。"), TableBlock("review_parts"),
            Paragraph("撤回、退回或换版后失效的意见全部留痕，不删除。"), TableBlock("review_history")]),
        ("签署", [Paragraph("意见摘要由送审包摘要、席位、签署人、意见、理由、逐条结果和条件算出，改动其中一字即不相符。"), *kept, TableBlock("review_signatures")]),
    ]  # fmt: skip
    return tuple(Chapter(f"{n}、", head, tuple(blocks)) for n, (head, blocks) in zip("一二三四", parts))


def _unanswered(d: Decision) -> list[Block]:
    """Says which mandatory points nobody answered; nothing where all are."""
    by_department: dict[str, list[str]] = {}
    for department, item, text in d.open_points:
        by_department.setdefault(department, []).append(f"{item}（{text}）" if text else item)
    named = "；".join(f"{department}{'、'.join(items)}" for department, items in sorted(by_department.items(), key=lambda p: _rank(p[0])))
    return [Paragraph(f"以下必审要点没有逐条作答：{named}。")] if named else []


def _rank(department: str) -> tuple[int, str]:
    """The mandatory departments in their order, then the others."""
    return (MANDATORY.index(department) if department in MANDATORY else len(MANDATORY), department)


def _grouped(digest: str) -> str:
    """A long hash in groups of eight, so that lines can break in it."""
    return " ".join(digest[i : i + 8] for i in range(0, len(digest), 8))
