"""Assemble scattered titles into blocks, in rounds where answers are known; keep tables, books, certificate and map (产权整合)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from qianmo.jobs.context import Context
from qianmo.jobs.given import (
    Given,
    crs_of_project,
    dataset_of,
    given_from_file,
    given_from_project,
    in_one_crs,
    parameter_overrides,
)
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.integration.integrate import IntegrationResult, consent_prices, integrate
from qianmo.planning.integration.negotiate import negotiate
from qianmo.planning.integration.settings import IntegrationSettings, integration_settings
from qianmo.planning.integration.titles import read_titles
from qianmo.reports.map_tenure_sheets import integration_sheet
from qianmo.schema.errors import MissingDataError, NotAllowedError, SchemaError
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec
from qianmo.store.durable import replace_bytes
from qianmo.store.project import Project, change, open_project
from qianmo.store.stage import read_catalog
from qianmo.village.factories import make_factories

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read the titles, choose blocks and modes, check by an independent route, save; nothing is written when anything fails."""
    context.step("读取产权", 0.0)
    folder = Path(values["project"])
    project = open_project(folder) if (folder / "current").is_file() else None
    told = project.settings if project else {}
    settings = _settings(values, told)
    given = _given(values, project)
    frame = gpd.GeoDataFrame(given.frame)
    context.step("候选地块与整合求解", 0.1)
    answers = _answers(values["answers"])
    offers = pd.DataFrame()
    titles = read_titles(frame, settings=settings)
    if answers is not None:
        talks = negotiate(frame, settings=settings, reservation=answers[1], answers=answers[0])
        result, offers, titles = talks.result, talks.offers, talks.titles
        if not talks.is_agreed:
            context.note(f"协商 {talks.rounds} 轮后仍有权利人拒绝, 此方案尚未取得一致同意, 见 title_offer 最后一轮")
    else:
        result = integrate(frame, settings=settings)
    failed = [c for c in result.certificate["checks"] if not c["ok"]]
    if failed:
        raise SchemaError(f"整合核验未通过: {failed[:3]}", expected="独立核验全部一致", cure="请保留输入并反馈")
    prices = None
    if values["prices"]:
        context.step("各项同意的价值", 0.5)
        prices = consent_prices(frame, result, titles, settings=settings)
    context.step("绘制整合图", 0.85)
    sheet = _sheet(result, context, told, given.synthetic)
    context.step("保存成果", 0.93)
    text = '[project]\nname = "产权整合项目"\n[parameters]\n[plan]\n[documents]\n[office]\n'
    with change(folder, what="产权整合", user=context.user, now=context.clock(), settings_text=text) as stage:
        stage.put_layer(frame, dataset_of("title", given, frame, context, zh=table_spec("title").zh, job="integrate", facts={}))
        facts = {"gap_rel": result.certificate["gap_rel"], "titles_sha256": result.certificate["titles_sha256"]}
        for table, layer in (("title_outcome", result.settlement.outcome), ("industrial_block", result.settlement.blocks)):
            stage.put_layer(layer, dataset_of(table, table, layer, context, zh=table_spec(table).zh, job="integrate", facts=facts, synthetic=given.synthetic))
        stage.put_table("integration_ledger", result.settlement.ledger)
        stage.remove_tables(("title_offer", "consent_price"))
        if len(offers):
            stage.put_table("title_offer", offers)
        if prices is not None:
            stage.put_table("consent_price", prices)
        stage.put_json("integration_certificate", result.certificate)
    out = Path(values["out"]) if values["out"] else folder / "integrate"
    replace_bytes(out / "零散产权整合图.png", sheet)
    return _report(result, offers, prices, folder, out)


def _settings(values: Mapping[str, Any], told: Mapping[str, Any]) -> IntegrationSettings:
    budget = values["budget"] or told.get("integrate", {}).get("budget_wan", [0.0])
    try:
        yuan = [float(b) * 1e4 for b in budget]
    except (TypeError, ValueError):
        raise SchemaError(f"--budget {budget}", expected="每年一个数 (万元), 例如 --budget 300 --budget 200") from None
    return integration_settings(parameter_overrides(values["set"], told, prefix="integrate_"), budget_yuan=yuan, legal_mixed=values["mixed"], share_rule=values["share"])


def _given(values: Mapping[str, Any], project: Project | None) -> Given:
    if values["example"]:
        if project is not None and any(not d.synthetic for d in read_catalog(project.state).values()):
            raise NotAllowedError(f"{project.folder} 中有真实数据", expected="空文件夹或全部为合成数据的项目", cure="--example 请用新的项目文件夹")
        made = make_factories(rows=3, columns=5, rng=np.random.default_rng(20260101))
        return Given("title", made, "按规则生成 (qianmo.village.factories)", "", True)
    found = given_from_file(values["titles"], "title") if values["titles"] else given_from_project(project, "title") if project else None
    if found is None:
        raise MissingDataError("没有产权图层", expected="--titles 文件, 或项目中的 title 图层", cure="按 how-to/integrate 的模板准备; 或用 --example 试用虚拟数据")
    if not isinstance(found.frame, gpd.GeoDataFrame):
        raise MissingDataError(f"{found.source}: 产权表没有图形", expected="每项产权一个多边形", cure="用 GeoPackage 或 Shapefile 提供宗地图形")
    return in_one_crs({"titles": found}, crs_of_project(project))["titles"]


def _answers(path: str | None) -> tuple[dict[tuple[str, str], str], dict[str, float]] | None:
    """Answers by title and mode, and reservations by title, from a table with title_id, mode, answer, gain; None where none is given."""
    if not path:
        return None
    table = given_from_file(path, "title_answer").frame
    said: dict[tuple[str, str], str] = {}
    least: dict[str, float] = {}
    for r in table.to_dict("records"):
        if r.get("answer"):
            modes = [r["mode"]] if r.get("mode") else [x["code"] for x in shipped_rows("codes", "tenure_words") if x["column"] == "mode"]
            said |= {(str(r["title_id"]), str(m)): str(r["answer"]) for m in modes}
        if pd.notna(r.get("gain_wanted")):
            least[str(r["title_id"])] = float(r["gain_wanted"])
    return said, least


def _sheet(result: IntegrationResult, context: Context, told: Mapping[str, Any], synthetic: bool) -> bytes:
    crs = pyproj.CRS(result.settlement.outcome.crs)
    blocks = result.settlement.blocks
    remarks = [f"整合地块 {len(blocks)} 个,毛面积 {blocks['area_m2'].sum():.0f} 平方米,可用 {blocks['usable_m2'].sum():.0f} 平方米。", "图上注记为产权编号。"]
    return integration_sheet(
        result.settlement.outcome, blocks, crs_text=f"{crs.name} (EPSG:{crs.to_epsg()})", date=f"{context.clock():%Y年%m月%d日}", vintage="未注明",
        office=str(told.get("office", {}).get("name", "")), synthetic=("产权数据（合成）",) if synthetic else (), remarks=remarks,
    )  # fmt: skip


def _report(result: IntegrationResult, offers: pd.DataFrame, prices: pd.DataFrame | None, folder: Path, out: Path) -> JobReport:
    c, made = result.certificate, result.settlement
    modes = made.outcome["mode"].value_counts()
    words = {"keep": "保留", "merge": "原地归并", "swap": "置换入块", "cooperate": "合作入股", "transfer": "转让"}
    changed = made.outcome[made.outcome["mode"] != "keep"]
    routes = int((changed["legal_route"] != "").sum())
    lines = [
        f"产权整合: {len(made.outcome)} 项产权, 整合地块 {len(made.blocks)} 个, 可用连片 {made.blocks['usable_m2'].sum():.0f} 平方米",
        "处置: " + ", ".join(f"{words[m]} {modes[m]}" for m in words if m in modes),
        f"目标 {c['objective_fen'] / 1e6:.2f} 万元, 求解器声称的上界 {c['solver_bound_claimed_fen'] / 1e6:.2f} 万元 (差距 {c['gap_rel']:.3%}); 净增值 {c['net_gain_fen'] / 1e6:.2f} 万元",
        f"权利人最小增值率 {c['least_gain']:.2%}; 现金补偿 {changed['cash_fen'].clip(lower=0).sum() / 1e6:.2f} 万元; 台账 {len(made.ledger)} 笔收支之和为零",
        f"独立核验 {len(c['checks'])} 项全部一致",
    ]
    if routes:
        lines.append(f"注意: {routes} 项产权涉及国有与集体土地相遇, 须走的法定程序见 legal_route 列")
    if len(offers):
        lines.append(f"协商: {offers['round'].max()} 轮, 报价 {len(offers)} 次, 拒绝 {(offers['answer'] == 'refuse').sum()} 次")
    if prices is not None and len(prices):
        top = prices.iloc[0]
        lines.append(f"同意的价值最高: {top.title_id} ({top.holder_id}), 缺少它目标减少 {top.price_fen / 1e6:.2f} 万元")
    files = ((str(folder / "onemap.gpkg"), "图层 title_outcome 与 industrial_block 已加入"), (str(out / "零散产权整合图.png"), "产权整合图"))
    return JobReport(tuple(lines), files, {"blocks": len(made.blocks), "gap": c["gap_rel"], "objective_fen": c["objective_fen"], "changed": len(changed)})


SPECS = (
    JobSpec(
        "integrate", "零散产权整合", "assemble scattered titles of an old factory area into blocks",
        (
            JobOption("project", "path", "项目文件夹", "project folder, made when it is not there", required=True, positional=True),
            JobOption("titles", "path", "零散产权图层", "layer of titles"),
            JobOption("answers", "path", "协商答复表", "answers and wished gains of holders; rounds are run with them"),
            JobOption("budget", "texts", "各年资金 (万元), 每年一个", "public money of each year in 10,000 yuan, once a year"),
            JobOption("mixed", "choice", "国有与集体土地", "state and collective land: name the legal route, or keep apart", default="flag", choices=("flag", "forbid")),
            JobOption("share", "choice", "剩余归属", "what is left over: to the fund, or raise the least gain", default="fund", choices=("fund", "maxmin")),
            JobOption("prices", "flag", "计算每项同意的价值", "solve again without each consent"),
            JobOption("set", "texts", "参数, 如 integrate_price_yuan_m2=600", "local value of a parameter"),
            JobOption("out", "path", "图件文件夹", "folder of the map sheet"),
            JobOption("example", "flag", "用虚拟数据试用", "try it on an invented example"),
        ),
        run,
    ),
)  # fmt: skip
