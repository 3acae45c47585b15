"""Write the decision of a joint review in Word and PDF (出具联审意见书)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from qianmo.governance.review_decision import Decision, decision_content
from qianmo.governance.review_package import package_from_record, veiled_package
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

__all__ = ["SPECS", "decision_of", "run"]


def decision_of(review: OpenedReview, *, office: str, date: str, hidden: Collection[str] = ()) -> tuple[str, Decision, Book]:
    """The document of a review from its log and the package that is kept: name of the file, content, book (联审意见书).

    A review that is not done gives a draft. Data of the package in `hidden` are not named. `office` is the office that issues it; '' takes that of the project.
    """
    record, tables = read_package(review.folder, review.state.package)
    package = package_from_record(record)
    titles = {i.zh for i in package.items if i.name in hidden}
    content = decision_content(review.state, veiled_package(package, hidden), tables["review_point"])
    named = office or str(review.project.settings.get("office", {}).get("name", "")) or "（联席审查办公室未填写）"
    book = decision_book(
        content, title=review.project.name, office=named, date=date, vintage=str(record.get("vintage", "")),
        crs_text=str(record.get("crs", "")), synthetic=tuple(n for n in record.get("synthetic", ()) if n not in titles), log=last_hash(review.folder),
    )  # fmt: skip
    return f"联合审查意见书_{review.id}" + ("" if content.is_final else "_征求意见稿"), content, book


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Set the document in Word and PDF."""
    context.step("读取审查与送审包", 0.0)
    review = open_review(values)
    stem, content, book = decision_of(review, office=str(values["office"] or ""), date=f"{context.clock():%Y年%m月%d日}")
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
