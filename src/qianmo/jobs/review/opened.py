"""A review of a project as its commands see it (打开的审查)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qianmo.governance.review_process import apply, event_from_record, event_record, replay
from qianmo.governance.review_records import ReviewEvent, ReviewState
from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption
from qianmo.schema.errors import ChoiceNeededError, MissingDataError
from qianmo.store.project import Project, open_project
from qianmo.store.review_log import append_event, read_log, review_folder, review_ids

__all__ = ["OpenedReview", "PROJECT", "REVIEW", "add_event", "open_review"]

PROJECT = JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True)
REVIEW = JobOption("review", "text", "审查编号 (只有一件时可省)", "id of the review; may be left out where there is one")


@dataclass(frozen=True)
class OpenedReview:
    """A review with its project, folder, events and state (审查)."""

    project: Project
    id: str
    folder: Path
    events: tuple[ReviewEvent, ...]
    state: ReviewState


def open_review(values: Mapping[str, Any]) -> OpenedReview:
    """The review that the options name, replayed from its log.

    Raises
    ------
    MissingDataError
        The project has no review.
    ChoiceNeededError
        It has several and none was named.
    """
    project = open_project(Path(values["project"]))
    name = values.get("review") or _only(project)
    folder = review_folder(project.folder, str(name))
    events = tuple(event_from_record(e["event"]) for e in read_log(folder))
    return OpenedReview(project, str(name), folder, events, replay(events))


def add_event(
    folder: Path, verb: str, actor: str, context: Context, data: Callable[[ReviewState | None], Mapping[str, Any]], *, event_id: str = ""
) -> tuple[ReviewEvent, ReviewState]:
    """Apply one move to the newest state and keep it (办理并留痕); a refused move leaves the log as it was.

    `data` is asked for the content of the move while nobody else can write, so that what it looks up still holds when it is kept.

    Parameters
    ----------
    folder : Path
        Of the review; made by the first move.
    event_id : str
        Id of a request that may be sent twice, at another time too: it counts once when verb, person and content are the same, and is
        refused (``id_reused``) when they differ. By default a number.

    Returns
    -------
    (ReviewEvent, ReviewState)
        The event as kept and the state after it; where the same event was there before, that state.
    """
    made: list[tuple[ReviewEvent, ReviewState]] = []

    def decide(past: list[dict[str, Any]]) -> Mapping[str, Any] | None:
        now = replay(event_from_record(e) for e in past) if past else None
        first = next((n for n, e in enumerate(past) if e["id"] == event_id), None)
        if first is None:
            event = ReviewEvent(event_id or f"e{len(past) + 1:05d}", verb, actor, context.clock(), data(now))
        else:
            then = replay(event_from_record(e) for e in past[:first]) if first else None
            event = ReviewEvent(event_id, verb, actor, event_from_record(past[first]).time, data(then))
        event = event_from_record(event_record(event))
        after = apply(now, event)
        made.append((event, after))
        return None if after is now else event_record(event)

    append_event(folder, decide, user=context.user)
    return made[0]


def _only(project: Project) -> str:
    names = review_ids(project.folder)
    if not names:
        raise MissingDataError("项目还没有联合审查 (no review)", cure="先送审: qianmo review open PROJECT FILE")
    if len(names) > 1:
        raise ChoiceNeededError(f"项目有 {len(names)} 件审查", choices=names, cure="用 --review 指明一件")
    return names[0]
