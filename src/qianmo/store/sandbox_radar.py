"""Headers and rows of radar images inside the reading process: GeoTIFF and HDF5 (子进程干涉影像读取)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from qianmo.schema.errors import SchemaError, UnsafeInputError

__all__ = ["read_radar_task"]

_AGAIN = "文件损坏或不安全, 请从原始软件重新导出"
_WANTED = (
    "FILE_TYPE", "UNIT", "WIDTH", "LENGTH", "X_FIRST", "Y_FIRST", "X_STEP", "Y_STEP", "X_UNIT", "EPSG", "UTM_ZONE", "WAVELENGTH", "STARTING_RANGE",
    "CENTER_INCIDENCE_ANGLE", "NO_DATA_VALUE",
)  # fmt: skip
_GUNW = "science/grids/data"


def read_radar_task(task: dict[str, Any], out: Path) -> list[dict[str, Any]]:
    """Header (``op`` head, or angle_head of an HDF5 file of imaging geometry) or some rows (``op`` rows) of one file; rows go to one .npy file (干涉影像读取).

    Raises
    ------
    UnsafeInputError
        Not readable, or the file points to other files.
    SchemaError
        An HDF5 file that is no stack of interferograms.
    """
    if task["driver"] == "GTiff":
        return _tiff(task, out)
    import h5py

    try:
        with h5py.File(task["path"], "r") as opened:
            if task["op"] == "angle_head":
                return [_angle_head(opened, task)]
            return [_head(opened, task)] if task["op"] == "head" else [_rows(opened, task, out)]
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise UnsafeInputError(f"{task['origin']}: 不能读取 ({str(error)[:160]})", expected="完整的 HDF5 文件", cure=_AGAIN) from None


def _tiff(task: dict[str, Any], out: Path) -> list[dict[str, Any]]:
    import rasterio
    from rasterio.errors import RasterioError
    from rasterio.windows import Window

    name = f"s{task['id']}.tif"
    (out / name).symlink_to(task["path"])
    try:
        with rasterio.open(name, driver="GTiff") as opened:
            if task["op"] in ("head", "angle_head"):
                return [
                    {
                        "item": "head", "shape": [opened.height, opened.width], "transform": list(opened.transform)[:6],
                        "crs": opened.crs.to_wkt() if opened.crs else None, "band": band, "bands": opened.count,
                        "nodata": _number(opened.nodatavals[band - 1]), "unit": opened.units[band - 1] or "", "said": opened.descriptions[band - 1] or "",
                        "kind": np.dtype(opened.dtypes[band - 1]).kind, "scaled": (opened.scales[band - 1], opened.offsets[band - 1]) != (1.0, 0.0),
                    }
                    for band in range(1, opened.count + 1)
                ]  # fmt: skip
            window = Window(0, task["start"], opened.width, task["stop"] - task["start"])
            values = opened.read(task["band"], window=window)
    except (RasterioError, ValueError, IndexError, OSError) as error:
        raise UnsafeInputError(f"{task['origin']}: 不能读取 ({str(error)[:160]})", expected="完整的 GeoTIFF", cure=_AGAIN) from None
    return [_kept(values.astype(np.float32), task, out)]


def _head(opened: Any, task: dict[str, Any]) -> dict[str, Any]:
    said = {k: _text(opened.attrs[k]) for k in _WANTED if k in opened.attrs}
    if "unwrapPhase" in opened:
        phase = _own(opened["unwrapPhase"], task)
        dates = opened["date"][:]
        if phase.ndim != 3 or dates.shape != (phase.shape[0], 2):
            raise SchemaError(f"{task['origin']}: unwrapPhase {phase.shape}, date {dates.shape}", expected="(干涉对, 行, 列) 与 (干涉对, 2)")
        many = phase.shape[0]
        return {
            "item": "head", "form": "MintPy", "shape": list(phase.shape), "said": said, "dates": [[_text(a), _text(b)] for a, b in dates],
            "coherence": "coherence" if "coherence" in opened and _own(opened["coherence"], task).shape == phase.shape else None,
            "baselines": [float(b) for b in opened["bperp"][:]] if "bperp" in opened and opened["bperp"].shape == (many,) else None,
            "kept": [bool(k) for k in opened["dropIfgram"][:]] if "dropIfgram" in opened and opened["dropIfgram"].shape == (many,) else None,
        }  # fmt: skip
    if f"{_GUNW}/unwrappedPhase" in opened:
        phase = _own(opened[f"{_GUNW}/unwrappedPhase"], task)
        x, y = (np.asarray(opened[f"{_GUNW}/{k}"][:], dtype=float) for k in ("longitude", "latitude"))
        inner = "science/radarMetaData/wavelength"
        return {
            "item": "head", "form": "GUNW", "shape": list(phase.shape), "x": [float(v) for v in x[[0, 1, -1]]], "y": [float(v) for v in y[[0, 1, -1]]],
            "cells": [len(y), len(x)], "coherence": f"{_GUNW}/coherence" if f"{_GUNW}/coherence" in opened else None, "nodata": _number(_first(phase.attrs.get("_FillValue"))),
            "unit": _text(phase.attrs.get("units", "")), "wavelength": float(opened[inner][()]) if inner in opened and opened[inner].shape == () else None,
        }  # fmt: skip
    what = said.get("FILE_TYPE") or ", ".join(list(opened)[:6])
    raise SchemaError(
        f"{task['origin']}: HDF5 内容为 {what}" + (f" (单位 {said['UNIT']})" if said.get("UNIT") else ""),
        expected="MintPy 的 ifgramStack (unwrapPhase), 或 GUNW (science/grids/data/unwrappedPhase)",
        cure="位移时序与速率不是干涉相位, 请给解缠干涉图堆栈",
    )


def _angle_head(opened: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Header of the geometry file of MintPy, which holds the incidence angle of every cell."""
    said = {k: _text(opened.attrs[k]) for k in _WANTED if k in opened.attrs}
    if "incidenceAngle" not in opened or _own(opened["incidenceAngle"], task).ndim != 2:
        raise SchemaError(f"{task['origin']}: 没有 incidenceAngle", expected="MintPy 的 geometryGeo.h5 (incidenceAngle), 或 GeoTIFF", cure="用处理软件导出入射角栅格")
    angle = opened["incidenceAngle"]
    return {"item": "head", "shape": list(angle.shape), "said": said, "unit": _text(angle.attrs.get("UNIT", ""))}


def _rows(opened: Any, task: dict[str, Any], out: Path) -> dict[str, Any]:
    data = _own(opened[task["dataset"]], task)
    part = slice(task["start"], task["stop"])
    values = data[part] if data.ndim == 2 else data[:, part]
    if data.ndim == 3 and task["planes"] is not None:
        values = values[task["planes"]]
    return _kept(np.asarray(values, dtype=np.float32), task, out)


def _own(data: Any, task: dict[str, Any]) -> Any:
    """The dataset, if its numbers lie in this very file."""
    if data.is_virtual or data.external:
        raise UnsafeInputError(f"{task['origin']}: 数据集指向别的文件", expected="数据在文件之内", cure="用处理软件重新导出为单个文件")
    if data.dtype.kind not in "iuf":
        raise UnsafeInputError(f"{task['origin']}: 数据类型 {data.dtype}", expected="数值", cure=_AGAIN)
    return data


def _kept(values: np.ndarray, task: dict[str, Any], out: Path) -> dict[str, Any]:
    np.save(out / f"t{task['id']}.npy", values, allow_pickle=False)
    return {"item": "rows", "file": f"t{task['id']}.npy", "shape": list(values.shape)}


def _text(value: Any) -> str:
    value = _first(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _first(value: Any) -> Any:
    return value.ravel()[0] if isinstance(value, np.ndarray) and value.size else value


def _number(value: Any) -> float | str | None:
    """A number that JSON can carry: nan and infinities as text."""
    if value is None:
        return None
    number = float(value)
    return number if np.isfinite(number) else repr(number)
