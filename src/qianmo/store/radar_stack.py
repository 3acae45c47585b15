"""Stacks of interferograms on disk, opened by their headers and read some rows at a time (干涉堆栈读取)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyproj

from qianmo.schema.errors import CrsError, MissingDataError, SchemaError, UnsafeInputError
from qianmo.schema.radar_stack import StackHeader
from qianmo.store.guard import inspect, sha256_of
from qianmo.store.guard_limits import Limits
from qianmo.store.guard_magic import check_name
from qianmo.store.radar_flat import FLAT_SUFFIXES, flat_image
from qianmo.store.radar_image import Image, Place, paired
from qianmo.store.radar_names import image_kind, named_dates
from qianmo.store.sandbox import run_guarded

__all__ = ["StoredStack", "check_file", "mintpy_place", "open_stack", "read_rows"]

_TIFF, _HDF5 = (".tif", ".tiff"), (".h5", ".he5", ".hdf5", ".nc")


@dataclass(frozen=True)
class StoredStack:
    """A stack that was opened (已打开的堆栈): header, images in the order of the pairs, names of the files, SHA-256 of them all."""

    header: StackHeader
    phases: tuple[Image, ...]
    coherences: tuple[Image, ...]
    names: tuple[str, ...]
    sha256: str


def open_stack(paths: Sequence[Path], *, limits: Limits, workdir: Path, wrapped: bool = False) -> StoredStack:
    """Open files or folders of unwrapped interferograms and their coherence by their headers (打开干涉堆栈).

    Parameters
    ----------
    paths : sequence of Path
        GeoTIFFs (HyP3, LiCSAR and the like; one pair a file, or bands whose descriptions hold the dates), a MintPy
        ``ifgramStack.h5``, GUNW products, ROI_PAC ``.unw`` with ``.rsc``, GAMMA ``.unw`` with the ``.par`` of the map.
        GeoTIFF and HDF5 are opened in the reading process of `qianmo.store.sandbox` alone.
    wrapped : bool
        Take the wrapped phases of GeoTIFF products (``…_wrapped_phase.tif``, ``….diff_pha.tif``) instead of the unwrapped ones.

    Raises
    ------
    MissingDataError, SchemaError, CrsError, UnsafeInputError
        As for `paired`; nothing there; no CRS; turned or radar coordinates; a file that is refused.
    """
    files = _files(paths)
    if not files:
        raise MissingDataError(
            f"{', '.join(str(p) for p in paths)} 中没有 GeoTIFF、HDF5、ROI_PAC 或 GAMMA 干涉图", expected="解缠相位 (及相干性) 的文件或其文件夹", cure="核对路径"
        )
    tiffs, hdf5 = ([f for f in files if f.suffix.lower() in kinds] for kinds in (_TIFF, _HDF5))
    if wrapped and len(tiffs) < len(files):
        raise SchemaError("缠绕相位只从 GeoTIFF 读取", expected="GeoTIFF 的缠绕相位与相干性", cure="导出为 GeoTIFF, 或给解缠相位")
    images = [flat_image(f) for f in files if f.suffix.lower() in FLAT_SUFFIXES]
    with ThreadPoolExecutor(max_workers=4) as pool:
        sums = dict(zip(files, pool.map(lambda path: check_file(path, limits), files)))
    heads = _heads([*tiffs, *hdf5], limits, workdir)
    for path in tiffs:
        images += _tiff_images(path, heads[path], wrapped=wrapped)
    for path in hdf5:
        images += _hdf5_images(path, heads[path][0])
    header, phases, coherences = paired(images)
    _check_place(header, phases[0].path.name)
    digest = hashlib.sha256("".join(sums[f] for f in files).encode()).hexdigest()
    return StoredStack(header, tuple(phases), tuple(coherences), tuple(f.name for f in files), digest)


def read_rows(stack: StoredStack, start: int, stop: int, *, limits: Limits, workdir: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Phases, and coherences where there are any, of some rows of all pairs (分块读取).

    Returns
    -------
    phase, coherence : ndarray (p, (stop − start)·columns), float32
        nan = no data; a phase of exactly 0 is no data, as processors write it.

    Raises
    ------
    UnsafeInputError
        A file changed or cannot be read.
    """
    many, size = len(stack.phases), (stop - start) * stack.header.columns
    phase = np.empty((many, size), dtype=np.float32)
    coherence = np.empty((many, size), dtype=np.float32) if stack.coherences else None
    for images, into in ((stack.phases, phase), (stack.coherences, coherence)):
        if into is not None:
            _fill(images, into, start, stop, limits, workdir)
    phase[phase == 0] = np.nan
    return phase, coherence


def _fill(images: Sequence[Image], into: np.ndarray, start: int, stop: int, limits: Limits, workdir: Path) -> None:
    columns = images[0].place.columns
    if images[0].reader == "flat":
        for row, image in zip(into, images):
            whole = np.memmap(image.path, dtype=image.kind_of_number, mode="r", shape=(image.place.rows, image.bands, columns))
            row[:] = whole[start:stop, image.band].ravel()
            _clean(row, image)
        return
    if images[0].reader == "npy":
        for row, image in zip(into, images):
            row[:] = np.load(image.path, mmap_mode="r", allow_pickle=False)[start:stop].ravel()
        return
    groups: dict[tuple[Path, str, int], list[int]] = {}
    for k, image in enumerate(images):
        groups.setdefault((image.path, image.dataset, image.band), []).append(k)
    tasks = [
        {
            "kind": "radar", "op": "rows", "driver": images[members[0]].reader, "origin": path.name, "path": str(path.resolve()), "dataset": dataset, "band": band,
            "start": start, "stop": stop, "planes": [images[k].plane for k in members] if images[members[0]].plane >= 0 else None,
        }
        for (path, dataset, band), members in groups.items()
    ]  # fmt: skip
    answers = run_guarded(tasks, read=[p.resolve() for p, _, _ in groups], workdir=workdir, limits=limits)
    for members, answer in zip(groups.values(), answers):
        if isinstance(answer, Exception):
            raise answer
        path = Path(answer["folder"]) / answer["items"][0]["file"]
        values = np.load(path, allow_pickle=False, mmap_mode="r")
        if values.size != len(members) * into.shape[1]:
            raise UnsafeInputError(f"{images[members[0]].path.name}: 读到 {values.shape}", expected=f"{len(members)} x {into.shape[1]}", cure="文件在处理中被改动, 请重试")
        for k, part in zip(members, values.reshape(len(members), -1)):
            into[k] = part
            _clean(into[k], images[k])
        path.unlink()


def _clean(row: np.ndarray, image: Image) -> None:
    if image.nodata is not None and not np.isnan(image.nodata):
        row[row == np.float32(image.nodata)] = np.nan
    row[~np.isfinite(row)] = np.nan
    if image.sign < 0:
        np.negative(row, out=row)


def _files(paths: Sequence[Path]) -> list[Path]:
    known = (*_TIFF, *_HDF5, *FLAT_SUFFIXES)
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix.lower() in known and p.is_file())
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def check_file(path: Path, limits: Limits) -> str:
    """SHA-256 of a radar file that may be opened (文件检查).

    Raises
    ------
    MissingDataError
        No such file, or a link.
    UnsafeInputError
        Content that is not what the name says.
    """
    if path.suffix.lower() in _TIFF:
        return inspect(path, limits=limits).sha256
    check_name(path.name, max_bytes=limits.name_max_bytes)
    if not path.is_file() or path.is_symlink():
        raise MissingDataError(f"{path.name}: 没有此文件, 或是链接", expected="普通文件", cure="核对路径; 请拷贝真实文件")
    if path.suffix.lower() in _HDF5:
        with path.open("rb") as file:
            if file.read(8) != b"\x89HDF\r\n\x1a\n":
                raise UnsafeInputError(f"{path.name}: 内容不是 HDF5", expected="HDF5 文件", cure="核对文件; 老式 NetCDF 请转换为 HDF5")
    return sha256_of([path])


def _heads(paths: Sequence[Path], limits: Limits, workdir: Path) -> dict[Path, list[dict[str, Any]]]:
    tasks = [
        {"kind": "radar", "op": "head", "driver": "GTiff" if p.suffix.lower() in _TIFF else "HDF5", "origin": p.name, "path": str(p.resolve())} for p in paths
    ]
    answers = run_guarded(tasks, read=[p.resolve() for p in paths], workdir=workdir, limits=limits) if tasks else []
    found = {}
    for path, answer in zip(paths, answers):
        if isinstance(answer, Exception):
            raise answer
        found[path] = answer["items"]
    return found


def _tiff_images(path: Path, heads: Sequence[Mapping[str, Any]], *, wrapped: bool) -> list[Image]:
    images = []
    for head in heads:
        said = head["said"] if head["bands"] > 1 else path.name
        dates = named_dates(said) or (named_dates(path.name) if head["bands"] == 1 else None)
        kind = image_kind(path.name if head["bands"] == 1 else f"{path.stem} {said}", wrapped=wrapped)
        if dates is None or kind == "other":
            continue
        if head["crs"] is None:
            raise SchemaError(f"{path.name}: 没有坐标系", expected="带坐标系的 GeoTIFF", cure="用处理软件重新导出地理编码结果")
        if head["kind"] not in "iuf" or head["scaled"]:
            raise SchemaError(f"{path.name}: 复数, 或带比例因子", expected="弧度的实数相位", cure="先换算为弧度再导出; 复数干涉图须先解缠")
        place = Place(head["shape"][0], head["shape"][1], tuple(float(v) for v in head["transform"]), head["crs"])
        nodata = None if head["nodata"] is None else float(head["nodata"])
        images.append(Image("GeoTIFF", kind, dates, place, path, "GTiff", band=int(head["band"]), nodata=nodata, unit=str(head["unit"]) if kind == "phase" else ""))
    return images


def _hdf5_images(path: Path, head: Mapping[str, Any]) -> list[Image]:
    return _mintpy(path, head) if head["form"] == "MintPy" else _gunw(path, head)


def mintpy_place(name: str, said: Mapping[str, str], rows: int, columns: int) -> Place:
    """Where the cells of a geocoded MintPy file lie (MintPy 格网).

    Raises
    ------
    CrsError
        Radar coordinates.
    SchemaError
        Attributes that are no numbers, or no known CRS.
    """
    if "X_FIRST" not in said:
        raise CrsError(f"{name}: 没有 X_FIRST, 是雷达坐标", expected="地理编码后的文件", cure="先用处理软件地理编码 (geocode)")
    try:
        west, north, right, down = (float(said[k]) for k in ("X_FIRST", "Y_FIRST", "X_STEP", "Y_STEP"))
        if "EPSG" in said or "UTM_ZONE" in said:
            zone = said.get("UTM_ZONE", "1N")
            code = int(said["EPSG"]) if "EPSG" in said else (32700 if zone.endswith("S") else 32600) + int(zone.rstrip("NS"))
        else:
            code = 4326
        crs = pyproj.CRS.from_epsg(code).to_wkt()
    except (KeyError, ValueError, pyproj.exceptions.CRSError) as error:
        raise SchemaError(f"{name}: 属性有误 ({error})", expected=_ATTRIBUTES, cure="用 MintPy 重新生成") from None
    return Place(rows, columns, (right, 0.0, west, 0.0, down, north), crs)


_ATTRIBUTES = "MintPy 的 X_FIRST, Y_FIRST, X_STEP, Y_STEP, EPSG 与 YYYYMMDD 日期"


def _mintpy(path: Path, head: Mapping[str, Any]) -> list[Image]:
    said = head["said"]
    place = mintpy_place(path.name, said, *head["shape"][1:])
    try:
        more: dict[str, Any] = {k: float(said[name]) if name in said else None for k, name in _EXTRA.items()}
        days = [(datetime.strptime(a, "%Y%m%d").date(), datetime.strptime(b, "%Y%m%d").date()) for a, b in head["dates"]]
    except (KeyError, ValueError) as error:
        raise SchemaError(f"{path.name}: 属性有误 ({error})", expected=_ATTRIBUTES, cure="用 MintPy 重新生成") from None
    images = []
    for k, pair in enumerate(days):
        if head["kept"] is not None and not head["kept"][k]:
            continue
        line = head["baselines"][k] if head["baselines"] else None
        images.append(Image("MintPy", "phase", pair, place, path, "HDF5", dataset="unwrapPhase", plane=k, nodata=0.0, unit=said.get("UNIT", ""), baseline_m=line, **more))
        if head["coherence"]:
            images.append(Image("MintPy", "coherence", pair, place, path, "HDF5", dataset="coherence", plane=k))
    return images


_EXTRA = {"wavelength_m": "WAVELENGTH", "incidence_deg": "CENTER_INCIDENCE_ANGLE", "slant_range_m": "STARTING_RANGE"}


def _gunw(path: Path, head: Mapping[str, Any]) -> list[Image]:
    dates = named_dates(path.name)
    if dates is None:
        raise MissingDataError(f"{path.name}: 没有两个日期", expected="GUNW 产品名, 含 YYYYMMDD_YYYYMMDD", cure="恢复原产品名")
    (x0, _, x2), (y0, _, y2), (rows, columns) = head["x"], head["y"], head["cells"]
    if head["shape"] != [rows, columns]:
        raise SchemaError(f"{path.name}: 相位 {head['shape']}, 经纬度 {rows} x {columns}", expected="同样大小")
    right, down = (x2 - x0) / (columns - 1), (y2 - y0) / (rows - 1)
    place = Place(rows, columns, (right, 0.0, x0 - right / 2, 0.0, down, y0 - down / 2), pyproj.CRS.from_epsg(4326).to_wkt())
    # a GUNW holds reference less secondary and names the later date first: turned to later less earlier
    turned = dates[0] > dates[1]
    pair: tuple[date, date] = (dates[1], dates[0]) if turned else dates
    nodata = None if head["nodata"] is None else float(head["nodata"])
    told: dict[str, Any] = {"wavelength_m": head["wavelength"], "unit": head["unit"]}
    found = [Image("GUNW", "phase", pair, place, path, "HDF5", dataset="science/grids/data/unwrappedPhase", nodata=nodata, sign=-1.0 if turned else 1.0, **told)]
    if head["coherence"]:
        found.append(Image("GUNW", "coherence", pair, place, path, "HDF5", dataset=head["coherence"], nodata=nodata))
    return found


def _check_place(header: StackHeader, name: str) -> None:
    a, b, c, d, e, f = header.transform
    if b or d or not (a > 0 and e < 0) or not np.isfinite(header.transform).all():
        raise CrsError(f"{name}: 变换参数 {header.transform}", expected="正北向格网 (行向南, 列向东)", cure="先重采样为正北向")
