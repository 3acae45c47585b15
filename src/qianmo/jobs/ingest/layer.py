"""One raw layer to one table of the project (单图层入库)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from qianmo import __version__
from qianmo.jobs.ingest.place import Box, choose_project_crs, lonlat_box, place, where
from qianmo.jobs.ingest.read import Read
from qianmo.jobs.recipe import Recipe, SourceRecipe
from qianmo.onemap.classes import detect_class_scheme
from qianmo.onemap.harmonise import harmonise, propose_mapping
from qianmo.onemap.level import new_register_areas
from qianmo.onemap.mapping import FieldMap
from qianmo.onemap.recognise import recognise
from qianmo.schema.codes import land_class
from qianmo.schema.dataset import Candidate, Dataset, Decision, Lineage
from qianmo.schema.errors import ChoiceNeededError, CodeError, MissingDataError, SchemaError
from qianmo.schema.messages import chinese_message
from qianmo.schema.tables import table_spec
from qianmo.store.raw import Note, RawGrid, RawLayer

__all__ = ["SLOPE_LIMITS", "Prepared", "Setting", "layer_bounds", "layer_county", "mapping_of", "prepare_classes", "prepare_layer"]

SLOPE_LIMITS = (2.0, 6.0, 15.0, 25.0)
"""Upper limits of slope classes 1 to 4 (domain GDPDJB of ``dltb_domains.csv``). [degree]"""


@dataclass
class Setting:
    """What all layers of one ingest share (公共设置): target CRS once known, boxes of known layers, clock, user."""

    recipe: Recipe
    now: datetime
    user: str
    crs: int | None
    known: dict[str, Box]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Prepared:
    """A layer in the project CRS with its record (待入库图层)."""

    frame: gpd.GeoDataFrame
    dataset: Dataset
    remarks: tuple[Note, ...] = ()


def prepare_layer(raw: RawLayer, read: Read, setting: Setting) -> Prepared:
    """Recognise, locate, harmonise one vector layer.

    Raises
    ------
    ChoiceNeededError
        What it is, where it lies or which class scheme it uses is not clear.
    """
    if not isinstance(raw.frame, gpd.GeoDataFrame):
        found = f"{raw.source_path}: 图层 {raw.name} 没有图形, 也没有坐标列"
        raise MissingDataError(found, expected="几何图形或经纬度/坐标列", cure="检查表头, 或转换为矢量后再入库")
    raw_frame = _fresh(raw.frame)
    _has_shapes(raw_frame, f"{raw.source_path}: 图层 {raw.name}")
    columns = [c for c in raw_frame.columns if c != raw_frame.geometry.name]
    what = _what(raw, read, columns, raw_frame)
    spot = where(
        layer_bounds(raw_frame), shapely.get_coordinates(raw_frame.geometry.to_numpy())[:20000], wkt=raw.declared_crs_wkt, said=read.said,
        county=setting.recipe.county_code or layer_county(raw_frame), known=setting.known, origin=raw.source_path,
    )  # fmt: skip
    moved, note = _into_project(raw_frame, spot, raw.declared_crs_wkt, setting)
    mapping = mapping_of(moved, what.chosen, read.said)
    scheme = _scheme(moved, mapping.fields, what.chosen, read)
    area_missing = what.chosen == "landuse_patch" and "area_m2" in mapping.missing
    try:
        frame, notes = harmonise(moved, what.chosen, mapping, class_scheme=scheme.chosen if scheme else "")
    except SchemaError as short:
        raise _told_fields(short, mapping, columns, f"{raw.source_path}: 图层 {raw.name}") from short
    if area_missing:
        frame = new_register_areas(frame, class_scheme=scheme.chosen if scheme else "SD3")
        notes = (*notes, f"{raw.name}: 没有图斑面积字段, 以椭球面积作为登记面积")
    setting.notes += [f"{raw.name}: {n}" if not n.startswith(raw.name) else n for n in (*notes, *mapping.notes)]
    decisions = tuple(d for d in (read.encoding, what, spot, scheme) if d is not None)
    extra = {"layer": raw.name, "driver": raw.driver, "fields": dict(mapping.fields), "profile": mapping.profile, "datum_note": note}
    remarks = [f"{n.kind}: {n.found or n.what}" for n in raw.notes]
    setting.notes += [f"{raw.name}: {_remark(n)}" for n in raw.notes if n.severity != "info"]
    return Prepared(frame, _dataset(what.chosen, raw.name, frame, read, setting, decisions, spot, scheme, {**extra, "remarks": remarks}), raw.notes)


def mapping_of(frame: gpd.GeoDataFrame, table: str, said: SourceRecipe) -> FieldMap:
    """Field map of a layer in the project CRS: proposed, with the user's word over it (字段映射)."""
    found = propose_mapping([c for c in frame.columns if c != "geometry"], table, sample=frame.head(500))
    if not said.fields and not said.units:
        return found
    taken = set(said.fields.values())
    kept = {s: t for s, t in found.fields.items() if t not in taken and s not in said.fields}
    fields = kept | {s: t for s, t in said.fields.items() if t}
    filled = {*fields.values(), *(("class_area_m2",) if "area_m2" in fields.values() else ())}
    missing = tuple(c.name for c in table_spec(table).columns if c.required and c.name not in filled and table != "other_layer")
    return replace(found, fields=fields, units={**found.units, **said.units}, missing=missing)


def _has_shapes(frame: gpd.GeoDataFrame, where_: str) -> None:
    """A layer without one drawn feature is refused before anything is concluded from it."""
    drawn = int((~frame.geometry.isna() & ~frame.geometry.is_empty).sum())
    if not drawn:
        found = f"{where_} 没有要素 (0 条)" if not len(frame) else f"{where_} 的 {len(frame)} 条要素都没有图形"
        raise MissingDataError(found, expected="至少一个带图形的要素", cure="核对导出范围与图层名, 重新导出后再入库")


def _told_fields(short: SchemaError, mapping: FieldMap, columns: list[str], where_: str) -> SchemaError:
    """The error of a layer that lacks required fields, with the fields that were found; other errors name their place."""
    lacking = [n for n in mapping.missing if f"{n} (" in short.found] if "lacks columns" in short.found else []
    if not lacking:
        return SchemaError(f"{where_}: {chinese_message(short.found)}", expected=short.expected, cure=short.cure)
    spec = table_spec(mapping.table)
    named = "、".join(f"{spec.column(n).zh} ({spec.column(n).source or n})" for n in lacking)
    shown = "、".join(columns[:20]) + (f" 等 {len(columns)} 个" if len(columns) > 20 else "")
    return SchemaError(
        f"{where_} (按{spec.zh}读取) 缺少必填字段: {named}; 来源中的字段: {shown or '无'}", expected="标准字段名或中文字段名",
        cure="在数据源中补上字段, 或把已有字段改为标准名; 如图层类型判断有误, 用 --as-table 指定",
    )  # fmt: skip


def _remark(note: Note) -> str:
    return "; ".join(chinese_message(part) for part in (note.what, note.found, note.cure) if part)


def prepare_classes(raw: RawGrid, read: Read, setting: Setting, *, terrain: RawGrid | None = None) -> Prepared:
    """A class raster as land-use patches with shared borders.

    Raises
    ------
    CodeError
        A cell value has no class, or a class is not in the scheme.
    """
    said = read.said
    scheme = said.class_scheme or "SD3"
    shapes = _class_shapes(raw, said, terrain, scheme)
    unknown = sorted({int(v) for v in shapes["value"].unique()} - set(said.classes))
    if unknown:
        raise CodeError(
            f"{raw.source_path}: 像元值 {unknown} 没有对应地类", expected="每个像元值一个地类编码", cure="用 --classes 4=0201,6=0301 … 给出对照"
        )
    codes = shapes["value"].map(lambda v: said.classes[int(v)])
    names = codes.map(lambda c: land_class(c, scheme=scheme).zh)
    spot = where(layer_bounds(shapes), shapely.get_coordinates(shapes.geometry.to_numpy())[:5000], wkt=raw.crs_wkt, said=said,
                 county=setting.recipe.county_code, known=setting.known, origin=raw.source_path)  # fmt: skip
    moved, note = _into_project(shapes, spot, raw.crs_wkt, setting)
    year = int(said.vintage[:4]) if said.vintage[:4].isdigit() else None
    frame = gpd.GeoDataFrame(
        {
            "patch_id": [f"Q{k + 1:017d}" for k in range(len(moved))], "patch_number": [f"{k + 1:05d}" for k in range(len(moved))],
            "class_code": codes.to_numpy(), "class_name": names.to_numpy(), "data_year": pd.array([year] * len(moved), dtype="Int64"),
            "island_code": "00",
        },
        geometry=moved.geometry.to_numpy(), crs=moved.crs,
    )  # fmt: skip
    frame = new_register_areas(frame, class_scheme=scheme)
    chosen = Decision("地类体系", scheme, (Candidate(scheme, 1.0, ("用户给出的像元值对照",)),))
    extra = {"driver": "GTiff", "classes": {str(k): v for k, v in said.classes.items()}, "cell_m": abs(raw.transform.a), "datum_note": note}
    return Prepared(frame, _dataset("landuse_patch", raw.name, frame, read, setting, (spot, chosen), spot, chosen, extra))


def _class_shapes(raw: RawGrid, said: SourceRecipe, terrain: RawGrid | None, scheme: str) -> gpd.GeoDataFrame:
    """Polygons of the class map, in its own coordinates; cut along slope classes where the recipe asks for it."""
    from qianmo.geo.grid import (  # the libraries of rasters are large: loaded when a class raster comes in
        Grid,
        polygonize,
        slope_deg,
    )
    from qianmo.geo.grid_classes import with_classes

    grid = Grid(raw.values, raw.transform, pyproj.CRS.from_epsg(3857), raw.nodata)
    if said.split != "slope":
        return polygonize(grid)
    if terrain is None:
        raise MissingDataError(f"{raw.source_path}: 要求按坡度分割, 但没有高程数据", expected="一个 role = 'dem' 的来源")
    slope = slope_deg(Grid(terrain.values, terrain.transform, pyproj.CRS.from_epsg(3857), terrain.nodata))
    cut = [v for v, code in said.classes.items() if land_class(code, scheme=scheme).big_class == "农用地" and not code.startswith(("10", "11", "12"))]
    parts = polygonize(with_classes(grid, slope, limits=SLOPE_LIMITS, only=tuple(cut), window=5))
    return gpd.GeoDataFrame({"value": parts["value"] // 10}, geometry=parts.geometry, crs=parts.crs)


def _what(raw: RawLayer, read: Read, columns: list[str], frame: gpd.GeoDataFrame) -> Decision:
    found = recognise(columns, pd.DataFrame(frame[columns]).head(500), raw.geometry_type, raw.name)
    if read.said.table:
        return Decision(found.question, read.said.table, (Candidate(read.said.table, 1.0, ("用户指定",)), *found.candidates[:3]))
    if not found.is_clear:
        raise ChoiceNeededError(
            f"{raw.source_path}: 图层 {raw.name} 的类型不明 (字段 {', '.join(columns[:8])})",
            choices=[f"{c.value} {table_spec(c.value).zh} ({c.score:.2f}: {'; '.join(c.reasons[:3])})" for c in found.candidates[:5]],
            cure="用 --as-table 指定, 例如 --as-table landuse_patch",
        )  # fmt: skip
    return found


def _scheme(frame: gpd.GeoDataFrame, fields: Mapping[str, str], table: str, read: Read) -> Decision | None:
    sources = {target: source for source, target in fields.items()}
    if "class_code" not in sources:
        return None
    if read.said.class_scheme:
        return Decision("地类体系", read.said.class_scheme, (Candidate(read.said.class_scheme, 1.0, ("用户指定",)),))
    names = frame[sources["class_name"]].tolist() if "class_name" in sources else None
    found = detect_class_scheme(frame[sources["class_code"]].tolist(), names, columns=list(frame.columns))
    if not found.is_clear:
        raise ChoiceNeededError(
            f"地类体系不明: {table}", choices=[f"{c.value} ({c.score:.2f}: {'; '.join(c.reasons)})" for c in found.candidates],
            cure="用 --class-scheme 指定 SD3 / GBT21010_2017 / GBT21010_2007 / LANDSEA_2023",
        )  # fmt: skip
    return found


def _into_project(frame: gpd.GeoDataFrame, spot: Decision, wkt: str | None, setting: Setting) -> tuple[gpd.GeoDataFrame, str]:
    helmert = setting.recipe.helmert
    if setting.crs is None:
        setting.crs = setting.recipe.crs or choose_project_crs(spot, layer_bounds(frame), helmert=helmert)
    moved, _, note = place(frame.geometry.to_numpy(), spot, setting.crs, wkt=wkt, helmert=helmert)
    out = frame.drop(columns=frame.geometry.name)
    return gpd.GeoDataFrame(out, geometry=moved, crs=pyproj.CRS.from_epsg(setting.crs)), note


def _dataset(
    table: str, name: str, frame: gpd.GeoDataFrame, read: Read, setting: Setting, decisions: tuple[Decision, ...], spot: Decision,
    scheme: Decision | None, extra: dict[str, Any],
) -> Dataset:  # fmt: skip
    said, recipe = read.said, setting.recipe
    box = lonlat_box(layer_bounds(frame), Decision("", f"EPSG:{setting.crs}", ()), helmert=None)
    setting.known[table] = box
    shift = vars(recipe.helmert) if recipe.helmert is not None else None
    lineage = Lineage(
        read.reading.source.origin, read.reading.source.sha256, f"qianmo {__version__} ingest", setting.now.isoformat(timespec="seconds"),
        setting.user, {**extra, "source_crs": spot.chosen, "helmert": shift, "lonlat_box": list(box), "licence": said.licence}, decisions,
    )  # fmt: skip
    vintage = said.vintage or _vintage(frame)
    label = table if table != "other_layer" else f"other_{_safe(name)}"
    return Dataset(
        label, table, table_spec(table).zh if table != "other_layer" else name, f"EPSG:{setting.crs}", scheme.chosen if scheme else "", vintage,
        said.synthetic, len(frame), lineage,
    )  # fmt: skip


def _fresh(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    out = frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")
    return out.reset_index(drop=True)


def layer_bounds(frame: gpd.GeoDataFrame) -> Box:
    """Bounds of a layer in its own coordinates (图层范围)."""
    low_x, low_y, high_x, high_y = (float(v) for v in frame.total_bounds)
    return low_x, low_y, high_x, high_y


def layer_county(frame: gpd.GeoDataFrame) -> str:
    """County code that nearly all rows name; '' where there is none (县级代码)."""
    upper = {str(c).upper(): c for c in frame.columns}
    for key in ("ZLDWDM", "QSDWDM", "XZQDM", "XJXZQDM"):
        if key in upper:
            values = frame[upper[key]].dropna().astype(str).str[:6]
            values = values[values.str.fullmatch(r"\d{6}")]
            if len(values) and (values == values.iloc[0]).mean() > 0.9:
                return str(values.mode().iloc[0])
    return ""


def _vintage(frame: gpd.GeoDataFrame) -> str:
    if "data_year" in frame.columns and frame["data_year"].notna().any():
        return str(int(frame["data_year"].dropna().max()))
    return ""


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)[:40]

