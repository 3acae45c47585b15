"""Check a plan and its proof again: limits, locks, score, bound, hashes (核验方案与证明)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from qianmo.jobs.context import Context
from qianmo.jobs.planning.proof_of import by_cases
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.proof import area_table, counts
from qianmo.planning.proof_arrays import Proof, read_proof
from qianmo.planning.verify import verify
from qianmo.schema.errors import MissingDataError
from qianmo.schema.measures import KEEP
from qianmo.store.parquet import read_frame
from qianmo.store.project import open_project
from qianmo.store.proof_folder import file_sha256, is_proof_folder, read_proof_folder

__all__ = ["SPECS", "run"]

FEW = 30
"""Limits that hold are listed one by one up to this many."""

LONG = 120
"""Characters of a number or list that are shown."""


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Check a proof folder, or the current plan of a project with the tables it was made from and gave."""
    folder = Path(values["folder"])
    state = None if is_proof_folder(folder) else open_project(folder).state
    place = folder if state is None else state / "proof"
    if not is_proof_folder(place):
        raise MissingDataError(
            f"{folder} 没有可核验的方案 (no proof)",
            expected="a proof folder, or a project with a plan",
            cure="先运行 qianmo plan",
        )
    context.step("读取证明", 0.0)
    record, arrays = read_proof_folder(place)
    proof = read_proof(record, arrays)
    context.step("逐项重算", 0.3)
    checks = verify(proof.problem, proof.choice, record, proof.prices)
    is_proper = all(c["ok"] for c in checks if c["id"] == "choice")
    checks += _record_checks(proof) if is_proper else []
    if state is not None and is_proper:
        context.step("核对项目数据", 0.8)
        checks += _source_checks(state, record) + _plan_checks(state, proof) + _certificate_checks(state, place)
    failed = [c for c in checks if not c["ok"]]
    figures = {"ok": not failed, "folder": str(folder), "objective": record["objective"], "bound": record["bound"], "gap_abs": record["gap_abs"],
               "gap_rel": record["gap_rel"], "checks": len(checks), "failed": failed}  # fmt: skip
    lines = (json.dumps(figures, ensure_ascii=False, default=str),) if values["json"] else tuple(_lines(record, proof.prices.cases, checks, failed))
    return JobReport(lines, figures=figures, exit_code=int(bool(failed)))


def _record_checks(proof: Proof) -> list[dict[str, Any]]:
    """Sizes and areas of the record are those of the arrays."""
    size = counts(proof.problem, proof.choice, proof.prices.cases)
    rows = [_row("counts", "数目一致", size == proof.record.get("counts"), size, proof.record.get("counts"))]
    if proof.area_dm2 is not None or "areas" in proof.record:
        found = None if proof.area_dm2 is None else area_table(proof.problem, proof.choice, proof.area_dm2)
        rows.append(_row("areas", "各措施面积可复算", found == proof.record.get("areas"), found, proof.record.get("areas")))
    return rows


def _source_checks(state: Path, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    sources = record.get("sources")
    for name, claimed in (sources if isinstance(sources, dict) else {}).items():
        is_inside = not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
        found = file_sha256(state / name) if is_inside and (state / name).is_file() else "缺失 (missing)"
        rows.append(_row(f"source:{name}", f"{name} 与编制方案时一致", found == claimed, found, claimed))
    return rows


def _plan_checks(state: Path, proof: Proof) -> list[dict[str, Any]]:
    """The parcel list of the project says what the proof says, patch by patch."""
    table = read_frame(state / "tables" / "plan_parcel.parquet")
    problem, done = proof.problem, proof.choice >= 0
    if len(table) != problem.n:
        return [_row("plan_parcel", "规划图斑表与证明逐图斑一致", False, f"{len(table)} rows", f"{problem.n} rows")]
    taken = proof.choice[done]
    measure, target = np.full(problem.n, KEEP, object), table["class_code"].to_numpy(object).copy()
    measure[done], target[done] = problem.measure[taken], problem.target_class[taken]
    pairs = [
        ("measure", measure, table["measure"].to_numpy(object)),
        ("target_class", target, table["target_class"].to_numpy(object)),
    ]
    if proof.area_dm2 is not None:
        pairs.append(("area_m2", proof.area_dm2, np.rint(table["area_m2"].to_numpy(float) * 100).astype(np.int64)))
    if proof.patch_id is not None:
        pairs.append(("patch_id", proof.patch_id, table["patch_id"].astype(str).to_numpy(object)))
    rows = []
    for column, wanted, found in pairs:
        wrong = np.flatnonzero(wanted != found)
        shown = ", ".join(str(x) for x in table["patch_id"].to_numpy()[wrong[:5]])
        rows.append(
            _row(
                f"plan_parcel:{column}",
                f"规划图斑表 {column} 与证明逐图斑一致",
                not len(wrong),
                f"{len(wrong)} 个不一致 {shown}".strip(),
                "0 个不一致",
            )
        )
    return rows


def _certificate_checks(state: Path, place: Path) -> list[dict[str, Any]]:
    path = state / "tables" / "certificate.json"
    told = json.loads(path.read_text(encoding="utf-8")).get("proof", {}) if path.is_file() else {}
    found = file_sha256(place / "certificate.json")
    return [_row("proof", "项目证书指向这份证明", told.get("sha256") == found, found, told.get("sha256"))]


def _lines(record: Mapping[str, Any], cases: int, checks: list[dict[str, Any]], failed: list[dict[str, Any]]) -> list[str]:
    limits = [c for c in checks if str(c["id"]).startswith("limit:")]
    shown = [c for c in checks if not str(c["id"]).startswith(("limit:", "value:", "side:"))]
    lines = [f"方案证明 {record.get('made', '')}, {record.get('software', '')}: 目标 {record['objective']:.6g}, 上界 {record['bound']:.6g}, 差距 {record['gap_rel']:.4%}{by_cases(cases)}"]
    if len(limits) <= FEW:
        lines += [f"  通过 约束 {c['zh']}: {float(c['found']):,.2f} {c['expected']}" for c in limits if c["ok"]]
    else:
        lines.append(f"  满足 {sum(c['ok'] for c in limits)} 项约束, 共 {len(limits)} 项")
    lines += [f"  通过 {c['zh']}" for c in shown if c["ok"]]
    lines += [f"  不符 {c['zh']} [{c['id']}]: 重算 {_short(c['found'])}, 证书 {_short(c['expected'])}" for c in failed]
    return [*lines, f"共 {len(checks)} 项, 不符 {len(failed)} 项" + ("" if failed else "; 方案与证明一致")]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONG else text[:LONG] + "…"


def _row(check: str, zh: str, ok: bool, found: Any, expected: Any) -> dict[str, Any]:
    return {"id": check, "zh": zh, "ok": bool(ok), "found": found, "expected": expected}


SPECS = (
    JobSpec(
        "verify-plan", "核验方案与证明", "check a plan and its proof again, without a solver",
        (
            JobOption("folder", "path", "证明文件夹或项目文件夹", "proof folder, or project", required=True, positional=True),
            JobOption("json", "flag", "以 JSON 输出", "print the result as JSON", default=False),
        ),
        run,
    ),
)  # fmt: skip
