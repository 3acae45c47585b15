"""Write the decision of a joint review in Word and PDF (出具联审意见书)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from qianmo.geo.crs import chinese_name
from qianmo.governance.review_decision import Decision, decision_content
from qianmo.governance.review_package import package_from_record, veiled_package
from qianmo.governance.review_records import ReviewState
from qianmo.governance.review_rights import local_day
from qianmo.jobs.context import Context
from qianmo.jobs.review.opened import PROJECT, REVIEW, OpenedReview, open_review
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.document import word
from qianmo.reports.pdf import pdf
from qianmo.reports.review_decision import decision_book
from qianmo.reports.typography import word as zh_word
from qianmo.schema.book import Book
from qianmo.store.durable import replace_bytes
from qianmo.store.review_log import last_hash
from qianmo.store.review_packages import read_package

__all__ = ["SPECS", "day_words", "decision_of", "issuing_office", "run"]


def decision_of(review: OpenedReview, *, office: str, today: date, hidden: Collection[str] = ()) -> tuple[str, Decision, Book]:
    """The document of a review from its log and the package that is kept: name of the file, content, book (联审意见书).

    A review that is not done gives a draft. Data of the package in `hidden` are not named. `office` is the office that issues it; '' takes that of
    who decided, or may decide, by the roster. A decision bears the day on which it was made, a draft `today`.
    """
    record, tables = read_package(review.folder, review.state.package)
    package = package_from_record(record)
    titles = {i.zh for i in package.items if i.name in hidden}
    content = decision_content(review.state, veiled_package(package, hidden), tables["review_point"])
    book = decision_book(
        content, title=review.project.name, office=office or issuing_office(review.state), date=day_words(_issued(review, today)), vintage=str(record.get("vintage", "")).replace("未注明", ""),
        crs_text=_crs_text(str(record.get("crs", ""))), synthetic=tuple(n for n in record.get("synthetic", ()) if n not in titles), log=last_hash(review.folder),
    )  # fmt: skip
    return f"联合审查意见书_{review.id}" + ("" if content.is_final else "_征求意见稿"), content, book


def issuing_office(state: ReviewState) -> str:
    """Office that issues the decision, by the roster: of who decided, else of the one who may (出具单位); '' where there is nobody."""
    decided = state.roster.get(state.decided_by)
    return decided.department if decided else next((p.department for p in state.roster.values() if p.role == "issuer"), "")


def day_words(day: date) -> str:
    """A day as official papers write it (公文日期): 2026年3月9日."""
    return f"{day.year}年{day.month}月{day.day}日"


def _issued(review: OpenedReview, today: date) -> date:
    """Day of the decision; of the print where there is none."""
    decided = [e.time for e in review.events if e.verb == "decide"] if review.state.phase == "DONE" else []
    return local_day(decided[-1]) if decided else today


def _crs_text(crs: str) -> str:
    """What an office calls the system of the data; its code where it has no such name."""
    code = crs.removeprefix("EPSG:")
    return chinese_name(int(code)) or crs if code.isdigit() else ""


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Set the document in Word and PDF."""
    context.step("读取审查与送审包", 0.0)
    review = open_review(values)
    stem, content, book = decision_of(review, office=str(values["office"] or ""), today=local_day(context.clock()))
    folder = Path(values["out"]) if values["out"] else review.folder
    context.step("排版 Word 与 PDF", 0.4)
    files = [(folder / f"{stem}.docx", word(book)), (folder / f"{stem}.pdf", pdf(book))]
    for path, data in files:
        replace_bytes(path, data)
    outcome = zh_word("review_outcome", content.outcome) if content.outcome else "尚不能得出结论"
    return JobReport((f"{'联审意见书' if content.is_final else '征求意见稿'}: {outcome}, 版本号 {content.package[:12]}",),
                     tuple((str(p), "联合审查意见书") for p, _ in files), {"outcome": content.outcome, "final": content.is_final})  # fmt: skip


SPECS = (
    JobSpec(
        "review-decision", "出具联审意见书", "the decision of a joint review in Word and PDF",
        (PROJECT, REVIEW, JobOption("out", "path", "输出文件夹", "folder for the files, that of the review by default"), JobOption("office", "text", "出具单位", "office that issues it")), run,
    ),
)  # fmt: skip
