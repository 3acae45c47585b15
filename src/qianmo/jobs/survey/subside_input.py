"""Working faces and levelling for a prediction of subsidence, from files or the project (开采沉陷输入)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.jobs.plain_table import plain_table
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.survey.subsidence.face import Face
from qianmo.survey.subsidence.invert import Observations
from qianmo.survey.subsidence.parameters import SubsidenceParameters

__all__ = ["faces_from", "observations_from", "sightings_from"]

_DEFAULTS = {"q": "pim_q", "tan_beta": "pim_tanb", "b": "pim_b", "k": "pim_theta0_k"}
_PLACES = "x 为东坐标, y 为北坐标, 单位米; 移动量单位毫米"
_OFFSETS = ("s1_m", "s2_m", "s3_m", "s4_m")


def faces_from(frame: gpd.GeoDataFrame, *, source: str, overrides: Mapping[str, Any]) -> tuple[list[Face], dict[str, int]]:
    """Faces of table ``working_face``; what is blank is taken from the parameters (工作面).

    Returns
    -------
    (faces, borrowed)
        `borrowed` counts for each column how many faces took the default.

    Raises
    ------
    SchemaError
        A value is missing, no number or out of range; file, row and column are named.
    """
    if not len(frame):
        raise MissingDataError(f"{source}: 没有工作面", expected="至少一个工作面")
    borrowed: dict[str, int] = {}
    faces = []
    for n, row in enumerate(frame.to_dict("records"), start=1):
        where = f"{source} 第 {n} 行 {row.get('face_name') or ''}"
        depth, thickness = (_number(row, c, where, None) for c in ("depth_m", "thickness_m"))
        told = {c: _number(row, c, where, borrowed, parameter(p, overrides)) for c, p in _DEFAULTS.items()}
        shift = [_number(row, c, where, borrowed, parameter("pim_s_over_H", overrides) * depth) for c in _OFFSETS]
        dip, azimuth = (_number(row, c, where, None, 0.0) for c in ("dip_deg", "dip_azimuth_deg"))
        try:
            rock = SubsidenceParameters(told["q"], told["tan_beta"], told["b"], told["k"], *shift)
            faces.append(Face(_single(row["geometry"]), depth, thickness, rock, dip, azimuth, str(row.get("face_name") or n)))
        except SchemaError as fault:
            raise SchemaError(f"{where}: {fault.found}", expected=fault.expected, cure=fault.cure) from None
    return faces, borrowed


def observations_from(path: str) -> Observations:
    """Levelling from a CSV with x, y, subsidence_mm, sigma_mm and, where measured, east_mm and north_mm (水准观测).

    Raises
    ------
    SchemaError
        Columns are missing or hold no numbers, or a standard error is not above 0; the rows are named as in the file.
    """
    needed = ("x", "y", "subsidence_mm", "sigma_mm")
    table = plain_table(path, needed=needed, optional=" (可另有 east_mm, north_mm)", meaning=_PLACES)
    names = [*needed, *(c for c in ("east_mm", "north_mm") if c in table)]
    numbers = table[names].apply(pd.to_numeric, errors="coerce")
    bad = [int(k) + 2 for k in np.flatnonzero(~np.isfinite(numbers[list(needed)]).all(axis=1) | ~(numbers["sigma_mm"] > 0))]
    if bad:
        raise SchemaError(f"{path}: 第 {', '.join(map(str, bad[:8]))} 行不是数或中误差不大于 0", expected="数值, sigma_mm 大于 0", cure="删除或补齐这些观测")
    parts = [("subsidence_mm", (0.0, 0.0, 1.0)), *((c, v) for c, v in (("east_mm", (1.0, 0.0, 0.0)), ("north_mm", (0.0, 1.0, 0.0))) if c in numbers)]
    made = []
    for column, direction in parts:
        here = numbers[np.isfinite(numbers[column])]
        made.append((here[["x", "y"]].to_numpy(), here[column].to_numpy(), here["sigma_mm"].to_numpy(), np.tile(direction, (len(here), 1))))
    return Observations(*(np.concatenate(part) for part in zip(*made)))


def sightings_from(path: str) -> Observations:
    """InSAR movement along the line of sight from a CSV with x, y, los_mm, sigma_mm, incidence_deg, heading_deg (InSAR 视线向观测).

    los_mm is positive towards the satellite; heading_deg is that of the flight, clockwise from north, the radar looks to the right.

    Raises
    ------
    SchemaError
        Columns are missing or hold no numbers, a standard error is not above 0, an angle is out of range; the rows are named as in the file.
    """
    needed = ("x", "y", "los_mm", "sigma_mm", "incidence_deg", "heading_deg")
    numbers = plain_table(path, needed=needed, meaning=_PLACES)[list(needed)].apply(pd.to_numeric, errors="coerce")
    wrong = ~np.isfinite(numbers).all(axis=1) | ~(numbers["sigma_mm"] > 0) | ~numbers["incidence_deg"].between(5, 70) | ~numbers["heading_deg"].between(-360, 360)
    bad = [int(k) + 2 for k in np.flatnonzero(wrong)]
    if bad:
        raise SchemaError(f"{path}: 第 {', '.join(map(str, bad[:8]))} 行", expected="数值, sigma_mm 大于 0, 入射角 5 至 70 度", cure="删除或改正这些像元")
    theta, heading = np.radians(numbers["incidence_deg"].to_numpy()), np.radians(numbers["heading_deg"].to_numpy())
    sight = np.column_stack([-np.sin(theta) * np.cos(heading), np.sin(theta) * np.sin(heading), -np.cos(theta)])
    return Observations(numbers[["x", "y"]].to_numpy(), numbers["los_mm"].to_numpy(), numbers["sigma_mm"].to_numpy(), sight)


def _single(shape: Any) -> Any:
    """The only part of a multipolygon; anything else as it is, for the face to judge."""
    parts = shapely.get_parts(shape)
    return shapely.force_2d(parts[0]) if len(parts) == 1 else shape


def _number(row: Mapping[str, Any], column: str, where: str, borrowed: dict[str, int] | None, default: float | None = None) -> float:
    value = row.get(column)
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA or str(value).strip() == "":
        if default is None:
            raise SchemaError(f"{where}: 缺 {column}", expected="数值", cure="补齐工作面属性")
        if borrowed is not None:
            borrowed[column] = borrowed.get(column, 0) + 1
        return float(default)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SchemaError(f"{where}: {column} = {value!r}", expected="数值", cure="改正该值, 单位米或度") from None
