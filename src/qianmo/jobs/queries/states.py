"""States of a project that are kept, for comparing and for undo (可查看的历史版本)."""

from __future__ import annotations

from pathlib import Path

from qianmo.schema.errors import MissingDataError
from qianmo.store.project import Generation, history, open_generation, open_project

__all__ = ["Generation", "kept_state", "kept_states", "redoable", "undoable"]


def kept_states(folder: Path) -> list[Generation]:
    """All states that are kept, the newest first (历史版本)."""
    return history(folder)[::-1]


def kept_state(folder: Path, number: int) -> int:
    """The number itself where that state is kept (版本检查).

    Raises
    ------
    MissingDataError
        It is not kept any more.
    """
    return open_generation(folder, number).generation


def undoable(folder: Path) -> Generation | None:
    """The change that undo would take back; None where there is no state before it (可撤销的步骤)."""
    here = open_project(folder).generation
    kept = {g.number: g for g in history(folder)}
    found = kept.get(here)
    if found is None:
        raise MissingDataError(f"state {here} of the project is not kept", cure="restore the folder generations/ from a backup")
    return found if found.parent in kept else None


def redoable(folder: Path) -> Generation | None:
    """The change that redo would bring back; None where none was taken back from here (可恢复的步骤)."""
    here = open_project(folder).generation
    later = [g for g in history(folder) if g.parent == here]
    return max(later, key=lambda g: g.number) if later else None
