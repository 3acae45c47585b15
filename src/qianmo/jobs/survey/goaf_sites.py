"""Goaf sites from a file: stability, movement left, treatment, grout and its cost (采空区评价)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.reports.tables import workbook
from qianmo.reports.text_table import text_table
from qianmo.schema.book import BookColumn, BookTable
from qianmo.schema.errors import FinanceInputError, GoafInputError, QianmoError
from qianmo.schema.rules import parameter, parameters, unit_cost
from qianmo.store.durable import replace_bytes
from qianmo.store.finance_file import read_finance_file
from qianmo.survey.goaf import (
    GoafSite,
    checked_site,
    depth_thickness_ratio,
    doubts,
    grout_volume_m3,
    residual_share,
    stability,
    treatments,
)
from qianmo.survey.sounding import radar_depth_m, transient_depth_m
from qianmo.survey.subsidence.parameters import stable_after_days

__all__ = ["SPECS", "run"]

_NEEDED = ("name", "depth_m", "thickness_m", "mining_ended")
_OPTIONAL = {"rate_mm_day": None, "six_months_mm": None, "final_subsidence_mm": None, "final_tilt_mm_m": None, "final_strain_mm_m": None, "final_curvature_e3_m": None,
             "area_m2": None, "span_m": None, "extraction": None, "void_rate": None, "knothe_c_day": None}  # fmt: skip
_WORDS = {"important": bool, "pick": list}


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Judge every site of the file and write the workbook."""
    path = Path(values["file"])
    try:
        data, text = read_finance_file(path)
    except FinanceInputError as fault:
        raise GoafInputError(fault.found, expected="TOML 写法, 见 how-to/goaf", cure=fault.cure) from None
    sites = data.get("site")
    if not isinstance(sites, list) or not sites:
        raise GoafInputError("没有场地", file=path.name, key="[[site]]", expected="至少一个 [[site]]")
    names = [str(s.get("name")) for s in sites if isinstance(s, dict)]
    if len(set(names)) < len(sites):
        raise GoafInputError("场地重名或不是表", file=path.name, key="[[site]]", expected="各不相同的 name")
    day = data.get("date", context.clock().date())
    if type(day) is not date:
        raise GoafInputError(f"{day!r}", file=path.name, key="date", expected="日期, 不加引号, 如 2026-01-01")
    overrides = _overrides(data.get("parameters", {}), path.name)
    rows, ways, picks = [], [], []
    for n, site in enumerate(sites):
        place = _Place(path.name, text, n)
        try:
            row, fits, seen = _judged(site, place, day, overrides)
        except GoafInputError:
            raise
        except QianmoError as fault:
            raise GoafInputError(fault.found, file=path.name, line=place.line(""), key=place.key(""), expected=fault.expected, cure=fault.cure) from None
        rows.append(row)
        ways += fits
        picks += seen
    tables = _tables(rows, ways, picks)
    out = Path(values["out"]) if values["out"] else path.with_name(f"{path.stem}_采空区评价.xlsx")
    made = workbook(tables, title="采空区场地评价", date=f"{context.clock():%Y年%m月%d日}", vintage=day.isoformat(), made=context.clock())
    replace_bytes(out, made)
    for row in rows:
        if row[-1]:
            context.note(f"{row[0]}: {row[-1]}")
    lines = [line for table in tables for line in text_table(replace(table, frame=table.frame.drop(columns="doubt"), columns=table.columns[:-1]) if table.key == "goaf_site" else table)]
    figures = {"sites": [dict(zip(_SITE_COLUMNS, r)) for r in rows], "picks": [dict(zip(("site", "method", "depth_m"), (p[0], p[1], p[4]))) for p in picks],
               "grout_m3": sum(r[10] or 0.0 for r in rows), "cost_wan": sum(r[12] or 0.0 for r in rows)}  # fmt: skip
    return JobReport(tuple(lines), ((str(out), "采空区场地评价表"),), figures)


def _overrides(told: Any, file: str) -> dict[str, float]:
    known = [p for p in parameters() if p.startswith(("goaf_", "pim_"))]
    bad = [k for k, v in told.items() if k not in known or isinstance(v, bool) or not isinstance(v, (int, float))] if isinstance(told, dict) else ["parameters"]
    if bad:
        raise GoafInputError(f"参数 {', '.join(bad)}", file=file, key="[parameters]", expected="数值, 名称: " + ", ".join(known))
    return {k: float(v) for k, v in told.items()}


class _Place:
    """Where the keys of one site stand in the text."""

    def __init__(self, file: str, text: str, number: int) -> None:
        heads = [k for k, line in enumerate(text.splitlines(), start=1) if re.match(r"\s*\[\[\s*site\s*\]\]", line)]
        self.file, self.number = file, number + 1
        self._first = heads[number] if number < len(heads) else 0
        self._lines = text.splitlines()[self._first : heads[number + 1] - 1 if number + 1 < len(heads) else None] if self._first else []

    def line(self, key: str) -> int:
        return next((self._first + k for k, line in enumerate(self._lines, start=1) if key and re.match(rf"\s*{re.escape(key)}\s*=", line)), self._first)

    def key(self, key: str) -> str:
        return f"site[{self.number}]" + (f".{key}" if key else "")

    def refuse(self, key: str, found: str, expected: str) -> GoafInputError:
        return GoafInputError(found, file=self.file, line=self.line(key), key=self.key(key), expected=expected)


def _judged(site: Mapping[str, Any], place: _Place, day: date, overrides: Mapping[str, float]) -> tuple[tuple[Any, ...], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    lost = [k for k in _NEEDED if k not in site]
    strange = [k for k in site if k not in (*_NEEDED, *_OPTIONAL, *_WORDS)]
    if lost:
        raise place.refuse("", f"缺 {', '.join(lost)}", ", ".join(_NEEDED))
    if strange:
        raise place.refuse(strange[0], f"不认识的键 {strange[0]}", ", ".join((*_NEEDED, *_OPTIONAL, *_WORDS)))
    told = {k: _number(site, k, place) for k in ("depth_m", "thickness_m", *_OPTIONAL)}
    ended = site["mining_ended"]
    if not isinstance(ended, date) or ended > day:
        raise place.refuse("mining_ended", f"{ended}", f"不晚于 {day} 的日期, 不加引号")
    name, depth, days = str(site["name"]), told["depth_m"] or 0.0, (day - ended).days
    ratio = depth_thickness_ratio(depth, told["thickness_m"] or 0.0)
    share = residual_share(days, told["knothe_c_day"] or parameter("pim_knothe_c_day", overrides))
    left = {k: float("nan") if told[f"final_{k}"] is None else share * told[f"final_{k}"] for k in ("subsidence_mm", "tilt_mm_m", "strain_mm_m", "curvature_e3_m")}  # type: ignore[operator]
    nan = float("nan")
    goaf = GoafSite(depth, told["thickness_m"] or 0.0, days, nan if told["rate_mm_day"] is None else told["rate_mm_day"],
                    nan if told["six_months_mm"] is None else told["six_months_mm"], left["subsidence_mm"], left["tilt_mm_m"], left["strain_mm_m"], left["curvature_e3_m"])  # fmt: skip
    checked_site(goaf, final_mm=nan if told["final_subsidence_mm"] is None else told["final_subsidence_mm"], rate_per_day=told["knothe_c_day"] or nan)
    grade, word, metric = stability(goaf)
    span = told["span_m"] if told["span_m"] is not None else nan
    options = treatments(goaf, grade=grade, shallow_m=parameter("goaf_shallow_m", overrides), span_m=span, widest_bridged_m=parameter("goaf_bridged_m", overrides),
                         important=bool(site.get("important", False)))  # fmt: skip
    grout = None
    if all(told[k] is not None for k in ("area_m2", "extraction", "void_rate")):
        grout = grout_volume_m3(loss=parameter("goaf_grout_loss", overrides), area_m2=float(told["area_m2"] or 0), thickness_m=goaf.thickness_m, extraction=float(told["extraction"] or 0),
                                void_rate=float(told["void_rate"] or 0), filling=parameter("goaf_grout_filling", overrides), stone_rate=parameter("goaf_grout_stone_rate", overrides))  # fmt: skip
    price = unit_cost("C-GROUT")
    cost = [None if grout is None else grout * p / 1e4 for p in (price.low, price.default, price.high)]
    row = (name, depth, goaf.thickness_m, ratio, days, days / stable_after_days(depth), word, metric, share, None if left["subsidence_mm"] != left["subsidence_mm"] else left["subsidence_mm"],
           grout, *cost, "；".join(doubts(goaf, discontinuous_ratio=parameter("goaf_discontinuous_ratio", overrides))))  # fmt: skip
    return row, [(name, o.zh, "适用" if o.fits else "不适用", o.reason) for o in options], [_pick(name, p, place) for p in site.get("pick", ())]


def _pick(name: str, pick: Any, place: _Place) -> tuple[Any, ...]:
    kind = pick.get("method") if isinstance(pick, dict) else None
    keys = {"gpr": ("two_way_ns", "velocity_m_ns"), "tem": ("resistivity_ohm_m", "time_ms")}.get(str(kind))
    if keys is None or any(not isinstance(pick.get(k), (int, float)) or isinstance(pick.get(k), bool) for k in keys):
        raise place.refuse("pick", f"{pick}", 'method = "gpr" 与 two_way_ns, velocity_m_ns; 或 "tem" 与 resistivity_ohm_m, time_ms')
    a, b = (float(pick[k]) for k in keys)
    return name, {"gpr": "探地雷达", "tem": "瞬变电磁"}[str(kind)], a, b, radar_depth_m(a, b) if kind == "gpr" else transient_depth_m(a, b)


def _number(site: Mapping[str, Any], key: str, place: _Place) -> float | None:
    value = site.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e12:
        raise place.refuse(key, f"{value!r}", "有限的数")
    return float(value)


_SITE_COLUMNS = ("name", "depth_m", "thickness_m", "depth_thickness", "days", "time_ratio", "stability", "decided_by", "residual_share", "residual_mm", "grout_m3",
                 "cost_low_wan", "cost_wan", "cost_high_wan", "doubt")  # fmt: skip


def _tables(rows: list[tuple[Any, ...]], ways: list[tuple[Any, ...]], picks: list[tuple[Any, ...]]) -> list[BookTable]:
    words = (("场地", "", "text"), ("采深", "米", "0.00"), ("采厚", "米", "0.00"), ("深厚比", "", "0.0"), ("停采", "天", "integer"), ("t/T", "", "0.00"), ("稳定性", "", "text"),
             ("决定指标", "", "text"), ("剩余比例", "", "0.00%"), ("剩余下沉", "毫米", "0.0"), ("注浆量", "立方米", "#,##0.00"), ("费用低", "万元", "#,##0.00"),
             ("费用", "万元", "#,##0.00"), ("费用高", "万元", "#,##0.00"), ("疑点", "", "text"))  # fmt: skip
    site = BookTable("goaf_site", "采空区场地稳定性与注浆估算表", pd.DataFrame(rows, columns=list(_SITE_COLUMNS)), tuple(BookColumn(c, *w) for c, w in zip(_SITE_COLUMNS, words)),
                     note="单价 C-GROUT 为市场区间，置信度低；稳定性取最差指标（GB 51044-2014 口径，数值待核）。决定指标：t/T 停采时间与地表移动延续时间之比，Vw 下沉速率，dW6 半年下沉，"
                     "dW、di、de、dK 剩余下沉、倾斜、水平变形、曲率")  # fmt: skip
    way = BookTable("goaf_treatment", "治理方式比选表", pd.DataFrame(ways, columns=["name", "way", "fits", "reason"]),
                    tuple(BookColumn(c, z, "", "text") for c, z in (("name", "场地"), ("way", "治理方式"), ("fits", "是否适用"), ("reason", "理由"))))  # fmt: skip
    pick = BookTable("goaf_pick", "物探解释深度表", pd.DataFrame(picks, columns=["name", "method", "a", "b", "depth_m"]),
                     (BookColumn("name", "场地", "", "text"), BookColumn("method", "方法", "", "text"), BookColumn("a", "走时(ns)或电阻率(Ω·m)", "", "0.00"),
                      BookColumn("b", "波速(m/ns)或时间(ms)", "", "0.0000"), BookColumn("depth_m", "深度", "米", "0.00")))  # fmt: skip
    return [site, way, *([pick] if picks else [])]


SPECS = (
    JobSpec(
        "goaf", "采空区评价", "stability of goaf sites, movement left, treatment, grout and cost",
        (
            JobOption("file", "path", "场地文件 (TOML)", "file of sites", required=True, positional=True),
            JobOption("out", "path", "工作簿 (XLSX)", "workbook to write, beside the file by default"),
        ),
        run,
    ),
)  # fmt: skip
