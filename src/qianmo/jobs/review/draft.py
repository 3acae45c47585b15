"""Look at a package before it is submitted, then submit what was looked at (预览送审包、提交送审稿)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qianmo.governance.review_package import package_changes, package_from_record
from qianmo.jobs.context import Context
from qianmo.jobs.opened import open_for_work
from qianmo.jobs.review.open import point_lines, submit_package
from qianmo.jobs.review.opened import open_review
from qianmo.jobs.review.package_of import package_of
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import NotAllowedError
from qianmo.store.review_drafts import draft_documents, draft_look, keep_look, read_draft, sweep_drafts
from qianmo.store.review_log import read_log, review_folder, review_ids
from qianmo.store.review_packages import read_package

__all__ = ["SPECS", "is_sent", "look", "send", "sent_as"]


def look(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Hash what would be submitted and fill in the checklists; nothing is submitted."""
    project, number = Path(values["project"]), str(values["draft"])
    draft = read_draft(project, number)
    context.step("打开项目", 0.0)
    opened = open_for_work(project)
    package, points, _ = package_of(opened, draft_documents(project, number), context)
    changes = _changes(project, draft, package)
    counts = {str(d): {str(s): int(n) for s, n in part["suggested"].value_counts().items()} for d, part in points.groupby("department", sort=False)}
    keep_look(project, number, {
        "package": package.sha256, "items": [asdict(i) for i in package.items], "points": counts, "changes": changes, "synthetic": sorted(opened.synthetic.values()),
        "generation": opened.project.generation, "made": context.clock().isoformat(timespec="seconds"),
    })  # fmt: skip
    lines = (f"送审包版本号 {package.version}, {len(package.items)} 项内容, 尚未送审", *point_lines(points))
    return JobReport(lines, (), {"package": package.sha256, "items": len(package.items), "changes": len(changes)})


def send(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Submit the draft as a new review or as the next round of one; sent again after a break, it counts once.

    A draft that the log acknowledges is removed with its documents, which the package holds; one that was not submitted stays.
    """
    project, number = Path(values["project"]), str(values["draft"])
    name = sent_as(project, number)
    if name:
        sweep_drafts(project, lambda d: is_sent(project, d))
        return JobReport((f"审查 {name} 已送审",), (), {"review": name})
    draft = read_draft(project, number)
    name = str(draft["review"])
    if draft["kind"] == "open" and name in review_ids(project):
        raise NotAllowedError(f"审查 {name} 已经存在", expected="尚未用过的编号", cure="删除这份送审稿, 换一个编号再填一份")
    context.step("打开项目", 0.0)
    opened, documents = open_for_work(project), draft_documents(project, number)
    content = package_of(opened, documents, context)
    if content[0].sha256 != draft_look(project, number).get("package"):
        raise NotAllowedError("预览之后项目又有改动, 没有送审", expected="与预览相同的送审包", cure="重新预览, 核对后再送审")
    report = submit_package(context, opened, content, documents, draft, event_id=_request(number))
    sweep_drafts(project, lambda d: is_sent(project, d))
    return report


def is_sent(project: Path, draft: Mapping[str, Any]) -> bool:
    """Whether a draft was submitted: its request is in the log of the review (是否已送审)."""
    name = str(draft["review"])
    return name in review_ids(project) and any(e["event"]["id"] == _request(str(draft["number"])) for e in read_log(review_folder(project, name)))


def sent_as(project: Path, number: str) -> str:
    """The review whose log acknowledges a draft, though the draft itself is gone (送审稿所成审查); '' where none does."""
    return next((n for n in review_ids(project) if any(e["event"]["id"] == _request(number) for e in read_log(review_folder(project, n)))), "")


def _request(number: str) -> str:
    return f"draft-{number}"


def _changes(project: Path, draft: Mapping[str, Any], package: Any) -> list[dict[str, str]]:
    if draft["kind"] == "open":
        return []
    review = open_review({"project": project, "review": draft["review"]})
    before, _ = read_package(review.folder, review.state.package)
    return package_changes(package_from_record(before), package)


_PROJECT = JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True)
_DRAFT = JobOption("draft", "text", "送审稿编号 (网页填写)", "number of the draft that was filled in on the desk", required=True)

SPECS = (
    JobSpec("review-look", "预览送审包", "what a package would hold, before it is submitted", (_PROJECT, _DRAFT), look),
    JobSpec("review-send", "提交送审稿", "submit the draft that was looked at, as a new review or the next round of one", (_PROJECT, _DRAFT), send),
)
