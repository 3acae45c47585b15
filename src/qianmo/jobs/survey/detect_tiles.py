"""Two images on one grid, and the strength of change tile by tile with resume (分块检测与续算)."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyproj

from qianmo import __version__
from qianmo.geo.raster import Grid
from qianmo.jobs.context import Context
from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.store.durable import replace_bytes
from qianmo.store.guard import Consent
from qianmo.store.guard_limits import default_limits
from qianmo.store.raw import RawGrid
from qianmo.store.read_raster import read_grids
from qianmo.store.sources import list_sources
from qianmo.survey.change.clouds import cloud_mask_by_model, cloud_mask_by_rule
from qianmo.survey.change.coregister import Shift, image_shift
from qianmo.survey.change.two_dates import apply_detector, fit_detector, pca_two_means

__all__ = ["Images", "Strength", "clear_work", "image_of", "images_of", "names_of", "partly_missing", "refuse_filled", "sample", "scene_shift", "strength_of", "without_clouds"]

_SHIFT_CELLS = 1024
"""Side of the middle part of the scene in which the shift is measured."""


_CLOUD_CELLS, _CLOUD_MARGIN = 1024, 64
"""Side of a block in which clouds are looked for, and the margin it sees around itself."""


@dataclass(frozen=True)
class Images:
    """Bands of one date on disk (影像). `name` and `sha256` are those of the file; cells that are not `clear` count as missing."""

    bands: tuple[RawGrid, ...]
    crs: pyproj.CRS
    name: str
    sha256: str
    clear: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (int(self.bands[0].values.shape[0]), int(self.bands[0].values.shape[1]))

    def part(self, rows: slice, columns: slice) -> np.ndarray:
        """Bands of a window, (bands, y, x) float32, nan where there is no data."""
        out = np.stack([_numbers(b, b.values[rows, columns]) for b in self.bands])
        if self.clear is not None:
            out[:, ~self.clear[rows, columns]] = np.nan
        return out

    def planes(self) -> Iterator[np.ndarray]:
        """Whole bands, one after the other, nan where there is no data."""
        for band in self.bands:
            plane = _numbers(band, band.values)
            yield plane if self.clear is None else np.where(self.clear, plane, np.float32(np.nan))

    def grid(self, values: np.ndarray) -> Grid:
        """A raster of floats in the place of the image."""
        return Grid(values.astype(np.float32), self.bands[0].transform, self.crs, float("nan"))

    @property
    def cell_m2(self) -> float:
        """Area of a cell. [m2]"""
        return abs(self.bands[0].transform.a * self.bands[0].transform.e)


@dataclass(frozen=True)
class Strength:
    """Strength of change of the scene (变化强度): (y, x) float32, iterations, tiles in all, tiles taken from an earlier run, their folder.

    `is_chance` where the strength is itself the probability of change.
    """

    values: np.ndarray
    rounds: int
    tiles: int
    resumed: int
    folder: Path | None
    is_chance: bool = False


def images_of(before: str, after: str, workdir: Path) -> tuple[Images, Images]:
    """Both dates, unpacked by the guarded process and read from disk as they are used.

    Raises
    ------
    CrsError
        The grids differ, or are in degrees.
    SchemaError
        No reference system, other bands, missing values that one date alone tells of, or a fill value that nothing declares.
    MissingDataError
        A file is no image.
    """
    one, other = (image_of(path, workdir / str(k)) for k, path in enumerate((before, after)))
    a, b = one.bands[0], other.bands[0]
    if one.shape != other.shape or not a.transform.almost_equals(b.transform, 1e-6) or one.crs != other.crs:
        found = f"{one.name} 的格网 {one.shape}, 原点 ({a.transform.c:.12g}, {a.transform.f:.12g}) 与 {other.name} 的 {other.shape}, ({b.transform.c:.12g}, {b.transform.f:.12g}) 不一致"
        raise CrsError(found, expected="同一范围、像元与坐标系", cure="先配准并裁切到同一格网")
    if one.crs.is_geographic:
        raise CrsError(f"{one.name} 为经纬度坐标", expected="米制投影坐标系, 面积才有意义", cure="先重投影")
    if len(one.bands) != len(other.bands):
        raise SchemaError(f"{one.name} 有 {len(one.bands)} 个波段, {other.name} 有 {len(other.bands)} 个", expected="相同的波段", cure="导出相同的波段, 次序也相同")
    for told, silent in ((one, other), (other, one)):
        _refuse_untold(told, silent)
    for images in (one, other):
        refuse_filled(images)
    _refuse_same(one, other)
    return one, other


def partly_missing(images: Images) -> float:
    """Share of cells that lack a value in some bands and have one in others: a wrongly declared missing value looks like this (部分波段缺值的像元占比)."""
    step = max(1, int(np.sqrt(np.prod(images.shape) / parameter("change_sample_cells"))))
    gone = [~np.isfinite(_numbers(b, b.values[::step, ::step])) for b in images.bands]
    return float((np.logical_or.reduce(gone) & ~np.logical_and.reduce(gone)).mean())


def scene_shift(before: Images, after: Images) -> Shift:
    """Shift of the later image against the earlier in the middle of the scene; not clear where the scene is too small."""
    rows, columns = (slice((n - min(n, _SHIFT_CELLS)) // 2, (n + min(n, _SHIFT_CELLS)) // 2) for n in before.shape)
    reach = min(16, min(before.shape) // 4)
    if reach < 2:
        return Shift(float("nan"), float("nan"), 0.0)
    return image_shift(before.part(rows, columns), after.part(rows, columns), reach=reach)


def without_clouds(images: Images, bands: Sequence[str], *, method: str, factor: float, level: str, context: Context) -> Images:
    """The image with clouds, and shadows where the method finds them, counted as missing; block by block with a margin (去云).

    Raises
    ------
    MissingDataError
        The model is not installed, or hardly anything is clear.
    SchemaError
        Band names do not fit, or values times the factor are not reflectance.
    """
    rows, columns = images.shape
    clear = np.zeros((rows, columns), dtype=bool)
    for r in range(0, rows, _CLOUD_CELLS):
        for c in range(0, columns, _CLOUD_CELLS):
            context.step(f"识别云 {images.name}", 0.02 + 0.05 * r / rows)
            top, left = max(0, r - _CLOUD_MARGIN), max(0, c - _CLOUD_MARGIN)
            window = (slice(top, min(rows, r + _CLOUD_CELLS + _CLOUD_MARGIN)), slice(left, min(columns, c + _CLOUD_CELLS + _CLOUD_MARGIN)))
            part = images.part(*window) * np.float32(factor)
            if not np.isfinite(part).any():
                continue
            found = cloud_mask_by_model(part, bands, level=level) if method == "model" else cloud_mask_by_rule(part, bands)
            clear[r : r + _CLOUD_CELLS, c : c + _CLOUD_CELLS] = found.clear[r - top : r - top + _CLOUD_CELLS, c - left : c - left + _CLOUD_CELLS]
    if clear.mean() < 0.01:
        raise MissingDataError(f"{images.name} 只有 {clear.mean():.1%} 无云", expected="较晴的影像", cure="换一期, 核对 --reflectance, 或不用 --clouds")
    return replace(images, clear=clear)


def strength_of(before: Images, after: Images, *, method: str, tile: int, work: Path, context: Context) -> Strength:
    """Strength of change, tile by tile; a run that was broken off goes on where it stopped.

    Statistics come from a lattice of at most ``change_sample_cells`` cells, so they are the same in every run. A tile is one file in a
    folder named by inputs and settings, put in place in one step.

    Raises
    ------
    SchemaError
        The method needs the whole scene and it is too large; a tile below 16 cells; or as `fit_detector`.
    """
    rows, columns = before.shape
    if tile < 16:
        raise SchemaError(f"分块边长 {tile}", expected="至少 16 像元")
    whole = (slice(None), slice(None))
    if method == "pca":
        if rows * columns > parameter("change_whole_cells_max"):
            raise SchemaError(f"pca 需整景计算, 影像 {rows} × {columns}", expected=f"不超过 {parameter('change_whole_cells_max'):.0f} 像元", cure="改用 irmad 或 cva, 或裁切")
        found = pca_two_means(before.part(*whole), after.part(*whole))
        return Strength(found.strength.astype(np.float32), found.rounds, 1, 0, None)
    step = max(1, int(np.ceil(np.sqrt(rows * columns / parameter("change_sample_cells")))))
    lattice = (slice(step // 2, None, step), slice(step // 2, None, step))
    detector = fit_detector(method, before.part(*lattice), after.part(*lattice))
    out = np.full((rows, columns), np.nan, dtype=np.float32)
    corners = [(r, c) for r in range(0, rows, tile) for c in range(0, columns, tile)]
    folder, resumed = work / _fingerprint(before, after, method, tile, step), 0
    for k, (r, c) in enumerate(corners):
        window = (slice(r, min(r + tile, rows)), slice(c, min(c + tile, columns)))
        path = folder / f"{r}_{c}.npy"
        shape = out[window].shape
        done = _kept(path, shape)
        resumed += done is not None
        if done is None:
            context.step(f"变化检测 {k + 1}/{len(corners)} 块", 0.1 + 0.5 * k / len(corners))
            done = apply_detector(detector, before.part(*window), after.part(*window)).strength.astype(np.float32)
            data = io.BytesIO()
            np.save(data, done, allow_pickle=False)
            replace_bytes(path, data.getvalue())
        out[window] = done
    return Strength(out, detector.rounds, len(corners), resumed, folder)


def _kept(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    if not path.is_file():
        return None
    found: np.ndarray = np.load(path, allow_pickle=False)
    return found if found.shape == shape and found.dtype == np.float32 else None


def _fingerprint(before: Images, after: Images, method: str, tile: int, step: int) -> str:
    masks = [hashlib.sha256(np.packbits(i.clear).tobytes()).hexdigest() if i.clear is not None else "" for i in (before, after)]
    return hashlib.sha256("|".join((before.sha256, after.sha256, *masks, method, str(tile), str(step), __version__)).encode()).hexdigest()[:16]


def image_of(path: str, workdir: Path) -> Images:
    """Bands of one file, unpacked into a new folder by the guarded process.

    Raises
    ------
    MissingDataError
        The file is no image.
    SchemaError
        No reference system.
    """
    workdir.mkdir()
    limits = default_limits({"guard_bands_max": parameter("change_bands_max")})
    sources = list_sources([Path(path)], workdir=workdir, limits=limits, consent=Consent()).sources
    if len(sources) != 1 or sources[0].driver != "GTiff":
        raise MissingDataError(f"{path} 不是影像", expected="多波段 GeoTIFF")
    bands = read_grids(sources[0], workdir=workdir, limits=limits, mapped=True)
    if bands[0].crs_wkt is None:
        raise SchemaError(f"{path}: 没有坐标系", expected="带坐标系的 GeoTIFF", cure="先赋予坐标系")
    return Images(tuple(bands), pyproj.CRS.from_wkt(bands[0].crs_wkt), Path(path).name, bands[0].sha256)


def _numbers(band: RawGrid, values: np.ndarray) -> np.ndarray:
    out = np.asarray(values, dtype=np.float32)
    known = Grid(np.asarray(values), band.transform, pyproj.CRS(4326), band.nodata).valid
    return out if known.all() else np.where(known, out, np.float32(np.nan))


def _refuse_untold(told: Images, silent: Images) -> None:
    """A value that one date calls missing, filling all bands of a cell of a date that calls nothing missing, is no measurement."""
    value = told.bands[0].nodata
    if value is None or np.isnan(value) or silent.bands[0].nodata is not None:
        return
    step = max(1, int(np.sqrt(np.prod(silent.shape) / parameter("change_sample_cells"))))
    alike = np.logical_and.reduce([b.values[::step, ::step] == value for b in silent.bands])
    if alike.any():
        found = f"{silent.name} 没有声明无效值, 但有 {int(alike.sum())} 个像元各波段均为 {value:g} ({told.name} 的无效值)"
        raise SchemaError(found, expected="两期声明相同的无效值", cure="用 GIS 软件给影像写入无效值 (nodata) 后重试")


def _refuse_same(one: Images, other: Images) -> None:
    """Two dates never agree in every cell: it is one image under two names, and every speck of rounding would pass for change."""
    step = max(1, int(np.sqrt(np.prod(one.shape) / parameter("change_sample_cells"))))
    if all(np.array_equal(a.values[::step, ::step], b.values[::step, ::step], equal_nan=a.values.dtype.kind == "f") for a, b in zip(one.bands, other.bands)):
        raise SchemaError(f"{one.name} 与 {other.name} 逐像元相同", expected="两个日期的影像", cure="核对文件: 同一影像给了两次")


def refuse_filled(images: Images) -> None:
    """One value in all bands of many cells, in an image of several bands that declares nothing missing: fill or saturation, no measurement (未声明的填充值).

    Raises
    ------
    SchemaError
        More than ``change_fill_share_max`` of the cells.
    """
    if len(images.bands) < 2 or images.bands[0].nodata is not None:
        return
    step = max(1, int(np.sqrt(np.prod(images.shape) / parameter("change_sample_cells"))))
    first = images.bands[0].values[::step, ::step]
    alike = np.logical_and.reduce([b.values[::step, ::step] == first for b in images.bands[1:]])
    values, counts = np.unique(first[alike], return_counts=True)
    if not len(values):
        return
    value, count = values[int(np.argmax(counts))], int(counts.max())
    if count > parameter("change_fill_share_max") * first.size:
        found = f"{images.name} 没有声明无效值, 但有 {count / first.size:.1%} 的像元各波段均为 {value:g}, 像是填充值或饱和"
        raise SchemaError(found, expected="填充值声明为无效值 (nodata)", cure=f"给影像写明无效值, 如 gdal_edit.py -a_nodata {value:g} {images.name}")


def clear_work(strength: Strength) -> None:
    """Remove the tiles of a run that is finished, and their folder where nothing else lies in it (清除中间块)."""
    if strength.folder is not None and strength.folder.is_dir():
        shutil.rmtree(strength.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            strength.folder.parent.rmdir()


def sample(values: np.ndarray, most: float) -> np.ndarray:
    """Values on a lattice of about `most` cells at the most (抽样)."""
    step = max(1, int(np.ceil(np.sqrt(values.size / most))))
    return values[step // 2 :: step, step // 2 :: step]


def names_of(text: str | None) -> Sequence[str]:
    """Band names from the command line; none where not given (波段名)."""
    return [t.strip() for t in text.replace("，", ",").split(",")] if text else []
