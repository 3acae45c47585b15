"""Open a joint review of a project, or hand in a changed package (送审、修改后再送审)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qianmo import __version__
from qianmo.governance.review_checklist import suggestions
from qianmo.governance.review_package import package_changes, package_from_record, package_record
from qianmo.governance.review_rights import review_settings
from qianmo.jobs.context import Context
from qianmo.jobs.opened import Opened, open_for_work
from qianmo.jobs.review.opened import PROJECT, REVIEW, add_event, open_review
from qianmo.jobs.review.package_of import PackageContent, package_of
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.typography import word
from qianmo.schema.errors import NotAllowedError, SchemaError
from qianmo.schema.rules import parameters
from qianmo.store.review_log import review_folder, review_ids
from qianmo.store.review_packages import keep_package, read_package
from qianmo.store.scratch import read_toml

__all__ = ["SPECS", "point_lines", "resubmit", "run", "submit_package"]

_DOCUMENTS = JobOption("document", "paths", "随送审包的文件 (可多次)", "document of the package; may be given several times")


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Hash what is reviewed, fill in the checklists, keep the package, and submit it."""
    path = Path(values["file"])
    told = read_toml(path)
    name, applicant, roster = _roster(told, path)
    opened = open_for_work(Path(values["project"]))
    if name in review_ids(opened.project.folder):
        raise NotAllowedError(f"审查 {name} 已经存在", cure="另取编号, 或用 qianmo review resubmit 送交修改稿")
    documents = [*(path.parent / str(d) for d in told.get("documents", ())), *map(Path, values["document"] or ())]
    content = package_of(opened, documents, context)
    draft = {"kind": "open", "review": name, "actor": applicant, "roster": roster, "settings": told.get("settings", {})}
    return submit_package(context, opened, content, documents, draft)


def resubmit(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Hand in the changed project as a new round on a new hash; the old opinions stay on record and do not stand any more."""
    review = open_review(values)
    opened = open_for_work(Path(values["project"]))
    documents = [Path(d) for d in values["document"] or ()]
    content = package_of(opened, documents, context)
    draft = {"kind": "resubmit", "review": review.id, "actor": values["actor"], "reason": values["reason"] or "", "unchanged": bool(values["unchanged"])}
    return submit_package(context, opened, content, documents, draft, event_id=values["request"] or "")


def submit_package(context: Context, opened: Opened, content: PackageContent, documents: Sequence[Path], draft: Mapping[str, Any], *, event_id: str = "") -> JobReport:
    """Keep a package and submit it, as a new review or as the next round of one (提交送审包).

    Parameters
    ----------
    draft : mapping
        `kind` is open or resubmit; `review` the id; `actor` the applicant; with open `roster` and `settings`, with resubmit `reason` and
        `unchanged`.
    event_id : str
        Id of a request that may be sent twice.

    Raises
    ------
    ReviewRefusedError
        The move is not allowed; the log is as it was.
    """
    package, points, _ = content
    folder = review_folder(opened.project.folder, str(draft["review"]))
    context.step("留存送审包", 0.9)
    if draft["kind"] == "open":
        _keep(folder, opened, content, documents, context)
        settings = review_settings({k: float(v) for k, v in opened.overrides.items() if k in parameters() and k.startswith("review_")})
        settings = {k: float(draft.get("settings", {}).get(k, v)) for k, v in settings.items()}
        data = {"project": opened.project.name, "package": package.sha256, "roster": draft["roster"], "settings": settings, "suggestions": suggestions(points)}
        add_event(folder, "submit", str(draft["actor"]), context, lambda state: data, event_id=event_id)
        return JobReport((f"审查 {draft['review']} 已送审, 版本号 {package.version}, {len(package.items)} 项内容", *point_lines(points)),
                         ((str(folder), "审查日志与送审包"),), {"review": draft["review"], "package": package.sha256, "items": len(package.items)})  # fmt: skip
    old, _ = read_package(folder, open_review({"project": opened.project.folder, "review": draft["review"]}).state.package)
    changes = package_changes(package_from_record(old), package)
    _keep(folder, opened, content, documents, context)
    said = {"package": package.sha256, "reason": draft["reason"], "unchanged": bool(draft["unchanged"]), "suggestions": suggestions(points)}
    _, state = add_event(folder, "resubmit", str(draft["actor"]), context, lambda before: said, event_id=event_id)
    words = {"added": "新增", "removed": "删去", "changed": "修改"}
    lines = [f"第 {state.round} 轮, 版本号 {package.version}; 与上一版本相比 {len(changes)} 项变化"]
    lines += [f"  {words[c['change']]} {word('review_package', c['kind'])} {c['zh']} {c['before']} → {c['after']}" for c in changes]
    figures = {"review": draft["review"], "package": package.sha256, "round": state.round, "changes": len(changes)}
    return JobReport((*lines, *point_lines(points)), ((str(folder), "审查日志与送审包"),), figures)


def point_lines(points: Any) -> list[str]:
    """Points by department and what the rules suggest, as lines (审查要点计数)."""
    lines = []
    for department, part in points.groupby("department", sort=False):
        count = part["suggested"].value_counts()
        lines.append(f"  {department}: {len(part)} 项要点, " + "、".join(f"{word('review_suggested', s)} {n}" for s, n in count.items()))
    return lines


def _keep(folder: Path, opened: Opened, content: PackageContent, documents: Sequence[Path], context: Context) -> None:
    package, points, links = content
    record = package_record(package) | {
        "lineage": {"generation": opened.project.generation, "tool": f"qianmo {__version__} review", "time": context.clock().isoformat(timespec="seconds"), "user": context.user},
        "synthetic": sorted(opened.synthetic.values()), "vintage": opened.vintage, "crs": f"EPSG:{opened.patches.crs.to_epsg()}",
    }  # fmt: skip
    keep_package(folder, record, {"review_point": points, "review_link": links}, opened.project.state, {d.name: d for d in documents})


def _roster(told: Mapping[str, Any], path: Path) -> tuple[str, str, list[dict[str, str]]]:
    people, keys = told.get("person", []), ("id", "name", "department", "role")
    wrong = [p for p in people if not isinstance(p, dict) or set(p) != set(keys)] if isinstance(people, list) else ["person"]
    if not people or wrong or not told.get("id") or not told.get("applicant"):
        raise SchemaError(f"{path.name}: {wrong or '缺 id, applicant 或 person'}", expected="id, applicant, 与若干 [[person]] (id, name, department, role)", cure="见 how-to/review")
    return str(told["id"]), str(told["applicant"]), [{k: str(p[k]) for k in keys} for p in people]


SPECS = (
    JobSpec(
        "review-open", "送审", "open a joint review: hash the package, fill in the checklists, submit",
        (PROJECT, JobOption("file", "path", "名册文件 (TOML)", "roster of the review", required=True, positional=True), _DOCUMENTS), run,
    ),
    JobSpec(
        "review-resubmit", "修改后再送审", "hand in the changed package as a new round",
        (PROJECT, REVIEW, JobOption("actor", "text", "办理人编号", "id of the person who acts", required=True), JobOption("reason", "text", "修改说明", "what was changed"), _DOCUMENTS,
         JobOption("unchanged", "flag", "材料确无变化, 只作说明", "the package is the same on purpose"), JobOption("request", "text", "请求编号, 重复提交只算一次", "id of a request that may be sent twice")), resubmit,
    ),
)  # fmt: skip
