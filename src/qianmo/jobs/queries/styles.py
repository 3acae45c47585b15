"""How each layer is drawn on the web map: the national class colours of the map sheets (图层样式)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from qianmo.jobs.queries.layers import LayerHead
from qianmo.reports.map_style import Symbol, class_symbols, sequence_symbols, symbols

__all__ = ["ShownStyle", "style_of"]

_BY_CLASS = ("landuse_patch",)
_OWN_GROUP = {"plan_parcel": ("measure", "measure"), "subproject": ("project_class", "project_class"), "title_outcome": ("disposal", "disposal")}
_NAMED = ("zone_name", "project_class", "land_type", "use_class", "disposal")


@dataclass(frozen=True)
class ShownStyle:
    """The symbols of a layer by the values of one column, or one symbol for all where `column` is '' (样式).

    `after` is the column of the land class that a plan aims at, with its symbols; '' where the layer is no plan.
    """

    column: str
    symbols: dict[str, Symbol]
    single: Symbol
    is_outline: bool
    label: str
    after: str = ""
    after_symbols: Mapping[str, Symbol] = field(default_factory=dict)


def style_of(head: LayerHead) -> ShownStyle:
    """Symbols of a layer: land classes, measures, control lines, or a sequence of colours (图层样式)."""
    found = _present(head)
    if head.dataset.kind != "plan_parcel" or "target_class" not in head.outline.columns:
        return found
    return replace(found, after="target_class", after_symbols=class_symbols(_values(head, "target_class"), scheme=head.dataset.class_scheme or "SD3"))


def _present(head: LayerHead) -> ShownStyle:
    kind, names = head.dataset.kind, head.outline.columns
    single = symbols("layer").get(head.dataset.name) or symbols("layer").get(kind) or Symbol(head.dataset.zh, "", "", "#4a4a4a", 0.5)
    label = "village_name" if kind == "village" and "village_name" in names else ""
    if kind in _BY_CLASS and "class_code" in names:
        found = class_symbols(_values(head, "class_code"), scheme=head.dataset.class_scheme or "SD3")
        return ShownStyle("class_code", found, symbols("class")["other"], False, label)
    if kind in _OWN_GROUP and _OWN_GROUP[kind][1] in names:
        group, column = _OWN_GROUP[kind]
        styles = symbols(group)
        return ShownStyle(column, {v: styles[v] for v in sorted(_values(head, column)) if v in styles}, single, False, label)
    column = next((n for n in _NAMED if n in names), "")
    if column and kind not in ("basic_farmland", "eco_redline", "urban_boundary", "village"):
        values = sorted(_values(head, column))
        if 1 < len(values) <= 24:
            return ShownStyle(column, sequence_symbols(values, group="tenure"), single, False, label)
    return ShownStyle("", {}, single, not single.fill, label)


def _values(head: LayerHead, column: str) -> set[str]:
    return set(head.values(column))
