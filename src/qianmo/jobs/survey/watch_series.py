"""A stack of images of an index as series of parcels: season, alarms, confidence (地块时序监测)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qianmo import __version__
from qianmo.jobs.context import Context
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.jobs.survey.detect_land import Parcels, parcels_of
from qianmo.jobs.survey.detect_tiles import Images, image_of, refuse_filled
from qianmo.jobs.survey.watch_parcels import ParcelSeries, parcel_series, parcels_sha256
from qianmo.jobs.survey.watch_truth import changes_known, scored, scores_table, told_lines
from qianmo.reports.lag_chart import lag_chart
from qianmo.reports.series_chart import ParcelCourse, series_chart
from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.block_folder import drop_blocks, open_blocks
from qianmo.store.durable import replace_bytes
from qianmo.store.lock import writer_lock
from qianmo.store.project import change, open_project
from qianmo.store.scratch import scratch_folder
from qianmo.survey.change.mosum import mosum_monitor
from qianmo.survey.change.series import Alarm, SeasonalModel, fit_season, monitor, season_design
from qianmo.survey.change.stable import fit_robust, fit_stable, stable_only

__all__ = ["SPECS", "run"]

_JUDGED_AT_ONCE = 65_536
"""Parcels whose seasons are fitted at once."""


_METHODS = {"repeats": "连续超限", "cusum": "累积和 CUSUM", "ewma": "指数加权均值 EWMA", "mosum": "滑动和 (BFAST 型, 误报水平 5%)"}


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Series of each parcel by exact shares, the season of the history, alarms after it; the project is as it was when anything fails.

    Means of some parcels and dates at a time wait in the work folder: a run that was killed goes on from there, also with another season or method.
    """
    folder = Path(values["into"])
    project = open_project(folder)
    work = Path(values["work"]) if values["work"] else folder.parent / f".{folder.name}-watch"
    days = _days(Path(values["dates"]))
    until = _day(values["history"], "--history")
    _check_history(days, until)
    index = str(values["index"])
    if not (np.isfinite(values["scale"]) and values["scale"] != 0):
        raise SchemaError(f"--scale {values['scale']:g}", expected="不为 0 的数", cure="如 --scale 0.0001")
    truth = changes_known(values["truth"]) if values["truth"] else None
    with scratch_folder() as scratch:
        context.step("读取时序", 0.0)
        stack, cloud = _opened(values, scratch, len(days))
        land = parcels_of(project, stack)
        if land is None:
            raise MissingDataError(f"项目 {folder} 中没有地类图斑", cure="先入库地类图斑: qianmo ingest …")
        digest = f"{stack.sha256}; {cloud.sha256 if cloud else ''}"
        with writer_lock(work.parent / f"{work.name}.lock"):
            parts = open_blocks(work, key={"version": __version__, "images": digest, "scale": float(values["scale"]), "index": index, "parcels": parcels_sha256(land)})
            read = parcel_series(context, stack, cloud, land, float(values["scale"]), parts, most=1.0 if index.upper() in _NORMALISED else np.inf)
    _check_read(read, index, cloud, stack, context)
    series, days = _one_a_day(read.mean, days, context)
    context.step("季节模型与监测", 0.7)
    when = np.array([(d - days[0]).days for d in days], dtype=float)
    past = np.array([d <= until for d in days])
    model, alarm = _judged(series, when, past, values)
    if not (np.isfinite(model.sigma) & read.met).any():
        raise MissingDataError("没有一个图斑的历史观测足以拟合季节模型", expected=f"至少 {2 * values['order'] + 4} 期看清的影像", cure="延长 --history 或减小 --order")
    new_days = [d for d, p in zip(days, past) if not p]
    table = _table(land, series, model, alarm, new_days)[read.met]
    scores = None
    if truth is not None:
        told_days = pd.Series(table["confirmed_day"].to_numpy(), index=table["patch_id"])
        scores = scored(truth, told_days, since=until, until=days[-1], name=Path(values["truth"]).name)
    context.step("保存成果", 0.9)
    told = {
        "dates": len(days), "parcels": len(table), "alarms": int((table["alarm_day"] != "").sum()), "sure": int((table["repeats"] >= 3).sum()), "source": stack.name,
        "without_model": int((~np.isfinite(model.sigma) & read.met).sum()), "source_sha256": digest, "tool": f"qianmo {__version__} watch", "history": until.isoformat(), "method": values["method"],
        "fit": values["fit"], "limit": values["limit"], "order": values["order"], "parts": read.parts, "resumed": read.resumed,
    }  # fmt: skip
    if truth is not None and scores is not None:
        told |= {"labelled": len(truth), "lag": scores_table(scores).to_dict("records")}
    with change(folder, what="地块时序监测", user=context.user, now=context.clock()) as stage:
        stage.put_table("change_series", table)
        stage.remove_tables(("change_lag",))
        if scores is not None:
            stage.put_table("change_lag", scores_table(scores))
        stage.put_json("change_series_facts", told)
    out = (Path(values["out"]) if values["out"] else folder / "change") / "地块时序.png"
    drop_blocks(work)
    (work.parent / f"{work.name}.lock").unlink(missing_ok=True)
    replace_bytes(out, _chart(table, series, when, days, model, until, values))
    files = [(str(out), "地块时序曲线")]
    if scores is not None:
        name = out.with_name("时滞精度.png")
        note = f"{len(truth) if truth is not None else 0} 个带日期标注的图斑, {until} 至 {days[-1]}; 时滞算到确认告警之日"
        replace_bytes(name, lag_chart(scores_table(scores), title=f"时滞精度: {_METHODS[values['method']]}", note=note))
        files.append((str(name), "时滞精度图"))
    return _report(told, table, files, told_lines(scores, told["labelled"]) if scores is not None else [])


def _judged(series: np.ndarray, when: np.ndarray, past: np.ndarray, values: Mapping[str, Any]) -> tuple[SeasonalModel, Alarm]:
    """Seasons and alarms, some parcels at a time so that the work on a million fits into memory."""
    pieces = [_judged_some(series[:, k : k + _JUDGED_AT_ONCE], when, past, values) for k in range(0, series.shape[1], _JUDGED_AT_ONCE)]
    models, alarms = [p[0] for p in pieces], [p[1] for p in pieces]
    sigma, clear = np.concatenate([m.sigma for m in models]), np.concatenate([m.clear for m in models])
    model = SeasonalModel(np.concatenate([m.coefficients for m in models], axis=1), sigma, clear, models[0].order, models[0].trend)
    return model, Alarm(*(np.concatenate([getattr(a, f.name) for a in alarms]) for f in fields(Alarm)))


def _judged_some(series: np.ndarray, when: np.ndarray, past: np.ndarray, values: Mapping[str, Any]) -> tuple[SeasonalModel, Alarm]:
    history, order = series[past], values["order"]
    if values["fit"] == "stable":
        model, first = fit_stable(history, when[past], order=order, trend=False)
        history = stable_only(history, first)
    else:
        model = (fit_robust if values["fit"] == "robust" else fit_season)(history, when[past], order=order, trend=False)
    if values["method"] == "mosum":
        return model, mosum_monitor(np.vstack([history, series[~past]]), when, model, history=int(np.sum(past)))
    return model, monitor(series[~past], when[~past], model, method=values["method"], limit=values["limit"])


def _opened(values: Mapping[str, Any], scratch: Path, dates: int) -> tuple[Images, Images | None]:
    stack = image_of(values["stack"], scratch / "stack")
    cloud = image_of(values["cloud"], scratch / "cloud") if values["cloud"] else None
    for images in filter(None, (stack, cloud)):
        if len(images.bands) != dates:
            raise SchemaError(f"{images.name} 有 {len(images.bands)} 个波段, 日期表有 {dates} 行", expected="一期一个波段, 一行一个日期, 次序相同")
    if cloud is not None and (cloud.shape != stack.shape or not cloud.bands[0].transform.almost_equals(stack.bands[0].transform, 1e-6) or cloud.crs != stack.crs):
        told = [f"{i.name} 的格网 {i.shape}, 原点 ({i.bands[0].transform.c:g}, {i.bands[0].transform.f:g}), {i.crs.name}" for i in (cloud, stack)]
        raise CrsError("; ".join(told), expected="同一格网与坐标系", cure="按同一范围与像元导出")
    if stack.crs.is_geographic:
        raise CrsError(f"{stack.name} 为经纬度坐标", expected="米制投影坐标系", cure="先重投影")
    refuse_filled(stack)
    return stack, cloud


def _days(path: Path) -> list[date]:
    """The last column of a CSV with a header line, one date a line, not falling."""
    if not path.is_file():
        raise MissingDataError(f"没有文件 {path}", expected="日期表 (CSV)", cure="核对路径")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SchemaError(f"{path.name} 不是 UTF-8", expected="UTF-8 编码的 CSV") from None
    days = [_day(line.split(",")[-1].strip(), f"{path.name} 第 {k} 行") for k, line in enumerate(lines[1:], start=2) if line.strip()]
    back = [k + 2 for k in range(1, len(days)) if days[k] < days[k - 1]]
    if back or len(days) < 2:
        raise SchemaError(f"{path.name} 共 {len(days)} 个日期" + (f", 第 {back[:5]} 行早于前一行" if back else ""), expected="两个以上日期, 由早到晚")
    return days


def _day(text: str, place: str) -> date:
    try:
        return datetime.fromisoformat(str(text)).date()
    except ValueError:
        raise SchemaError(f"{place}: {text!r}", expected="年-月-日, 如 2017-06-30") from None


def _check_history(days: list[date], until: date) -> None:
    if not days[0] <= until < days[-1]:
        raise SchemaError(f"--history {until} 不在 {days[0]} 至 {days[-1]} 之间", expected="历史期之后还有影像")


_NORMALISED = ("NDVI", "NDWI", "MNDWI", "NDMI", "NDBI", "NBR", "GNDVI", "NDRE")
"""Indices that are a difference over a sum, from −1 to 1."""


def _check_read(read: ParcelSeries, index: str, cloud: Images | None, stack: Images, context: Context) -> None:
    """Refuse what cannot be an index, and a mask that leaves nothing; tell the share of clouds and of values left out."""
    if read.beyond > parameter("change_index_beyond_max"):
        untold = stack.bands[0].nodata is None
        cure = f"若 {read.worst:g} 是无效值 (换算前 ÷ --scale), 先声明: gdal_edit.py -a_nodata …; " if untold or read.beyond < 0.5 else ""
        found = f"{stack.name}: {read.beyond:.1%} 的晴空 {index} 超出 -1 至 1, 如 {read.worst:g}; 声明的无效值为 {stack.bands[0].nodata}"
        raise SchemaError(found, expected="-1 至 1", cure=cure + "整数影像用 --scale 换算, 如 --scale 0.0001; 别的指数用 --index 写明名称")
    if read.beyond > 0:
        context.note(f"{read.beyond:.2%} 的晴空 {index} 超出 -1 至 1 (如 {read.worst:g}), 按没有数据处理")
    if cloud is None:
        return
    if read.cloudy > 0.99:
        raise MissingDataError(f"{cloud.name} 有 {read.cloudy:.1%} 的像元为云", expected="0 为晴空, 其余为云", cure="有效掩膜 (1 为有效) 先取反; 云概率先按阈值化为 0 和 1")
    context.note(f"云掩膜 {cloud.name}: {read.cloudy:.1%} 的像元为云 (0 为晴空); 若占比不合常理, 掩膜可能取反了")


def _one_a_day(series: np.ndarray, days: list[date], context: Context) -> tuple[np.ndarray, list[date]]:
    """Images of one day become their mean."""
    single = sorted(set(days))
    if len(single) == len(days):
        return series, days
    context.note(f"{len(days) - len(single)} 期影像与另一期同日, 已取均值")
    at = [np.flatnonzero([d == day for d in days]) for day in single]
    count = np.stack([np.isfinite(series[k]).sum(axis=0) for k in at])
    total = np.stack([np.nansum(series[k], axis=0) for k in at])
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0), single


def _table(land: Parcels, series: np.ndarray, model: SeasonalModel, alarm: Alarm, new_days: list[date]) -> pd.DataFrame:
    amplitude = 2.0 * np.hypot(model.coefficients[1], model.coefficients[2]) if model.order else np.zeros(len(land.frame))
    table = pd.DataFrame(
        {
            "patch_id": land.frame["patch_id"].astype(str).to_numpy(), "class_code": land.frame["class_code"].astype(str).to_numpy(),
            "clear_dates": np.isfinite(series).sum(axis=0), "clear_history": model.clear, "mean": model.coefficients[0], "amplitude": amplitude, "sigma": model.sigma,
            "alarm_day": [new_days[k].isoformat() if k >= 0 else "" for k in alarm.date_index], "direction": alarm.direction.astype(int),
            "repeats": alarm.repeats.astype(int), "confidence": alarm.confidence,
            "confirmed_day": [new_days[k].isoformat() if k >= 0 else "" for k in alarm.confirmed_index],
        }
    )  # fmt: skip
    return table


def _chart(table: pd.DataFrame, series: np.ndarray, when: np.ndarray, days: list[date], model: SeasonalModel, until: date, values: Mapping[str, Any]) -> bytes:
    """The three parcels surest to have changed, and one that has not."""
    known = table[np.isfinite(table["sigma"])]
    surest = known.sort_values(["confidence", "repeats"], ascending=False, kind="stable")
    chosen = [*surest.index[:3], *surest.index[3:][::-1][:1]]
    season = season_design(when, order=model.order, trend=model.trend) @ model.coefficients
    courses = []
    for k in chosen:
        row = table.loc[k]
        said = f"把握 {row['confidence']:.0%}, 连续 {row['repeats']} 次" if row["alarm_day"] else "无告警"
        at = date.fromisoformat(row["alarm_day"]) if row["alarm_day"] else None
        courses.append(ParcelCourse(f"图斑 {row['patch_id']} (地类 {row['class_code']}): {said}", series[:, k], season[:, k], float(model.sigma[k]), at))
    notes = (f"季节模型由 {until} 以前的观测拟合, {model.order} 阶谐波", _METHODS[values["method"]] + ("" if values["method"] == "mosum" else f", 限值 {values['limit']:g} 倍中误差"), "底色为监测期")
    return series_chart(courses, days, history_end=until, index=values["index"], title="地块指数时序", notes=notes)


def _report(told: Mapping[str, Any], table: pd.DataFrame, files: list[tuple[str, str]], scores: list[str]) -> JobReport:
    lines = [
        f"影像 {told['dates']} 期, 图斑 {told['parcels']} 个, 看清期数中位 {int(table['clear_dates'].median())}",
        f"告警 {told['alarms']} 个, 其中连续三次以上 {told['sure']} 个; 把握随重复次数增长: 1 次 50%, 2 次 75%, 3 次 88%",
        "告警为线索, 不是认定",
    ]
    if told["without_model"]:
        lines.append(f"{told['without_model']} 个图斑的历史观测不足以拟合季节模型, 没有监测")
    if told["resumed"]:
        lines.append(f"续算: {told['parts']} 段中 {told['resumed']} 段取自上次中断的运行")
    for row in table[table["alarm_day"] != ""].sort_values("confidence", ascending=False, kind="stable").head(5).itertuples():
        lines.append(f"  {row.patch_id}: {row.alarm_day} 起{'偏低' if row.direction < 0 else '偏高'}, 连续 {row.repeats} 次, 把握 {row.confidence:.0%}")
    return JobReport(tuple(lines + scores), tuple(files), dict(told))


SPECS = (
    JobSpec(
        "watch", "地块时序监测", "watch parcels through a series of images",
        (
            JobOption("stack", "path", "指数时序 (GeoTIFF, 一期一个波段)", "stack of an index, one band a date", required=True, positional=True),
            JobOption("dates", "path", "日期表 (CSV, 首行为表头, 末列为日期)", "dates, one line a band below a header", required=True),
            JobOption("into", "path", "项目文件夹", "project folder", required=True),
            JobOption("history", "text", "稳定历史期的最后一天 (年-月-日)", "last day of the stable history", required=True),
            JobOption("cloud", "path", "云掩膜 (GeoTIFF, 一期一个波段, 0 为晴空)", "cloud mask, one band a date, 0 is clear"),
            JobOption("scale", "number", "像元值乘数", "factor of the values in the file", default=1.0),
            JobOption("index", "text", "指数名称", "name of the index", default="NDVI"),
            JobOption("order", "integer", "谐波阶数", "harmonics", default=1),
            JobOption("method", "choice", "监测方法", "detector", default="repeats", choices=tuple(_METHODS)),
            JobOption(
                "fit", "choice", "历史期拟合: plain 剔除离群后最小二乘, stable 只用末段稳定期 (逆序累积和), robust 抗差", "fit of the history: least squares without outliers, the stable end of it, or robust",
                default="plain", choices=("plain", "stable", "robust"),
            ),
            JobOption("truth", "path", "带日期的标注 (CSV: patch_id,change_date, 没有变化的日期留空); 给出即评价时滞精度", "CSV of patches with the date of change, blank where none: F1 by delay is told"),
            JobOption("limit", "number", "限值 (中误差的倍数)", "limit in standard deviations", default=3.0),
            JobOption("work", "path", "续算文件夹 [项目旁的隐藏文件夹]", "folder of finished parts, taken up again after a break [hidden, beside the project]"),
            JobOption("out", "path", "图件输出文件夹", "folder for the chart, the project's change/ by default"),
        ),
        run,
    ),
)  # fmt: skip
