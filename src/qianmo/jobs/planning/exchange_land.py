"""Exchange parcels between the owners of a project: fewer blocks, same value, nobody worse off (权属调换)."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qianmo import __version__
from qianmo.jobs.context import Context
from qianmo.jobs.planning.exchange_input import exchange_tables, settings_values, side_table
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.planning.readjustment.agreements import agreements, consents, owner_balance, piece_table
from qianmo.planning.readjustment.exchange import Exchange, ExchangeSettings, exchange
from qianmo.planning.readjustment.exchange_certificate import exchange_certificate
from qianmo.planning.readjustment.exchange_verify import count_blocks, verify_exchange
from qianmo.planning.readjustment.holdings import Holdings, holdings
from qianmo.planning.readjustment.indices import holding_indices, total_indices
from qianmo.planning.readjustment.pieces import Pieces, status_quo
from qianmo.planning.readjustment.standing import block_labels
from qianmo.reports.exchange_book import exchange_book_tables, exchange_map
from qianmo.reports.tables import workbook
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter, parameters
from qianmo.store.durable import replace_bytes
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, open_project
from qianmo.store.stage import read_catalog

__all__ = ["SPECS", "run"]


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Find the exchange, check its certificate by a second route, and keep layer, tables, map and workbook."""
    context.step("读取宗地与权利人", 0.0)
    project = open_project(Path(values["project"]))
    catalog = read_catalog(project.state)
    if "parcel" not in catalog:
        raise MissingDataError(f"项目 {project.folder} 中没有宗地 (no parcels)", cure="先入库宗地图层: qianmo ingest …")
    parcels = read_frame(project.state / "layers" / "parcel.parquet")
    overrides = {k: float(v) for k, v in project.settings.get("parameters", {}).items() if k in parameters()}
    frame, owners, notes = exchange_tables(
        parcels, rights=side_table(values["rights"]), values=side_table(values["values"]), anchors=side_table(values["anchors"]),
        register_diff_max=parameter("exchange_register_diff_max", overrides),
    )  # fmt: skip
    for note in notes:
        context.note(note)
    problem = holdings(frame, owners, across_collectives=bool(values["across_collectives"]))
    settings = _settings(values, project.settings.get("exchange", {}), overrides)
    with _interruptible() as stop:
        found = exchange(problem, settings=settings, progress=lambda words, share: context.step(words, 0.05 + 0.7 * share), stop=stop)
        stopped = stop()
    context.step("独立核验", 0.78)
    record = exchange_certificate(found, settings)
    checks = verify_exchange(json.loads(json.dumps(record))) + [_block_check(found, settings)]
    failed = [c for c in checks if not c["ok"]]
    if failed:
        raise SchemaError(f"调换证书核验未通过: {failed[:3]}", expected="成本、下界、价值、面积、块数全部复核一致", cure="请保留项目并反馈")
    context.step("计算指数与协议", 0.82)
    pieces, tables = _results(problem, found, settings, frame)
    context.step("保存", 0.9)
    _save(context, project, catalog["parcel"], pieces, tables, {**record, "checks": checks}, values)
    files = _print(context, project, catalog["parcel"], pieces, tables, Path(values["out"]) if values["out"] else project.folder / "exchange")
    if stopped:
        context.note("按 Ctrl-C 提前结束: 保存的是当时最好的调换方案, 仍然无人受损")
    figures = _figures(found, record, tables)
    if values["json"]:
        told = json.dumps({**figures, "notes": list(context.notes), "files": [p for p, _ in files]}, ensure_ascii=False)
        context.notes.clear()
        return JobReport((told,), (), figures)
    return JobReport(_lines(found, figures, tables, checks), files, figures)


def _settings(values: Mapping[str, Any], told: Mapping[str, Any], overrides: Mapping[str, float]) -> ExchangeSettings:
    whole = bool(values["whole"] or told.get("whole", False))
    area = settings_values(values, told, "area_tolerance", float("inf"))
    return ExchangeSettings(
        value_tolerance=settings_values(values, told, "value_tolerance", parameter("exchange_value_tolerance", overrides)),
        distance_tolerance=settings_values(values, told, "distance_tolerance", parameter("exchange_distance_tolerance", overrides)),
        area_tolerance=area, may_split=not whole, gap_m=settings_values(values, told, "gap", 0.0),
        least_border_m=parameter("exchange_border_min_m", overrides), least_width_m=parameter("exchange_width_min_m", overrides),
    )  # fmt: skip


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for the best so far; a second one ends the command."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def hear(number: int, frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, hear)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _block_check(found: Exchange, settings: ExchangeSettings) -> dict[str, Any]:
    counted = count_blocks(found.pieces.geometry, found.pieces.owner, gap_m=settings.gap_m, owners=found.problem.k)
    more = int((counted > found.after["blocks"].to_numpy()).sum())
    return {"id": "blocks", "zh": "合并图形后各户块数不多于所报块数", "ok": more == 0, "found": more, "expected": 0}


def _results(
    problem: Holdings, found: Exchange, settings: ExchangeSettings, frame: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, dict[str, pd.DataFrame]]:
    after = found.pieces
    table = piece_table(found.problem, after, _blocks(after, settings))
    now = status_quo(problem)
    before, later = (
        holding_indices(p.geometry, p.owner, _blocks(p, settings), problem.anchor, problem.owner_id) for p in (now, after)
    )
    both = before.merge(later, on="owner_id", suffixes=("_before", "_after"))
    drawn = gpd.GeoDataFrame(table, geometry=after.geometry, crs=frame.crs)
    return drawn, {
        "exchange_balance": owner_balance(found.before, found.after), "exchange_indices": total_indices(before, later), "exchange_holdings": both,
        "exchange_agreements": agreements(table), "exchange_consents": consents(table),
    }  # fmt: skip


def _blocks(pieces: Pieces, settings: ExchangeSettings) -> Any:
    return block_labels(pieces.geometry, pieces.owner, gap_m=settings.gap_m, least_border_m=settings.least_border_m)


def _save(
    context: Context, project: Project, base: Dataset, pieces: gpd.GeoDataFrame, tables: Mapping[str, pd.DataFrame], record: dict[str, Any],
    values: Mapping[str, Any],
) -> None:  # fmt: skip
    moment = context.clock()
    told = {k: v for k, v in values.items() if k != "project" and v not in (None, False)}
    told |= {"gap": record["gap"], "attained": record["attained"]}
    lineage = Lineage("qianmo exchange", base.lineage.source_sha256, f"qianmo {__version__} exchange", moment.isoformat(timespec="seconds"), context.user, told)
    with change(project.folder, what="权属调换", user=context.user, now=moment) as stage:
        stage.put_layer(pieces, Dataset("exchange_parcel", "exchange_parcel", "调换后地块", base.crs, "", base.vintage, base.synthetic, len(pieces), lineage))
        for name, frame in tables.items():
            stage.put_table(name, frame)
        stage.put_json("exchange_certificate", record)


def _print(
    context: Context, project: Project, base: Dataset, pieces: gpd.GeoDataFrame, tables: dict[str, pd.DataFrame], folder: Path
) -> tuple[tuple[str, str], ...]:
    day, synthetic = f"{context.clock():%Y年%m月%d日}", ("宗地与权利人（合成）",) if base.synthetic else ()
    office = str(project.settings.get("office", {}).get("name", "")) or "（编制单位未填写）"
    told = {"crs_text": base.crs, "date": day, "vintage": base.vintage or "未注明", "office": office}
    sheets = (("owner_before", "调换前权属图"), ("owner_after", "调换后权属图"))
    files = [(folder / f"{zh}.png", exchange_map(pieces, column, title=f"{project.name}　{zh}", synthetic=synthetic, **told), zh) for column, zh in sheets]
    book = workbook(
        exchange_book_tables(tables, synthetic=synthetic), title=f"{project.name}　权属调换附表", office=office, date=day, vintage=told["vintage"],
        crs_text=base.crs, synthetic=synthetic, made=context.clock(),
    )  # fmt: skip
    files.append((folder / "权属调换附表.xlsx", book, "平衡表、指数、协议、同意清单"))
    for path, data, _ in files:
        replace_bytes(path, data)
    return tuple((str(p), what) for p, _, what in files)


def _figures(found: Exchange, record: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    b, a, balance = found.before, found.after, tables["exchange_balance"]
    value = b["value_fen"].to_numpy(float)
    return {
        "owners": found.problem.k, "parcels": found.problem.n, "moved": int((found.pieces.owner != found.problem.owner[found.pieces.parcel]).sum()),
        "cut": int(found.pieces.is_cut.sum()), "narrow": int(found.pieces.is_narrow.sum()), "owners_kept": len(found.kept),
        "blocks_before": int(b["blocks"].sum()), "blocks_after": int(a["blocks"].sum()),
        "distance_before_m": float((b["mean_distance_m"] * b["area_dm2"]).sum() / b["area_dm2"].sum()),
        "distance_after_m": float((a["mean_distance_m"] * a["area_dm2"]).sum() / a["area_dm2"].sum()),
        "value_error_max": float((abs(a["value_cut_fen"].to_numpy() - value) / value).max()),
        "cash_max_yuan": float(balance["cash_yuan"].abs().max()), "cash_sum_fen": round(float(balance["cash_yuan"].sum()) * 100),
        "is_split": found.is_split, "gap": int(record["gap"]), "attained": float(record["attained"]) if found.is_split else None,
    }  # fmt: skip


def _lines(found: Exchange, f: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], checks: list[dict[str, Any]]) -> tuple[str, ...]:
    lines = [
        f"调换: {f['parcels']} 宗地, {f['owners']} 户; {f['moved']} 块易主, 分割后共 {f['cut']} 块",
        f"连片块数: {f['blocks_before']} → {f['blocks_after']} (户均 {f['blocks_after'] / f['owners']:.3f} 块)",
        f"平均距离: {f['distance_before_m']:.1f} → {f['distance_after_m']:.1f} 米",
        f"价值: 图上分割后每户误差不超过 {f['value_error_max']:.2e}; 现金补差最多 {f['cash_max_yuan']:.2f} 元, 合计 {f['cash_sum_fen']} 分",
        f"证明: 独立核验 {len(checks)} 项全部一致; " + (
            f"运输成本与下界相差 {f['gap']}, 达到可能改善的 {f['attained']:.2%}" if found.is_split
            else "按容许差整块调换, 差额以现金补足; 价格下界只对可分割的流成立, 整块结果不声称最优"
        ),
    ]
    lines += [f"保持原状: {r.owner_id} (否则受损: {r.what})" for r in found.kept.head(10).itertuples()]
    if len(found.kept) > 10:
        lines.append(f"保持原状的权利人共 {len(found.kept)} 户")
    lines.append(f"互换协议 {len(tables['exchange_agreements'])} 份, 需签字同意 {len(tables['exchange_consents'])} 户")
    return tuple(lines)


SPECS = (
    JobSpec(
        "exchange", "权属调换", "exchange parcels between owners: same value, fewer blocks, nobody worse off, with a proof",
        (
            JobOption("project", "path", "项目文件夹", "project folder with a parcel layer", required=True, positional=True),
            JobOption("rights", "path", "权利登记表 CSV", "rights: title_number or parcel_id, owner, share_num, share_den"),
            JobOption("values", "path", "单价表 CSV", "values: parcel_id, value_yuan_m2, use_class, kept_reason"),
            JobOption("anchors", "path", "住所坐标表 CSV", "farmsteads: owner, x, y"),
            JobOption("whole", "flag", "只整块调换, 差额以现金补足", "whole parcels only, cash settles the rest"),
            JobOption("value_tolerance", "number", "价值容许差 (比例)", "share by which value may differ"),
            JobOption("distance_tolerance", "number", "距离容许增加 (比例)", "share by which mean distance may grow"),
            JobOption("area_tolerance", "number", "面积容许差 (比例)", "share by which area may differ, any by default"),
            JobOption("gap", "number", "隔多宽的田埂沟渠仍算连片 (米)", "pieces this far apart are one block, in metres"),
            JobOption("across_collectives", "flag", "允许跨集体调换", "allow exchange between collectives"),
            JobOption("out", "path", "图表输出文件夹", "folder for map sheets and workbook, the project's exchange/ by default"),
            JobOption("json", "flag", "只输出 JSON", "print the figures as JSON"),
        ),
        run,
    ),
)  # fmt: skip
