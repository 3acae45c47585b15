"""Titles as numbers, checked row by row (零散产权读数)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.geo.crs import same_metric_crs
from qianmo.planning.integration.settings import MODES, IntegrationSettings
from qianmo.schema.errors import MissingDataError, SchemaError, TopologyError
from qianmo.schema.tables import require_columns

__all__ = ["Titles", "read_titles", "without_consent"]

CONSENTS = ("yes", "open", "no")


@dataclass(frozen=True, eq=False)
class Titles:
    """Titles of one area as arrays (零散产权), n rows.

    `need_fen` is the least value after that a holder is due when the title changes, by mode the same; `accepts` the
    modes each may take, empty where consent is 'no'.
    """

    name: tuple[str, ...]
    holder: tuple[str, ...]
    shape: np.ndarray
    area_m2: np.ndarray
    value_fen: np.ndarray
    need_fen: np.ndarray
    is_state: np.ndarray
    floor_m2: np.ndarray
    remediation_fen: np.ndarray
    delay: np.ndarray
    consent: tuple[str, ...]
    accepts: tuple[frozenset[str], ...]

    def __len__(self) -> int:
        """Number of titles."""
        return len(self.name)


def read_titles(frame: gpd.GeoDataFrame, *, settings: IntegrationSettings) -> Titles:
    """Check the title table and turn it into numbers (零散产权检查).

    Parameters
    ----------
    frame : GeoDataFrame, table ``title``
        Metric CRS. [m]
    settings : IntegrationSettings
        `gain_min` holds where a row asks for less.

    Raises
    ------
    SchemaError, TopologyError, MissingDataError, CrsError
        Rows with an empty or double id, a value that is no number above 0, an unknown kind, consent or mode, a negative
        floor area or cost, an invalid shape or an overlap are named.
    """
    require_columns("title", list(frame.columns))
    same_metric_crs(frame)
    if frame.empty:
        raise MissingDataError("no titles", expected="at least one row of table title", cure="补充产权图层")
    for column in ("title_id", "holder_id"):
        text = frame[column].astype("string")
        _refuse(text.isna() | (text.str.strip() == ""), f"{column} is empty", "an id in each row", "补全编号")
    _refuse(frame["title_id"].duplicated(keep=False), "title_id occurs twice", "one row a title", "改正重复的产权编号")
    value = _number(frame, "value_yuan", least=None)
    _refuse(~(value > 0), "value_yuan is not above 0", "yuan above 0", "补全评估价值")
    _refuse(~frame["land_kind"].isin(["state", "collective"]), "land_kind is unknown", "state or collective", "改正权属性质")
    _refuse(~frame["consent"].isin(CONSENTS), "consent is unknown", "yes, open or no", "改正同意状态")
    shape = frame.geometry.to_numpy()
    _refuse_shapes(shape)
    accepts = [_modes(t) for t in frame["accepts"]] if "accepts" in frame.columns else [frozenset(MODES)] * len(frame)
    _refuse(np.array([bool(a - set(MODES)) for a in accepts]), "accepts names an unknown mode", ", ".join(MODES), "改正可接受方式")
    gain = np.maximum(_number(frame, "gain_min", least=0.0), settings.gain_min)
    fen = np.array([round(v * 100) for v in value], dtype=np.int64)
    need = np.array([int(np.ceil(round(v * (1 + g), 6))) for v, g in zip(fen.tolist(), gain.tolist())], dtype=np.int64)
    consent = tuple(frame["consent"].astype(str))
    return Titles(
        tuple(frame["title_id"].astype(str)), tuple(frame["holder_id"].astype(str)), shape, shapely.area(shape), fen, need,
        (frame["land_kind"] == "state").to_numpy(), _number(frame, "floor_area_m2", least=0.0),
        np.round(_number(frame, "remediation_yuan", least=0.0) * 100).astype(np.int64), _number(frame, "delay_years", least=0.0).astype(np.int64),
        consent, tuple(a if c != "no" else frozenset() for a, c in zip(accepts, consent)),
    )  # fmt: skip


def without_consent(titles: Titles, row: int) -> Titles:
    """The same titles where one holder says no to everything (撤回同意)."""
    consent = tuple("no" if k == row else c for k, c in enumerate(titles.consent))
    accepts = tuple(frozenset[str]() if k == row else a for k, a in enumerate(titles.accepts))
    return replace(titles, consent=consent, accepts=accepts)


def _modes(text: object) -> frozenset[str]:
    if text is None or pd.isna(text) or not str(text).strip():
        return frozenset(MODES)
    return frozenset(w.strip() for w in str(text).replace("；", ";").split(";") if w.strip())


def _number(frame: pd.DataFrame, column: str, *, least: float | None) -> np.ndarray:
    """A column as numbers; empty cells of optional columns are 0."""
    if column not in frame.columns:
        return np.zeros(len(frame))
    raw = frame[column]
    out = pd.to_numeric(raw, errors="coerce")
    if least is not None:
        _refuse(raw.notna() & ~(np.isfinite(out) & (out >= least)), f"{column} is not a number of at least {least:g}", "a number or empty", "改正数值")
        out = out.fillna(0.0)
    _refuse(~np.isfinite(out), f"{column} is not a number", "a number", "改正数值")
    return out.to_numpy(dtype=float)


def _refuse(bad: pd.Series | np.ndarray, found: str, expected: str, cure: str) -> None:
    rows = np.flatnonzero(np.asarray(bad, dtype=bool))
    if len(rows):
        shown = ", ".join(str(r + 1) for r in rows[:8]) + (" …" if len(rows) > 8 else "")
        raise SchemaError(f"title rows {shown}: {found}", expected=expected, cure=cure)


def _refuse_shapes(shape: np.ndarray) -> None:
    bad = np.flatnonzero(~(shapely.is_valid(shape) & (shapely.area(shape) > 0)))
    if len(bad):
        raise TopologyError(f"title rows {', '.join(str(r + 1) for r in bad[:8])}: not a valid polygon with an area", expected="valid polygons", cure="修复图形")
    i, j = shapely.STRtree(shape).query(shape)
    pair = i < j
    common = shapely.area(shapely.intersection(shape[i[pair]], shape[j[pair]]))
    over = np.flatnonzero(common > 1e-4 * np.minimum(shapely.area(shape[i[pair]]), shapely.area(shape[j[pair]])))
    if len(over):
        a, b = i[pair][over[0]], j[pair][over[0]]
        raise TopologyError(f"title rows {a + 1} and {b + 1} overlap by {common[over[0]]:.2f} m2", expected="titles side by side", cure="消除产权重叠")
