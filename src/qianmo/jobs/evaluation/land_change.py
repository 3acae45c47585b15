"""Change of land use between two projects, or accuracy of a classified one against a reference (土地利用变化作业)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.evaluation.classes import class_table, group
from qianmo.evaluation.land_change import (
    change_matrix,
    change_patches,
    change_totals,
    class_changes,
    land_flows,
    overlaid,
    suspected_type,
)
from qianmo.geo.crs import transform
from qianmo.jobs.context import Context
from qianmo.jobs.evaluation.carbon_account import cover_of
from qianmo.jobs.opened import Opened, open_for_work
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.marks import marked
from qianmo.reports.patch_sheet import patch_sheet
from qianmo.reports.spec_table import spec_table
from qianmo.reports.tables import workbook
from qianmo.reports.text_table import text_table
from qianmo.schema.book import BookColumn, BookTable
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import parameter
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec
from qianmo.schema.units import M2_PER_HA
from qianmo.store.durable import replace_bytes
from qianmo.store.project import change
from qianmo.survey.change.accuracy import class_accuracy, kappa

__all__ = ["SPECS", "run"]

_TABLES = ("land_change_flow", "land_change_matrix", "land_change_class", "land_change_total", "land_change_patch", "land_change_accuracy", "land_change_lineage")
_SIZES = {"construction": "min_map_area_built_m2", "transport": "min_map_area_built_m2", "other": "min_map_area_other_m2"}
_OUT = "范围外"
_YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Overlay both layers, keep the result in the later project, write workbook and sheet; nothing is written when anything fails."""
    context.step("读取两期", 0.0)
    first, second = (open_for_work(Path(values[k])) for k in ("before", "after"))
    by_group = values["by"] == "group"
    if not by_group and first.scheme != second.scheme:
        raise SchemaError(f"前期地类方案 {first.scheme}, 后期 {second.scheme}", expected="同一地类方案", cure="加 --by group 按一级类比较, 或入库时换成同一方案")
    check = bool(values["check"])
    years = float("nan") if check else _years(values["years"], first, second)
    names = {r["code"]: r["zh"] for r in shipped_rows("codes", "change_words") if r["kind"] == "group"} if by_group else class_table(second.scheme)["zh"].to_dict()
    context.step("叠加", 0.1)
    pieces = overlaid(*_layers(first, second, by_group))
    flows = land_flows(pieces)
    matrix = change_matrix(flows)
    tables: dict[str, pd.DataFrame] = {"land_change_flow": _named(flows, names).assign(area_ha=flows["area_m2"] / M2_PER_HA), "land_change_matrix": _wide(matrix)}
    patches = None
    if check:
        tables |= _accuracy(matrix, names, flows)
    else:
        tables |= {"land_change_class": class_changes(matrix, years).pipe(lambda t: t.assign(zh=[names[c] for c in t["class_code"]])), "land_change_total": _total(matrix, years, flows)}
        patches = _patches(change_patches(pieces), second, names, by_group)
        tables["land_change_patch"] = patches.drop(columns=["geometry", "style"])
    tables = {n: t if n == "land_change_matrix" else t[list(table_spec(n).column_names)].reset_index(drop=True) for n, t in tables.items()}
    context.step("制图", 0.6)
    title = "分类图精度检核" if check else "土地利用变化"
    sheets = []
    if patches is not None and len(patches):
        sheets = [patch_sheet(patches, patches["style"].to_numpy(object), second.layers.get("village"), cover_of(context, second), key="land_change", title="土地利用变化图", group="land_change",
                              remarks=(f"前期 {first.vintage}，后期 {second.vintage}；疑似类型为线索，须现场核实。",), uses=("*",))]  # fmt: skip
    printed = _printed(tables, matrix, names, second)
    made = workbook(
        printed, title=f"{second.project.name} {title}", date=f"{context.clock():%Y年%m月%d日}", vintage=f"{first.vintage} 至 {second.vintage}", crs_text=second.patches.crs.name,
        synthetic=tuple((first.synthetic | second.synthetic).values()), made=context.clock(),
    )  # fmt: skip
    context.step("保存", 0.9)
    _save(context, first, second, tables, patches, {"by": values["by"], "check": check, "years": None if check else years}, title)
    folder = Path(values["out"]) if values["out"] else second.project.folder / "change"
    files = [(folder / f"{title}附表.xlsx", made, "附表"), *((folder / f"{m.title}.png", m.png, m.title) for m in sheets)]
    for path, data, _ in files:
        replace_bytes(path, data)
    shown = [t for t in printed if t.key in ("land_change_matrix", "land_change_class", "land_change_accuracy", "land_change_total")]
    lines = [line for t in shown for line in text_table(t)]
    return JobReport(tuple(lines), tuple((str(p), w) for p, _, w in files), _figures(tables))


def _years(told: float | None, first: Opened, second: Opened) -> float:
    if told is not None:
        return float(told)
    found = [_YEAR.search(o.vintage) for o in (first, second)]
    if any(f is None for f in found):
        raise SchemaError(f"数据时点: 前期 {first.vintage}, 后期 {second.vintage}", expected="两期都注明年份", cure="用 --years 给出两期相隔的年数")
    return float(int(found[1].group()) - int(found[0].group()))  # type: ignore[union-attr]


def _layers(first: Opened, second: Opened, by_group: bool) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Both layers as code and geometry, the earlier moved into the system of the later."""
    made = []
    for o in (first, second):
        codes = group(o.patches["class_code"], scheme=o.scheme) if by_group else o.patches["class_code"].astype(str).to_numpy(object)
        shapes = o.patches.geometry.to_numpy()
        if o.patches.crs != second.patches.crs:
            shapes = transform(shapes, o.patches.crs, second.patches.crs)
        made.append(gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=second.patches.crs))
    return made[0], made[1]


def _named(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    return table.assign(from_zh=[names.get(c, _OUT) for c in table["from_class"]], to_zh=[names.get(c, _OUT) for c in table["to_class"]])


def _wide(matrix: pd.DataFrame) -> pd.DataFrame:
    return matrix.rename_axis("from_class").rename_axis(None, axis=1).reset_index()


def _outside(flows: pd.DataFrame) -> float:
    return float(flows.loc[(flows["from_class"] == "") | (flows["to_class"] == ""), "area_m2"].sum()) / M2_PER_HA


def _total(matrix: pd.DataFrame, years: float, flows: pd.DataFrame) -> pd.DataFrame:
    found = change_totals(matrix, years)
    rows = [
        ("years", "相隔年数", "年", years, ""), ("area_ha", "两期共有面积", "公顷", found["area_ha"], "椭球面积，含田坎"), ("changed_ha", "变化面积", "公顷", found["changed_ha"], "地类不同的"),
        ("changed_share", "变化比例", "%", 100 * found["changed_share"], ""), ("comprehensive_yr", "综合动态度", "%/年", 100 * found["comprehensive_yr"], "每年变化面积占比：(转入+转出)/2/总面积/年数"),
        ("outside_ha", "一期范围外面积", "公顷", _outside(flows), "不计入矩阵"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["item", "zh", "unit", "value", "note"])


def _accuracy(matrix: pd.DataFrame, names: Mapping[str, str], flows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Of the later layer against the earlier as the truth."""
    table = matrix.to_numpy(float).T
    found = class_accuracy(table, list(matrix.index)).rename(columns={"true": "reference_ha", "found": "mapped_ha", "agreed": "agreed_ha"})
    overall = float(np.trace(table) / table.sum())
    rows = [("overall", "总体精度", "", overall, "面积加权"), ("kappa", "Kappa 系数", "", kappa(table), "面积加权"), ("mean_f1", "平均 F1", "", float(found["f1"].mean()), "各地类平均"),
            ("area_ha", "共有面积", "公顷", float(table.sum()), "椭球面积"), ("outside_ha", "一期范围外面积", "公顷", _outside(flows), "不计入")]  # fmt: skip
    return {"land_change_accuracy": found.assign(zh=[names[c] for c in found["class_code"]]), "land_change_total": pd.DataFrame(rows, columns=["item", "zh", "unit", "value", "note"])}


def _patches(found: gpd.GeoDataFrame, second: Opened, names: Mapping[str, str], by_group: bool) -> gpd.GeoDataFrame:
    codes = found["to_class"].astype(str).tolist()
    kinds = codes if by_group else list(class_table(second.scheme)["group"].reindex(codes))
    types = [("", "")] * len(codes) if by_group else suspected_type(codes, scheme=second.scheme)
    least = np.array([parameter(_SIZES.get(k, "min_map_area_agri_m2"), second.overrides) for k in kinds])
    large = found["area_m2"].to_numpy(float) >= least
    return _named(found, names).assign(
        change_id=[f"{k + 1}" for k in range(len(found))], suspected_type=[t for t, _ in types], suspected_zh=[z for _, z in types],
        size_zh=np.where(large, "上图", "小于最小上图面积，只列出"), style=np.where(large, np.array(kinds, object), "small"),
    )  # fmt: skip


def _printed(tables: Mapping[str, pd.DataFrame], matrix: pd.DataFrame, names: Mapping[str, str], second: Opened) -> list[BookTable]:
    marks = marked(second.synthetic, ("*",))
    areas = {"land_change_flow": ("area_ha",), "land_change_class": ("before_ha", "unchanged_ha", "inflow_ha", "outflow_ha", "net_ha", "after_ha"), "land_change_accuracy": ("reference_ha", "mapped_ha", "agreed_ha")}
    columns = (BookColumn("zh", "前期＼后期"), *(BookColumn(f"c{k}", names[c], "公顷", "0.00") for k, c in enumerate(matrix.columns)), BookColumn("sum", "前期合计", "公顷", "0.00"))
    frame = matrix.set_axis([f"c{k}" for k in range(len(matrix))], axis=1).assign(zh=[names[c] for c in matrix.index], sum=matrix.sum(axis=1).to_numpy()).reset_index(drop=True)
    wide = BookTable("land_change_matrix", "土地利用转移矩阵", frame[[c.name for c in columns]], columns, tuple(c.name for c in columns[1:]), "行为前期，列为后期；对角线为未变化", "", marks)
    made = [wide]
    for name in ("land_change_class", "land_change_accuracy", "land_change_total", "land_change_flow", "land_change_patch"):
        if name in tables:
            made.append(spec_table(name, tables[name], hide=("item",), sums=areas.get(name, ()), synthetic=marks, empty="没有变化" if name == "land_change_patch" else ""))
    return made


def _save(context: Context, first: Opened, second: Opened, tables: Mapping[str, pd.DataFrame], patches: gpd.GeoDataFrame | None, told: dict[str, Any], title: str) -> None:
    sources = [o.datasets["landuse_patch"].lineage.source_sha256 for o in (first, second)]
    at = context.clock().isoformat(timespec="seconds")
    record = {"tool": f"qianmo {__version__} change", "at": at, "user": context.user, **told, "before": {"project": first.project.name, "vintage": first.vintage, "sha256": sources[0]},
              "after": {"vintage": second.vintage, "sha256": sources[1]}}  # fmt: skip
    with change(second.project.folder, what=title, user=context.user, now=context.clock()) as stage:
        stage.remove_tables(_TABLES)
        for name, frame in tables.items():
            stage.put_table(name, frame)
        stage.put_json("land_change_lineage", record)
        if patches is not None and len(patches):
            lineage = Lineage(f"{first.project.name}; {second.project.name}", "; ".join(sources), f"qianmo {__version__} change", at, context.user, dict(told))
            crs = f"EPSG:{second.patches.crs.to_epsg()}"
            layer = gpd.GeoDataFrame(patches.drop(columns="style"), geometry="geometry", crs=patches.crs)
            stage.put_layer(layer, Dataset("land_change", "other_layer", "土地利用变化图斑", crs, "", second.vintage, False, len(layer), lineage))
        elif "land_change" in stage.datasets:
            stage.remove("land_change")


def _figures(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    found: dict[str, Any] = {r["item"]: None if r["value"] != r["value"] else float(r["value"]) for r in tables["land_change_total"].to_dict("records")}
    if "land_change_patch" in tables:
        small = tables["land_change_patch"]["size_zh"] != "上图"
        found |= {"patches": int((~small).sum()), "small": int(small.sum())}
    return found


SPECS = (
    JobSpec(
        "change", "土地利用变化分析", "change of land use between two projects: matrix, flows, degrees of dynamic, changed patches; or accuracy of a classified map",
        (
            JobOption("before", "path", "前期项目文件夹 (检核时为参考)", "project of the earlier date, or the reference", required=True, positional=True),
            JobOption("after", "path", "后期项目文件夹, 成果存入此项目", "project of the later date; results are kept there", required=True, positional=True),
            JobOption("years", "number", "两期相隔年数; 不填则按两期数据年份", "years between both dates; by the vintages where not given"),
            JobOption("by", "choice", "比较层次: class 地类, group 一级类", "compare classes or first-level groups", default="class", choices=("class", "group")),
            JobOption("check", "flag", "检核分类图: 以前者为参考, 给出总体精度、Kappa 与各类 F1", "accuracy of the second as a classified map of the first: overall, kappa, F1 of every class", default=False),
            JobOption("out", "path", "图件与附表输出文件夹", "folder for sheet and workbook, the later project's change/ by default"),
        ),
        run,
    ),
)  # fmt: skip
