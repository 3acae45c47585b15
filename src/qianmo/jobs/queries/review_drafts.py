"""Drafts of reviews as the desk keeps and shows them (送审稿查询)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from qianmo.jobs.review.draft import is_sent, sent_as
from qianmo.schema.errors import SchemaError
from qianmo.store.guard_limits import default_limits
from qianmo.store.project import open_project
from qianmo.store.review_drafts import draft_look, keep_draft, read_draft, remove_draft, review_drafts
from qianmo.store.review_log import review_folder, review_ids

__all__ = ["begin_draft", "draft", "drafts", "is_plain_id", "is_sent", "is_stale", "is_taken", "look_of", "remove", "sent_as"]


def begin_draft(project: Path, number: str, record: Mapping[str, Any], documents: Iterable[tuple[str, Iterable[bytes]]]) -> bool:
    """Keep a draft with its documents in one step (保存送审稿); False where it is there already.

    Raises
    ------
    UnsafeInputError
        A document has a name that deceives or occurs twice, or all together are too large.
    """
    return keep_draft(project, number, record, documents, default_limits())


def draft(project: Path, number: str) -> dict[str, Any]:
    """One draft (送审稿).

    Raises
    ------
    MissingDataError
        There is none of that number.
    """
    return read_draft(project, number)


def drafts(project: Path) -> list[dict[str, Any]]:
    """All drafts, the newest first (送审稿清单)."""
    return review_drafts(project)


def look_of(project: Path, number: str) -> dict[str, Any]:
    """What the package would hold; empty before the look is done (预览)."""
    return draft_look(project, number)


def is_stale(project: Path, look: Mapping[str, Any]) -> bool:
    """Whether the project went on to another state since the look (预览是否过期)."""
    return bool(look) and open_project(project).generation != look["generation"]


def is_taken(project: Path, name: str) -> bool:
    """Whether a review has that id already (编号是否已用)."""
    return name in review_ids(project)


def is_plain_id(project: Path, name: str) -> bool:
    """Whether a text can be the id of a review (编号是否可用)."""
    try:
        review_folder(project, name)
    except SchemaError:
        return False
    return True


def remove(project: Path, number: str) -> None:
    """Remove a draft with its documents (删除送审稿)."""
    remove_draft(project, number)
