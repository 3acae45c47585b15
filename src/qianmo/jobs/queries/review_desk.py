"""Joint reviews as the desk shows them, replayed once for each state of the log (审查页数据)."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.governance.review_package import DATA_KINDS, ReviewPackage, package_changes, package_from_record, veiled_package
from qianmo.governance.review_records import ReviewEvent, ReviewState
from qianmo.governance.review_rights import local_day, open_verbs
from qianmo.governance.review_waiting import desk_waits
from qianmo.jobs.review.opened import open_review
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.store.review_log import review_folder, review_ids
from qianmo.store.review_packages import document_chunks, read_package

__all__ = ["FORMS", "ReviewView", "buttons", "decision_file", "kept_documents", "last_documents", "once", "review_names", "review_view", "waits_of"]

FORMS = {"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "pdf": "application/pdf"}
"""Forms of the decision document with their media types."""

_KEPT = 64
_views: OrderedDict[tuple[str, str], ReviewView] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class ReviewView:
    """One review as pages show it (审查): state, package, filled checklist, and what changed since the round before.

    `digest` is the SHA-256 of the log; a view is made once for each digest. `points` and `links` are rows of the tables ``review_point`` and
    ``review_link``; `layers` names the layers, plans and rasters of the package, whose secrecy the review shares.
    """

    id: str
    folder: Path
    digest: str
    events: tuple[ReviewEvent, ...]
    state: ReviewState
    package: ReviewPackage
    record: Mapping[str, Any]
    points: tuple[Mapping[str, Any], ...]
    links: tuple[Mapping[str, Any], ...]
    changes: tuple[Mapping[str, str], ...]
    layers: tuple[str, ...]
    made: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def data(self) -> tuple[str, ...]:
        """Names of the data of the package, of this round and the one before: plans, layers, tables and rasters (送审数据)."""
        return tuple(dict.fromkeys([*(i.name for i in self.package.items if i.kind in DATA_KINDS), *(c["name"] for c in self.changes if c["kind"] in DATA_KINDS)]))

    def veiled(self, hidden: Collection[str]) -> ReviewView:
        """The review for somebody who may not see these data: their names and hashes are gone, all else is as it is (遮蔽的审查)."""
        if not hidden:
            return self
        veil = {"name": "", "zh": "", "before": "", "after": ""}
        changes = tuple({**c, **veil} if c["name"] in hidden else c for c in self.changes)
        kept = tuple(n for n in self.layers if n not in hidden)
        return once(self, ("veiled", frozenset(hidden)), lambda: replace(self, package=veiled_package(self.package, hidden), changes=changes, layers=kept, made={}))


def review_names(project: Path) -> list[str]:
    """Ids of the reviews of a project (审查清单)."""
    return review_ids(project)


def review_view(project: Path, name: str) -> ReviewView:
    """One review, taken from memory while its log is the same (审查).

    Raises
    ------
    MissingDataError
        No such review, or its package is gone.
    SchemaError
        Its log was changed or damaged.
    """
    missing = MissingDataError(f"no review {name!r}", expected="a review of your list", cure="open the list of reviews")
    try:
        folder = review_folder(project, name)
    except SchemaError:
        raise missing from None
    log = folder / "events.jsonl"
    if not log.is_file():
        raise missing
    key = (str(folder), hashlib.sha256(log.read_bytes()).hexdigest())
    with _lock:
        if key in _views:
            _views.move_to_end(key)
            return _views[key]
        before = next((v for k, v in _views.items() if k[0] == key[0]), None)
    view = _made(project, name, key[1], before)
    with _lock:
        for old in [k for k in _views if k[0] == key[0]]:
            del _views[old]
        _views[key] = view
        while len(_views) > _KEPT:
            _views.popitem(last=False)
    return view


def waits_of(view: ReviewView, today: date) -> pd.DataFrame:
    """Table ``desk_wait`` of a review up to a day (办理用时)."""
    return once(view, ("waits", today), lambda: desk_waits(view.events, today=today))


def buttons(view: ReviewView, person: str, now: datetime) -> tuple[str, ...]:
    """Verbs open to a person of the roster; they hang on the day, not on the minute (可办动作)."""
    return once(view, ("verbs", person, local_day(now)), lambda: open_verbs(view.state, person, now))


def decision_file(project: Path, name: str, form: str, *, today: date, office: str = "", hidden: Collection[str] = ()) -> tuple[str, bytes]:
    """The decision, or its draft, as a file of a form of `FORMS`, without the names of data in `hidden` (下载联审意见书).

    Raises
    ------
    MissingDataError
        No such form.
    """
    from qianmo.jobs.review.decision import decision_of
    from qianmo.reports.document import word
    from qianmo.reports.pdf import pdf

    if form not in FORMS:
        raise MissingDataError(f"no form {form!r} of the decision", expected=", ".join(FORMS))
    stem, _, book = decision_of(open_review({"project": project, "review": name}), office=office, today=today, hidden=hidden)
    return f"{stem}.{form}", word(book) if form == "docx" else pdf(book)


def last_documents(view: ReviewView) -> tuple[str, ...]:
    """File names of the documents of the package under review (随送审包的文件)."""
    return tuple(i.name for i in view.package.items if i.kind == "document")


def kept_documents(view: ReviewView, names: Iterable[str]) -> list[tuple[str, Iterator[bytes]]]:
    """Documents of the package under review as name and chunks, those of `names` that it holds (沿用文件)."""
    known = set(last_documents(view))
    return [(n, document_chunks(view.folder, view.package.sha256, n)) for n in names if n in known]


def _made(project: Path, name: str, digest: str, before: ReviewView | None) -> ReviewView:
    """The view after a move; what hangs on the packages alone is taken over from the view before, where they are the same."""
    review = open_review({"project": project, "review": name})
    if before is not None and before.state.packages == review.state.packages:
        return replace(before, digest=digest, events=review.events, state=review.state, made={})
    record, tables = read_package(review.folder, review.state.package)
    package = package_from_record(record)
    points, links = (tuple(tables[n].to_dict("records")) for n in ("review_point", "review_link"))
    layers = tuple(i.name for i in package.items if i.kind in ("layer", "plan", "raster"))
    return ReviewView(name, review.folder, digest, review.events, review.state, package, record, points, links, _changes(review.folder, review.state, package), layers)


def _changes(folder: Path, state: ReviewState, package: ReviewPackage) -> tuple[Mapping[str, str], ...]:
    """What differs from the package of the round before; nothing in the first round, or where that package is gone."""
    if len(state.packages) < 2:
        return ()
    try:
        before, _ = read_package(folder, state.packages[-2])
    except MissingDataError:
        return ()
    return tuple(package_changes(package_from_record(before), package))


def once(view: ReviewView, key: Any, make: Callable[[], Any]) -> Any:
    """What was made for this state of the review before, else made now (逐状态缓存); the key says all that it hangs on besides the state."""
    if key not in view.made:
        view.made[key] = make()
    return view.made[key]
