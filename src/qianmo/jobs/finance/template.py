"""A blank file of a package for a planner to fill in (组合包模板)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from qianmo.jobs.context import Context
from qianmo.jobs.finance.package import TEMPLATES
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.schema.errors import NotAllowedError
from qianmo.store.finance_file import write_bytes_once

__all__ = ["SPECS", "run", "template_text"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Write the template of a kind of package; a file that is there is not replaced."""
    kind, out = values["kind"], Path(values["out"] or f"{values['kind']}.toml")
    if out.exists():
        raise NotAllowedError(f"文件 {out} 已存在", expected="新的文件名", cure="用 --out 另写一个名字")
    text = template_text(kind)
    write_bytes_once(out, text.encode("utf-8"))
    blanks = text.count("填写")
    return JobReport((f"{TEMPLATES[kind]}: {blanks} 处待填写",), ((str(out), "模板 (TOML)"),), {"kind": kind, "blanks": blanks})


def template_text(kind: str) -> str:
    """The shipped template of a kind (模板内容)."""
    return (resources.files("qianmo.schema") / "templates" / f"finance_{kind}.toml").read_text(encoding="utf-8")


SPECS = (
    JobSpec(
        "finance-template", "组合包模板", "blank file of a package to fill in",
        (
            JobOption("kind", "choice", "种类", "kind of package", required=True, positional=True, choices=tuple(TEMPLATES)),
            JobOption("out", "path", "写到的文件, 默认为种类.toml", "file to write, by default KIND.toml"),
        ),
        run,
    ),
)  # fmt: skip
