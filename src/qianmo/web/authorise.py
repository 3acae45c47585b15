"""Where rights are decided: every page, tile, feature and report asks here, or the two files beside it (权限判定)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from qianmo.jobs.queries.catalogue import CatalogueEntry
from qianmo.jobs.queries.changes import Side, changes
from qianmo.jobs.queries.layers import ShownLayer
from qianmo.jobs.queries.made_from import data_of_job, rights_of
from qianmo.jobs.queries.plan_changes import plan_changes
from qianmo.jobs.queries.rasters import raster_of
from qianmo.jobs.queries.uploads import upload
from qianmo.schema.desk import OWNER_COLUMNS, LayerDemand, Viewer, desk_roles
from qianmo.schema.errors import MissingDataError, NotAllowedError
from qianmo.web.desk import layers, project_folder
from qianmo.web.kept_sessions import under_stamp
from qianmo.web.models import DrawnLine, LayerRight, Person, Task

if TYPE_CHECKING:
    from qianmo.jobs.queries.rasters import MapRaster

__all__ = [
    "DEFAULT_DEMAND", "Demands", "OwnPasswordNeeded", "SecondFactorNeeded", "compared_layers", "compared_plans", "demands", "hidden_columns", "hidden_names",
    "lacks_second_factor", "line_for", "may", "may_read_report", "may_replace", "may_see", "shown_layer", "shown_layers", "shown_raster",
    "task_for", "upload_for", "viewer_of", "visible_entries", "whole_plan",
]


DEFAULT_DEMAND = LayerDemand(1, (), "")
"""What a layer demands that nobody has classified: internal, all departments, the whole project."""


@dataclass(frozen=True)
class Demands(Mapping[str, LayerDemand]):
    """What layers and tables demand, by name (图层权限表): what a manager said of each, and the secrecy of all it was made from.

    A dataset that was made from others is as secret as the most secret of them that somebody classified, whatever is said of it alone; plans of the
    kind of another plan also ask for its departments and region where nothing is said of them. `own` is the table; `generation` the state whose
    catalogue tells what was made from what, 0 for the present.
    """

    own: Mapping[str, LayerDemand]
    generation: int = 0
    known: dict[str, tuple[object, LayerDemand]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> LayerDemand:
        """The demand of any name; there is always one."""
        if not self.own:
            return DEFAULT_DEMAND
        states = (layers().origins(), layers(self.generation).origins()) if self.generation else (layers().origins(),)
        held = self.known.get(name)
        if held is None or held[0] != states:
            held = self.known[name] = (states, self._demand(name, frozenset().union(*(s.behind(name, self.own.keys()) for s in states))))
        return held[1]

    def __iter__(self) -> Iterator[str]:
        """Names of the data that somebody classified."""
        return iter(self.own)

    def __len__(self) -> int:
        """How many were classified."""
        return len(self.own)

    def _demand(self, name: str, behind: frozenset[str]) -> LayerDemand:
        said = self.own.get(name)
        base = said or self.own.get(rights_of(name), DEFAULT_DEMAND)
        own = said.secrecy if said else DEFAULT_DEMAND.secrecy
        return LayerDemand(max([own, *(self.own[n].secrecy for n in behind)]), base.departments, base.region)


class SecondFactorNeeded(PermissionDenied):
    """The role of the person needs a second factor, and there is none (需要双重验证)."""


class OwnPasswordNeeded(PermissionDenied):
    """The password was given by somebody else, and its owner has not yet chosen another (须先更改口令)."""


def lacks_second_factor(person: Person) -> bool:
    """Whether the settings ask a person of this role for a second factor that is not set up (缺少第二因素)."""
    if person.role not in settings.QIANMO_SECOND_FACTOR:
        return False
    from allauth.mfa.utils import is_mfa_enabled

    return not is_mfa_enabled(person)


def viewer_of(request: HttpRequest) -> Viewer:
    """Who asks (当前用户).

    Raises
    ------
    PermissionDenied
        Nobody is signed in.
    OwnPasswordNeeded
        Somebody else gave the password.
    SecondFactorNeeded
        The role needs a second factor that is not set up.
    """
    person = request.user
    if isinstance(person, AnonymousUser) or not isinstance(person, Person) or not person.is_active:
        raise PermissionDenied
    if person.password_given:
        raise OwnPasswordNeeded
    if lacks_second_factor(person):
        raise SecondFactorNeeded
    return person.viewer()


def may(viewer: Viewer, action: str) -> bool:
    """Whether a role includes an action (角色权限)."""
    role = desk_roles().get(viewer.role)
    return role is not None and action in role.actions


def may_see(viewer: Viewer, demand: LayerDemand) -> bool:
    """Whether a person may see a layer at all (图层可见性): clearance, department and region must all fit.

    A layer of an administrative unit is seen by people of that unit, of one above it and of one inside it; inside it they
    see only their own rows, where the layer says where its rows lie.
    """
    if not may(viewer, "see") or viewer.clearance < demand.secrecy:
        return False
    if demand.departments and viewer.department not in demand.departments and viewer.role != "manager":
        return False
    return not demand.region or demand.region.startswith(viewer.region) or viewer.region.startswith(demand.region)


def demands(generation: int = 0) -> Demands:
    """Demands of all layers and tables, of the present or of a kept state; rights are those of today (图层权限表)."""
    return under_stamp(("demands", generation), lambda: Demands({right.layer: right.demand() for right in LayerRight.objects.all()}, generation))


def visible_entries(viewer: Viewer, generation: int = 0) -> tuple[CatalogueEntry, ...]:
    """The part of the catalogue a person may see, of the present or of a kept state (可见目录)."""
    asked = demands(generation)
    return tuple(e for e in layers(generation).entries() if may_see(viewer, asked.get(e.name, DEFAULT_DEMAND)))


def shown_layer(viewer: Viewer, name: str, generation: int = 0) -> ShownLayer:
    """One layer a person may see, of the present or of a kept state; rights are those of today (可见图层).

    Raises
    ------
    MissingDataError
        There is no such layer, or the person may not see it: the answer is the same, so that names are not given away.
    """
    if not may_see(viewer, demands(generation)[name]):
        raise MissingDataError(f"no layer {name!r} on the map", expected="a drawn layer of the project", cure="choose a layer of the catalogue")
    return layers(generation).layer(name)


def shown_raster(viewer: Viewer, name: str) -> MapRaster:
    """One raster a person may see (可见栅格).

    Raises
    ------
    MissingDataError
        There is no such raster, or the person may not see it: the answer is the same.
    """
    if all(e.name != name for e in visible_entries(viewer)):
        raise MissingDataError(f"no raster {name!r} on the map", expected="a raster of the project", cure="choose a layer of the catalogue")
    return raster_of(layers(), name)


def compared_layers(viewer: Viewer, before: Side, after: Side) -> ShownLayer:
    """What changed between two sides of a comparison, where the person may see both (可见的变化图层).

    Raises
    ------
    MissingDataError
        A side is missing or may not be seen.
    """
    return changes(shown_layer(viewer, before.layer, before.generation), before.column, shown_layer(viewer, after.layer, after.generation), after.column)


def compared_plans(viewer: Viewer, before: Side, after: Side) -> ShownLayer:
    """What two plans do differently, where the person may see both (可见的方案差异).

    Raises
    ------
    MissingDataError
        A side is missing, may not be seen, or is no plan.
    """
    if not (before.is_plan and after.is_plan):
        raise MissingDataError("a side is no plan", expected="two plans", cure="choose two plans on the map page")
    return plan_changes(shown_layer(viewer, before.layer, before.generation), shown_layer(viewer, after.layer, after.generation))


def whole_plan(viewer: Viewer, name: str) -> ShownLayer:
    """One plan for who may change it: nobody of one region alone, since its limits hold for the whole (整体方案权限).

    Raises
    ------
    MissingDataError
        There is no such plan, or the person may not see it.
    PermissionDenied
        The person sees one region only.
    """
    shown = shown_layer(viewer, name)
    if shown.dataset.kind != "plan_parcel":
        raise MissingDataError(f"no plan {name!r} on the map", expected="a plan of the project", cure="choose it on the map page")
    if viewer.region:
        raise PermissionDenied
    return shown


def hidden_columns(viewer: Viewer) -> frozenset[str]:
    """Columns of owners where the person may not see them (权利人信息): who only looks sees none."""
    return frozenset() if may(viewer, "review") else OWNER_COLUMNS


def shown_layers(viewer: Viewer, names: Iterable[str] = ()) -> list[ShownLayer]:
    """All drawn layers a person may see, or those of them that are named (可见图层)."""
    wanted = set(names)
    return [layers().layer(e.name) for e in visible_entries(viewer) if e.is_drawn and (not wanted or e.name in wanted)]


def task_for(viewer: Viewer, number: str) -> Task:
    """One task its asker, or who may run jobs, may see (可见任务).

    Raises
    ------
    MissingDataError
        No such task, or not theirs.
    """
    found = Task.objects.filter(number=number).select_related("person").first()
    if found is None or not (found.person.username == viewer.name or may(viewer, "manage")):
        raise MissingDataError(f"no task {number}", expected="a task of your list", cure="open the list of tasks")
    return found


def may_read_report(viewer: Viewer, task: Task) -> bool:
    """Whether the person may read what a task tells of its data (可见任务报告): its clearance must reach the most secret of what the job makes or reads.

    A job that is not known by the list of what data are made from tells of everything.
    """
    asked, made = demands(), data_of_job(task.job)
    if task.job == "sheet":
        made = tuple(task.values.get("layer", ()))
    names = asked.own.keys() if made is None else {n for d in made for n in ([d] if "*" not in d else [k for k in asked.own if fnmatchcase(k, d)] or [d])}
    return all(viewer.clearance >= asked[n].secrecy for n in names)


def line_for(viewer: Viewer, number: str) -> DrawnLine:
    """One red line of the person, or any for a manager (可见红线).

    Raises
    ------
    MissingDataError
        No such red line, or not theirs.
    """
    found = DrawnLine.objects.filter(number=number).select_related("person").first()
    if found is None or not (found.person.username == viewer.name or may(viewer, "manage")):
        raise MissingDataError(f"no red line {number}", expected="a red line of your list", cure="open the list of red lines")
    return found


def hidden_names(viewer: Viewer, names: Iterable[str]) -> frozenset[str]:
    """Which of these data the person may not see (不可见数据名)."""
    asked = demands()
    return frozenset(n for n in names if not may_see(viewer, asked.get(n, DEFAULT_DEMAND)))


def upload_for(viewer: Viewer, number: str, *, kind: str = "") -> dict[str, Any]:
    """One upload of the person, or any for a manager (可见上传); `kind` is '' for data of the project, 'red-line' for red lines.

    Raises
    ------
    MissingDataError
        No such upload, or not theirs.
    """
    found = upload(project_folder(), number)
    if found.get("kind", "") != kind or not (found.get("person") == viewer.name or may(viewer, "manage")):
        raise MissingDataError(f"没有编号为 {number} 的上传", expected="清单中的一次上传", cure="打开数据导入页查看清单")
    return found


def may_replace(viewer: Viewer, names: Iterable[str]) -> None:
    """Let an import pass that replaces layers whole (替换权限).

    Raises
    ------
    NotAllowedError
        The person sees one region only, or may not see one of the layers as it is.
    """
    asked = demands()
    if viewer.region:
        raise NotAllowedError("导入会整层替换, 您的权限只限一个地区", expected="不限地区的账号", cure="请管理员导入, 或请管理员调整您的地区权限")
    if any(not may_see(viewer, asked.get(n, DEFAULT_DEMAND)) for n in names):
        raise NotAllowedError("这次导入会替换您无权查看的图层", expected="对各图层的查看权限", cure="请管理员导入, 或把该图层勾为不入库")
