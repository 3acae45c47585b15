"""Who may read, open and change a joint review; asked by its pages alone (联席审查权限)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qianmo.governance.review_records import Person as RosterPerson
from qianmo.governance.review_records import ReviewState
from qianmo.governance.review_rights import may_read
from qianmo.jobs.queries.review_desk import ReviewView, review_names, review_view
from qianmo.jobs.queries.review_drafts import draft, drafts
from qianmo.schema.desk import Viewer
from qianmo.schema.errors import MissingDataError, NotAllowedError
from qianmo.web.authorise import DEFAULT_DEMAND, demands, hidden_names, may
from qianmo.web.desk import layers, project_folder
from qianmo.web.models import Person

__all__ = ["accounts_for_review", "draft_for", "drafts_for", "hidden_data", "may_submit", "review_for", "reviews_for", "roster_person"]


def roster_person(viewer: Viewer, state: ReviewState) -> RosterPerson | None:
    """The person of the roster of a review that an account is (名册对应账号): the one whose id is the account name, in the same department.

    Both must agree, so that an account that happens to bear the id of somebody else on a roster acts for nobody.
    """
    person = state.roster.get(viewer.name)
    return person if person is not None and person.department == viewer.department else None


def hidden_data(viewer: Viewer, view: ReviewView) -> frozenset[str]:
    """Data of a review the person may not see, by department or region; their names stay untold (不可见送审数据)."""
    return hidden_names(viewer, view.data)


def review_for(viewer: Viewer, name: str) -> ReviewView:
    """One review the person may read (可见审查): those on its roster, and managers; with the clearance of the most secret layer of its package.

    What else of the package the person may not see, by department or region, has no name there.

    Raises
    ------
    MissingDataError
        No such review, or the person may not read it: the answer is the same.
    """
    view = review_view(project_folder(), name)
    if not _may_read_review(viewer, view):
        raise MissingDataError(f"no review {name!r}", expected="a review of your list", cure="open the list of reviews")
    return view.veiled(hidden_data(viewer, view))


def reviews_for(viewer: Viewer) -> list[ReviewView]:
    """All reviews the person may read (可见审查)."""
    views = [review_view(project_folder(), name) for name in review_names(project_folder())]
    return [v for v in views if _may_read_review(viewer, v)]


def _may_read_review(viewer: Viewer, view: ReviewView) -> bool:
    if not may(viewer, "review") or viewer.clearance < _secrecy(view.layers):
        return False
    person = roster_person(viewer, view.state)
    return may(viewer, "manage") or (person is not None and may_read(view.state, person.id))


def _secrecy(names: Iterable[str]) -> int:
    """Level of the most secret of some layers."""
    asked = demands()
    return max((asked.get(n, DEFAULT_DEMAND).secrecy for n in names), default=DEFAULT_DEMAND.secrecy)


def _package_secrecy() -> int:
    """Level of what a package of the project would hold: all its layers, those included that the person may not see."""
    return _secrecy(e.name for e in layers().entries())


def may_submit(viewer: Viewer) -> None:
    """Let somebody pass who opens a review: who submits must be able to read what he submits (送审权限).

    Raises
    ------
    NotAllowedError
        The account has no department, or not the clearance for every layer of the package.
    """
    if not viewer.department:
        raise NotAllowedError("您的账号没有填写部门, 不能送审", expected="有部门的账号", cure="请网页管理员在“人员”页填写部门")
    if viewer.clearance < _package_secrecy():
        raise NotAllowedError("送审包中有超出您密级的图层, 您送审后自己也不能阅看", expected="密级不低于送审包中最高密级的账号", cure="请有权限的人员送审, 或请网页管理员核定您的密级")


def accounts_for_review(viewer: Viewer) -> list[Person]:
    """Accounts that can take part in a review of the present project: with a department, the right, and the clearance for its layers (可参加人员)."""
    level = _package_secrecy()
    found = Person.objects.filter(is_active=True, clearance__gte=level).exclude(department="").exclude(username=viewer.name).order_by("department", "username")
    return [p for p in found if may(p.viewer(), "review")]


def draft_for(viewer: Viewer, number: str) -> dict[str, Any]:
    """One draft of the person, or any for a manager (可见送审稿).

    Raises
    ------
    MissingDataError
        No such draft, or not theirs: the answer is the same.
    """
    found = draft(project_folder(), number)
    if not (found.get("person") == viewer.name or may(viewer, "manage")):
        raise MissingDataError(f"没有编号为 {number} 的送审稿", expected="清单中的一份送审稿", cure="打开联席审查页查看清单")
    return found


def drafts_for(viewer: Viewer) -> list[dict[str, Any]]:
    """Drafts of the person, all for a manager (可见送审稿)."""
    return [d for d in drafts(project_folder()) if d.get("person") == viewer.name or may(viewer, "manage")]
