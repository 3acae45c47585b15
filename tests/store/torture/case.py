"""One case of the torture corpus: how it is made, and what must happen to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qianmo.store.guard import Consent
from qianmo.store.raw import Reading

__all__ = ["SECRET", "Case", "accept", "refuse"]

SECRET = "机密7421-TOP-SECRET"
"""Content of a file outside every upload; it must never come out."""

Build = Callable[[Path], "Path | Sequence[Path]"]
Check = Callable[[list[Reading]], None]


@dataclass(frozen=True)
class Case:
    """A hostile or odd upload.

    `refused` is the name of the error, '' when it must be read; `words` must stand in the message;
    `notes` are the kinds of note that must come with what is read; `check` looks at what was read.
    """

    name: str
    build: Build
    refused: str = ""
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    check: Check | None = None
    encoding: str | None = None
    consent: Consent = field(default_factory=Consent)
    limits: tuple[tuple[str, float], ...] = ()


def refuse(
    name: str, build: Build, kind: str, *words: str, encoding: str | None = None, limits: tuple[tuple[str, float], ...] = ()
) -> Case:
    """A case that must be refused with this error and these words."""
    return Case(name, build, kind, words, encoding=encoding, limits=limits)


def accept(
    name: str, build: Build, *notes: str, check: Check, encoding: str | None = None, consent: Consent | None = None
) -> Case:
    """A case that must be read, with these notes, and stand the check."""
    return Case(name, build, notes=notes, check=check, encoding=encoding, consent=consent or Consent())
