"""The state of a day: faces mined out, and faces that advance, cut into strips with their own dates (动态沉陷作业)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.jobs.plain_table import plain_table
from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter
from qianmo.survey.subsidence.face import Face
from qianmo.survey.subsidence.time_course import developed_share, strips

__all__ = ["advance_from", "state_of"]

_NEEDED = ("face_name", "day", "position_m", "azimuth_deg")


def state_of(
    faces: Sequence[Face], drawn: gpd.GeoDataFrame, *, day_text: Any, advance: pd.DataFrame | None, overrides: Mapping[str, float], source: str
) -> tuple[list[Face], np.ndarray | None, str]:
    """Faces or strips, the share of the final movement of each on the day asked for, and the day; shares None at the end (动态状态).

    A face with an advance is cut into strips of at most ``pim_strip_days`` days; a strip starts to act in the middle of its days,
    nothing acts that is mined after the day. Other faces act from end_day on as a whole.

    Raises
    ------
    SchemaError
        The day is no date, an advance without a day, or one that names no face.
    MissingDataError
        A face has neither end_day nor an advance, or nothing is mined yet.
    """
    if not day_text:
        if advance is not None:
            raise SchemaError("给了推进表而没有 --date", expected="--date 年-月-日", cure="最终状态不需要推进表")
        return list(faces), None, ""
    try:
        day = date.fromisoformat(str(day_text))
    except ValueError:
        raise SchemaError(f"--date {day_text}", expected="年-月-日, 如 2026-06-30") from None
    named = dict(tuple(advance.groupby("face_name", sort=False))) if advance is not None else {}
    lost = [n for n in named if n not in [f.name for f in faces]]
    if lost:
        raise SchemaError(f"推进表的工作面 {', '.join(map(str, lost))} 不在图层中", expected=", ".join(f.name for f in faces))
    ends = pd.to_datetime(drawn["end_day"], errors="coerce") if "end_day" in drawn else pd.Series(pd.NaT, index=drawn.index)
    blank = [k + 1 for k, f in enumerate(faces) if f.name not in named and pd.isna(ends.iloc[k])]
    if blank:
        raise MissingDataError(f"{source}: 第 {', '.join(map(str, blank[:8]))} 行没有采完日期 end_day", expected="日期", cure="动态预计需要每个工作面的采完日期或推进表")
    rate, longest = parameter("pim_knothe_c_day", overrides), parameter("pim_strip_days", overrides)
    made: list[Face] = []
    days: list[float] = []
    for k, face in enumerate(faces):
        if face.name in named:
            for piece, since in _strips_until(face, named[face.name], day, longest):
                made.append(piece)
                days.append(since)
        else:
            made.append(face)
            days.append(float((pd.Timestamp(day) - ends.iloc[k]).days))
    if not made:
        raise MissingDataError(f"{day} 之前没有开采", expected="推进开始之后的日期")
    return made, developed_share(np.array(days), rate), day.isoformat()


def advance_from(path: str) -> pd.DataFrame:
    """Positions of advancing faces from a CSV with face_name, day, position_m, azimuth_deg (推进表).

    Raises
    ------
    SchemaError
        Columns are missing, values are no dates or numbers, days of a face do not rise, it goes back (it may stand still), or its azimuth changes; rows are named.
    """
    table = plain_table(path, needed=_NEEDED, meaning="face_name 工作面, day 日期, position_m 自开切眼的位置 (米), azimuth_deg 推进方位角 (度)")
    made = pd.DataFrame({
        "face_name": table["face_name"].astype(str), "day": pd.to_datetime(table["day"], errors="coerce"),
        **{c: pd.to_numeric(table[c], errors="coerce") for c in ("position_m", "azimuth_deg")},
    })  # fmt: skip
    bad = [int(k) + 2 for k in np.flatnonzero(made.isna().any(axis=1))]
    if bad:
        raise SchemaError(f"{path}: 第 {', '.join(map(str, bad[:8]))} 行的日期或数值有误", expected="日期与数", cure="改正这些行")
    for name, rows in made.groupby("face_name", sort=False):
        rising = (np.diff(rows["position_m"]) >= 0).all() and np.ptp(rows["position_m"]) > 0 and (np.diff(rows["day"].to_numpy("datetime64[D]").astype(float)) > 0).all()
        if len(rows) < 2 or not rising or rows["azimuth_deg"].nunique() != 1:
            raise SchemaError(f"{path}: 工作面 {name} 的日期不递增, 位置后退, 或方位角不一", expected="至少两行, 日期递增, 位置不后退, 方位角不变", cure="按日期排序; 位置从开切眼量起 (米)")
    return made


def _strips_until(face: Face, rows: pd.DataFrame, day: date, longest: float) -> list[tuple[Face, float]]:
    """Strips mined until the day with the days since the middle of each."""
    t = rows["day"].to_numpy("datetime64[D]").astype(float)
    x = rows["position_m"].to_numpy(float)
    now = float(np.datetime64(day).astype("datetime64[D]").astype(float))
    if now <= t[0]:
        return []
    knots = [t[0]]
    for a, b in zip(t[:-1], t[1:]):
        knots += np.linspace(a, b, int(np.ceil((b - a) / longest)) + 1)[1:].tolist()
    at = np.array([k for k in knots if k < now] + [min(now, t[-1])])
    at = at[np.concatenate([[True], np.diff(at) > 1e-9])]
    places = np.interp(at, t, x)
    made = []
    for k in np.flatnonzero(np.diff(places) > 0):
        pieces = strips(face, advance_m=[float(places[k]), float(places[k + 1])], advance_azimuth_deg=float(rows["azimuth_deg"].iloc[0]))
        made += [(p, now - (at[k] + at[k + 1]) / 2) for p in pieces]
    return made
