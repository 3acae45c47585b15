"""Solve a planning problem that others brought, and keep the proof (求解外来规划问题)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qianmo.jobs.context import Context
from qianmo.jobs.planning.proof_of import by_cases, keep_proof
from qianmo.jobs.searching import Searching, limits_of_search, teller
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.exchange import problem_from_tables
from qianmo.planning.least_block import with_least_block
from qianmo.planning.problem import PlanProblem
from qianmo.planning.proof_arrays import read_proof
from qianmo.planning.verify import verify
from qianmo.schema.errors import NotAllowedError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.units import m2_to_mu, mu_to_m2
from qianmo.store.problem_file import read_problem_file
from qianmo.store.proof_folder import file_sha256, is_proof_folder, read_proof_folder

__all__ = ["SPECS", "least_blocks", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read a problem file, find a plan with its bound, write the proof folder and check it as it lies on the disk."""
    source, out = Path(values["problem"]), Path(values["out"])
    if out.exists() and not is_proof_folder(out) and not (out.is_dir() and not any(out.iterdir())):
        raise NotAllowedError(
            f"{out} is there and is no proof folder",
            expected="a free name for --out",
            cure="choose another folder (请换一个文件夹)",
        )
    gap, seconds = limits_of_search(
        values["gap"], values["seconds"], default_gap=parameter("plan_gap_rel"), default_seconds=parameter("plan_time_limit_s")
    )
    context.step("读取规划问题", 0.0)
    given = problem_from_tables(*read_problem_file(source))
    context.step("求解", 0.1)
    with context.catch() as stop:
        search = Searching(gap, seconds, time.monotonic, teller(context, "求解", seconds, time.monotonic, low=0.1, high=0.8), stop)
        solution = search(given.problem)
    blocks = {}
    for layer, least in least_blocks(given.problem, values.get("min_block") or ()).items():
        context.step(f"落实最小连片 {given.problem.pairs[layer].zh}", 0.8)
        p = given.problem.pairs[layer]
        solution, block = with_least_block(
            given.problem, solution, p, area=given.area_dm2 / 100.0, least_m2=least, borders=(p.i, p.j), most=int(parameter("window_patches_max")),
            time_limit_s=seconds, timer=time.monotonic,
        )  # fmt: skip
        blocks[p.aim] = block.summary()
    context.step("保存证明", 0.8)
    keep_proof(
        out, given.problem, solution, now=context.clock(), sources={source.name: file_sha256(source)}, area_m2=given.area_dm2 / 100.0,
        patch_id=given.patch_id.astype(str),
    )  # fmt: skip
    context.step("独立核验", 0.9)
    record, arrays = read_proof_folder(out)
    proof = read_proof(record, arrays)
    failed = [c for c in verify(proof.problem, proof.choice, record, proof.prices) if not c["ok"]]
    figures = {k: record[k] for k in ("objective", "bound", "gap_abs", "gap_rel", "counts", "method", "time_s")} | {
        "out": str(out), "failed": failed, "interrupted": search.stopped, "minimum_block": blocks,
    }
    files = ((str(out), "方案与证明, 用其中的 check_plan.py 或 qianmo verify-plan 核验"),)
    if values["json"]:
        return JobReport((json.dumps(figures, ensure_ascii=False, default=str),), figures=figures, exit_code=int(bool(failed)))
    early = f"按要求提前结束求解, 保留当前最优方案, 差距 {record['gap_rel']:.4%} (ended early with the best plan so far)"
    lines = [
        *([early] if search.stopped else []),
        f"{given.name or source.name}: {record['counts']['patches']} 个图斑, 改变 {record['counts']['changed']} 个",
        f"目标 {record['objective']:.6g}, 上界 {record['bound']:.6g}, 差距 {record['gap_rel']:.4%}{by_cases(record['counts']['cases'])}, 用时 {record['time_s']:.1f} 秒 ({record['method']})",
        *(
            f"最小连片 {name} 不小于 {m2_to_mu(b['least_m2']):.2f} 亩: 原有过小 {b['blocks_too_small_before']} 处, 硬性规则的代价 {b['price']:.6g} 分"
            + ("" if b["price_is_exact"] else " (至多)") for name, b in blocks.items()
        ),
        *(f"  不符 {c['zh']}: 重算 {c['found']}, 证书 {c['expected']}" for c in failed),
    ]
    return JobReport(tuple(lines), files, figures, exit_code=int(bool(failed)))


def least_blocks(problem: PlanProblem, texts: Sequence[str]) -> dict[int, float]:
    """Number of the layer and least area [m2] from ``LAYER=MU``; one layer at most, as a second could undo the first (最小连片要求).

    Raises
    ------
    SchemaError
        A text that is no such pair, an unknown layer, or a second layer.
    """
    found: dict[int, float] = {}
    names = [p.aim for p in problem.pairs]
    for text in texts:
        layer, _, number = str(text).partition("=")
        if layer not in names or not number.replace(".", "", 1).isdecimal() or found:
            raise SchemaError(f"--min-block {text}", expected=f"层=亩数, 只能一层, 层为 {', '.join(names) or '(文件中没有邻接层)'}")
        found[names.index(layer)] = round(mu_to_m2(float(number)), 2)
    return found


SPECS = (
    JobSpec(
        "solve", "求解规划问题文件", "solve a problem file and write the proof",
        (
            JobOption("problem", "path", "规划问题文件 (.qproblem)", "problem file", required=True),
            JobOption("out", "path", "证明文件夹", "folder for plan and proof", required=True),
            JobOption("gap", "number", "目标差距 (占可改进量)", "gap to reach, share of the attainable improvement"),
            JobOption("seconds", "number", "时限 (秒)", "time limit in seconds"),
            JobOption("min_block", "texts", "最小连片: 层=亩数", "least block of what is newly brought to state 1 of a layer: layer=mu"),
            JobOption("json", "flag", "以 JSON 输出", "print the result as JSON", default=False),
        ),
        run,
    ),
)  # fmt: skip
