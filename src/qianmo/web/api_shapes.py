"""What the typed interface takes and gives (接口数据结构)."""


from __future__ import annotations

from typing import Any

from ninja import Schema
from pydantic import Field

from qianmo.jobs.queries.variants import MOST_CHOSEN

__all__ = [
    "AlarmHere", "CatalogueRow", "Change", "CheckedLimit", "Choice", "ChosenPatch", "Covered", "Drawing", "Fault", "FaultWords",
    "Group", "HandEdit", "HandEdits", "Here", "KeptVariant", "Measure", "MeasureChange", "Outline", "PastState", "PatchOption",
    "Place", "PlanChange", "PlanChanges", "PlanOptions", "Progress", "ProjectHere", "RedLineReport", "Row", "TriedEdits",
    "Value",
]


class FaultWords(Schema):
    """Why a request was refused (错误说明)."""

    id: str
    found: str
    expected: str
    cure: str


class Fault(Schema):
    """A refusal: cause, cure and the number under which it is logged (错误)."""

    error: FaultWords


class CatalogueRow(Schema):
    """One dataset (数据集)."""

    name: str
    zh: str
    kind: str
    subject: str
    rank: int
    rows: int
    vintage: str
    source: str
    time: str
    secrecy: int
    synthetic: bool
    is_drawn: bool


class Value(Schema):
    """One field (字段)."""

    name: str
    zh: str
    value: Any
    unit: str
    meaning: str


class Row(Schema):
    """One row of a layer (要素)."""

    layer: str
    layer_zh: str
    row: int
    key: str
    synthetic: bool
    values: list[Value]


class Place(Schema):
    """One answer of a search (查找结果)."""

    layer: str
    layer_zh: str
    row: int
    key: str
    text: str
    lon: float
    lat: float
    box: tuple[float, float, float, float]
    notation: str
    order: str
    system: str


class Group(Schema):
    """Rows of one class under a red line (占压分类)."""

    value: str
    label: str
    rows: int
    area_m2: float


class Covered(Schema):
    """What a red line covers in one layer (占压图层)."""

    layer: str
    layer_zh: str
    kind: str
    rows: int
    area_m2: float
    groups: list[Group]
    synthetic: bool
    vintage: str


class RedLineReport(Schema):
    """What a red line covers (占压报告)."""

    area_m2: float
    vertices: int
    layers: list[Covered]


class Outline(Schema):
    """A red line as GeoJSON in CGCS2000 degrees (红线)."""

    geometry: dict[str, Any]
    layers: list[str] = Field(default_factory=list, max_length=200)


class Drawing(Schema):
    """A line or an outline as GeoJSON in CGCS2000 degrees (量算图形)."""

    geometry: dict[str, Any]


class Measure(Schema):
    """Geodesic length and ellipsoidal area (量算结果)."""

    length_m: float
    area_m2: float
    crosses: bool


class Change(Schema):
    """Land that went from one class to another (地类流向)."""

    before: str
    before_zh: str
    after: str
    after_zh: str
    rows: int
    area_m2: float


class PastState(Schema):
    """What a patch was in one kept state (图斑历史): its class, and what the plan of then did with it."""

    number: int
    what: str
    time: str
    user: str
    class_code: str
    class_zh: str
    area_m2: float | None
    measure_zh: str
    target_class: str


class ProjectHere(Schema):
    """A project of the library in the village of a place (所在村的项目)."""

    project: str
    name: str
    state: str
    state_zh: str
    state_en: str


class AlarmHere(Schema):
    """An alarm on a patch (图斑预警): a light of a detection, or a break of its series."""

    kind: str
    zh: str
    en: str
    when: str


class Here(Schema):
    """What is known of a place beside the layers of the map (此处的历史、项目与预警)."""

    patch: str
    history: list[PastState]
    projects: list[ProjectHere]
    alarms: list[AlarmHere]


class PlanChange(Schema):
    """One kind of difference between two plans (差异类型)."""

    code: str
    zh: str
    en: str
    fill: str
    edge: str
    hatch: str
    rows: int
    area_m2: float


class MeasureChange(Schema):
    """Patches that leave and enter one measure (措施增减)."""

    measure: str
    zh: str
    patches_before: int
    area_before_m2: float
    patches_after: int
    area_after_m2: float


class PlanChanges(Schema):
    """What two plans do differently (方案差异)."""

    patches: int
    area_m2: float
    cost_change_yuan: float
    kinds: list[PlanChange]
    measures: list[MeasureChange]


class Choice(Schema):
    """Patches of a plan: those at a point or inside an outline in CGCS2000 degrees, or by id (选中图斑)."""

    plan: str = Field(max_length=60)
    geometry: dict[str, Any] | None = None
    patches: list[str] = Field(default_factory=list, max_length=MOST_CHOSEN)


class ChosenPatch(Schema):
    """One patch of a plan (图斑)."""

    patch: str
    village: str
    class_code: str
    class_zh: str
    measure: str
    measure_zh: str
    measure_en: str
    target_class: str
    target_zh: str
    area_m2: float
    shape: dict[str, Any]


class PatchOption(Schema):
    """What may be set on patches (可选措施): how many of them may take it; the rules against it where none may."""

    measure: str
    measure_zh: str
    measure_en: str
    target_class: str
    target_zh: str
    patches: int
    rules: str


class PlanOptions(Schema):
    """Chosen patches and what may be set on them (选中图斑与可选措施)."""

    chosen: list[ChosenPatch]
    options: list[PatchOption]


class HandEdit(Schema):
    """One measure set on some patches (一次手改)."""

    patches: list[str] = Field(min_length=1, max_length=MOST_CHOSEN)
    measure: str = Field(max_length=40)
    target_class: str = Field("", max_length=12)


class HandEdits(Schema):
    """Edits of a plan, for trying or for keeping (手改)."""

    plan: str = Field(max_length=60)
    edits: list[HandEdit] = Field(min_length=1, max_length=200)
    title: str = Field("", max_length=40)
    generation: int = 0


class CheckedLimit(Schema):
    """One limit before and after (约束复核)."""

    id: str
    rule_id: str
    zh: str
    relation: str
    bound: float
    unit: str
    value_before: float
    value: float
    over_before: float
    over: float


class TriedEdits(Schema):
    """What edits do (手改试算); there is no proof of optimality, and the statement says so."""

    patches: int
    area_m2: float
    cost_change_yuan: float
    objective: float
    objective_before: float
    statement: str
    least_block_unchecked: bool
    limits: list[CheckedLimit]


class KeptVariant(Schema):
    """A variant that was kept (手改方案)."""

    name: str
    title: str
    generation: int


class Progress(Schema):
    """How far a task is (任务进度)."""

    state: str
    step: str
    share: float
    seconds_left: float | None
