"""Tables with shapes that a job is given: from files of the user or from the project, in one system of coordinates (输入表)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj

from qianmo import __version__
from qianmo.geo.crs import is_metric, transform
from qianmo.jobs.context import Context
from qianmo.jobs.plain_table import plain_layers
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import ChoiceNeededError, CrsError, MissingDataError, SchemaError
from qianmo.schema.rules import parameters
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project
from qianmo.store.raw import RawLayer
from qianmo.store.stage import read_catalog

__all__ = ["Given", "crs_of_project", "dataset_of", "given_from_file", "given_from_project", "in_one_crs", "parameter_overrides"]


@dataclass(frozen=True)
class Given:
    """One input table and where it came from (输入表)."""

    table: str
    frame: pd.DataFrame
    source: str
    sha256: str
    synthetic: bool = False


def given_from_file(path: str | Path, table: str) -> Given:
    """Read one table from a GeoPackage, shapefile, GeoJSON, Excel or CSV file through the guarded reader (读取输入表).

    Columns may carry our names, their Chinese labels or the standard field names; words are turned into codes.

    Raises
    ------
    QianmoError
        The file was refused, holds no such table, or holds several.
    """
    layer, sha = _chosen(plain_layers([path]), table, str(path))
    return Given(table, _named(layer, table), Path(path).name, sha)


def given_from_project(project: Project, table: str) -> Given | None:
    """The layer or table of that kind in the project, None where there is none (项目中的输入表)."""
    for name, d in read_catalog(project.state).items():
        if d.kind == table:
            frame = read_frame(project.state / "layers" / f"{name}.parquet")
            return Given(table, frame, f"项目图层 {name}", d.lineage.source_sha256, d.synthetic)
    path = project.state / "tables" / f"{table}.parquet"
    return Given(table, read_frame(path), f"项目表 {table}", "") if path.is_file() else None


def crs_of_project(project: Project | None) -> pyproj.CRS | None:
    """The CRS of the layers of a project, None where it has none (项目坐标系)."""
    found = [d.crs for d in read_catalog(project.state).values() if d.crs] if project else []
    return pyproj.CRS.from_user_input(found[0]) if found else None


def in_one_crs(given: Mapping[str, Given], project_crs: pyproj.CRS | None) -> dict[str, Given]:
    """All layers in the CRS of the project, or of the first layer where the project is new (统一坐标系).

    Raises
    ------
    CrsError
        A layer has no CRS, one in degrees, or one on another datum than the rest.
    """
    target = project_crs
    out = {}
    for name, g in given.items():
        frame = g.frame
        if isinstance(frame, gpd.GeoDataFrame):
            if frame.crs is None or not is_metric(pyproj.CRS(frame.crs)):
                raise CrsError(f"{g.source}: {frame.crs.name if frame.crs else 'no CRS'}", expected="a projected CRS in metres", cure="先投影到 CGCS2000 高斯-克吕格坐标系")
            target = target or pyproj.CRS(frame.crs)
            if pyproj.CRS(frame.crs) != target:
                frame = gpd.GeoDataFrame(frame.drop(columns=frame.geometry.name), geometry=transform(frame.geometry.to_numpy(), frame.crs, target), crs=target)
        out[name] = Given(g.table, frame, g.source, g.sha256, g.synthetic)
    return out


def dataset_of(name: str, given_or_kind: Given | str, frame: gpd.GeoDataFrame, context: Context, *, zh: str, job: str, facts: Mapping[str, Any],
               synthetic: bool = False) -> Dataset:  # fmt: skip
    """Catalogue record with lineage of an input or a result layer (数据集登记)."""
    given = given_or_kind if isinstance(given_or_kind, Given) else None
    kind = given.table if given else str(given_or_kind)
    source, sha = (given.source, given.sha256) if given else (f"qianmo {job}", "")
    moment = context.clock().isoformat(timespec="seconds")
    lineage = Lineage(source, sha, f"qianmo {__version__} {job}", moment, context.user, dict(facts))
    return Dataset(name, kind, zh, f"EPSG:{pyproj.CRS(frame.crs).to_epsg()}", "", "", synthetic or bool(given and given.synthetic), len(frame), lineage)


def parameter_overrides(pairs: list[str] | None, settings: Mapping[str, Any], *, prefix: str) -> dict[str, float]:
    """Parameters from ``project.toml`` and from name=value words, of one prefix (参数取值).

    Raises
    ------
    SchemaError
        Unknown name or no number.
    """
    out = {k: float(v) for k, v in dict(settings.get("parameters", {})).items() if k.startswith(prefix)}
    for pair in pairs or ():
        name, _, number = str(pair).partition("=")
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if name not in parameters() or not name.startswith(prefix) or value != value:
            known = ", ".join(p for p in parameters() if p.startswith(prefix))
            raise SchemaError(f"--set {pair}", expected=f"name=number with a name out of {known}")
        out[name] = value
    return out


def _chosen(layers: list[tuple[RawLayer, str]], table: str, path: str) -> tuple[RawLayer, str]:
    spec = table_spec(table)
    named = [x for x in layers if x[0].name in (table, spec.zh)]
    fits = named or [x for x in layers if not _missing(list(map(str, x[0].frame.columns)), table)]
    if len(fits) == 1 or (fits and table == "project_area"):
        return fits[0]
    if not fits:
        best = min((_missing(list(map(str, x[0].frame.columns)), table) for x in layers), key=len, default=[])
        labels = ", ".join(f"{n} ({spec.column(n).zh})" for n in best)
        raise MissingDataError(f"{path}: no layer is a {table} ({spec.zh}); columns missing {labels}", expected=", ".join(c.name for c in spec.columns if c.required),
                               cure="按模板补充列 (列名可用中文), 见 how-to/allot 与 how-to/integrate")  # fmt: skip
    raise ChoiceNeededError(f"{path}: {len(fits)} layers could be {table}", choices=[x[0].name for x in fits], cure=f"把图层命名为 {table} 或只保留一个图层")


def _missing(columns: list[str], table: str) -> list[str]:
    if table == "project_area":
        return []
    have = set(_mapping(columns, table).values())
    return [c.name for c in table_spec(table).columns if c.required and c.name not in have]


def _mapping(columns: list[str], table: str) -> dict[str, str]:
    keys: dict[str, str] = {}
    for c in table_spec(table).columns:
        for key in (c.name, c.zh, *filter(None, c.source.split(";"))):
            keys.setdefault(key.casefold(), c.name)
    out: dict[str, str] = {}
    for name in columns:
        target = keys.get(name.strip().casefold().split("(")[0].split("（")[0])
        if target and target not in out.values():
            out[name] = target
    return out


def _named(layer: RawLayer, table: str) -> pd.DataFrame:
    frame = layer.frame.reset_index(drop=True)
    names = _mapping([c for c in map(str, frame.columns) if c != "geometry"], table)
    out = pd.DataFrame({target: _values(frame[name], table, target) for name, target in names.items()})
    if not isinstance(frame, gpd.GeoDataFrame) or table_spec(table).geometry == "none":
        return out
    crs = pyproj.CRS.from_wkt(layer.declared_crs_wkt) if layer.declared_crs_wkt else None
    return gpd.GeoDataFrame(out, geometry=frame.geometry.to_numpy(), crs=crs)


def _values(column: pd.Series, table: str, name: str) -> pd.Series:
    """Numbers where every cell is one; words as codes; the rest as it is."""
    kind = table_spec(table).column(name).type
    words = {r["word"]: r["code"] for r in shipped_rows("codes", "tenure_words") if r["column"] == name}
    if kind in ("real", "integer"):
        blank = column.isna() | (column.astype("string").str.strip() == "")
        number = pd.to_numeric(column, errors="coerce")
        return number if not (number.isna() & ~blank).any() else column
    text = column.astype("string").str.strip()
    if words:
        text = text.map(lambda t: ";".join(words.get(w.strip(), w.strip()) for w in str(t).replace("；", ";").split(";")) if pd.notna(t) else t)
    return text.astype(object).where(text.notna(), None)
