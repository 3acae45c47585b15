"""The command ``qianmo``: every job is a sub-command made from its JobSpec (命令行入口)."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from qianmo import __version__
from qianmo.cli.interrupt import caught_interrupts
from qianmo.cli.output import bars, print_error, print_report, solver_silenced
from qianmo.cli.report_json import error_json, report_json
from qianmo.jobs.context import Context, left_searching
from qianmo.jobs.registry import GROUPS, job_names, job_spec, job_specs
from qianmo.jobs.spec import JobOption, JobSpec, checked_values
from qianmo.schema.errors import ChoiceNeededError, InfeasibleError, NotAllowedError, QianmoError, UnsafeInputError

__all__ = ["build_parser", "main"]

_FAULTS = {
    "the following arguments are required": "缺少必需的参数", "unrecognized arguments": "不认识的参数", "invalid choice": "没有这个选项值",
    "choose from": "可选", "expected one argument": "后面需要一个值", "expected at least one argument": "后面至少需要一个值",
    "invalid int value": "应为整数, 现为", "invalid float value": "应为数值, 现为", "argument ": "参数 ",
}  # fmt: skip
"""Standing words of the parser's messages."""

_MINUS = re.compile(r"-[\d.]+,[-\d]")
"""Numbers joined by commas of which the first is below zero."""

_DOORS = {"serve": "qianmo.web.serve"}
"""Commands that open another door; its module is imported when the command is asked for."""

_EXIT = ((ChoiceNeededError, 3), (InfeasibleError, 4), (UnsafeInputError, 5), (NotAllowedError, 6), (QianmoError, 2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 a check failed, 2 wrong input, 3 a choice is needed, 4 no plan is possible, 5 unsafe file, 6 not allowed."""
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:  # while the words were read and the job was loaded
        print("已中断; 项目保持原状", file=sys.stderr)
        code = 130
    if arguments is None and left_searching():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # all is written; unwinding a thread inside a compiled solver would abort the program
    return code


def _run(words: list[str]) -> int:
    _speak_utf8()
    os.environ["PROJ_NETWORK"] = "OFF"
    words = _with_minus(_joined(words))
    if words and words[0] in GROUPS:
        return _show_group(words)
    parser = build_parser(only=words[0] if words and words[0] in (*job_names(), *_DOORS) else "")
    asked = vars(parser.parse_args(words))
    if not asked.get("job"):
        parser.print_help()
        return 2
    name = asked.pop("job")
    spec = _spec(name)
    quiet = asked.pop("quiet")
    as_json = False if _has_own_json(spec) else asked.pop("json")
    try:
        values = checked_values(spec, asked)
        is_door = name in _DOORS
        with bars(enabled=not quiet and not is_door) as progress, nullcontext() if is_door else solver_silenced():
            context = Context(user=_user(), progress=progress, catch=caught_interrupts)
            report = spec.run(context, values)
    except QianmoError as error:
        code = next(code for kind, code in _EXIT if isinstance(error, kind))
        if as_json:
            print(error_json(name, error, code))
        else:
            print_error(error)
        return code
    except OSError as fault:
        place = f" {fault.filename}" if fault.filename else ""
        refused = NotAllowedError(f"读写{place} 失败: {fault.strerror or fault}", expected="可读写的位置与足够的磁盘空间", cure="检查路径、权限与磁盘空间后重试")
        if as_json:
            print(error_json(name, refused, 6))
        else:
            print_error(refused)
        return 6
    except KeyboardInterrupt as stopped:
        if as_json:
            print(error_json(name, stopped, 130))
        print("已中断; 项目保持原状", file=sys.stderr)
        return 130
    if as_json:
        print(report_json(name, report, context.notes))
    else:
        print_report(report, context.notes)
    if name == "demo" and values.get("serve"):
        return _served_demo(values)
    return report.exit_code


def _served_demo(values: Mapping[str, Any]) -> int:
    """Open the door to the example that was made, with its sample offices."""
    serve_sample = import_module("qianmo.web.sample_offices").serve_sample
    try:
        report = serve_sample((Path(values["out"]) / "project").resolve(), port=int(values["port"]), no_browser=bool(values["no_browser"]))
    except QianmoError as error:
        print_error(error)
        return next(code for kind, code in _EXIT if isinstance(error, kind))
    print_report(report, [])
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose standing words are Chinese."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(add_help=False, formatter_class=_Formatter, **settings)
        self._positionals.title, self._optionals.title = "参数 (arguments)", "选项 (options)"
        self.add_argument("-h", "--help", action="help", help="显示本帮助 · show this help")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the words of the command, and where the help is; exit code 2."""
        print(f"命令有误: {_fault_words(message)}\n  办法: 用 {self.prog} --help 查看用法", file=sys.stderr)
        raise SystemExit(2)


class _Formatter(argparse.HelpFormatter):
    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "用法: " if prefix is None else prefix)


def _joined(words: list[str]) -> list[str]:
    """``finance run FILE`` as ``finance-run FILE``, where there is such a job."""
    if len(words) > 1 and words[0] in GROUPS and f"{words[0]}-{words[1]}" in job_names():
        return [f"{words[0]}-{words[1]}", *words[2:]]
    return words


def _with_minus(words: list[str]) -> list[str]:
    """``--reference -99.1,19.4`` as ``--reference=-99.1,19.4``: west and south of zero are values, not options."""
    out: list[str] = []
    for word in words:
        if out and out[-1].startswith("--") and "=" not in out[-1] and _MINUS.match(word):
            out[-1] += f"={word}"
        else:
            out.append(word)
    return out


def _show_group(words: list[str]) -> int:
    """Say what a family of commands holds; 0 when that was asked, 2 when the word after it is missing or unknown."""
    group, asked = words[0], words[1] if len(words) > 1 else ""
    specs = [job_spec(name) for name in job_names() if name.startswith(group + "-")]
    lines = [f"  qianmo {group} {s.name.removeprefix(group + '-'):<12}{s.zh} · {s.en}" for s in specs]
    if asked in ("-h", "--help"):
        print("\n".join((f"{' · '.join(GROUPS[group])}:", *lines)))
        return 0
    fault = f"命令有误: {group} 没有子命令 {asked}" if asked else f"命令有误: {group} 后面需要一个子命令"
    print("\n".join((fault, "可选:", *lines)), file=sys.stderr)
    return 2


def _command_words(name: str) -> str:
    """The job's name as it is typed: ``finance run`` for ``finance-run``."""
    group = name.split("-", 1)[0]
    return name.replace("-", " ", 1) if group in GROUPS else name


def _fault_words(message: str) -> str:
    for said, zh in _FAULTS.items():
        message = message.replace(said, zh)
    return message


def build_parser(*, only: str = "") -> argparse.ArgumentParser:
    """The parser with one sub-command a job, or with one job alone, so that the others need not be imported."""
    parser = _Parser(prog="qianmo", description="阡陌: 全域土地综合整治 · comprehensive land consolidation")
    parser.add_argument("--version", action="version", version=f"qianmo {__version__}", help="显示版本号 · show the version")
    parser.set_defaults(quiet=False, json=False)
    commands = parser.add_subparsers(dest="job", metavar="COMMAND", title="命令 (commands)", parser_class=_Parser)
    for spec in (_spec(only),) if only else (*job_specs(), *map(_spec, _DOORS)):
        command = commands.add_parser(spec.name, prog=f"qianmo {_command_words(spec.name)}", help=f"{spec.zh} · {spec.en}", description=f"{spec.zh}。{spec.en}")
        command.add_argument("--quiet", action="store_true", help="不显示进度条 · no progress bar")
        if not _has_own_json(spec):
            command.add_argument("--json", action="store_true", help="结果以 JSON 输出 · print the result as JSON")
        for option in spec.options:
            _add(command, option)
    return parser


def _spec(name: str) -> JobSpec:
    """Specification of a command: a job, or another door."""
    if name not in _DOORS:
        return job_spec(name)
    return next(s for s in import_module(_DOORS[name]).SPECS if s.name == name)


def _has_own_json(spec: JobSpec) -> bool:
    """True for a job that says itself how its JSON looks."""
    return any(o.name == "json" for o in spec.options)


def _add(command: argparse.ArgumentParser, option: JobOption) -> None:
    names = [option.name] if option.positional else ["--" + option.name.replace("_", "-")]
    settings: dict[str, Any] = {"help": f"{option.zh} · {option.en}" + (f" [{option.default}]" if option.default not in (None, ()) else "")}
    if not option.positional:
        settings["dest"] = option.name
        settings["default"] = argparse.SUPPRESS
        settings["required"] = option.required
    if option.kind == "flag":
        settings["action"] = "store_true"
        settings["help"] = f"{option.zh} · {option.en}"
    elif option.kind in ("paths", "texts"):
        settings["nargs"] = ("+" if option.required else "*") if option.positional else None
        if not option.positional:
            settings["action"] = "append"
        settings["metavar"] = option.name.upper()
    else:
        settings["type"] = {"number": float, "integer": int}.get(option.kind, str)
        settings["metavar"] = "|".join(option.choices) if option.choices else option.name.upper()
        if option.choices:
            settings["choices"] = option.choices
        if option.positional and not option.required:
            settings["nargs"] = "?"
            settings["default"] = option.default
    settings = {k: v for k, v in settings.items() if v is not None}
    if option.positional:
        settings.pop("required", None)
    command.add_argument(*names, **settings)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def _speak_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    sys.exit(main())
