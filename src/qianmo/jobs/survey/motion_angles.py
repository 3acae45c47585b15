"""From where a track looks at each cell: one angle, or a map of them (成像角度)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qianmo.geo.raster import Grid, aligned
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.radar_stack import StackHeader
from qianmo.store.guard_limits import default_limits
from qianmo.store.radar_map import AngleMap, read_angle_map
from qianmo.store.scratch import scratch_folder
from qianmo.survey.insar.geometry import check_headings, heading_degrees, incidence_degrees, up_and_east

__all__ = ["Angles", "angles_of", "north_south", "split_up_and_east"]

_STRIP = 1_000_000
"""Cells that are worked out at once in double precision."""


@dataclass(frozen=True)
class Angles:
    """Angles of one track [degree] (成像角度): numbers, or float32 (rows·columns,), nan where the map states none; heading None where nobody gave it."""

    incidence_deg: float | np.ndarray
    heading_deg: float | np.ndarray | None
    sha256: tuple[str, ...]

    @property
    def middle(self) -> float:
        """Median incidence."""
        return float(np.nanmedian(self.incidence_deg)) if isinstance(self.incidence_deg, np.ndarray) else self.incidence_deg


def angles_of(header: StackHeader, values: Mapping[str, Any], *, which: str = "") -> Angles:
    """The angles of a track from its options, before anything of it is worked out; `which` is ``second_`` for the second track (成像角度).

    Raises
    ------
    MissingDataError
        No incidence from option, map or files.
    SchemaError
        Both a number and a map; another unit; a number outside 5 to 75 degrees.
    CrsError
        A map whose cells are not those of the stack.
    """
    sums: list[str] = []
    unit = values["angle_unit"]
    option = which.replace("_", "-")
    number, chart, heading, heading_chart = (values[f"{which}{name}"] for name in ("incidence", "incidence_map", "heading", "heading_map"))
    if (chart and number is not None) or (heading_chart and heading is not None):
        raise SchemaError(f"--{option}incidence 与 --{option}incidence-map (或航向) 同时给出", expected="一个数或一幅栅格", cure="去掉其中一个")
    incidence: float | np.ndarray
    if chart:
        found = _map(chart, header, sums)
        incidence = incidence_degrees(found.values.ravel(), stated=found.unit, unit=unit)
    else:
        said = number if number is not None else header.incidence_deg
        if said is None:
            raise MissingDataError("没有入射角", expected=f"--{option}incidence (度), 或 --{option}incidence-map (每像元)", cure="查影像参数文件, 如 39.7")
        if not 5 <= said <= 75:
            raise SchemaError(f"入射角 {said:g}", expected="5 至 75 度", cure="核对单位 (度, 非弧度)")
        incidence = float(said)
    towards: float | np.ndarray | None = None
    if heading_chart:
        found = _map(heading_chart, header, sums)
        towards = heading_degrees(found.values.ravel(), stated=found.unit, unit=unit)
    elif heading is not None:
        towards = float(heading_degrees(np.array([heading]))[0])
    return Angles(incidence, towards, tuple(sums))


def north_south(first: Angles, second: Angles) -> bool:
    """True where no heading is known: the tracks are then taken to fly due north and south.

    Raises
    ------
    SchemaError
        The heading of one track alone is known, or the headings are not those of an ascending and a descending track.
    """
    if (first.heading_deg is None) != (second.heading_deg is None):
        raise SchemaError("只有一轨有航向", expected="两轨都给, 或都不给 (按正北、正南飞行)", cure="补上 --heading 与 --second-heading")
    if first.heading_deg is None or second.heading_deg is None:
        return True
    check_headings(first.heading_deg, second.heading_deg)
    return False


def split_up_and_east(
    first: tuple[np.ndarray, np.ndarray, Angles], second: tuple[np.ndarray, np.ndarray, Angles], *, like: Grid, second_like: Grid
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Up, east and their errors on the cells of the first track, strip by strip, each cell with its own angles (二维分解).

    Parameters
    ----------
    first, second : (rate, sigma, angles)
        Of all cells of each track, flat; rates along the line of sight.
    like, second_like : Grid
        Cells of the tracks.

    Raises
    ------
    MissingDataError
        The tracks share no cell that is known.
    """
    a, sigma_a, angles_a = first
    d, sigma_d, angles_d = second
    d, sigma_d = (_carried(v, second_like, like) for v in (d, sigma_d))
    if not (np.isfinite(d) & np.isfinite(a)).any():
        raise MissingDataError("两轨没有共同的有效像元", expected="同一地区的升轨与降轨", cure="核对坐标系与范围")
    is_plain = north_south(angles_a, angles_d)
    named = {"incidence_ascending_deg": angles_a.incidence_deg, "heading_ascending_deg": 0.0 if is_plain else angles_a.heading_deg}
    other = {"incidence_descending_deg": angles_d.incidence_deg, "heading_descending_deg": 180.0 if is_plain else angles_d.heading_deg}
    other = {k: _carried(v, second_like, like) if isinstance(v, np.ndarray) else v for k, v in other.items()}
    out = tuple(np.empty(a.size, np.float32) for _ in range(4))
    for start in range(0, a.size, _STRIP):
        part = slice(start, start + _STRIP)
        angle: dict[str, Any] = {k: v[part] if isinstance(v, np.ndarray) else v for k, v in (named | other).items()}
        found = up_and_east(a[part], d[part], sigma_ascending_mm=sigma_a[part], sigma_descending_mm=sigma_d[part], **angle)
        for whole, strip in zip(out, found):
            whole[part] = strip
    return out[0], out[1], out[2], out[3]


def _map(path: str, header: StackHeader, sums: list[str]) -> AngleMap:
    """A map of angles; its hash joins `sums`."""
    with scratch_folder() as workdir:
        found = read_angle_map(Path(path), header, limits=default_limits(), workdir=workdir)
    sums.append(found.sha256)
    return found


def _carried(values: np.ndarray, source: Grid, like: Grid) -> np.ndarray:
    """Values of the second track on the cells of the first, flat."""
    return aligned(replace(source, values=values.reshape(source.values.shape)), like).values.ravel()
