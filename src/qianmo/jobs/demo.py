"""The main job on real files: ingest, evaluate, plan, book (一键演示)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qianmo
from qianmo.jobs.book import make_book
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation import evaluate_area
from qianmo.jobs.ingest.base import ingest
from qianmo.jobs.planning import plan_area
from qianmo.jobs.recipe import recipe_from_file
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import MissingDataError, NotAllowedError
from qianmo.store.scratch import read_toml

__all__ = ["SPECS", "example_folder", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """From the raw files of the Youwuzhen catchment to a plan book."""
    source = Path(values["data"]) if values["data"] else example_folder()
    out = Path(values["out"])
    project = out / "project"
    if (project / "current").exists() and values.get("serve"):
        return JobReport((f"示例已在 {project} (the example is there)",))
    if (project / "current").exists():
        raise NotAllowedError(f"{project} 已存在 (the demo was made here before)", cure="换一个 --out 文件夹, 或先删除它")
    recipe = recipe_from_file(read_toml(source / "ingest.toml"), source)
    with context.part(0.0, 0.25) as part:
        read = ingest(part, recipe, project)
    with context.part(0.25, 0.4) as part:
        judged = evaluate_area.run(part, {"project": str(project)})
    with context.part(0.4, 0.6) as part:
        planned = plan_area.run(part, {"project": str(project), "budget": None, "start_year": None, "rule": None, "waive": None})
    with context.part(0.6, 1.0) as part:
        book = make_book.run(part, {"project": str(project), "out": str(out / "book"), "office": None, "template": None})
    lines = ("【入库】", *read.lines, "【评价】", *judged.lines, "【方案】", *planned.lines, "【成果】", *book.lines,
             "村界、权属与三条控制线为按规则生成的合成数据, 凡用到之处均已标注; 土地利用、地形、土壤、降水为真实数据")  # fmt: skip
    return JobReport(lines, (*read.files, *book.files), {**read.figures, **planned.figures, **book.figures})


def example_folder() -> Path:
    """The example files: beside the source tree, or below the working folder.

    Raises
    ------
    MissingDataError
        They are in neither place.
    """
    places = [Path(qianmo.__file__).resolve().parents[2] / "examples" / "youwuzhen", Path.cwd() / "examples" / "youwuzhen"]
    for place in places:
        if (place / "ingest.toml").is_file():
            return place
    raise MissingDataError("找不到示例数据 examples/youwuzhen", expected=" 或 ".join(str(p) for p in places), cure="在源码目录运行, 或用 --data 指定")


SPECS = (
    JobSpec(
        "demo", "一键演示", "the main job on the real example: ingest, evaluate, plan, book",
        (
            JobOption("out", "path", "输出文件夹", "folder for everything that is made", default="demo-out"),
            JobOption("data", "path", "示例数据文件夹", "folder of the example files"),
            JobOption("serve", "flag", "随后在浏览器中打开, 带示例部门账户", "then open it in the browser, with sample offices", default=False),
            JobOption("port", "integer", "端口", "port", default=8600),
            JobOption("no_browser", "flag", "不自动打开浏览器", "do not open a browser", default=False),
        ),
        run,
    ),
)  # fmt: skip
