"""Ground motion from one or two stacks of unwrapped interferograms, kept in the project (地表形变监测)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from qianmo import __version__
from qianmo.geo.cells import placed
from qianmo.geo.crs import transform
from qianmo.geo.raster import Grid, aligned
from qianmo.jobs.book.kept_charts import kept_charts
from qianmo.jobs.context import Context
from qianmo.jobs.ingest.read import read_recipe
from qianmo.jobs.recipe import Recipe, SourceRecipe
from qianmo.jobs.spec import JobOption, JobReport, JobSpec
from qianmo.jobs.survey.motion_angles import north_south, split_up_and_east
from qianmo.jobs.survey.motion_land import bowls_by_date, patch_motion, ponding, spread
from qianmo.jobs.survey.motion_track import Track, invert_blocks, open_track, planes, rate_blocks, scan, unwrapped, whole
from qianmo.reports.motion_chart import Course, motion_chart
from qianmo.reports.motion_sheet import motion_sheet, rate_bands
from qianmo.schema.dataset import Dataset, Lineage
from qianmo.schema.errors import CrsError, MissingDataError, NotAllowedError, QianmoError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.block_folder import drop_blocks
from qianmo.store.durable import replace_bytes
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import default_limits
from qianmo.store.lock import writer_lock
from qianmo.store.parquet import read_frame
from qianmo.store.project import Project, change, open_project
from qianmo.store.scratch import scratch_folder
from qianmo.store.stage import read_catalog
from qianmo.survey.insar.geometry import vertical
from qianmo.survey.insar.stack import islands

__all__ = ["SPECS", "run"]

_TEXT = '[project]\nname = "形变监测"\n[parameters]\n[plan]\n[documents]\n[office]\n'
_OPTIONAL = ("motion_east", "motion_east_sigma", "motion_height_error", "motion_break", "motion_rate_after", "motion_pond", "motion_basin")


@dataclass(frozen=True)
class _Solved:
    """One track worked out (单轨成果): rate and sigma along the line of sight where they count, coherence, cells cut off, what is told."""

    track: Track
    rate: np.ndarray
    sigma: np.ndarray
    coherence: np.ndarray
    told: dict[str, Any]

_FIRST_RADAR = date(1991, 7, 1)
"""ERS-1, the first radar satellite that served for interferometry."""


def run(context: Context, values: Mapping[str, Any]) -> JobReport:
    """Read the pairs block by block, invert, correct, fit rates, save maps, tables and charts; a project is changed only at the end.

    Finished blocks wait in the work folder: a run that was killed goes on from there when it is started again with the same options.
    """
    folder = Path(values["into"])
    project = open_project(folder) if (folder / "current").is_file() else None
    edges = _edges(values)
    if values["calm"] is not None and not (values["calm"] > 0 and values["calm_days"] > 0):
        raise SchemaError(f"--calm {values['calm']:g}, --calm-days {values['calm_days']:g}", expected="大于 0")
    work = Path(values["work"]) if values["work"] else folder.parent / f".{folder.name or 'project'}-motion"
    work.mkdir(parents=True, exist_ok=True)
    with writer_lock(work / "lock"):
        try:
            report = _worked(context, folder, project, work, edges, values)
        except QianmoError:
            # a refusal before any block was finished leaves nothing behind; finished blocks wait for a better call
            if not list(work.glob("*/*_[0-9][0-9][0-9][0-9][0-9]")):
                _swept(work)
            raise
        _swept(work)
    return report


def _worked(context: Context, folder: Path, project: Project | None, work: Path, edges: tuple[float, ...], values: Mapping[str, Any]) -> JobReport:
    context.step("读取干涉图", 0.0)
    one = open_track(list(values["sources"]), work / "first", values)
    # both are looked at before hours go into the first
    two = open_track(list(values["second"]), work / "second", values, which="second_") if values["second"] else None
    if two is None and any(values[f"second_{k}"] is not None for k in ("incidence", "incidence_map", "heading", "heading_map")):
        raise SchemaError("给了第二轨的角度而没有第二轨", expected="--second 第二轨 (降轨) 的干涉图", cure="补上 --second, 或去掉 --second-… 选项")
    for track in (one, two) if two is not None else (one,):
        _dates_can_be(context, track)
    is_plain = two is None or north_south(one.angles, two.angles)
    with context.part(0.02, 0.45 if two else 0.8) as part:
        first = _solved(part, one, values, None)
    second = None
    if two is not None:
        with context.part(0.45, 0.8) as part:
            second = _solved(part, two, values, _reference_place(first))
    context.step("垂直与东西向、盆地与地块", 0.8)
    grids = _grids(first, second, values)
    height = _height(values["dem"], first.track) if values["dem"] else None
    if height is not None:
        grids["motion_pond"] = (ponding(grids["motion_vertical"][0], height), f"{parameter('motion_pond_years'):g} 年后新增积水深度 (米)")
    table, outlines = bowls_by_date(_sunk(first, grids["motion_rate"][0].valid), first.track.network.dates, grids["motion_rate"][0], edges_mm=edges)
    years = float(first.track.network.days[-1]) / 365.25
    patches = patch_motion(project, {k: g for k, (g, _) in grids.items()}, years=years)
    told = first.told | _figures(first, grids, table, edges[0]) | {"is_north_south": is_plain}
    if second is not None:
        told |= {f"second_{k}": v for k, v in second.told.items() if k in ("pairs", "dates", "first", "last", "reference_row", "reference_column", "loops")}
    _tell_odd(context, first.told, "")
    if second is not None:
        _tell_odd(context, second.told, "第二轨")
    chart, sheet = _chart(first, grids, told), _sheet(context, project, grids, outlines, told, edges[0])
    context.step("保存成果", 0.9)
    _save(context, folder, values, first, second, grids, table, outlines, patches, told, chart)
    out = Path(values["out"]) if values["out"] else folder / "motion"
    replace_bytes(out / "形变速率与时序.png", chart)
    if sheet is not None:
        replace_bytes(out / "地表形变速率图.png", sheet)
    return _report(told, patches, folder, out, has_sheet=sheet is not None, edge=edges[0])


def _dates_can_be(context: Context, track: Track) -> None:
    """Refuse dates before radar satellites or after today; tell of long gaps and of phases whose unit is nowhere stated."""
    dates = track.network.dates
    today = context.clock().date()
    strange = [str(d) for d in dates if not _FIRST_RADAR <= d <= today]
    if strange:
        raise SchemaError(f"影像日期 {', '.join(strange[:5])}", expected=f"{_FIRST_RADAR} 至 {today}", cure="核对文件名中的年份")
    wide = [(a, b) for a, b in zip(dates[:-1], dates[1:]) if (b - a).days > parameter("motion_gap_days")]
    if wide:
        context.note(f"{'; '.join(f'{a} 至 {b} 之间 {(b - a).days} 天没有影像' for a, b in wide[:3])}: 其间的非线性形变看不见, 解缠难以检验; 若是文件名年份有误, 请改正")
    if not track.stack.header.unit:
        context.note("干涉图没有写明单位, 按弧度计; 以厘米计的位移数值与弧度相近, 无法识别, 请核对产品说明")


def _tell_odd(context: Context, told: Mapping[str, Any], which: str) -> None:
    """Pairs whose loops do not close while the others do: a warning with its causes and cure."""
    if told.get("odd_pairs"):
        context.note(f"{which}干涉对 {', '.join(told['odd_pairs'][:5])} 所在的闭合环都不闭合, 其余闭合良好: 可能未解缠、符号或单位与其他不同; 核对或去掉这些干涉对后重算, 确为整周错误时用 --mend")


def _swept(work: Path) -> None:
    """Take the blocks away, and the folder where nothing else lies in it."""
    with suppress(NotAllowedError):
        for name in ("first", "second"):
            drop_blocks(work / name)
    (work / "lock").unlink(missing_ok=True)
    if not any(work.iterdir()):
        work.rmdir()


def _solved(context: Context, track: Track, values: Mapping[str, Any], near: tuple[float, float, pyproj.CRS] | None) -> _Solved:
    """Scan, inversion, corrections and rates of one track."""
    if values["unwrap"]:
        with context.part(0.0, 0.05) as part:
            track = unwrapped(part, track, values)
    with context.part(0.05, 0.2) as part:
        told = scan(part, track, values, near=near)
    with context.part(0.2, 0.7) as part:
        reused = invert_blocks(part, track, told, values)
    height = _height(values["dem"], track) if values["height_delay"] and values["dem"] else None
    with context.part(0.7, 1.0) as part:
        more = rate_blocks(part, track, values, height)
    coherence, rate = whole(track, "series", "coherence"), whole(track, "rate", "rate")
    seen = np.isfinite(rate) & (np.nan_to_num(coherence) >= parameter("motion_least_coherence"))
    if not seen.any():
        raise MissingDataError("没有像元达到相干性要求", expected=f"时间相干性不低于 {parameter('motion_least_coherence'):g}", cure="检查参考点与解缠质量, 或放宽 motion_least_coherence")
    cut = _cut_off(np.isfinite(rate), track, told, values)
    told = {k: v for k, v in told.items() if k != "base_rad"} | more
    told |= {"blocks": len(track.blocks), "blocks_reused": reused, "island_share": float(cut.sum() / np.isfinite(rate).sum())}
    if values["mend"]:
        told["turns_left_pixels"] = int((whole(track, "series", "left") > 0).sum())
    sigma = whole(track, "rate", "sigma")
    seen &= ~cut
    return _Solved(track, np.where(seen, rate, np.nan), np.where(seen, sigma, np.nan), coherence, told)


def _cut_off(known: np.ndarray, track: Track, told: Mapping[str, Any], values: Mapping[str, Any]) -> np.ndarray:
    """Cells that gaps cut off from the reference; a stack of which they are much is refused."""
    row, column = told["reference_row"], told["reference_column"]
    valid = known.reshape(track.shape)
    cut = islands(valid, row, column).ravel()
    share = float(cut.sum() / valid.sum())
    if values["islands"] == "keep":
        return np.zeros_like(cut)
    if share > parameter("motion_island_share_max"):
        raise SchemaError(
            f"{share:.1%} 的有效像元是被无数据隔开的孤岛, 与参考点 (第 {row + 1} 行 {column + 1} 列) 不连通, 整周数不可靠",
            expected=f"孤岛不超过 {parameter('motion_island_share_max'):.0%}", cure="参考点移到主体区 (--reference), 裁去孤岛; 确信解缠已跨过空隙时用 --islands keep",
        )  # fmt: skip
    return cut


def _reference_place(solved: _Solved) -> tuple[float, float, pyproj.CRS]:
    grid = solved.track.grid(solved.rate)
    x, y = placed(grid.transform, np.array([solved.told["reference_column"] + 0.5]), np.array([solved.told["reference_row"] + 0.5]))
    return float(x[0]), float(y[0]), grid.crs


def _height(path: str, track: Track) -> Grid:
    """The height model on the cells of the track."""
    with scratch_folder() as workdir:
        reads = read_recipe(Recipe((SourceRecipe(Path(path)),)), workdir=workdir, limits=default_limits(), consent=Consent())
        raws = [g for r in reads for g in r.reading.grids]
    if not raws or raws[0].crs_wkt is None:
        raise MissingDataError(f"{Path(path).name} 不是带坐标系的栅格", expected="数字高程模型 GeoTIFF (米)")
    raw = raws[0]
    like = track.grid(np.zeros(track.shape, np.uint8))
    found = aligned(Grid(raw.values, raw.transform, pyproj.CRS.from_wkt(raw.crs_wkt or ""), raw.nodata), like)
    if not found.valid.any():
        raise MissingDataError(f"{Path(path).name} 与干涉图没有重叠", expected="覆盖干涉图的数字高程模型", cure="核对坐标系")
    return found


def _edges(values: Mapping[str, Any]) -> tuple[float, ...]:
    try:
        more = [float(v) for v in values["levels"].replace("，", ",").split(",")] if values["levels"] else []
    except ValueError:
        raise SchemaError(f"--levels {values['levels']!r}", expected="毫米, 以逗号分开, 如 50,100,300") from None
    edges = tuple(dict.fromkeys([float(values["edge"]), *more]))
    if min(edges) <= 0:
        raise SchemaError(f"盆地阈值 {edges}", expected="大于 0 毫米")
    return edges


def _grids(first: _Solved, second: _Solved | None, values: Mapping[str, Any]) -> dict[str, tuple[Grid, str]]:
    track, lay, angles = first.track, first.track.grid, first.track.angles
    low = np.float32
    found: dict[str, tuple[Grid, str]] = {
        "motion_rate": (lay(first.rate.astype(low)), "视线向形变速率"), "motion_coherence": (lay(first.coherence.astype(low)), "时间相干性"),
    }  # fmt: skip
    if second is None:
        found["motion_vertical"] = lay(vertical(first.rate, angles.incidence_deg).astype(low)), "垂直向形变速率 (假定无水平移动)"
        found["motion_sigma"] = lay(vertical(first.sigma, angles.incidence_deg).astype(low)), "垂直向速率中误差"
    else:
        up, east, sigma_up, sigma_east = split_up_and_east(
            (first.rate, first.sigma, angles), (second.rate, second.sigma, second.track.angles), like=lay(first.rate), second_like=second.track.grid(second.rate)
        )
        found["motion_vertical"] = lay(up), "垂直向形变速率 (升降轨分解)"
        found["motion_sigma"] = lay(sigma_up), "垂直向速率中误差"
        found["motion_east"] = lay(east), "东西向形变速率 (东为正)"
        found["motion_east_sigma"] = lay(sigma_east), "东西向速率中误差"
    seen = np.isfinite(first.rate)
    if track.geometry.baselines_m is not None:
        # solved with the middle incidence: the effect of a height goes by 1 / sin of the cell's own
        own = np.sin(np.radians(angles.incidence_deg)) / np.sin(np.radians(track.geometry.incidence_deg))
        found["motion_height_error"] = lay(np.where(seen, whole(track, "rate", "height_error") * own, np.nan).astype(low)), "高程误差 (米)"
    if values["breaks"]:
        found["motion_break"] = lay(np.where(seen, whole(track, "rate", "break_days"), np.nan).astype(low)), "趋势转折时刻 (自首期起的天数)"
        found["motion_rate_after"] = lay(np.where(seen, whole(track, "rate", "rate_after"), np.nan).astype(low)), "转折后视线向速率"
    return found


def _sunk(first: _Solved, seen: np.ndarray) -> Iterator[np.ndarray]:
    """Subsidence of all cells at each date, down positive, on the assumption of vertical motion."""
    angle = first.track.angles.incidence_deg
    upright = np.float32(-1.0) / np.cos(np.radians(angle.reshape(first.track.shape) if isinstance(angle, np.ndarray) else np.float32(angle)))
    for plane in planes(first.track):
        yield np.where(seen, plane.reshape(first.track.shape) * upright, np.float32(np.nan))


def _middle(values: np.ndarray) -> float:
    """Median of what is known, nan where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _error_words(sigma: float) -> str:
    return f"中位数 {sigma:.2f} 毫米/年" if np.isfinite(sigma) else "未知 (期数或干涉对太少, 没有多余观测)"


def _figures(first: _Solved, grids: Mapping[str, tuple[Grid, str]], table: pd.DataFrame, edge: float) -> dict[str, Any]:
    rate, up = grids["motion_rate"][0], grids["motion_vertical"][0]
    if not up.valid.any():
        raise MissingDataError("没有可用像元", expected="至少一个有速率的像元")
    low, middle, high = np.nanpercentile(rate.values, [5, 50, 95])
    row, column = np.unravel_index(int(np.nanargmin(up.values)), first.track.shape)
    last = table[table["edge_mm"] == edge].iloc[-1]
    return {
        "rate_p5_mm_yr": float(low), "rate_p50_mm_yr": float(middle), "rate_p95_mm_yr": float(high), "lowest_vertical_mm_yr": float(np.nanmin(up.values)),
        "lowest_row": int(row), "lowest_column": int(column), "sigma_median_mm_yr": _middle(grids["motion_sigma"][0].values),
        "scatter_median_mm": float(np.nanmedian(np.where(rate.valid.ravel(), whole(first.track, "rate", "scatter"), np.nan))),
        "seen_share": float(rate.valid.mean()), "area_ha": float(last["area_ha"]), "wavelength_m": first.track.geometry.wavelength_m,
        **_angle_figures(first), **_east_figures(grids), **_break_figures(grids), "form": first.track.stack.header.form, "is_two_tracks": "motion_east" in grids, **spread(table, edge),
    }  # fmt: skip


def _angle_figures(first: _Solved) -> dict[str, Any]:
    """Incidence of the first track; lowest, highest and what is without where every cell has its own."""
    angle = first.track.angles.incidence_deg
    told: dict[str, Any] = {"incidence_deg": first.track.geometry.incidence_deg, "is_incidence_map": isinstance(angle, np.ndarray)}
    if isinstance(angle, np.ndarray):
        lost = np.isnan(angle) & np.isfinite(first.rate)
        told |= {"incidence_low_deg": float(np.nanmin(angle)), "incidence_high_deg": float(np.nanmax(angle)), "no_incidence_share": float(lost.sum() / max(np.isfinite(first.rate).sum(), 1))}
    return told


def _east_figures(grids: Mapping[str, tuple[Grid, str]]) -> dict[str, Any]:
    """Rates to the east and their error; empty with one track."""
    if "motion_east" not in grids:
        return {}
    east = grids["motion_east"][0].values
    low, middle, high = np.nanpercentile(east, [5, 50, 95])
    return {
        "east_p5_mm_yr": float(low), "east_p50_mm_yr": float(middle), "east_p95_mm_yr": float(high), "east_largest_mm_yr": float(np.nanmax(np.abs(east))),
        "east_sigma_median_mm_yr": _middle(grids["motion_east_sigma"][0].values),
    }  # fmt: skip


def _break_figures(grids: Mapping[str, tuple[Grid, str]]) -> dict[str, Any]:
    """Share of the cells with a rate whose trend breaks; empty where nobody looked."""
    if "motion_break" not in grids:
        return {}
    return {"break_share": float(grids["motion_break"][0].valid.sum() / max(grids["motion_rate"][0].valid.sum(), 1))}


def _save(
    context: Context, folder: Path, values: Mapping[str, Any], first: _Solved, second: _Solved | None, grids: Mapping[str, tuple[Grid, str]], table: pd.DataFrame,
    outlines: gpd.GeoDataFrame | None, patches: pd.DataFrame | None, told: Mapping[str, Any], chart: bytes,
) -> None:  # fmt: skip
    stacks = [s.track.stack for s in (first, second) if s is not None]
    hashes = [h for s in (first, second) if s is not None for h in (s.track.stack.sha256, *s.track.angles.sha256)]
    names = "; ".join(n for s in stacks for n in s.names)[:400]
    options = {k: v for k, v in values.items() if k not in ("sources", "second", "into", "out", "work") and v not in (None, False, "")}
    lineage = Lineage(names, "; ".join(hashes), f"qianmo {__version__} motion", context.clock().isoformat(timespec="seconds"), context.user, {**told, "options": options})
    base = grids["motion_rate"][0]
    crs, vintage = f"EPSG:{base.crs.to_epsg()}", str(first.track.network.dates[-1].year)
    with change(folder, what="地表形变监测", user=context.user, now=context.clock(), settings_text=_TEXT) as stage:
        for name in _OPTIONAL:
            if name in stage.datasets:
                stage.remove(name)
        for name, (grid, zh) in grids.items():
            stage.put_grid(grid, Dataset(name, "raster", zh, crs, "", vintage, False, int(grid.valid.sum()), lineage))
        if outlines is not None:
            stage.put_layer(outlines, Dataset("motion_basin", "other_layer", "沉陷盆地", crs, "", vintage, False, len(outlines), lineage))
        stage.remove_tables(("motion_patch",))
        stage.put_table("motion_date", table)
        if patches is not None:
            stage.put_table("motion_patch", patches)
        stage.put_json("motion", dict(told))
        stage.put_json("motion_section", {"charts": kept_charts([("地表形变速率与时序图", chart)])})


def _chart(first: _Solved, grids: Mapping[str, tuple[Grid, str]], told: Mapping[str, Any]) -> bytes:
    track = first.track
    t = track.network.days / 365.25
    design = np.column_stack([np.ones_like(t), t])
    moved = list(_lines(track, [(told["lowest_row"], told["lowest_column"]), (told["reference_row"], told["reference_column"])]))
    courses = []
    for name, row, column, line in (("沉降最快处", told["lowest_row"], told["lowest_column"], moved[0]), ("参考点", told["reference_row"], told["reference_column"], moved[1])):
        fit = design @ np.linalg.lstsq(design, line, rcond=None)[0]
        courses.append(Course(name, row, column, line, fit, float((line - fit).std(ddof=2))))
    how = "升降轨分解" if told["is_two_tracks"] else "按无水平移动换算"
    notes = (f"参考点: 第 {told['reference_row'] + 1} 行 {told['reference_column'] + 1} 列; 视线向朝卫星为正;", f"垂直向{how}; {told['first']} 至 {told['last']}, {told['pairs']} 个干涉对;",
             "曲线为视线向累计形变, 点线为线性拟合")  # fmt: skip
    return motion_chart(grids["motion_vertical"][0], courses, track.network.dates, title="地表形变速率与时序", unit="垂直向速率（毫米/年，上升为正）", notes=notes)


def _lines(track: Track, cells: list[tuple[int, int]]) -> Iterator[np.ndarray]:
    for row, column in cells:
        k = next(k for k, (a, b) in enumerate(track.blocks) if a <= row < b)
        at = (row - track.blocks[k][0]) * track.shape[1] + column
        yield np.array(track.parts.get(f"rate_{k:05d}", "moved")[:, at], dtype=float)


def _sheet(
    context: Context, project: Project | None, grids: Mapping[str, tuple[Grid, str]], outlines: gpd.GeoDataFrame | None, told: Mapping[str, Any], edge: float
) -> bytes | None:
    """The map sheet in the metric CRS of the stack, or the zone it lies in; None where the datum cannot be carried over."""
    bands = rate_bands(grids["motion_vertical"][0])
    if bands is None:
        return None
    shown = outlines[(outlines["day"] == told["last"]) & (outlines["edge_mm"] == edge)] if outlines is not None else None
    villages = None
    if project is not None and "village" in read_catalog(project.state):
        villages = read_frame(project.state / "layers" / "village.parquet")
    target = pyproj.CRS(bands.crs) if not pyproj.CRS(bands.crs).is_geographic else pyproj.CRS(bands.estimate_utm_crs())
    try:
        bands, shown, villages = (None if f is None else _in(f, target) for f in (bands, shown, villages))
    except CrsError as error:
        context.note(f"速率图未绘制: {error.found}")
        return None
    how = "升降轨二维分解" if told["is_two_tracks"] else "单轨换算, 假定无水平移动"
    remarks = (f"垂直向速率, {how}; 中误差{_error_words(told['sigma_median_mm_yr'])}", f"{told['first']} 至 {told['last']}, {told['pairs']} 个干涉对; 盆地边界 {edge:g} mm")
    assert bands is not None
    return motion_sheet(bands, shown, villages, title="地表形变速率图", crs_text=target.name, date=f"{context.clock():%Y年%m月%d日}", vintage=str(told["last"])[:4], remarks=remarks)


def _in(frame: gpd.GeoDataFrame, target: pyproj.CRS) -> gpd.GeoDataFrame:
    if pyproj.CRS(frame.crs) == target:
        return frame
    shapes = transform(frame.geometry.to_numpy(), pyproj.CRS(frame.crs), target)
    return gpd.GeoDataFrame(frame.drop(columns=frame.geometry.name), geometry=shapes, crs=target)


def _report(told: dict[str, Any], patches: pd.DataFrame | None, folder: Path, out: Path, *, has_sheet: bool, edge: float) -> JobReport:
    lines = [
        f"{told['form']}: 干涉对 {told['pairs']} 个, 影像 {told['dates']} 期, {told['first']} 至 {told['last']}; 分 {told['blocks']} 块处理"
        + (f", 其中 {told['blocks_reused']} 块沿用上次中断前的结果" if told["blocks_reused"] else ""),
        f"参考点: 第 {told['reference_row'] + 1} 行 {told['reference_column'] + 1} 列 (相干性最高的完整像元, 或用户指定)",
        f"闭合环 {told['loops']} 个" + (f", 平均绝对闭合差 {told['closure_mean_abs_rad']:.4f} 弧度, 超过 π 的占 {told['closure_over_pi_share']:.2%}" if told["loops"] else ": 无法检验解缠"),
        f"视线向速率 5/50/95 % 分位: {told['rate_p5_mm_yr']:.2f} / {told['rate_p50_mm_yr']:.2f} / {told['rate_p95_mm_yr']:.2f} 毫米/年, 垂直向中误差{_error_words(told['sigma_median_mm_yr'])}",
        f"垂直向最大沉降速率 {-told['lowest_vertical_mm_yr']:.2f} 毫米/年 ({'升降轨二维分解, 看不见南北向移动' if told['is_two_tracks'] else '假定无水平移动; 单轨不能区分水平移动'})",
        f"沉陷盆地面积 {told['area_ha']:.2f} 公顷" + (f", 扩展速度 {told['speed_ha_yr']:.2f} 公顷/年" if "speed_ha_yr" in told else ""),
    ]
    if told["is_incidence_map"]:
        lost = f"; 没有入射角的像元占 {told['no_incidence_share']:.2%}, 没有垂直向速率" if told["no_incidence_share"] else ""
        lines.append(f"入射角逐像元: {told['incidence_low_deg']:.2f} 至 {told['incidence_high_deg']:.2f} 度" + lost)
    if told["is_two_tracks"] and told["is_north_south"]:
        lines.append("没有给航向, 按正北与正南飞行分解; 实际偏 12 度时东西向约小估 2 %, 可用 --heading 与 --second-heading")
    if told["is_two_tracks"]:
        lines.append(
            f"东西向速率 (东为正) 5/50/95 % 分位: {told['east_p5_mm_yr']:.2f} / {told['east_p50_mm_yr']:.2f} / {told['east_p95_mm_yr']:.2f} 毫米/年, 中误差{_error_words(told['east_sigma_median_mm_yr'])}"
        )
    if "break_share" in told:
        lines.append(f"趋势转折的像元占 {told['break_share']:.2%} (显著性 {parameter('motion_break_p'):g})")
    if edge < 2 * told["scatter_median_mm"]:
        lines.append(f"注意: 盆地边界 {edge:g} 毫米小于单期噪声 ±{told['scatter_median_mm']:.1f} 毫米的两倍, 边缘会零碎; 可用 --calm 滤波或提高 --edge")
    if told["island_share"]:
        lines.append(f"与参考点不连通的孤岛像元占 {told['island_share']:.2%}, 未上图")
    if "stable_pixels" in told:
        lines.append(f"趋势面由 {told['stable_pixels']} 个稳定像元拟合, 参考改为稳定区整体; 最大坡项 {told['ramp_max_mm']:.1f} 毫米, 最大地形项 {told['height_delay_max_mm']:.1f} 毫米")
    if patches is not None:
        counts = patches.loc[patches["grade"] != "", "grade"].value_counts()
        lines.append("地块沉降分级: " + ", ".join(f"{k} {v} 个" for k, v in counts.items()) + f"; 无数据 {int((patches['grade'] == '').sum())} 个")
        if "pond_risk" in patches:
            lines.append(f"{parameter('motion_pond_years'):g} 年后有新增积水风险的地块 {int((patches['pond_risk'] == '有').sum())} 个")
    files = [(str(folder / "onemap.gpkg"), "项目数据库 (盆地图层)"), (str(out / "形变速率与时序.png"), "速率图与时序曲线")]
    if has_sheet:
        files.append((str(out / "地表形变速率图.png"), "图件"))
    return JobReport(tuple(lines), tuple(files), told)


SPECS = (
    JobSpec(
        "motion", "地表形变监测", "ground motion from unwrapped interferograms",
        (
            JobOption("sources", "paths", "解缠干涉图 (与相干性) 的文件或文件夹: GeoTIFF, HDF5, ROI_PAC, GAMMA", "unwrapped interferograms (and coherence): files or folders", required=True, positional=True),
            JobOption("into", "path", "项目文件夹", "project folder", required=True),
            JobOption("wavelength", "number", "雷达波长 (米); 不填则取文件所载, 或 C 波段", "radar wavelength in metres; that of the files, or C band, by default"),
            JobOption("incidence", "number", "平均入射角 (度); 不填则取文件所载", "mean incidence angle in degrees; that of the files by default"),
            JobOption("incidence_map", "path", "每像元入射角栅格 (GeoTIFF 或 MintPy geometryGeo.h5), 与干涉图同一格网", "incidence angle of every cell, on the grid of the stack"),
            JobOption("heading", "number", "飞行航向 (度, 由北顺时针; 升轨约 -12)", "heading of the flight in degrees clockwise from north; about -12 ascending"),
            JobOption("heading_map", "path", "每像元航向栅格, 代替 --heading", "heading of every cell, in place of --heading"),
            JobOption("angle_unit", "choice", "角度栅格的单位", "unit of the maps of angles", default="degree", choices=("degree", "radian")),
            JobOption("looks", "number", "独立视数", "independent looks", default=20.0),
            JobOption("reference", "text", "参考点 x,y; 不填则取相干性最高处", "reference point x,y; the most coherent pixel by default"),
            JobOption("edge", "number", "盆地边界下沉值 (毫米)", "subsidence at the edge of a basin in mm", default=10.0),
            JobOption("levels", "text", "另外的盆地阈值 (毫米), 如 50,100,300", "further thresholds of the basins in mm"),
            JobOption("mend", "flag", "按闭合差改正整周解缠误差", "put whole turns right by the loops", default=False),
            JobOption("dem", "path", "数字高程模型 (积水风险与地形相关延迟)", "height model, for standing water and the delay with height"),
            JobOption("ramp", "flag", "去除每期趋势面", "take a plane off every date", default=False),
            JobOption("height_delay", "flag", "去除每期与高程成比例的延迟 (需 --dem)", "take the delay with height off every date", default=False),
            JobOption("height_error", "flag", "估计并去除高程误差项 (需基线与斜距)", "solve for errors of the height model", default=False),
            JobOption("baselines", "path", "垂直基线表 first,second,baseline_m", "table of perpendicular baselines"),
            JobOption("range", "number", "斜距 (米)", "slant range in metres"),
            JobOption("calm", "number", "湍流大气滤波的空间宽度 (像元); 不填则不滤", "width in pixels of the filter against turbulence; none by default"),
            JobOption("calm_days", "number", "湍流大气滤波的时间宽度 (天)", "width in days of the filter against turbulence", default=60.0),
            JobOption("breaks", "flag", "检验趋势转折", "look for breaks of trend", default=False),
            JobOption("second", "paths", "另一方向轨道 (降轨) 的干涉图, 与第一轨 (升轨) 合解垂直与东西向", "stack of the descending track, solved with the ascending one for up and east"),
            JobOption("second_incidence", "number", "第二轨平均入射角 (度)", "mean incidence angle of the second track in degrees"),
            JobOption("second_incidence_map", "path", "第二轨每像元入射角栅格", "incidence angle of every cell of the second track"),
            JobOption("second_heading", "number", "第二轨航向 (度; 降轨约 -168)", "heading of the second track in degrees; about -168 descending"),
            JobOption("second_heading_map", "path", "第二轨每像元航向栅格", "heading of every cell of the second track"),
            JobOption("unwrap", "flag", "输入为缠绕相位 (GeoTIFF), 先解缠", "the phases are wrapped (GeoTIFF): unwrap them first", default=False),
            JobOption("islands", "choice", "被空隙隔开的像元: 检查 (少则剔除, 多则停止) 或保留", "cells cut off by gaps: leave out few and stop at many, or keep", default="check", choices=("check", "keep")),
            JobOption("allow_wrapped", "flag", "相位像未解缠时也继续", "go on although the phases look wrapped", default=False),
            JobOption("memory", "number", "分块所用内存 (MB)", "memory for a block in MB", default=1500.0),
            JobOption("work", "path", "续算文件夹 [项目旁的隐藏文件夹]", "folder of finished blocks [hidden, beside the project]"),
            JobOption("out", "path", "图件文件夹 [项目/motion]", "folder for the charts [project/motion]"),
        ),
        run,
    ),
)  # fmt: skip
