"""Red lines from files: read under guard, placed in degrees, closed, counted and judged (红线文件读取)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.area import ellipsoid_area
from qianmo.geo.crs import CGCS2000
from qianmo.jobs.ingest.look_layer import ASKED, encoding_samples, error_record, place_record
from qianmo.jobs.ingest.place import place, where
from qianmo.jobs.ingest.read import encoding_of
from qianmo.jobs.recipe import SourceRecipe
from qianmo.schema.dataset import Decision
from qianmo.schema.errors import ChoiceNeededError, MissingDataError, QianmoError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.guard_limits import default_limits
from qianmo.store.raw import RawLayer, Source
from qianmo.store.read_vector import read_sources, text_samples
from qianmo.store.scratch import scratch_folder
from qianmo.store.sources import list_sources

__all__ = ["chosen_outline", "look_at_red_line"]

Box = tuple[float, float, float, float]

_ASKED = {"crs": "在下面的候选中选择坐标系, 或填写 EPSG 代码 (choose a reference system below)", "encoding": "在下面选择能正确显示文字的编码 (choose the encoding below)"}
_TABLES = ("CSV", "XLSX", "BoundaryText")
_NAMED = frozenset(("name", "名称", "项目名称", "地块名称", "xmmc", "dkmc", "地块号", "地块编号"))
"""Columns that name an outline, in small letters."""

_CHINESE = re.compile("[\u3400-\u9fff]")
_NAME = 40
_DIGITS = 9
"""Decimals of degrees that are kept: a tenth of a millimetre."""


def look_at_red_line(folder: Path, *, crs: str = "", encoding: str = "", known: Mapping[str, Box] | None = None) -> dict[str, Any]:
    """Outlines that uploaded files hold, with what keeps each from being laid over the layers; nothing is kept (红线文件预检).

    Closed lines count as outlines; open lines are joined where they close a ring together; the points of a table without
    plot numbers are joined in the order of its rows, and the record says so.

    Parameters
    ----------
    folder : Path
        Files as they were uploaded.
    crs, encoding : str
        What the user says; '' lets the program decide, and ask where it cannot.
    known : mapping name → box, optional
        Boxes of the layers of the project. [degree]

    Returns
    -------
    dict, plain JSON
        ``sources`` (names), ``crs`` (as decided), ``place`` (candidates, as the import wizard shows them), ``encoding`` (samples), ``error``
        (None, or what to correct or answer; ``asks`` is 'crs', 'encoding' or ''), ``shapes`` (``name``, ``how``, ``geometry`` and
        ``repaired`` as GeoJSON in CGCS2000 degrees, ``area_m2``, ``repaired_m2`` [m2], ``vertices``, ``fault`` of '', 'crosses', 'outside', 'large').
    """
    found: dict[str, Any] = {"sources": [], "crs": "", "place": None, "encoding": None, "error": None, "shapes": []}
    try:
        with scratch_folder() as workdir:
            layers = _layers(folder, workdir, encoding, found)
        drawn = [s for raw in layers for s in _placed(raw, crs, known or {}, found)]
        if not drawn:
            raise SchemaError(_no_outline(layers), expected="闭合的面 (polygon)", cure="在制图软件中把红线导出为面, 或导出闭合的多段线")
        most = int(parameter("red_line_shapes_max"))
        if len(drawn) > most:
            raise SchemaError(f"文件含 {len(drawn)} 个面", expected=f"至多 {most} 个", cure="只导出本次用地的红线; 整层数据请用数据导入")
        found["shapes"] = [_judged(shape, name, how, known or {}) for shape, name, how in drawn]
    except QianmoError as error:
        asks = "encoding" if found.pop("open", "") == "encoding" else "crs" if type(error).__name__ in ASKED else ""
        told = error_record(error)
        found["error"] = {**told, "asks": asks, "found": told["found"].replace(f"{folder.name}/", "", 1), **({"choices": [], "cure": _ASKED[asks]} if asks else {})}
    found.pop("open", None)
    return found


def chosen_outline(look: Mapping[str, Any], chosen: Sequence[int], *, repair: bool = False) -> dict[str, Any]:
    """The outlines that were chosen as one GeoJSON collection, repaired where that was agreed (选定红线).

    Raises
    ------
    MissingDataError
        None was chosen.
    SchemaError
        One has a fault that was not cured.
    """
    shapes = [look["shapes"][k] for k in chosen if 0 <= k < len(look["shapes"])]
    if not shapes:
        raise MissingDataError("没有选择红线", expected="至少一个面", cure="在清单中勾选一个面")
    features = []
    for s in shapes:
        mends = s["fault"] == "crosses" and repair and s["repaired"]
        if s["fault"] and not mends:
            words = {"crosses": ("边界自相交", "勾选“按修复后的图形使用”, 或改正后重新上传"), "outside": ("不在项目区内", "核对坐标系与中央经线, 或换一个文件"), "large": ("顶点过多", "简化后重新上传")}
            what, cure = words[s["fault"]]
            raise SchemaError(f"红线 {s['name']}: {what}", expected="项目区内、不自相交的面", cure=cure)
        features.append({"type": "Feature", "properties": {}, "geometry": s["repaired"] if mends else s["geometry"]})
    return {"type": "FeatureCollection", "features": features}


def _layers(folder: Path, workdir: Path, encoding: str, found: dict[str, Any]) -> list[RawLayer]:
    limits = default_limits({"guard_file_max_mb": parameter("red_line_file_max_mb")})
    sources = list_sources([folder], workdir=workdir, limits=limits).sources
    found["sources"] = [s.origin.removeprefix(f"{folder.name}/") for s in sources]
    grids = [s.origin for s in sources if s.driver == "GTiff"]
    if grids:
        raise SchemaError(f"{grids[0]} 是栅格", expected="矢量红线: shapefile (zip), DXF, FileGDB, GeoPackage, GeoJSON, KML, 坐标表", cure="导出红线的矢量数据")
    said = SourceRecipe(folder, encoding=encoding)
    decided = {s.sha256: d.chosen for s in sources if (d := _encoding(said, s, found)) is not None}
    readings = read_sources(sources, workdir=workdir, limits=limits, encodings=decided)
    for r in readings:
        if r.error is not None:
            raise r.error
    return [layer for r in readings for layer in r.layers]


def _encoding(said: SourceRecipe, source: Source, found: dict[str, Any]) -> Decision | None:
    try:
        return encoding_of(said, source)
    except ChoiceNeededError:
        found["open"] = "encoding"
        found["encoding"] = encoding_samples(text_samples(source), source.declared_encoding, None)
        raise


def _placed(raw: RawLayer, crs: str, known: Mapping[str, Box], found: dict[str, Any]) -> list[tuple[shapely.Geometry, str, str]]:
    """Outlines of a layer in degrees, each with its name and how it was closed."""
    frame = raw.frame
    if not isinstance(frame, gpd.GeoDataFrame):
        return []
    frame = frame[~frame.geometry.isna() & ~frame.geometry.is_empty]
    outlines = _outlines(frame, raw)
    if not outlines:
        return []
    geoms = np.array([shapely.force_2d(g) for g, _, _ in outlines], dtype=object)
    spot = _spot(geoms, raw, crs, known, found)
    moved, _, _ = place(geoms, spot, CGCS2000, wkt=raw.declared_crs_wkt, helmert=None)
    found["crs"] = spot.chosen
    return [(g, name, how) for g, (_, name, how) in zip(moved, outlines, strict=True)]


def _spot(geoms: np.ndarray, raw: RawLayer, crs: str, known: Mapping[str, Box], found: dict[str, Any]) -> Decision:
    """Where the outlines lie; a declared system that nothing but the place of the project speaks against is believed."""
    bounds = tuple(float(v) for v in shapely.total_bounds(geoms))
    sample, wkt = shapely.get_coordinates(geoms)[:20000], raw.declared_crs_wkt
    said = SourceRecipe(Path(), crs=crs)
    try:
        return where(bounds, sample, wkt=wkt, said=said, county="", known=known, origin=raw.source_path)  # type: ignore[arg-type]
    except ChoiceNeededError:
        if wkt:
            try:
                return where(bounds, sample, wkt=wkt, said=said, county="", known={}, origin=raw.source_path)  # type: ignore[arg-type]
            except ChoiceNeededError:
                pass
        found["place"] = place_record(bounds, sample, wkt=wkt, known=known)
        raise


def _outlines(frame: gpd.GeoDataFrame, raw: RawLayer) -> list[tuple[shapely.Geometry, str, str]]:
    """Polygons of a layer; those that closed lines, joined lines or the points of a table make, where it has none."""
    geoms = frame.geometry.to_numpy()
    kinds = frame.geometry.geom_type.to_numpy()
    names = _names(frame.drop(columns=frame.geometry.name), raw)
    polygons = [(g, names[k], "") for k, g in enumerate(geoms) if kinds[k] in ("Polygon", "MultiPolygon")]
    lines = [(p, names[k]) for k, g in enumerate(geoms) if kinds[k] in ("LineString", "MultiLineString", "LinearRing") for p in shapely.get_parts(g)]
    closed = [(shapely.Polygon(p.coords), name, "closed") for p, name in lines if p.is_closed and len(p.coords) > 3]
    if polygons or closed:
        return [*polygons, *closed]
    if lines:
        joined = shapely.get_parts(shapely.polygonize([p for p, _ in lines]))
        return [(g, f"{raw.name} {k}", "joined") for k, g in enumerate(joined, 1)]
    if raw.driver in _TABLES and len(geoms) > 2 and set(kinds) == {"Point"}:
        return [(shapely.Polygon(shapely.get_coordinates(geoms)), raw.name, "rows")]
    return []


def _names(frame: pd.DataFrame, raw: RawLayer) -> list[str]:
    """A name of each row: what a column of names says, else its first text in Chinese, else the layer and the number of the row."""
    texts = frame.astype("string").fillna("")
    named = [c for c in texts.columns if str(c).casefold() in _NAMED]
    out = []
    for k in range(len(frame)):
        row = texts.iloc[k]
        word = next((row[c].strip() for c in named if row[c].strip()), "") or next((w.strip() for w in row if _CHINESE.search(w)), "")
        out.append(word[:_NAME] or f"{raw.name} {k + 1}")
    return out


def _judged(shape: shapely.Geometry, name: str, how: str, known: Mapping[str, Box]) -> dict[str, Any]:
    count = int(shapely.get_num_coordinates(shape))
    fault = "large" if count > parameter("red_line_vertices_max") else "outside" if _lies_outside(shape, known) else "" if shape.is_valid else "crosses"
    repaired = _repaired(shape) if fault == "crosses" else None
    area = 0.0 if fault in ("crosses", "large") else _area(shape)
    where_ = ", ".join(f"{float(v):.6f}" for v in re.findall(r"-?\d+\.?\d*", shapely.is_valid_reason(shape))[:2]) if fault == "crosses" else ""
    return {
        "name": name, "how": how, "vertices": count, "fault": fault, "where": where_, "area_m2": area, "geometry": _record(shape),
        "repaired": None if repaired is None else _record(repaired), "repaired_m2": 0.0 if repaired is None else _area(repaired),
    }  # fmt: skip


def _lies_outside(shape: shapely.Geometry, known: Mapping[str, Box]) -> bool:
    x0, y0, x1, y1 = shape.bounds
    return bool(known) and all(x1 < b[0] or x0 > b[2] or y1 < b[1] or y0 > b[3] for b in known.values())


def _repaired(shape: shapely.Geometry) -> shapely.Geometry | None:
    made = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    parts = [p for p in shapely.get_parts(made) if p.geom_type in ("Polygon", "MultiPolygon") and not p.is_empty]
    return shapely.union_all(parts) if parts else None


def _area(shape: shapely.Geometry) -> float:
    return float(ellipsoid_area(np.array([shape], dtype=object))[0])


def _record(shape: shapely.Geometry) -> dict[str, Any]:
    def rounded(part: Any) -> Any:
        return round(part, _DIGITS) if isinstance(part, float) else [rounded(p) for p in part]

    found = shapely.geometry.mapping(shape)
    return {"type": found["type"], "coordinates": rounded(found["coordinates"])}


def _no_outline(layers: Sequence[RawLayer]) -> str:
    kinds: dict[str, int] = {}
    for raw in layers:
        if isinstance(raw.frame, gpd.GeoDataFrame):
            for kind, n in raw.frame.geometry.geom_type.value_counts().items():
                kinds[str(kind)] = kinds.get(str(kind), 0) + int(n)
    words = {"Point": "点", "MultiPoint": "点", "LineString": "未闭合的线", "MultiLineString": "未闭合的线"}
    told = "、".join(f"{n} 个{words.get(k, k)}" for k, n in kinds.items()) or "没有图形"
    return f"文件中没有面: {told}"
