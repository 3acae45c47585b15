"""One radar image on disk: what it holds, where its cells lie, how its numbers are read (单幅干涉影像)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyproj

from qianmo.schema.errors import CrsError, MissingDataError, SchemaError
from qianmo.schema.radar_stack import StackHeader

__all__ = ["Image", "Place", "paired", "same_place"]


@dataclass(frozen=True)
class Place:
    """Grid of an image (格网): rows, columns, six numbers of the transform, CRS."""

    rows: int
    columns: int
    transform: tuple[float, ...]
    crs_wkt: str


@dataclass(frozen=True)
class Image:
    """One image of one pair (影像).

    `kind` is phase or coherence; `reader` flat, GTiff, HDF5 or npy (rows and columns of our own); `sign` −1 where the file holds the earlier date less the later one.
    """

    form: str
    kind: str
    dates: tuple[date, date]
    place: Place
    path: Path
    reader: str
    kind_of_number: str = ""
    bands: int = 1
    band: int = 0
    dataset: str = ""
    plane: int = -1
    nodata: float | None = None
    unit: str = ""
    sign: float = 1.0
    baseline_m: float | None = None
    wavelength_m: float | None = None
    incidence_deg: float | None = None
    slant_range_m: float | None = None


def paired(images: Sequence[Image]) -> tuple[StackHeader, list[Image], list[Image]]:
    """Header, phases and coherences of the pairs in the order of their dates (干涉对配齐).

    Raises
    ------
    MissingDataError
        No phase, or coherence for some pairs alone.
    SchemaError
        Two images for one pair, or formats mixed.
    CrsError
        Grids that differ in shape, position or CRS.
    """
    forms = sorted({i.form for i in images if i.kind in ("phase", "coherence")})
    if len(forms) > 1:
        raise SchemaError(f"混有 {', '.join(forms)} 格式", expected="一种格式", cure="分开处理")
    by_kind: dict[str, dict[tuple[date, date], Image]] = {"phase": {}, "coherence": {}}
    for image in images:
        if image.kind in by_kind:
            there = by_kind[image.kind]
            if image.dates in there:
                what = "相干性" if image.kind == "coherence" else "相位"
                raise SchemaError(f"{_said(image.dates)} 有两个{what}文件: {there[image.dates].path.name}, {image.path.name}", expected="每个干涉对一个", cure="同一对的不同版本只留一个")
            there[image.dates] = image
    phases, quality = by_kind["phase"], by_kind["coherence"]
    if not phases:
        raise MissingDataError(f"{len(images)} 个栅格中没有干涉图", expected="文件名含两个日期 YYYYMMDD-YYYYMMDD 的解缠相位", cure="改文件名, 或指定正确的文件夹; 位移、缠绕相位、高程等产品不作输入")
    lost = [_said(p) for p in phases if quality and p not in quality]
    if lost:
        raise MissingDataError(f"{len(lost)} 个干涉对没有相干性: {', '.join(lost[:5])}", expected="全部有或全部没有", cure="补充相干性文件, 或只给相位")
    order = sorted(phases)
    base = phases[order[0]]
    chosen = [phases[p] for p in order], [quality[p] for p in order] if quality else []
    for image in (*chosen[0], *chosen[1]):
        if not same_place(image.place, base.place):
            raise CrsError(
                f"{image.path.name} 的格网 {image.place.rows} x {image.place.columns} 与第一个 {base.place.rows} x {base.place.columns} 不一致 (大小、位置或坐标系)",
                expected="同一格网与坐标系", cure="先配准、裁切到同一范围",
            )  # fmt: skip
    lines = [i.baseline_m for i in chosen[0]]
    header = StackHeader(
        base.form, tuple(order), base.place.rows, base.place.columns, base.place.transform, base.place.crs_wkt, bool(quality), next((i.unit for i in chosen[0] if i.unit), ""),
        tuple(b for b in lines if b is not None) if all(b is not None for b in lines) else None, base.wavelength_m, base.incidence_deg, base.slant_range_m,
    )  # fmt: skip
    return header, *chosen


def same_place(one: Place, other: Place) -> bool:
    """True where two grids have the same cells in the same CRS, to a thousandth of a cell (同一格网)."""
    cell = abs(other.transform[0]) * 1e-3
    near = all(abs(a - b) <= cell for a, b in zip(one.transform, other.transform))
    same_cell = abs(one.transform[0] - other.transform[0]) * max(one.columns, one.rows) <= cell
    return (one.rows, one.columns) == (other.rows, other.columns) and near and same_cell and _same_crs(one.crs_wkt, other.crs_wkt)


def _same_crs(one: str, other: str) -> bool:
    """Texts of one system differ by the program that wrote them."""
    if one == other:
        return True
    a, b = pyproj.CRS.from_wkt(one), pyproj.CRS.from_wkt(other)
    return a.equals(b, ignore_axis_order=True) or (a.to_epsg() is not None and a.to_epsg() == b.to_epsg())


def _said(pair: tuple[date, date]) -> str:
    return f"{pair[0]:%Y%m%d}-{pair[1]:%Y%m%d}"
