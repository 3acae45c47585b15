"""Maps of an angle of view beside a stack: incidence or heading of every cell (成像角度栅格)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.schema.radar_stack import StackHeader
from qianmo.store.guard_limits import Limits
from qianmo.store.radar_image import Place, same_place
from qianmo.store.radar_stack import check_file, mintpy_place
from qianmo.store.sandbox import run_guarded

__all__ = ["AngleMap", "read_angle_map"]

_TIFF, _HDF5 = (".tif", ".tiff"), (".h5", ".he5", ".hdf5")


@dataclass(frozen=True)
class AngleMap:
    """An angle of every cell as the file holds it (角度栅格): values (rows, columns) float32, nan where the file states none; unit as stated, '' where nothing is; SHA-256."""

    values: np.ndarray
    unit: str
    sha256: str


def read_angle_map(path: Path, like: StackHeader, *, limits: Limits, workdir: Path) -> AngleMap:
    """An angle of every cell of a stack from a GeoTIFF of one band or the ``geometryGeo.h5`` of MintPy (读取角度栅格).

    Parameters
    ----------
    path : Path
        Opened in the reading process of `qianmo.store.sandbox` alone.
    like : StackHeader
        The map must have the cells of this stack.

    Returns
    -------
    AngleMap
        As stored: the unit is not turned.

    Raises
    ------
    MissingDataError
        No such file.
    SchemaError
        Another kind of file, several bands, a scale factor, no CRS.
    CrsError
        Cells that are not those of the stack.
    UnsafeInputError
        A file that is refused.
    """
    driver = "GTiff" if path.suffix.lower() in _TIFF else "HDF5" if path.suffix.lower() in _HDF5 else ""
    if not driver:
        raise SchemaError(f"{path.name}: 不是 GeoTIFF 或 HDF5", expected="单波段 GeoTIFF, 或 MintPy 的 geometryGeo.h5", cure="用处理软件导出角度栅格")
    digest = check_file(path, limits)
    head = _answer({"op": "angle_head"}, path, driver, limits, workdir)
    place, nodata = (_tiff_place(path.name, head) if driver == "GTiff" else (mintpy_place(path.name, head[0]["said"], *head[0]["shape"]), None))
    expected = Place(like.rows, like.columns, like.transform, like.crs_wkt)
    if not same_place(place, expected):
        raise CrsError(
            f"{path.name} 的格网 {place.rows} x {place.columns} 与干涉图 {like.rows} x {like.columns} 不一致 (大小、位置或坐标系)", expected="与本轨干涉图同一格网与坐标系", cure="先重采样、裁切到干涉图的格网"
        )
    said = {"op": "rows", "dataset": "incidenceAngle", "band": 1, "start": 0, "stop": like.rows, "planes": None}
    kept = _answer(said, path, driver, limits, workdir, whole=True)
    values = np.load(Path(kept["folder"]) / kept["items"][0]["file"], allow_pickle=False).reshape(like.rows, like.columns)
    if nodata is not None:
        values[values == np.float32(nodata)] = np.nan
    return AngleMap(values, str(head[0].get("unit") or ""), digest)


def _tiff_place(name: str, heads: list[dict[str, Any]]) -> tuple[Place, float | None]:
    head = heads[0]
    if head["bands"] != 1 or head["kind"] not in "iuf" or head["scaled"]:
        raise SchemaError(f"{name}: {head['bands']} 个波段, 或复数、带比例因子", expected="单波段的实数角度", cure="单独导出入射角 (或航向) 波段")
    if head["crs"] is None:
        raise SchemaError(f"{name}: 没有坐标系", expected="带坐标系的 GeoTIFF", cure="用处理软件重新导出地理编码结果")
    nodata = None if head["nodata"] is None else float(head["nodata"])
    return Place(head["shape"][0], head["shape"][1], tuple(float(v) for v in head["transform"]), head["crs"]), nodata


def _answer(said: dict[str, Any], path: Path, driver: str, limits: Limits, workdir: Path, *, whole: bool = False) -> Any:
    task = {"kind": "radar", "driver": driver, "origin": path.name, "path": str(path.resolve()), **said}
    answer = run_guarded([task], read=[path.resolve()], workdir=workdir, limits=limits)[0]
    if isinstance(answer, Exception):
        raise answer
    if not answer["items"]:
        raise MissingDataError(f"{path.name}: 没有内容", expected="角度栅格")
    return answer if whole else answer["items"]
