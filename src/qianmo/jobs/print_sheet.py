"""``qianmo sheet``: what a map shows as a sheet with scale, legend, north, notes and marks (打印图件)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from qianmo.geo.crs import CGCS2000, transform
from qianmo.jobs.context import Context
from qianmo.jobs.queries.layers import MapLayers, ShownLayer
from qianmo.jobs.queries.styles import style_of
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.map_sheet import PAPERS, map_sheet, scale_denominator
from qianmo.reports.map_style import Classes, MapLayer
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.store.durable import replace_bytes

__all__ = ["SPECS", "run"]

_ABOVE = {"village": 90, "basic_farmland": 50, "eco_redline": 51, "urban_boundary": 52, "project_area": 53}
_LINE_MM, _POINT_MM = 0.25, 0.9


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Draw the layers that are named inside a box, and write the sheet."""
    kept = MapLayers(Path(values["project"]))
    names = list(dict.fromkeys(values["layer"]))
    shown = [kept.layer(n) for n in names]
    systems = {s.dataset.crs for s in shown}
    if len(systems) != 1:
        raise SchemaError(f"layers of one sheet in {sorted(systems)}", expected="one CRS", cure="print them apart (请分别打印)")
    crs = systems.pop()
    box = _box(values, crs)
    size = str(values["size"])
    denominator = scale_denominator(box, PAPERS[size])
    region, over = str(values.get("region") or ""), any(s.dataset.kind == "landuse_patch" for s in shown)
    context.step("读取图层", 0.2)
    layers = [m for s in sorted(shown, key=_order) if (m := _drawn(s, box, crs, denominator, region=region, over=over)) is not None]
    if not layers:
        raise MissingDataError("nothing lies in this part of the map", expected="a layer that is switched on and in view", cure="move the map or switch a layer on")
    context.step("绘制图件", 0.5)
    data = [s.dataset for s in shown]
    vintage = "、".join(dict.fromkeys(d.vintage for d in data if d.vintage)) or "未注明"
    remarks = ("底图内容以打印时屏幕所示图层为准。", *((f"仅含行政代码 {values['region']} 范围内的要素。",) if values.get("region") else ()))
    sheet = map_sheet(
        layers, title=str(values["title"] or f"{kept.project().name}　一张图"), crs_text=_crs_text(crs), date=context.clock().date().isoformat(),
        vintage=vintage, office=str(values.get("office") or ""), synthetic=[d.zh for d in data if d.synthetic], remarks=remarks, extent=box,
        size=size, file_format="pdf", block=_block(values, kept.project().name, denominator, context.clock().date().isoformat()),
    )  # fmt: skip
    out = Path(values["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_bytes(out, sheet)
    return JobReport((f"图件已生成: {size}, 图层 {len(layers)} 个, 1:{denominator:,.0f}",), ((str(out), "图件"),), {"scale": denominator, "bytes": len(sheet)})


def _box(values: Mapping[str, Any], crs: str) -> tuple[float, float, float, float]:
    west, south, east, north = (float(values[k]) for k in ("west", "south", "east", "north"))
    if not (70 <= west < east <= 140 and 0 <= south < north <= 60):
        raise SchemaError(f"box {west}, {south}, {east}, {north}", expected="degrees: west below east, south below north", cure="move the map to the project")
    edge = shapely.segmentize(shapely.box(west, south, east, north), max((east - west), (north - south)) / 16)
    x0, y0, x1, y1 = transform(np.array([edge], dtype=object), CGCS2000, crs)[0].bounds
    return x0, y0, x1, y1


def _order(shown: ShownLayer) -> int:
    return 0 if shown.dataset.kind == "landuse_patch" else _ABOVE.get(shown.dataset.kind, 10)


def _drawn(shown: ShownLayer, box: tuple[float, ...], crs: str, denominator: float, *, region: str, over: bool) -> MapLayer | None:
    import geopandas as gpd

    x0, y0, x1, y1 = box
    pad_x, pad_y = x1 - x0, y1 - y0
    rows = np.flatnonzero((shown.box[0] <= x1 + pad_x) & (shown.box[2] >= x0 - pad_x) & (shown.box[1] <= y1 + pad_y) & (shown.box[3] >= y0 - pad_y))
    allowed = shown.in_region(region) if region else None
    rows = rows if allowed is None else rows[allowed[rows]]
    if not len(rows):
        return None
    style = style_of(shown.head)
    geoms = shown.geometry(rows)
    if shown.rings.kind != 3:
        geoms = shapely.buffer(geoms, denominator / 1000 * (_POINT_MM if shown.rings.kind == 1 else _LINE_MM), quad_segs=6)
    columns = {}
    for column in filter(None, (style.column, style.label)):
        coded = shown.coded(column)
        columns[column] = np.array(coded.values, dtype=object)[coded.codes[rows]]
    frame = gpd.GeoDataFrame(columns, geometry=geoms, crs=crs)
    single = replace(style.single, fill="", hatch="", width_pt=1.0) if over and shown.dataset.kind in _ABOVE else style.single
    drawn = Classes(style.column, style.symbols, style.single) if style.column else single
    return MapLayer(frame, drawn, labels=style.label)


def _block(values: Mapping[str, Any], project: str, denominator: float, day: str) -> list[tuple[str, str]]:
    """The title block (图签): what is known, and room to sign where nothing was given."""
    told = {k: str(values.get(k) or "") for k in ("title", "number", "review_number", "office", "drawn", "checked", "approved")}
    return [
        ("项目名称", project), ("图　　名", told["title"]), ("图　　号", told["number"]), ("审 图 号", told["review_number"]), ("编制单位", told["office"]), ("制　　图", told["drawn"]),
        ("校　　核", told["checked"]), ("审　　定", told["approved"]), ("比例日期", f"1:{denominator:,.0f}　{day}".replace(",", " ")),
    ]  # fmt: skip


def _crs_text(crs: str) -> str:
    found = pyproj.CRS(crs)
    return f"{found.name}({crs})"


SPECS = (
    JobSpec(
        "sheet", "打印地图为 PDF 图件", "print a part of the map as a PDF sheet",
        (
            JobOption("project", "path", "项目文件夹", "project folder", required=True, positional=True),
            JobOption("layer", "texts", "图层, 可重复", "layer, may be repeated", required=True),
            JobOption("west", "number", "西边经度", "longitude of the western edge", required=True),
            JobOption("south", "number", "南边纬度", "latitude of the southern edge", required=True),
            JobOption("east", "number", "东边经度", "longitude of the eastern edge", required=True),
            JobOption("north", "number", "北边纬度", "latitude of the northern edge", required=True),
            JobOption("title", "text", "图名", "title", default=""),
            JobOption("office", "text", "编制单位", "office that made it", default=""),
            JobOption("number", "text", "图号", "number of the sheet", default=""),
            JobOption("review_number", "text", "审图号", "map review number", default=""),
            JobOption("drawn", "text", "制图", "drawn by", default=""),
            JobOption("checked", "text", "校核", "checked by", default=""),
            JobOption("approved", "text", "审定", "approved by", default=""),
            JobOption("size", "choice", "图幅", "paper", default="A3", choices=tuple(PAPERS)),
            JobOption("region", "text", "只含此行政代码开头的要素", "only rows whose administrative code begins so", default=""),
            JobOption("out", "path", "输出文件", "file to write", default="sheet.pdf"),
        ),
        run,
    ),
)  # fmt: skip
