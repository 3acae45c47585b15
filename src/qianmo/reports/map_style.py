"""Colours and hatches of map sheets, readable in grey (图式符号)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from qianmo.schema.codes import class_schemes, land_classes
from qianmo.schema.errors import CodeError
from qianmo.schema.shipped import shipped_rows

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Classes", "MapLayer", "Symbol", "class_symbols", "sequence_symbols", "symbol", "symbols"]

_HAIRLINE_PT = 0.15
_PATCH_EDGE = "#8c8c86"


@dataclass(frozen=True)
class Symbol:
    """How one kind of polygon is drawn and named in the legend (符号). An empty `fill` draws the outline only."""

    label: str
    fill: str = ""
    hatch: str = ""
    edge: str = _PATCH_EDGE
    width_pt: float = _HAIRLINE_PT


@dataclass(frozen=True)
class Classes:
    """Symbols by the values of one column, drawn and listed in the order of `symbols` (分类符号).

    A value without a symbol is drawn with `other`; the legend then shows it too.
    """

    column: str
    symbols: Mapping[str, Symbol]
    other: Symbol = Symbol("其他", "#e6e6e6")


@dataclass(frozen=True, eq=False)
class MapLayer:
    """One layer of a sheet: polygons in a metric CRS, a style, and the column of its labels (图层).

    `labels` names a text column written at a point inside each polygon; '' writes none.
    """

    frame: gpd.GeoDataFrame
    style: Symbol | Classes
    labels: str = ""
    label_pt: float = 9.0


@cache
def symbols(group: str) -> Mapping[str, Symbol]:
    """All symbols of one group of ``codes/map_styles.csv`` by code, in the order of the file.

    Groups: class, measure, project_class, zone, layer, slope, sequence, tenure.

    Raises
    ------
    CodeError
        No such group.
    """
    found = {r["code"]: _symbol(r) for r in shipped_rows("codes", "map_styles") if r["group"] == group}
    if not found:
        raise CodeError(f"no map style group {group!r}", expected=", ".join(sorted({r["group"] for r in shipped_rows("codes", "map_styles")})))
    return MappingProxyType(found)


def symbol(group: str, code: str, *, label: str = "") -> Symbol:
    """One symbol, renamed when `label` is given.

    Raises
    ------
    CodeError
        No such group or code.
    """
    found = symbols(group).get(code)
    if found is None:
        raise CodeError(f"no map style {group}/{code}", expected=", ".join(symbols(group)))
    return replace(found, label=label) if label else found


def class_symbols(codes: set[str], *, scheme: str = "SD3") -> dict[str, Symbol]:
    """Symbols of land classes, labelled with code and name (地类符号).

    A code without a symbol of its own takes that of its base code, then of its first level. The order is that of codes.
    """
    names = {c: k.zh for c, k in land_classes(scheme).items()} if scheme in class_schemes() else {}
    styles = symbols("class")
    found = {}
    for code in sorted(codes):
        base = next((s for s in (code, code[:4], code[:2]) if s in styles), "other")
        zh = names.get(code) or styles[base].label
        found[code] = replace(styles[base], label=f"{zh}({code})")
    return found


def sequence_symbols(values: list[str], *, group: str = "sequence") -> dict[str, Symbol]:
    """Symbols for values known only at run time, such as years or owners, in the order given.

    More values than symbols start again with a denser hatch, so that no two look alike in the first three rounds.
    """
    styles = list(symbols(group).values())
    found = {}
    for n, value in enumerate(values):
        lap, base = n // len(styles), styles[n % len(styles)]
        found[value] = replace(base, label=value, hatch=base.hatch + "/*+"[(lap - 1) % 3] * 2 if lap else base.hatch)
    return found


def _symbol(row: dict[str, str]) -> Symbol:
    return Symbol(row["zh"], row["fill"], row["hatch"], row["edge"] or _PATCH_EDGE, float(row["width_pt"] or _HAIRLINE_PT))
