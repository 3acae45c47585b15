"""QGIS styles (QML) from the shipped map colours (图层样式)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from qianmo.schema.codes import class_schemes, land_classes

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["qml"]

_OUTLINE_KINDS = {
    "basic_farmland": ("#b58900", "f_diagonal"),
    "eco_redline": ("#c4001a", "b_diagonal"),
    "urban_boundary": ("#7a3fb0", "no"),
    "village": ("#333333", "no"),
    "fault": ("#ff0000", "no"),
    "planning_zone": ("#1f77b4", "no"),
    "project_area": ("#000000", "no"),
}

_GROUP_COLOURS = {
    "01": "#f7f3a1", "02": "#f2b36d", "03": "#4f9d4a", "04": "#b7d58a", "05": "#e36a6a", "06": "#b98a6e", "07": "#e88fa8",
    "08": "#d77fb5", "09": "#a05a8c", "10": "#9a9a9a", "11": "#7fbfe8", "12": "#cfc9a8", "00": "#8fd0c8",
}  # fmt: skip


def qml(frame: gpd.GeoDataFrame, *, kind: str) -> str:
    """A QML document: land classes by colour, control lines by hatch, other layers plain."""
    named = ("target_class", "class_code") if kind == "plan_parcel" else ("class_code", "target_class", "land_type", "zone_name")
    column = next((c for c in named if c in frame.columns), "")
    shape = str(frame.geom_type.dropna().iloc[0]) if len(frame) and frame.geom_type.notna().any() else "Polygon"
    if "Polygon" not in shape:
        return _document(_single(_marker(shape)))
    if kind in _OUTLINE_KINDS:
        colour, pattern = _OUTLINE_KINDS[kind]
        return _document(_single(_fill(colour, pattern, name="0")))
    if column:
        values = sorted({str(v) for v in frame[column].dropna().unique()})[:200]
        return _document(_categories(column, values))
    return _document(_single(_fill("#d9d9d9", "solid", name="0")))


def _document(renderer: str) -> str:
    return f'<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM"><qgis version="3.28" styleCategories="Symbology">{renderer}</qgis>'


def _single(symbol: str) -> str:
    return f'<renderer-v2 type="singleSymbol" enableorderby="0" forceraster="0"><symbols>{symbol}</symbols></renderer-v2>'


def _categories(column: str, values: list[str]) -> str:
    names = _class_names()
    rows, symbols = [], []
    for number, value in enumerate(values):
        label = f"{value} {names[value]}" if value in names else value
        rows.append(f'<category render="true" symbol="{number}" value={quoteattr(value)} label={quoteattr(label)}/>')
        symbols.append(_fill(_GROUP_COLOURS.get(value[:2], _spread(number)), "solid", name=str(number)))
    return (
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(column)} enableorderby="0" forceraster="0">'
        f"<categories>{''.join(rows)}</categories><symbols>{''.join(symbols)}</symbols></renderer-v2>"
    )


def _fill(colour: str, pattern: str, *, name: str) -> str:
    border = colour if pattern != "solid" else "#5a5a5a"
    width = "0.5" if pattern != "solid" else "0.1"
    options = (
        f'<Option type="Map"><Option name="color" value="{_rgba(colour)}" type="QString"/>'
        f'<Option name="outline_color" value="{_rgba(border)}" type="QString"/>'
        f'<Option name="outline_width" value="{width}" type="QString"/><Option name="style" value="{pattern}" type="QString"/></Option>'
    )
    return f'<symbol type="fill" name="{name}" alpha="1" force_rhr="0"><layer class="SimpleFill" pass="0" enabled="1">{options}</layer></symbol>'


def _marker(shape: str) -> str:
    kind, layer = ("line", "SimpleLine") if "Line" in shape else ("marker", "SimpleMarker")
    key = "line_color" if kind == "line" else "color"
    options = f'<Option type="Map"><Option name="{key}" value="{_rgba("#c00000")}" type="QString"/></Option>'
    return f'<symbol type="{kind}" name="0" alpha="1" force_rhr="0"><layer class="{layer}" pass="0" enabled="1">{options}</layer></symbol>'


def _class_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for scheme in class_schemes():
        if scheme == "SD3":
            names.update({code: found.zh for code, found in land_classes(scheme).items()})
    return names


def _spread(number: int) -> str:
    hue = (number * 67) % 200
    return f"#{55 + hue:02x}{255 - hue // 2:02x}{120 + (number * 31) % 130:02x}"


def _rgba(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"
