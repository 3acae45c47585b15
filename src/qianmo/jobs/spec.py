"""What a job is called, takes and gives: the command, the form and the reference page come from it (作业规格)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qianmo.schema.errors import SchemaError

if TYPE_CHECKING:
    from qianmo.jobs.context import Context

__all__ = ["JobOption", "JobReport", "JobSpec", "checked_values"]

KINDS = ("path", "paths", "text", "texts", "number", "integer", "flag", "choice")


@dataclass(frozen=True)
class JobOption:
    """One input of a job (参数).

    `kind` is path, paths, text, texts, number, integer, flag or choice; a positional option has no dashes on the
    command line.
    """

    name: str
    kind: str
    zh: str
    en: str
    default: Any = None
    required: bool = False
    positional: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobReport:
    """What a job made (作业结果): lines for the user, files with a word on each, and figures.

    `exit_code` is 0 unless the job is a check that found something wrong.
    """

    lines: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = 0


@dataclass(frozen=True)
class JobSpec:
    """One job (作业): its name, texts, options and the function that runs it."""

    name: str
    zh: str
    en: str
    options: tuple[JobOption, ...]
    run: Callable[[Context, Mapping[str, Any]], JobReport]

    def option(self, name: str) -> JobOption:
        """Return one option by name.

        Raises
        ------
        SchemaError
            The job has no such option.
        """
        for o in self.options:
            if o.name == name:
                return o
        raise SchemaError(f"job {self.name} has no option {name!r}", expected=", ".join(o.name for o in self.options))


def checked_values(spec: JobSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with defaults filled in, refused when unknown, missing or outside the choices.

    Raises
    ------
    SchemaError
        A value is unknown, missing, or not one of the choices.
    """
    for name in values:
        spec.option(name)
    full = {o.name: values.get(o.name, o.default) for o in spec.options}
    for o in spec.options:
        value = full[o.name]
        if o.required and (value is None or value == [] or value == ()):
            raise SchemaError(f"job {spec.name} needs {o.name} ({o.zh})")
        if o.choices and value is not None and value not in o.choices:
            raise SchemaError(f"{o.name} is {value!r}", expected=", ".join(o.choices))
    return full
