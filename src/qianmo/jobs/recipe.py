"""What to ingest and how, from options or a recipe file (入库方案)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from qianmo.geo.crs import Helmert
from qianmo.schema.errors import SchemaError
from qianmo.schema.tables import table_names

__all__ = ["PLAIN_ROLES", "Recipe", "SourceRecipe", "recipe_from_file", "recipe_from_options"]

PLAIN_ROLES = {"rain": "rain_day", "rain_station": "rain_station", "soil_table": "soil_type"}
"""Role of a table without drawings → the table of the project it fills."""

_ROLES = ("", "dem", "classes", "soil", *PLAIN_ROLES)


@dataclass(frozen=True)
class SourceRecipe:
    """One source and what the user says about it (来源设置); '' means: find out.

    `unit` is the unit of a table of rain; `names` the names to show for stations or soil codes.
    `split` = 'slope' cuts the agricultural classes of a class raster along the slope classes of the elevation model.
    `fields` names the column that a source field fills, `units` the unit of a column of area; `skip` leaves the source out.
    `each` holds answers for one source of a folder or archive by its name to show ('资料.zip/图斑.shp'), or for one layer
    by that name, '#' and the name of the layer; keys are fields of this record.
    """

    path: Path
    table: str = ""
    role: str = ""
    crs: str = ""
    datum: str = ""
    encoding: str = ""
    class_scheme: str = ""
    classes: Mapping[int, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    vintage: str = ""
    synthetic: bool = False
    licence: str = ""
    split: str = ""
    unit: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    skip: bool = False
    each: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def said_of(self, name: str) -> SourceRecipe:
        """What is said about one source or layer by name, over what is said about all (单个来源的设置)."""
        return replace(self, **self.each[name]) if name in self.each else self

    @property
    def plain(self) -> str:
        """Table without drawings that the source fills: by its role, or named as the table; '' for layers and rasters."""
        return PLAIN_ROLES.get(self.role, self.table if self.table in PLAIN_ROLES.values() else "")


@dataclass(frozen=True)
class Recipe:
    """A whole ingest (入库方案): sources, target CRS, county, datum shift, and what is to be invented."""

    sources: tuple[SourceRecipe, ...]
    name: str = ""
    crs: int | None = None
    county_code: str = ""
    helmert: Helmert | None = None
    invent: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def recipe_from_options(values: Mapping[str, Any]) -> Recipe:
    """Recipe from the options of the ingest job; they hold for every source named.

    Raises
    ------
    SchemaError
        An option cannot be read.
    """
    common: dict[str, Any] = {
        "table": _table(values.get("as_table") or ""), "crs": values.get("crs") or "", "datum": values.get("datum") or "",
        "encoding": values.get("encoding") or "", "class_scheme": values.get("class_scheme") or "",
        "classes": _classes(values.get("classes") or ""), "vintage": values.get("vintage") or "", "unit": values.get("unit") or "", "synthetic": bool(values.get("synthetic")),
    }  # fmt: skip
    sources = tuple(SourceRecipe(Path(p), **common) for p in values["sources"])
    target = values.get("project_crs")
    return Recipe(sources, values.get("name") or "", int(target) if target else None, values.get("county") or "", _helmert(values.get("helmert") or ""))


def recipe_from_file(record: Mapping[str, Any], folder: Path) -> Recipe:
    """Recipe from a parsed TOML file; relative paths count from its folder.

    Raises
    ------
    SchemaError
        A key is unknown, a value has the wrong form, or no source is named.
    """
    try:
        made = _from_record(record, folder)
    except (TypeError, ValueError, AttributeError) as fault:
        raise SchemaError(f"入库方案文件写法有误: {fault}", expected="见 examples/youwuzhen/ingest.toml", cure="核对键名与取值的类型") from fault
    if not made.sources:
        raise SchemaError("入库方案文件中没有来源", expected="至少一个 [[source]]", cure="补上 [[source]] 与 path")
    return made


def _from_record(record: Mapping[str, Any], folder: Path) -> Recipe:
    project = dict(record.get("project", {}))
    known = {f.name for f in fields(SourceRecipe)}
    sources = []
    for entry in record.get("source", []):
        strange = set(entry) - known
        if strange or "path" not in entry:
            raise SchemaError(f"source {entry.get('path', '?')}: keys {sorted(strange)}", expected="path and " + ", ".join(sorted(known)))
        classes = {int(k): str(v) for k, v in dict(entry.get("classes", {})).items()}
        if not isinstance(entry["path"], str) or not isinstance(entry.get("synthetic", False), bool):
            raise SchemaError(f"来源 {entry['path']!r}: path 须为文字, synthetic 须为 true 或 false", cure="改正入库方案文件")
        each = {str(k): _answers(str(k), dict(v)) for k, v in dict(entry.get("each", {})).items()}
        plain = {k: v for k, v in _answers(entry["path"], entry).items() if k not in ("path", "classes", "names", "each")}
        names = {str(k): str(v) for k, v in dict(entry.get("names", {})).items()}
        sources.append(SourceRecipe(folder / entry["path"], classes=classes, names=names, each=each, **plain))
    shift = record.get("helmert")
    invent = dict(record.get("invent", {}))
    invent |= {k: int(invent[k]) for k in ("villages", "seed") if k in invent}
    return Recipe(
        tuple(sources), str(project.get("name", "")), int(project["crs"]) if "crs" in project else None, str(project.get("county_code", "")),
        _shift(dict(shift)) if shift else None, invent,
        {k: v for k, v in record.items() if k not in ("project", "source", "helmert", "invent")},
    )  # fmt: skip


def _answers(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Answers about a source or a layer as the record holds them."""
    strange = set(entry) - {f.name for f in fields(SourceRecipe)}
    if strange or not isinstance(entry.get("skip", False), bool):
        raise SchemaError(f"source {name}: keys {sorted(strange)}", expected=", ".join(f.name for f in fields(SourceRecipe)))
    if entry.get("role", "") not in _ROLES:
        raise SchemaError(f"role {entry['role']!r}", expected=", ".join(r for r in _ROLES if r))
    out = {**entry, "table": _table(entry["table"])} if "table" in entry else dict(entry)
    out |= {k: {str(a): str(b) for a, b in dict(entry[k]).items()} for k in ("fields", "units", "names") if k in entry}
    return out | ({"classes": {int(k): str(v) for k, v in dict(entry["classes"]).items()}} if "classes" in entry else {})


def _shift(record: dict[str, Any]) -> Helmert:
    numbers = {k: float(v) for k, v in record.items() if k != "source"}
    if not all(map(math.isfinite, numbers.values())):
        raise SchemaError(f"[helmert] {numbers}", expected="有限的数值", cure="核对转换参数")
    return Helmert(**numbers, source=str(record.get("source", "")))


def _table(name: str) -> str:
    if name and name not in table_names():
        raise SchemaError(f"no table {name!r}", expected=", ".join(table_names()))
    return name


def _classes(text: str) -> dict[int, str]:
    pairs: dict[int, str] = {}
    for part in filter(None, text.replace(";", ",").split(",")):
        value, _, code = part.partition("=")
        if not code or not value.strip().lstrip("-").isdigit():
            raise SchemaError(f"classes {part!r}", expected="value=class code, such as 4=0201,6=0301")
        pairs[int(value)] = code.strip()
    return pairs


def _helmert(text: str) -> Helmert | None:
    if not text:
        return None
    try:
        numbers = [float(x) for x in text.split(",")]
    except ValueError:
        raise SchemaError(f"datum parameters {text!r}", expected="dx,dy,dz or dx,dy,dz,rx,ry,rz,ppm (m, arc-seconds, ppm)") from None
    if not all(map(math.isfinite, numbers)):
        raise SchemaError(f"datum parameters {text!r}", expected="有限的数值", cure="核对转换参数")
    if len(numbers) not in (3, 7):
        raise SchemaError(f"{len(numbers)} datum parameters", expected="3 or 7")
    names = ("dx", "dy", "dz", "rx", "ry", "rz", "scale_ppm")
    return Helmert(**dict(zip(names, numbers)), source="命令行输入 (given on the command line)")  # type: ignore[arg-type]
