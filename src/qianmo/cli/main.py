"""The command ``qianmo``: every job is a sub-command made from its JobSpec (命令行入口)."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from typing import Any

from qianmo import __version__
from qianmo.cli.interrupt import caught_interrupts
from qianmo.cli.output import bars, print_error, print_report, solver_silenced
from qianmo.cli.report_json import error_json, report_json
from qianmo.jobs.context import Context
from qianmo.jobs.registry import job_names, job_spec, job_specs
from qianmo.jobs.spec import JobOption, checked_values
from qianmo.schema.errors import ChoiceNeededError, InfeasibleError, NotAllowedError, QianmoError, UnsafeInputError

__all__ = ["build_parser", "main"]

_EXIT = ((ChoiceNeededError, 3), (InfeasibleError, 4), (UnsafeInputError, 5), (NotAllowedError, 6), (QianmoError, 2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 2 wrong input, 3 a choice is needed, 4 no plan is possible, 5 unsafe file, 6 not allowed."""
    _speak_utf8()
    os.environ["PROJ_NETWORK"] = "OFF"
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser(only=words[0] if words and words[0] in job_names() else "")
    asked = vars(parser.parse_args(words))
    if not asked.get("job"):
        parser.print_help()
        return 2
    name = asked.pop("job")
    spec = job_spec(name)
    quiet, as_json = asked.pop("quiet"), asked.pop("json")
    try:
        values = checked_values(spec, asked)
        with bars(enabled=not quiet) as progress, solver_silenced():
            context = Context(user=_user(), progress=progress, catch=caught_interrupts)
            report = spec.run(context, values)
    except QianmoError as error:
        code = next(code for kind, code in _EXIT if isinstance(error, kind))
        if as_json:
            print(error_json(name, error, code))
        else:
            print_error(error)
        return code
    except KeyboardInterrupt as stopped:
        if as_json:
            print(error_json(name, stopped, 130))
        print("已中断; 项目保持原状 (interrupted, the project is as it was before)", file=sys.stderr)
        return 130
    if as_json:
        print(report_json(name, report, context.notes))
    else:
        print_report(report, context.notes)
    return 0


def build_parser(*, only: str = "") -> argparse.ArgumentParser:
    """The parser with one sub-command a job, or with one job alone, so that the others need not be imported."""
    parser = argparse.ArgumentParser(prog="qianmo", description="阡陌: 全域土地综合整治 · comprehensive land consolidation")
    parser.add_argument("--version", action="version", version=f"qianmo {__version__}")
    parser.set_defaults(quiet=False, json=False)
    commands = parser.add_subparsers(dest="job", metavar="COMMAND")
    for spec in (job_spec(only),) if only else job_specs():
        command = commands.add_parser(spec.name, help=f"{spec.zh} · {spec.en}", description=f"{spec.zh}。{spec.en}")
        command.add_argument("--quiet", action="store_true", help="不显示进度条 · no progress bar")
        command.add_argument("--json", action="store_true", help="输出 JSON 供程序读取 · machine-readable output")
        for option in spec.options:
            _add(command, option)
    return parser


def _add(command: argparse.ArgumentParser, option: JobOption) -> None:
    names = [option.name] if option.positional else ["--" + option.name.replace("_", "-")]
    settings: dict[str, Any] = {"help": f"{option.zh} · {option.en}" + (f" [{option.default}]" if option.default is not None else "")}
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
