"""Geophysical lines and InSAR to zones of goaf with stability, treatment and grout, kept in the project (采空区物探综合)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.special import erf

from qianmo import __version__
from qianmo.geo.crs import is_metric, transform
from qianmo.geo.grid import Grid, polygonize, zonal_mean
from qianmo.jobs.context import Context
from qianmo.jobs.given import crs_of_project
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.jobs.survey.probe_lines import LineFound, line_found
from qianmo.reports.typography import word
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import CrsError, FinanceInputError, GoafInputError
from qianmo.schema.rules import parameter, parameters, unit_cost
from qianmo.store.durable import replace_bytes
from qianmo.store.finance_file import read_finance_file
from qianmo.store.project import Project, change, open_project
from qianmo.store.read_cog import read_cog
from qianmo.store.stage import read_catalog
from qianmo.survey.goaf import GoafSite, doubts, grout_volume_m3, residual_share, stability, treatments
from qianmo.survey.goaf_evidence import Evidence, Zone, combined

__all__ = ["SPECS", "run"]

_TEXT = '[project]\nname = "采空区物探"\n[parameters]\n[plan]\n[documents]\n[office]\n'
_MINE = ("thickness_m", "mining_ended", "extraction", "void_rate", "final_subsidence_mm", "knothe_c_day", "span_m", "important")
_METHODS = ("gpr", "ert", "tem", "insar")


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Interpret every line of the file, add sinking ground of the project, combine, judge, keep; nothing is written when anything fails."""
    path, folder = Path(values["file"]), Path(values["into"])
    project = open_project(folder) if (folder / "current").is_file() else None
    told, day, overrides = _told(path, context)
    crs = _crs(told, project, path.name)
    known = partial(parameter, overrides=overrides)
    found: list[LineFound] = []
    digest = hashlib.sha256(path.read_bytes())
    for n, line in enumerate(told["line"], start=1):
        context.step(f"解释测线 {n}/{len(told['line'])}", 0.8 * (n - 1) / len(told["line"]))
        found.append(line_found(line, folder=path.parent, number=n, file=path.name, parameter=known, crs=crs))
        digest.update((path.parent / str(line["file"])).read_bytes())
    sinking, rate = _sinking(project, crs, known)
    evidence = [e for f in found for e in f.evidence] + sinking
    spans = [s for f in found for s in f.spans] + [(float("nan"), float("nan"), "InSAR 沉降")] * len(sinking)
    zones = combined(evidence, reliability={m: known(f"goaf_trust_{m}") for m in _METHODS}, apart_m=known("goaf_apart_m"), depth_sigmas=known("goaf_depth_sigmas"))
    context.step("评价与保存", 0.85)
    ids = [f"{e.line}-{k}" for k, e in enumerate(evidence, start=1)]
    anomalies = _anomaly_layer(evidence, spans, ids, crs)
    layer, ways = _zone_layer(zones, ids, told.get("mine"), day, overrides, rate, crs, path.name)
    lineage = Lineage(path.name, digest.hexdigest(), f"qianmo {__version__} probe", context.clock().isoformat(timespec="seconds"), context.user, {"date": day.isoformat()})
    with change(folder, what="采空区物探综合", user=context.user, now=context.clock(), settings_text=_TEXT) as stage:
        for name, zh, frame in (("goaf_anomaly", "物探异常", anomalies), ("goaf_zone", "采空区综合异常", layer)):
            if len(frame):
                stage.put_layer(frame, Dataset(name, name, zh, f"EPSG:{crs.to_epsg()}", "", str(day.year), bool(told.get("synthetic", False)), len(frame), lineage))
            elif name in stage.datasets:
                stage.remove(name)
        stage.remove_tables(("goaf_zone_treatment", "goaf_section"))
        charts = [{"line": str(x["name"]), "method": str(x["method"]), "said": f.said, "png_base64": base64.b64encode(f.chart).decode("ascii")} for x, f in zip(told["line"], found)]
        stage.put_json("goaf_section", {"lines": charts})
        if len(ways):
            stage.put_table("goaf_zone_treatment", ways)
    out = Path(values["out"]) if values["out"] else folder / "probe"
    files = []
    for line, f in zip(told["line"], found):
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in str(line["name"]))
        replace_bytes(out / f"{safe}_{line['method']}.png", f.chart)
        files.append((str(out / f"{safe}_{line['method']}.png"), f"{line['name']} 剖面图"))
    lines = [f.said for f in found] + ([f"InSAR 沉降区 {len(sinking)} 处"] if sinking else [])
    for r in layer.itertuples():
        if r.doubt:
            context.note(f"{r.zone_id}: {r.doubt}")
    if len(unsure := [f.doubt for f in found if f.doubt]):
        context.note("; ".join(unsure))
    lines += [f"异常区 {r.zone_id}: {'、'.join(word('probe_method', m) for m in str(r.methods).split('+'))}, 置信度 {r.confidence:.2f}, 面积 {r.area_m2:.0f} m²" + _deep(r) for r in layer.itertuples()] or ["没有异常区"]
    shown = pd.DataFrame(layer.drop(columns="geometry")).replace({np.nan: None})
    return JobReport(tuple(lines), tuple(files), {"anomalies": len(evidence), "zones": shown.to_dict("records")})


def _told(path: Path, context: Context) -> tuple[dict[str, Any], date, dict[str, float]]:
    try:
        told, _ = read_finance_file(path)
    except FinanceInputError as fault:
        raise GoafInputError(fault.found, expected="TOML 写法, 见 how-to/probe", cure=fault.cure) from None
    strange = [k for k in told if k not in ("date", "crs", "synthetic", "parameters", "mine", "line")]
    if strange or not isinstance(told.get("line"), list) or not told["line"] or not all(isinstance(x, dict) for x in told["line"]):
        raise GoafInputError(f"不认识的键 {', '.join(strange)}" if strange else "没有测线", file=path.name, key=strange[0] if strange else "[[line]]", expected="至少一个 [[line]]")
    names = [str(x.get("name")) for x in told["line"]]
    if len(set(names)) < len(names):
        raise GoafInputError("测线重名", file=path.name, key="[[line]]", expected="各不相同的 name")
    day = told.get("date", context.clock().date())
    if type(day) is not date:
        raise GoafInputError(f"{day!r}", file=path.name, key="date", expected="日期, 不加引号")
    known = [p for p in parameters() if p.startswith(("goaf_", "radar_", "pim_"))]
    given = told.get("parameters", {})
    bad = [k for k, v in given.items() if k not in known or isinstance(v, bool) or not isinstance(v, (int, float))]
    if bad:
        raise GoafInputError(f"参数 {', '.join(bad)}", file=path.name, key="[parameters]", expected="数值, 名称: " + ", ".join(known))
    return told, day, {k: float(v) for k, v in given.items()}


def _crs(told: Mapping[str, Any], project: Project | None, file: str) -> pyproj.CRS:
    own = crs_of_project(project)
    try:
        crs = pyproj.CRS.from_user_input(told["crs"]) if "crs" in told else own
    except pyproj.exceptions.CRSError:
        raise GoafInputError(f"{told['crs']!r}", file=file, key="crs", expected="如 EPSG:4547") from None
    if crs is None or not is_metric(crs) or (own is not None and crs != own):
        raise CrsError(f"{file}: 测线坐标系 {crs.name if crs else '未给'}", expected=f"{own.name if own else '米制投影坐标系'}", cure="写明 crs, 与项目一致")
    return crs


def _sinking(project: Project | None, crs: pyproj.CRS, known: Any) -> tuple[list[Evidence], Grid | None]:
    """Ground that sinks by the motion maps of the project, as evidence without depth."""
    if project is None or not {"motion_vertical", "motion_sigma"} <= set(read_catalog(project.state)):
        return [], None
    up, sigma = (read_cog(project.state / "rasters" / f"{n}.tif") for n in ("motion_vertical", "motion_sigma"))
    least = known("goaf_sinking_mm_yr")
    sunk = np.isfinite(up.values) & (up.values <= -least)
    if not sunk.any():
        return [], up
    shapes = polygonize(Grid(sunk.astype(np.int32), up.transform, up.crs, None), crop_zero=True)
    polygons = [p for s in transform(shapes.geometry.to_numpy(), up.crs, crs) for p in shapely.get_parts(s)]
    there = transform(np.array(polygons, dtype=object), crs, up.crs)
    rate, error = zonal_mean(up, there), zonal_mean(sigma, there)
    sure = erf(np.maximum(-rate - least / 2, 0) / np.maximum(error, 0.1) / np.sqrt(2))
    return [Evidence("insar", "InSAR", "sinking", p, float("nan"), float("nan"), float(min(max(c, 0.0), 1.0))) for p, c in zip(polygons, sure) if np.isfinite(c)], up


def _anomaly_layer(evidence: list[Evidence], spans: list[tuple[float, float, str]], ids: list[str], crs: pyproj.CRS) -> gpd.GeoDataFrame:
    rows = [(i, e.line, e.method, e.kind, e.depth_m, e.sigma_m, a, b, e.confidence, words) for i, e, (a, b, words) in zip(ids, evidence, spans)]
    names = ["anomaly_id", "line", "method", "kind", "depth_m", "sigma_m", "from_m", "to_m", "confidence", "measure"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=names), geometry=[e.polygon for e in evidence], crs=crs)


def _zone_layer(zones: list[Zone], ids: list[str], mine: Any, day: date, overrides: Mapping[str, float], rate: Grid | None, crs: pyproj.CRS, file: str) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    _check_mine(mine, day, file)
    up = zonal_mean(rate, transform(np.array([z.polygon for z in zones], dtype=object), crs, rate.crs)) if rate is not None and zones else np.full(len(zones), np.nan)
    rows, ways = [], []
    for k, z in enumerate(zones, start=1):
        name = f"Z{k}"
        row: dict[str, Any] = {"zone_id": name, "methods": "+".join(z.methods), "anomalies": ", ".join(ids[m] for m in z.members), "depth_m": z.depth_m, "sigma_m": z.sigma_m,
                               "confidence": z.confidence, "area_m2": z.polygon.area, "rate_mm_yr": float(up[k - 1])}  # fmt: skip
        if mine is not None and np.isfinite(z.depth_m):
            judged, options = _judged(z, mine, day, overrides, float(up[k - 1]))
            row |= judged
            ways += [(name, o.zh, o.fits, o.reason) for o in options]
        rows.append(row)
    names = ["zone_id", "methods", "anomalies", "depth_m", "sigma_m", "confidence", "area_m2", "stability", "decided_by", "rate_mm_yr", "residual_mm", "treatment", "grout_m3", "cost_wan", "doubt"]
    texts = ("zone_id", "methods", "anomalies", "stability", "decided_by", "treatment", "doubt")
    table = pd.DataFrame(rows, columns=names)
    table = table.assign(**{c: table[c].fillna("").astype(str) if c in texts else pd.to_numeric(table[c]) for c in names})
    return gpd.GeoDataFrame(table, geometry=[z.polygon for z in zones], crs=crs), pd.DataFrame(ways, columns=["zone_id", "way", "fits", "reason"])


def _check_mine(mine: Any, day: date, file: str) -> None:
    if mine is None:
        return
    strange = [k for k in mine if k not in _MINE]
    lost = [k for k in ("thickness_m", "mining_ended") if k not in mine]
    if strange or lost:
        raise GoafInputError(f"不认识的键 {strange[0]}" if strange else f"缺 {lost[0]}", file=file, key=f"mine.{(strange or lost)[0]}", expected=", ".join(_MINE))
    if type(mine["mining_ended"]) is not date or mine["mining_ended"] > day:
        raise GoafInputError(f"{mine['mining_ended']}", file=file, key="mine.mining_ended", expected=f"不晚于 {day} 的日期, 不加引号")
    for k in _MINE:
        if k in mine and k not in ("mining_ended", "important") and (isinstance(mine[k], bool) or not isinstance(mine[k], (int, float)) or not mine[k] > 0):
            raise GoafInputError(f"{mine[k]!r}", file=file, key=f"mine.{k}", expected="大于 0 的数")


def _judged(zone: Zone, mine: Mapping[str, Any], day: date, overrides: Mapping[str, float], rate: float) -> tuple[dict[str, Any], Any]:
    """Stability, movement left, ways of treatment and grout of one zone at its measured depth."""
    days = float((day - mine["mining_ended"]).days)
    share = residual_share(days, float(mine.get("knothe_c_day") or parameter("pim_knothe_c_day", overrides)))
    left = share * mine["final_subsidence_mm"] if "final_subsidence_mm" in mine else float("nan")
    sinking = max(-rate, 0.0) if np.isfinite(rate) else float("nan")
    site = GoafSite(zone.depth_m, float(mine["thickness_m"]), days, sinking / 365.25, sinking / 2, left)
    grade, grade_zh, metric = stability(site)
    options = treatments(site, grade=grade, shallow_m=parameter("goaf_shallow_m", overrides), span_m=float(mine.get("span_m", np.nan)),
                         widest_bridged_m=parameter("goaf_bridged_m", overrides), important=bool(mine.get("important", False)))  # fmt: skip
    blurred = "；".join(doubts(site, discontinuous_ratio=parameter("goaf_discontinuous_ratio", overrides)))
    grout = float("nan")
    if "extraction" in mine and "void_rate" in mine:
        grout = grout_volume_m3(loss=parameter("goaf_grout_loss", overrides), area_m2=zone.polygon.area, thickness_m=site.thickness_m, extraction=float(mine["extraction"]),
                                void_rate=float(mine["void_rate"]), filling=parameter("goaf_grout_filling", overrides), stone_rate=parameter("goaf_grout_stone_rate", overrides))  # fmt: skip
    found = {"doubt": blurred, "stability": grade_zh, "decided_by": metric, "residual_mm": left, "treatment": "、".join(o.zh for o in options if o.fits), "grout_m3": grout,
             "cost_wan": grout * unit_cost("C-GROUT").default / 1e4}  # fmt: skip
    return found, options


def _deep(row: Any) -> str:
    words = f", 深度 {row.depth_m:.1f} ± {row.sigma_m:.1f} m" if np.isfinite(row.depth_m) else ", 深度未知"
    words += f", {row.stability} ({row.decided_by}), {row.treatment}" if row.stability else ""
    return words + (f", 注浆 {row.grout_m3:.0f} m³" if np.isfinite(row.grout_m3) else "")


SPECS = (
    JobSpec(
        "probe", "采空区物探综合", "ground radar, resistivity and transient lines with InSAR to zones of goaf, their stability and treatment",
        (
            JobOption("file", "path", "物探文件 (TOML)", "file of the lines", required=True, positional=True),
            JobOption("into", "path", "项目文件夹 (可新建)", "project folder, new or old", required=True),
            JobOption("out", "path", "剖面图文件夹 [项目/probe]", "folder for the sections [project/probe]"),
        ),
        run,
    ),
)  # fmt: skip
