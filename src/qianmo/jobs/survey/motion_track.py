"""One track of interferograms from disk to rates, block by block, in bounded memory (单轨干涉时序分块处理)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import affine
import numpy as np
import pandas as pd
import pyproj

from qianmo import __version__
from qianmo.geo.cells import placed
from qianmo.geo.crs import transform_points
from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.jobs.plain_table import plain_table
from qianmo.jobs.survey.motion_angles import Angles, angles_of
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.block_folder import BlockFolder, open_blocks
from qianmo.store.guard import sha256_of
from qianmo.store.guard_limits import Limits, default_limits
from qianmo.store.radar_stack import StoredStack, open_stack, read_rows
from qianmo.store.scratch import scratch_folder
from qianmo.survey.insar.closure import correct_turns, odd_pairs, report
from qianmo.survey.insar.delay import Ramp, fit_ramp, ramp_values, without_turbulence
from qianmo.survey.insar.inversion import coherence_weights, invert
from qianmo.survey.insar.network import Network, design_matrix, make_network, triplets
from qianmo.survey.insar.rate import Rate, displacement_mm, fit_rate, height_error_mm, rate_functional, trend_break
from qianmo.survey.insar.stack import check_phases, check_unit
from qianmo.survey.insar.unwrap import unwrap

__all__ = ["Geometry", "Track", "invert_blocks", "open_track", "planes", "rate_blocks", "scan", "unwrapped", "whole"]

_SCAN_BLOCKS = 8
_SAMPLE = 200_000
"""Pixels on which the checks, the loops and the plane rest in a stack that is larger."""
_SAMPLE_VALUES = 20_000_000
"""Most phases of that sample: a network of many pairs is looked at on fewer pixels."""


@dataclass(frozen=True)
class Geometry:
    """What the phases are read with (成像几何): wavelength [m], middle incidence [degree], baselines by date [m] and range [m] where the height error is sought."""

    wavelength_m: float
    incidence_deg: float
    baselines_m: np.ndarray | None
    slant_range_m: float

    @property
    def heights(self) -> dict[str, Any]:
        """Arguments of `fit_rate` for the height error; empty where it is not sought."""
        if self.baselines_m is None:
            return {}
        return {"baselines_m": self.baselines_m, "slant_range_m": self.slant_range_m, "incidence_deg": self.incidence_deg}


@dataclass(frozen=True)
class Track:
    """A stack being worked on (单轨): `blocks` are the first and last row (exclusive) of each part kept in `parts`."""

    stack: StoredStack
    network: Network
    geometry: Geometry
    angles: Angles
    parts: BlockFolder
    blocks: tuple[tuple[int, int], ...]
    limits: Limits

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.stack.header.rows, self.stack.header.columns

    def grid(self, values: np.ndarray) -> Grid:
        """Values of all cells as a grid of the stack, nan outside."""
        return Grid(values.reshape(self.shape), affine.Affine(*self.stack.header.transform), pyproj.CRS.from_wkt(self.stack.header.crs_wkt), float("nan"))


def open_track(sources: list[str], work: Path, values: Mapping[str, Any], *, which: str = "") -> Track:
    """Open a stack by its headers, check network, unit and geometry, cut it into blocks; finished blocks of the same run are found again.

    `which` is ``second_`` for the second track: its angles stand in options of their own.
    """
    limits = default_limits()
    with scratch_folder() as workdir:
        stack = open_stack([Path(s) for s in sources], limits=limits, workdir=workdir, wrapped=values["unwrap"])
    check_unit(stack.header)
    network = make_network(stack.header.pairs)
    angles = angles_of(stack.header, values, which=which)
    geometry = _geometry(stack, network, values, angles.middle)
    rows = _rows_a_block(stack, network, values)
    height = stack.header.rows
    blocks = tuple((start, min(start + rows, height)) for start in range(0, height, rows))
    depends = ("looks", "mend", "allow_wrapped", "height_error", "dem", "ramp", "height_delay", "calm", "calm_days", "breaks", "reference", "baselines", "range", "unwrap")
    key = {
        "version": __version__, "sources": stack.sha256, "rows": rows, "wavelength": geometry.wavelength_m, "incidence": geometry.incidence_deg,
        **{name: values[name] for name in depends}, **{f"{name}_sha256": sha256_of([Path(values[name])]) for name in ("dem", "baselines") if values[name] and Path(values[name]).is_file()},
    }  # fmt: skip
    return Track(stack, network, geometry, angles, open_blocks(work, key=key), blocks, limits)


def unwrapped(context: Context, track: Track, values: Mapping[str, Any]) -> Track:
    """The track with every pair unwrapped, one after another; pairs that are finished are kept."""
    stack, images = track.stack, []
    if not stack.coherences:
        raise MissingDataError("解缠需要相干性", expected="每个干涉对的相干性文件")
    for k, (image, quality) in enumerate(zip(stack.phases, stack.coherences)):
        context.step(f"解缠 {k + 1}/{len(stack.phases)}", k / len(stack.phases))
        name = f"unwrapped_{k:05d}"
        if not track.parts.has(name):
            with scratch_folder() as workdir:
                one = replace(stack, phases=(image,), coherences=(quality,))
                phase, coherence = read_rows(one, 0, track.shape[0], limits=track.limits, workdir=workdir)
            assert coherence is not None
            found = unwrap(phase.reshape(track.shape), coherence.reshape(track.shape), looks=values["looks"])
            track.parts.put(name, {"phase": found.phase_rad})
        images.append(replace(image, reader="npy", path=track.parts.folder / name / "phase.npy", sign=1.0, nodata=None))
    return replace(track, stack=replace(stack, phases=tuple(images)))


def scan(context: Context, track: Track, values: Mapping[str, Any], *, near: tuple[float, float, pyproj.CRS] | None = None) -> dict[str, Any]:
    """Check the phases, choose the reference, close the loops; on all pixels, or on blocks spread over a stack that is large.

    `near` is the place (x, y and its CRS) beside which the reference of a second track is sought.
    """
    kept = track.parts.record("scan")
    if kept is not None:
        return kept
    asked = _asked(values["reference"], track) if values["reference"] and near is None else None
    if near is not None:
        asked = _near(near, track)
    looked = np.unique(np.linspace(0, len(track.blocks) - 1, min(_SCAN_BLOCKS, len(track.blocks))).round().astype(int)).tolist()
    if asked is not None:
        looked = sorted({*looked, next(k for k, (a, b) in enumerate(track.blocks) if a <= asked[0] < b)})
    share = min(_SAMPLE, _SAMPLE_VALUES // len(track.network.first)) / max(sum((track.blocks[k][1] - track.blocks[k][0]) * track.shape[1] for k in looked), 1)
    step, best, sample, seen, complete = max(1, int(np.ceil(1 / share))), None, [], 0, 0
    quality: list[np.ndarray] = []
    for n, k in enumerate(looked):
        context.step(f"读取与检查 {n + 1}/{len(looked)}", n / len(looked))
        start, stop = track.blocks[k]
        with scratch_folder() as workdir:
            phase, coherence = read_rows(track.stack, start, stop, limits=track.limits, workdir=workdir)
        whole_here = np.isfinite(phase).all(axis=0)
        seen, complete = seen + whole_here.size, complete + int(whole_here.sum())
        mean = coherence.mean(axis=0) if coherence is not None else np.where(whole_here, 1.0, np.nan)
        best = _better(best, mean, whole_here, phase, start, asked, track.shape[1], near is not None)
        sample.append(phase[:, ::step].copy())
        if coherence is not None:
            quality.append(coherence[:, ::step].copy())
    phase, seen_quality = np.hstack(sample), np.hstack(quality) if quality else None
    check_phases(
        phase, seen_quality, track.network, most_rad=parameter("motion_phase_most_rad"), least_rad=parameter("motion_phase_least_rad"), allow_wrapped=values["allow_wrapped"]
    )
    if best is None:
        raise MissingDataError("没有一个像元在所有干涉对中有效", expected="至少一个完整像元作参考", cure="去掉覆盖差的干涉对, 或指定参考点")
    _check_reference(best, track, has_coherence=seen_quality is not None)
    told = _told(track, best, phase, values) | {"complete_share": complete / seen, "sampled_share": seen / (track.shape[0] * track.shape[1])}
    track.parts.put_record("scan", told)
    return told


def invert_blocks(context: Context, track: Track, scanned: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """Phases by date of every block that is not finished; the number of blocks that were there already."""
    base = np.array(scanned["base_rad"], dtype=np.float32)
    loops = triplets(track.network) if values["mend"] else None
    wanted = rate_functional(track.network.days, **track.geometry.heights)
    reused = 0
    for k, (start, stop) in enumerate(track.blocks):
        context.step(f"时序反演 {k + 1}/{len(track.blocks)}", k / len(track.blocks))
        name = f"series_{k:05d}"
        if track.parts.has(name):
            reused += 1
            continue
        with scratch_folder() as workdir:
            phase, coherence = read_rows(track.stack, start, stop, limits=track.limits, workdir=workdir)
        phase -= base[:, None]
        left = np.zeros(phase.shape[1], np.int32)
        if loops is not None:
            phase, left = correct_turns(phase, loops)
        weights = coherence_weights(coherence, looks=values["looks"]) if coherence is not None else None
        del coherence
        series = invert(phase, track.network, weights=weights, functional=wanted)
        track.parts.put(name, {"phase": series.phase_rad, "coherence": series.coherence, "sigma": series.functional_sigma, "left": left, "used": series.used})
    return reused


def rate_blocks(context: Context, track: Track, values: Mapping[str, Any], height: Grid | None) -> dict[str, Any]:
    """Corrections, rates, errors and breaks of every block that is not finished; what is told of them."""
    ramp, told = _ramp(track, values, height)
    mark = parameter("motion_break_p")
    days = track.network.days
    for k, (start, stop) in enumerate(track.blocks):
        context.step(f"改正与速率 {k + 1}/{len(track.blocks)}", k / len(track.blocks))
        name = f"rate_{k:05d}"
        if track.parts.has(name):
            continue
        low, high = _with_halo(track, start, stop, values)
        moved = _moved(track, low, high)
        if ramp is not None:
            moved -= ramp_values(ramp, *_places(track, low, high, height if values["height_delay"] else None)).astype(np.float32)
        own = slice((start - low) * track.shape[1], (stop - low) * track.shape[1])
        carried = np.abs(displacement_mm(track.parts.get(f"series_{k:05d}", "sigma"), track.geometry.wavelength_m))
        rate = _rates(moved[:, own], carried, track)
        kept = {"rate": rate.rate_mm_yr, "sigma": rate.sigma_mm_yr, "scatter": rate.scatter_mm}
        if values["breaks"]:
            broken = trend_break(moved[:, own], days)
            real = broken.p_value < mark
            kept |= {"break_days": np.where(real, days[broken.date_index], np.nan), "rate_after": np.where(real, broken.after_mm_yr, np.nan)}
        if track.geometry.baselines_m is not None:
            halo = rate if (low, high) == (start, stop) else _rates(moved, np.zeros(moved.shape[1]), track)
            assert halo.height_error_m is not None and rate.height_error_m is not None
            moved -= height_error_mm(halo.height_error_m, **track.geometry.heights).astype(np.float32)
            kept["height_error"] = rate.height_error_m
        if values["calm"]:
            moved = without_turbulence(moved, (high - low, track.shape[1]), days, wide_pixels=values["calm"], long_days=values["calm_days"])
        track.parts.put(name, {"moved": np.ascontiguousarray(moved[:, own]), **{n: v.astype(np.float32) for n, v in kept.items()}})
    return told


def whole(track: Track, kind: str, name: str) -> np.ndarray:
    """One quantity of all blocks, (rows·columns,), as stored; `kind` is series or rate."""
    return np.concatenate([np.array(track.parts.get(f"{kind}_{k:05d}", name)) for k in range(len(track.blocks))])


def planes(track: Track) -> Iterator[np.ndarray]:
    """Displacement of all cells towards the satellite [mm], one date after another."""
    for d in range(len(track.network.dates)):
        # mapped anew for each date: pages of a map that stays open would count as memory
        yield np.concatenate([np.array(track.parts.get(f"rate_{k:05d}", "moved")[d]) for k in range(len(track.blocks))])


def _geometry(stack: StoredStack, network: Network, values: Mapping[str, Any], incidence: float) -> Geometry:
    said = stack.header
    wavelength = values["wavelength"] or said.wavelength_m or parameter("motion_wavelength_m")
    geometry = Geometry(wavelength, incidence, None, values["range"] or said.slant_range_m or 0.0)
    displacement_mm(np.zeros(1), wavelength)
    if not values["height_error"]:
        return geometry
    lines = _baselines(values["baselines"], network) if values["baselines"] else None if said.baselines_m is None else np.array(said.baselines_m)
    if lines is None or not geometry.slant_range_m > 0:
        raise MissingDataError("高程误差项缺少垂直基线或斜距", expected="--baselines 表 (first,second,baseline_m) 与 --range (米)", cure="从干涉处理参数中抄录, 或不用 --height-error")
    by_date = np.concatenate([[0.0], np.linalg.lstsq(design_matrix(network), lines, rcond=None)[0]])
    if np.abs(design_matrix(network) @ by_date[1:] - lines).max() > 20.0:
        raise SchemaError("干涉对基线互不闭合, 相差超过 20 米", expected="同一符号约定的垂直基线", cure="核对基线的正负号与日期先后")
    return replace(geometry, baselines_m=by_date)


def _baselines(path: str, network: Network) -> np.ndarray:
    """Baselines of the pairs from a CSV with columns first, second, baseline_m."""
    table = plain_table(path, needed=("first", "second", "baseline_m"), meaning="first, second 先后日期 YYYYMMDD, baseline_m 垂直基线 (米)")
    lines = pd.to_numeric(table["baseline_m"], errors="coerce").to_numpy(float)
    bad = [int(k) + 2 for k in np.flatnonzero(~np.isfinite(lines))]
    if bad:
        raise SchemaError(f"{Path(path).name}: 第 {', '.join(map(str, bad[:8]))} 行的基线不是数", expected="米", cure="补齐或删除这些干涉对")
    said = {(_digits(a), _digits(b)): float(v) for a, b, v in zip(table["first"], table["second"], lines)}
    names = [(f"{network.dates[a]:%Y%m%d}", f"{network.dates[b]:%Y%m%d}") for a, b in zip(network.first, network.second)]
    lost = [f"{a}-{b}" for a, b in names if (a, b) not in said]
    if lost:
        raise MissingDataError(f"基线表缺 {len(lost)} 个干涉对: {', '.join(lost[:5])}", expected="每个干涉对一行")
    return np.array([said[n] for n in names])


def _digits(day: Any) -> str:
    """The eight digits of a date, however the table spells it."""
    return "".join(c for c in str(day) if c.isdigit())[:8]


def _rows_a_block(stack: StoredStack, network: Network, values: Mapping[str, Any]) -> int:
    """Rows whose pairs and series fit the memory asked for."""
    pairs, dates = len(network.first), len(network.dates)
    a_pixel = pairs * 4 * (5 if stack.coherences else 3) + dates * 48
    budget = values["memory"] * 1e6 * 0.6
    halo = 2 * _halo(values)
    rows = min(int(budget // (a_pixel * stack.header.columns)), int(budget // (dates * 20 * stack.header.columns)) - halo)
    if rows < 1:
        need = (max(a_pixel, dates * 20 * (halo + 1))) * stack.header.columns / 0.6e6
        raise SchemaError(f"内存限额 {values['memory']:g} MB", expected=f"至少 {need:.0f} MB (一行 {stack.header.columns} 列, {pairs} 个干涉对)", cure="提高 --memory")
    return min(rows, stack.header.rows)


def _halo(values: Mapping[str, Any]) -> int:
    return int(np.ceil(4.0 * values["calm"])) + 1 if values["calm"] else 0


def _with_halo(track: Track, start: int, stop: int, values: Mapping[str, Any]) -> tuple[int, int]:
    """Rows that the space filter reaches; its kernel ends at four standard deviations, so blocks leave no seam."""
    halo = _halo(values)
    return max(0, start - halo), min(track.shape[0], stop + halo)


def _moved(track: Track, low: int, high: int) -> np.ndarray:
    """Displacement (d, n) of some rows from the finished series."""
    columns, strips = track.shape[1], []
    for k, (start, stop) in enumerate(track.blocks):
        if start < high and stop > low:
            a, b = (max(low, start) - start) * columns, (min(high, stop) - start) * columns
            strips.append(track.parts.get(f"series_{k:05d}", "phase")[:, a:b])
    return displacement_mm(np.concatenate(strips, axis=1), track.geometry.wavelength_m).astype(np.float32)


def _rates(moved: np.ndarray, carried: np.ndarray, track: Track) -> Rate:
    """`fit_rate` over pieces, so that double precision never holds a whole block."""
    pieces = []
    for a in range(0, moved.shape[1], 50_000):
        part = slice(a, a + 50_000)
        pieces.append(fit_rate(moved[:, part], track.network.days, pair_sigma_mm_yr=carried[part], network=track.network, **track.geometry.heights))
    joined = {n: np.concatenate([getattr(p, n) for p in pieces]) for n in ("rate_mm_yr", "sigma_mm_yr", "interval_mm_yr", "scatter_mm")}
    heights = [p.height_error_m for p in pieces if p.height_error_m is not None]
    return Rate(height_error_m=np.concatenate(heights) if heights else None, **joined)


def _places(track: Track, low: int, high: int, height: Grid | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    y, x = (v.ravel() for v in np.mgrid[low:high, 0 : track.shape[1]].astype(np.float32))
    return x, y, None if height is None else height.values[low:high].ravel()


def _ramp(track: Track, values: Mapping[str, Any], height: Grid | None) -> tuple[Ramp | None, dict[str, Any]]:
    """The plane and the part with height, fitted on a sample of pixels that are coherent and move as most do."""
    if not (values["ramp"] or values["height_delay"]):
        return None, {}
    if values["height_delay"] and height is None:
        raise MissingDataError("地形相关延迟改正缺少高程", expected="--dem 数字高程模型")
    columns = track.shape[1]
    step = max(1, int(np.sqrt(track.shape[0] * columns / _SAMPLE)))
    series, quality, rows = [], [], []
    for k, (start, stop) in enumerate(track.blocks):
        wanted = np.arange(-(-start // step) * step, stop, step)
        if len(wanted):
            at = ((wanted - start)[:, None] * columns + np.arange(0, columns, step)[None]).ravel()
            series.append(displacement_mm(track.parts.get(f"series_{k:05d}", "phase")[:, at], track.geometry.wavelength_m))
            quality.append(track.parts.get(f"series_{k:05d}", "coherence")[at])
            rows.append(np.repeat(wanted, len(range(0, columns, step))))
    moved, coherent, y = np.hstack(series), np.hstack(quality), np.hstack(rows).astype(float)
    x = np.tile(np.arange(0, columns, step, dtype=float), len(y) // len(range(0, columns, step)))
    rate = np.linalg.pinv(np.column_stack([np.ones(len(moved)), track.network.days]))[1] @ moved
    sound = np.isfinite(rate) & (np.nan_to_num(coherent) >= parameter("motion_stable_coherence"))
    if not sound.any():
        raise MissingDataError("没有稳定像元", expected=f"时间相干性不低于 {parameter('motion_stable_coherence'):g} 的像元", cure="不做趋势面与地形相关延迟改正, 或放宽 motion_stable_coherence")
    middle = np.median(rate[sound])
    stable = sound & (np.abs(rate - middle) <= 3 * 1.4826 * np.median(np.abs(rate[sound] - middle)) + 1e-12)
    at_height = height.values[y.astype(int), x.astype(int)] if values["height_delay"] and height is not None else None
    ramp = fit_ramp(moved, x=x, y=y, height_m=at_height, stable=stable)
    return ramp, {"stable_pixels": int(stable.sum()), "ramp_max_mm": float(np.abs(ramp.coefficients[:, 1:3]).max()), "height_delay_max_mm": float(np.abs(ramp.coefficients[:, 3]).max()) if at_height is not None else 0.0}


def _better(best, mean, complete, phase, start, asked, columns, near):  # type: ignore[no-untyped-def]
    """The best reference so far: (row, column, mean coherence, phases)."""
    if asked is not None and not near:
        if start * columns <= asked[0] * columns + asked[1] < start * columns + len(mean):
            at = (asked[0] - start) * columns + asked[1]
            return asked[0], asked[1], float(mean[at]), phase[:, at].copy()
        return best
    score = np.where(complete & np.isfinite(mean), mean, -np.inf)
    if near:
        row, column = np.divmod(np.arange(len(mean)), columns)
        score = np.where(np.isfinite(score), -np.hypot(row + start - asked[0], column - asked[1]), -np.inf)
    at = int(score.argmax())
    if not np.isfinite(score[at]):
        return best
    row, column = divmod(at, columns)
    found = (start + row, column, float(mean[at]), phase[:, at].copy())
    if best is None:
        return found
    if near:
        return min(best, found, key=lambda b: np.hypot(b[0] - asked[0], b[1] - asked[1]))
    return found if found[2] > best[2] else best


def _check_reference(best: tuple[int, int, float, np.ndarray], track: Track, *, has_coherence: bool) -> None:
    lost = np.flatnonzero(~np.isfinite(best[3]))
    if len(lost):
        raise SchemaError(
            f"参考点 (第 {best[0] + 1} 行 {best[1] + 1} 列) 在 {len(lost)} 个干涉对中无效 (序号 {lost[:8].tolist()})", expected="每个干涉对中都有效", cure="参考点可能在水面或阴影中, 请另选相干稳定的位置"
        )
    least = parameter("motion_reference_least_coherence")
    if has_coherence and not best[2] >= least:
        raise SchemaError(f"参考点 (第 {best[0] + 1} 行 {best[1] + 1} 列) 平均相干性 {best[2]:.2f}", expected=f"不低于 {least:g}", cure="参考点可能在水面、农田或林地, 请另选建筑、道路或裸岩")


def _told(track: Track, best: tuple[int, int, float, np.ndarray], sample: np.ndarray, values: Mapping[str, Any]) -> dict[str, Any]:
    loops = triplets(track.network)
    phase = sample - best[3][:, None]
    told: dict[str, Any] = {
        "pairs": len(track.network.first), "dates": len(track.network.dates), "first": str(track.network.dates[0]), "last": str(track.network.dates[-1]),
        "reference_row": int(best[0]), "reference_column": int(best[1]), "reference_coherence": float(best[2]), "loops": len(loops), "base_rad": [float(v) for v in best[3]],
    }  # fmt: skip
    if len(loops):
        if values["mend"]:
            phase, _ = correct_turns(phase, loops)
        odd = odd_pairs(phase, loops, times=parameter("motion_suspect_times"), least_rad=parameter("motion_suspect_least_rad"))
        told["odd_pairs"] = [f"{_digits(track.network.dates[track.network.first[k]])}-{_digits(track.network.dates[track.network.second[k]])} ({v:.2f} 弧度)" for k, v in odd]
        complete = np.isfinite(phase).all(axis=0)
        closing = report(phase[:, complete] if complete.any() else phase, loops)
        told |= {"closure_mean_abs_rad": closing.mean_abs_rad, "closure_over_pi_share": closing.share_over_pi}
        most = parameter("motion_closure_share_max")
        if closing.share_over_pi > most and not (values["mend"] or values["allow_wrapped"]):
            raise SchemaError(
                f"{closing.share_over_pi:.1%} 的闭合差超过 π (平均绝对闭合差 {closing.mean_abs_rad:.2f} 弧度): 解缠错误太多, 或数值不是弧度", expected=f"不超过 {most:.0%}",
                cure="核对单位 (弧度, 不是毫米) 与解缠; 确为解缠的整周错误时用 --mend 改正, 仍要照算时用 --allow-wrapped",
            )  # fmt: skip
    return told


def _asked(reference: str, track: Track) -> tuple[int, int]:
    try:
        x, y = (float(v) for v in reference.replace("，", ",").split(","))
    except ValueError:
        raise SchemaError(f"--reference {reference!r}", expected="x,y (与干涉图同坐标系), 例如 113.60,24.68") from None
    column, row = (int(np.floor(v[0])) for v in placed(~affine.Affine(*track.stack.header.transform), np.array([x]), np.array([y])))
    if not (0 <= row < track.shape[0] and 0 <= column < track.shape[1]):
        raise SchemaError(f"参考点 {reference} 不在干涉图范围内", expected="范围内的点, 与干涉图同坐标系")
    return row, column


def _near(near: tuple[float, float, pyproj.CRS], track: Track) -> tuple[int, int]:
    x, y = transform_points(np.array([near[0]]), np.array([near[1]]), near[2], pyproj.CRS.from_wkt(track.stack.header.crs_wkt))
    column, row = (int(np.floor(v[0])) for v in placed(~affine.Affine(*track.stack.header.transform), np.asarray(x), np.asarray(y)))
    if not (0 <= row < track.shape[0] and 0 <= column < track.shape[1]):
        raise SchemaError("第一轨的参考点不在第二轨范围内", expected="两轨重叠区内的参考点", cure="用 --reference 指定重叠区内的点")
    return row, column
