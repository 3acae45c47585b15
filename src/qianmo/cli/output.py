"""Progress bars, reports and errors in words (终端输出)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from qianmo.jobs.context import Progress as Report
from qianmo.jobs.context import silent
from qianmo.jobs.spec import JobReport
from qianmo.schema.errors import ChoiceNeededError, InfeasibleError, QianmoError
from qianmo.schema.messages import chinese_message

_KINDS = MappingProxyType(
    {
        "SchemaError": "数据结构不符", "FinanceInputError": "资金文件有误", "GoafInputError": "采空区文件有误",
        "CodeError": "编码不符", "CrsError": "坐标系有误", "EncodingError": "文本编码有误", "TopologyError": "图形有误",
        "RuleError": "规则或参数有误", "InfeasibleError": "约束互相冲突", "NotAllowedError": "不允许", "MissingDataError": "缺少数据",
        "UnsafeInputError": "文件不安全或已损坏", "ChoiceNeededError": "需要您选择", "ReviewRefusedError": "不能办理",
    }
)  # fmt: skip
"""Kind of an error as a clerk reads it."""

_REASONED = re.compile(r"(?P<name>.*?) \((?P<score>[\d.]+): (?P<why>.*)\)", re.DOTALL)

__all__ = ["bars", "print_error", "print_report", "solver_silenced"]


@contextmanager
def bars(*, enabled: bool = True) -> Iterator[Report]:
    """A progress bar with elapsed time and time left, on standard error; plain lines where that is no terminal."""
    if not enabled:
        yield silent
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
               TextColumn("剩余"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=False) as bar:
        task = bar.add_task("准备", total=1.0)

        def show(step: str, share: float) -> None:
            bar.update(task, description=step, completed=share)

        yield show
        bar.update(task, description="完成", completed=1.0)


@contextmanager
def solver_silenced() -> Iterator[None]:
    """Keep what compiled libraries print by themselves off the standard output while a job runs."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def print_report(report: JobReport, notes: list[str]) -> None:
    """What was made and where, then the lines the user must read."""
    console = Console(highlight=False, soft_wrap=True)
    for line in report.lines:
        console.print(line, markup=False)
    if report.files:
        console.print("成果文件:", markup=False)
    for path, what in report.files:
        console.print(f"  {path}  — {what}", markup=False)
    if notes:
        console.print("请注意:", markup=False)
    for note in notes:
        console.print(f"  · {_note(note)}", markup=False)


def print_error(error: QianmoError) -> None:
    """One error: found, expected, cure, and the choices where there are some."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"未完成 ({_KINDS.get(type(error).__name__, type(error).__name__)}): {chinese_message(error.found)}", markup=False)
    if isinstance(error, ChoiceNeededError):
        for number, choice in enumerate(error.choices, 1):
            console.print(f"  候选 {number}: {_choice(choice)}", markup=False)
    elif isinstance(error, InfeasibleError):
        for limit in error.conflict:
            console.print(f"  冲突约束: {chinese_message(limit)}", markup=False)
    if error.expected and not isinstance(error, ChoiceNeededError | InfeasibleError):
        console.print(f"  应为: {chinese_message(error.expected)}", markup=False)
    if error.cure:
        console.print(f"  办法: {chinese_message(error.cure)}", markup=False)


def _note(note: str) -> str:
    """A remark in Chinese; the name of the layer in front of it stays."""
    layer, mark, rest = note.partition(": ")
    told = chinese_message(rest)
    return f"{layer}: {told}" if mark and told != rest else chinese_message(note)


def _choice(choice: str) -> str:
    """A candidate with its reasons in brackets, the reasons in Chinese."""
    found = _REASONED.fullmatch(choice)
    return f"{found['name']} ({found['score']}: {chinese_message(found['why'])})" if found else choice


def _plain() -> Report:
    last = [-1.0, ""]

    def show(step: str, share: float) -> None:
        if step != last[1]:
            last[0], last[1] = share, step
            print(f"[{share:4.0%}] {step}", file=sys.stderr)

    return show
