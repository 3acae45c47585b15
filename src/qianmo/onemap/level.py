"""Areas of the register: ellipsoidal, less ridges, levelled so that sums close (面积计算与平差)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.geo.area import ellipsoid_and_geodesic_area_of, planar_area_of
from qianmo.onemap.control_units import control_units
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import MissingDataError, SchemaError, TopologyError
from qianmo.schema.rules import parameter
from qianmo.schema.tables import require_columns

__all__ = [
    "compute_areas",
    "control_areas",
    "deduct_ridges",
    "hundredths",
    "level_areas",
    "level_to_villages",
    "new_register_areas",
]

LOG_COLUMNS = ("village_code", "village_name", "patches", "before_m2", "control_m2", "diff_m2", "step_m2", "remainder", "status")
"""Columns of the levelling log; status is levelled, closed, no_control, or no_patches."""

RIDGE_CLASS = "1203"
"""Class of field ridges (田坎) in SD3."""

_NEAR_HALF = 1e-4


def hundredths(areas_m2: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    """Areas as whole hundredths of a square metre, half rounded up (以0.01平方米计的整数).

    The half is judged on the shortest decimal text of the number, as a clerk reads it: 1.005 gives 101.

    Parameters
    ----------
    areas_m2 : n areas [m2]

    Returns
    -------
    ndarray, n int64 [0.01 m2]

    Raises
    ------
    MissingDataError
        A value is null or infinite; the rows are named.
    """
    areas = np.asarray(areas_m2, dtype=float)
    bad = np.flatnonzero(~np.isfinite(areas))
    if len(bad):
        raise MissingDataError(f"no finite area in rows {_some(bad)}", expected="a number in m2", cure="补齐面积后再计算")
    scaled = areas * 100.0
    out = np.floor(scaled + 0.5)
    unclear = np.abs(scaled - np.floor(scaled) - 0.5) < _NEAR_HALF + np.abs(scaled) * 1e-15
    out[unclear] = [float(_half_up(Decimal(repr(float(a))) * 100)) for a in areas[unclear]]
    return out.astype(np.int64)


def level_areas(
    areas_m2: Sequence[float] | np.ndarray | pd.Series,
    control_m2: float,
    *,
    keys: Sequence[str] | np.ndarray | pd.Series | None = None,
    max_rel: float | None = None,
) -> np.ndarray:
    r"""Areas that sum to the control area exactly (控制面积平差).

    Integer arithmetic in hundredths: every patch takes the same whole step, the largest ones one hundredth more.

    Parameters
    ----------
    areas_m2 : n areas [m2]
        Register areas of the patches of one village.
    control_m2 : float [m2]
        Control area of the village.
    keys : n str, optional
        Decide between patches of equal area, so that the order of rows does not matter.
    max_rel : float, optional
        Largest difference relative to the control; parameter ``levelling_max_rel`` when left out.

    Returns
    -------
    ndarray, n areas [m2], in the order given; their sum in hundredths is the control exactly.

    Raises
    ------
    TopologyError
        The difference is too large (land is missing or double), or a patch would fall below zero.

    Notes
    -----
    With :math:`d` the difference in hundredths and :math:`n` patches, :math:`f = \lfloor |d| / n \rfloor` and
    :math:`r = |d| \bmod n`: the :math:`r` largest patches take :math:`f + 1`, the others :math:`f`.
    Source: ``design/domain.md`` 3.5.

    Examples
    --------
    >>> level_areas([120000.00, 55000.55, 3333.33], 178333.91).tolist()
    [120000.01, 55000.56, 3333.34]
    """
    cents = hundredths(areas_m2)
    control = int(hundredths([control_m2])[0])
    difference = control - int(cents.sum())
    _refuse_large(difference, control, parameter("levelling_max_rel") if max_rel is None else max_rel)
    if difference == 0:
        return cents / 100.0
    step, rest = divmod(abs(difference), len(cents))
    tie = np.arange(len(cents)) if keys is None else np.asarray(keys).astype(str)
    order = np.lexsort((tie, -cents))
    change = np.full(len(cents), step, dtype=np.int64)
    change[order[:rest]] += 1
    levelled = cents + (change if difference > 0 else -change)
    if (levelled < 0).any():
        raise TopologyError(
            f"levelling would make {int((levelled < 0).sum())} patches negative",
            expected="patches larger than the step",
            cure="先消除碎小图斑再平差",
        )
    return levelled / 100.0


def deduct_ridges(
    area_m2: Sequence[float] | np.ndarray | pd.Series, coefficient: Sequence[float] | np.ndarray | pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Ridge area and net class area, exact to 0.01 m2 (田坎扣除).

    Parameters
    ----------
    area_m2 : n areas [m2]
    coefficient : n ratios, 0 to below 1
        Ridge coefficient (KCXS); null counts as 0.

    Returns
    -------
    ridge_area_m2, class_area_m2 : ndarray, n [m2]
        ``round_half_up(area x coefficient, 2)`` in decimal arithmetic, and the rest.

    Raises
    ------
    SchemaError
        A coefficient is not in [0, 1).

    Examples
    --------
    >>> [a.tolist() for a in deduct_ridges([12345.67], [0.1234])]
    [[1523.46], [10822.21]]
    """
    cents = hundredths(area_m2)
    share = np.nan_to_num(np.asarray(coefficient, dtype=float), nan=0.0)
    bad = np.flatnonzero(~((share >= 0) & (share < 1)))
    if len(bad):
        raise SchemaError(f"ridge coefficient out of range in rows {_some(bad)}", expected="0 <= KCXS < 1", cure="核对田坎系数")
    ridge = np.zeros(len(cents), dtype=np.int64)
    for i in np.flatnonzero(share):
        ridge[i] = int(_half_up(int(cents[i]) * Decimal(repr(float(share[i])))))
    return ridge / 100.0, (cents - ridge) / 100.0


def compute_areas(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Copy with ellipsoidal, planar and geodesic areas side by side (三种面积).

    Columns ``ellipsoid_area_m2`` (national series), ``planar_area_m2``, ``geodesic_area_m2``, each rounded
    half up to 0.01 m2 [m2]; null where a row has no geometry. Statistics use the first, never the second.
    """
    out = frame.copy()
    has = ~(frame.geometry.isna() | frame.geometry.is_empty).to_numpy()
    drawn = frame[["geometry"]] if has.all() else frame.loc[has, ["geometry"]]
    ellipsoid, geodesic = ellipsoid_and_geodesic_area_of(drawn)
    for name, measured in (
        ("ellipsoid_area_m2", ellipsoid), ("planar_area_m2", planar_area_of(drawn)), ("geodesic_area_m2", geodesic),
    ):  # fmt: skip
        values = np.full(len(frame), np.nan)
        values[has] = hundredths(measured) / 100.0
        out[name] = values
    return out


def new_register_areas(
    frame: gpd.GeoDataFrame,
    *,
    coefficients: pd.DataFrame | None = None,
    class_scheme: str = "SD3",
) -> gpd.GeoDataFrame:
    """Copy with register areas made from the geometry, for layers that have none (生成登记面积).

    ``area_m2`` becomes the ellipsoidal area; ridges are 0 unless the county gives its coefficients.

    Parameters
    ----------
    frame : GeoDataFrame, table ``landuse_patch``, n rows
    coefficients : DataFrame, optional
        County table: farmland_type (PD, TT), slope_class ('2'..'5'), coefficient [ratio].
    class_scheme : str
        Scheme of ``class_code``; tells which classes carry ridges.

    Raises
    ------
    MissingDataError
        The county table has no row for a kind of farmland that is there.
    """
    out = compute_areas(frame)
    out["area_m2"] = out["ellipsoid_area_m2"]
    share = np.zeros(len(out)) if coefficients is None else _looked_up(out, coefficients, class_scheme)
    out["ridge_coefficient"] = share
    out["ridge_area_m2"], out["class_area_m2"] = deduct_ridges(out["area_m2"], share)
    if coefficients is not None:
        out["ridge_class_code"] = [RIDGE_CLASS if s > 0 else None for s in share]
    return out


def control_areas(villages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Copy of the villages whose missing control areas are their own ellipsoidal areas (补控制面积)."""
    out = villages.copy()
    own = compute_areas(villages)["ellipsoid_area_m2"]
    out["control_area_m2"] = out["control_area_m2"].fillna(own) if "control_area_m2" in out.columns else own
    return out


def level_to_villages(
    frame: gpd.GeoDataFrame,
    villages: pd.DataFrame,
    *,
    overrides: Mapping[str, float] | None = None,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Level the patches of every control unit to its control area (分村、分描述说明平差).

    Parameters
    ----------
    frame : GeoDataFrame, table ``landuse_patch``, n rows
        With ``village_code`` and ``area_m2``; ridges are deducted anew from ``ridge_coefficient``.
    villages : DataFrame, table ``village``, k rows
        With ``control_area_m2``; a village without one is left as it is. Where ``island_code`` is given, land and
        islands of a village are rows and units of their own.
    overrides : mapping, optional
        Values for parameters, such as ``levelling_max_rel``.

    Returns
    -------
    frame, log
        The patches in the same order, and one row a control unit of ``LOG_COLUMNS``.

    Raises
    ------
    TopologyError
        A village differs too much; all such villages are named.
    MissingDataError
        A patch names a village that is not there.
    """
    require_columns("landuse_patch", list(frame.columns), names=("village_code", "area_m2"))
    of_patch, of_village = control_units(frame, villages)
    _refuse_unknown(of_patch, of_village)
    limit = parameter("levelling_max_rel", overrides)
    ids = frame["patch_id"].astype(str).to_numpy() if "patch_id" in frame.columns else np.arange(len(frame)).astype(str)
    old, new = frame["area_m2"].to_numpy(dtype=float), frame["area_m2"].to_numpy(dtype=float, copy=True)
    members = frame.reset_index(drop=True).groupby(of_patch).indices
    log, refused = [], []
    for unit, (_, village) in zip(of_village, villages.iterrows(), strict=True):
        at = members.get(unit, np.empty(0, dtype=np.int64))
        control = village.get("control_area_m2")
        try:
            if len(at) and pd.notna(control):
                new[at] = level_areas(old[at], float(control), keys=ids[at], max_rel=limit)
        except TopologyError as error:
            refused.append(f"{unit} {village.get('village_name', '')}: {error.found}")
            continue
        log.append(_log_row(village, old[at], new[at], control))
    if refused:
        raise TopologyError(
            "villages cannot be levelled: " + "; ".join(refused),
            expected=f"|difference| / control <= {limit:g}",
            cure="图斑有缺漏或重叠, 先处理拓扑问题再平差",
        )
    out = frame.copy()
    out["area_m2"] = new
    share = frame["ridge_coefficient"] if "ridge_coefficient" in frame.columns else np.zeros(len(frame))
    out["ridge_area_m2"], out["class_area_m2"] = deduct_ridges(new, share)
    return out, pd.DataFrame(log, columns=list(LOG_COLUMNS))


def _half_up(number: Decimal) -> Decimal:
    return number.to_integral_value(rounding=ROUND_HALF_UP)


def _some(rows: np.ndarray) -> str:
    return ", ".join(str(int(r)) for r in rows[:10]) + (f" … ({len(rows)} rows)" if len(rows) > 10 else "")


def _refuse_large(difference: int, control: int, limit: float) -> None:
    if control <= 0 or abs(difference) > limit * control:
        raise TopologyError(
            f"patches sum to {(control - difference) / 100:.2f} m2, the control area is {control / 100:.2f} m2",
            expected=f"|difference| / control <= {limit:g}",
            cure="图斑有缺漏或重叠, 先处理拓扑问题再平差",
        )


def _refuse_unknown(of_patch: np.ndarray, of_village: np.ndarray) -> None:
    unknown = np.flatnonzero(~np.isin(of_patch.astype(str), of_village.astype(str)))
    if len(unknown):
        raise MissingDataError(
            f"{len(unknown)} patches lie in no village of the list: rows {_some(unknown)}",
            expected="village_code of the village layer",
            cure="补齐村级调查区 (有海岛的村按描述说明分行) 或坐落单位代码",
        )


def _log_row(village: pd.Series, old: np.ndarray, new: np.ndarray, control: float | None) -> list[object]:
    before = int(hundredths(old).sum())
    change = int(hundredths(new).sum()) - before
    has = pd.notna(control) and len(old) > 0
    step, rest = divmod(abs(change), len(old)) if len(old) else (0, 0)
    status = "levelled" if change else ("closed" if has else ("no_control" if len(old) else "no_patches"))
    return [
        str(village["village_code"]),
        village.get("village_name", ""),
        len(old),
        before / 100.0,
        control if has else np.nan,
        change / 100.0,
        step / 100.0,
        rest,
        status,
    ]


def _looked_up(frame: pd.DataFrame, coefficients: pd.DataFrame, class_scheme: str) -> np.ndarray:
    require_columns("landuse_patch", list(frame.columns), names=("class_code", "farmland_type", "slope_class"))
    ridged = {c.code for c in land_classes(class_scheme).values() if c.ridge_applies}
    keys = list(zip(frame["farmland_type"].astype(str), frame["slope_class"].astype(str)))
    table = {(str(t), str(s)): float(c) for t, s, c in coefficients[["farmland_type", "slope_class", "coefficient"]].to_numpy()}
    wanted = frame["class_code"].isin(ridged).to_numpy() & (frame["slope_class"].astype(str) > "1").to_numpy()
    missing = [i for i in np.flatnonzero(wanted) if keys[i] not in table]
    if missing:
        kinds = sorted({" ".join(keys[i]) for i in missing})
        raise MissingDataError(
            f"no ridge coefficient for {', '.join(kinds)}: rows {_some(np.array(missing))}",
            expected="a row for each farmland type and slope class",
            cure="补全县级田坎系数表",
        )
    return np.array([table[k] if w else 0.0 for k, w in zip(keys, wanted)])
