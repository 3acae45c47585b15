"""Farmland against the standard of high-standard farmland GB/T 30600: scores, gaps, works that close them (高标准农田达标评价)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qianmo.evaluation.own_tables import Rows, known_tables, number_of, region_of, table_rows
from qianmo.schema.errors import RuleError

__all__ = ["HIGH_STANDARD_TABLES", "HighStandardModel", "high_standard_model", "judge_area", "judge_patches", "score_patches", "work_table"]

HIGH_STANDARD_TABLES = ("high_standard_region", "high_standard_indicator", "high_standard_facility")
"""Names of the tables, all in ``schema/parameters``; a county gives its own under the same names."""

FULL_SCORE = 2


@dataclass(frozen=True)
class HighStandardModel:
    """Indicators of one region; classes whose area counts as field facilities (高标准农田指标)."""

    region: str
    region_zh: str
    rows: Rows
    facilities: tuple[str, ...]

    def applied(self, scope: str, land: str, terrain: str) -> Rows:
        """Indicators of a scope (parcel or area) for ``paddy`` or ``dry`` land on ``plain`` or ``hilly`` ground, the most particular row of each."""
        best: dict[str, tuple[int, Mapping[str, str]]] = {}
        for row in self.rows:
            if row["scope"] != scope or row["land"] not in ("", land) or row["terrain"] not in ("", terrain):
                continue
            rank = 4 * (row["region"] != "*") + 2 * (row["land"] != "") + (row["terrain"] != "")
            if row["indicator"] not in best or rank > best[row["indicator"]][0]:
                best[row["indicator"]] = rank, row
        return [row for _, row in best.values()]

    @property
    def parcel_rows(self) -> Rows:
        """Rows of the indicators of parcels, whatever the land."""
        return [r for r in self.rows if r["scope"] == "parcel"]


def high_standard_model(own: Mapping[str, Rows] | None = None, *, region: str | None = None) -> HighStandardModel:
    """The indicators of one region from the shipped tables, with those of the county in their place (组装并检查高标准农田指标).

    Raises
    ------
    SchemaError
        An unknown table or region, or a table without a needed column.
    RuleError
        Limits that are missing, in the wrong order, or of score 1 inside those of score 2; an unknown scope, land or terrain; two rows for one case.
    """
    told = own or {}
    known_tables(told, HIGH_STANDARD_TABLES)
    tables = {n: table_rows(n, told.get(n)) for n in HIGH_STANDARD_TABLES}
    where = region_of(tables["high_standard_region"], region, what="high_standard_region")
    seen: set[tuple[str, ...]] = set()
    for row in tables["high_standard_indicator"]:
        what = f"high_standard_indicator {row['indicator']}"
        if row["scope"] not in ("parcel", "area") or row["land"] not in ("", "paddy", "dry") or row["terrain"] not in ("", "plain", "hilly"):
            raise RuleError(f"{what}: {row['scope']}, {row['land']}, {row['terrain']}", expected="scope 为 parcel 或 area; land 为空、paddy 或 dry; terrain 为空、plain 或 hilly")
        full, part = _limits(row)
        if full[0] > full[1] or full == (-np.inf, np.inf) or not (part[0] <= full[0] and part[1] >= full[1]):
            raise RuleError(f"{what}: 满分 {full}, 及格 {part}", expected="满分界限至少一个且次序正确, 1 分的范围包含 2 分的范围")
        case = tuple(row[k] for k in ("region", "scope", "land", "terrain", "indicator"))
        if case in seen:
            raise RuleError(f"{what}: 同一分区、层次、地类与地形有两行", expected="各一行")
        seen.add(case)
    rows = [r for r in tables["high_standard_indicator"] if r["region"] in ("*", where["region"])]
    return HighStandardModel(where["region"], where["name_zh"], rows, tuple(r["class_code"] for r in tables["high_standard_facility"]))


def score_patches(facts: pd.DataFrame, model: HighStandardModel) -> pd.DataFrame:
    """Score and gap of every indicator of n patches (图斑指标得分).

    Parameters
    ----------
    facts : DataFrame
        patch_id, land (``paddy`` or ``dry``), terrain (``plain`` or ``hilly``) and a column a `fact`; blank is not known.

    Returns
    -------
    DataFrame, one row a patch and an indicator, in the order of the patches
        patch_id, indicator, name_zh, value, target_zh, score (2 within the limits of the standard, 1 within the wider ones, 0 beyond, NaN unknown), gap (to the
        limits of score 2, 0 within), gap_zh, work, work_zh, needed. The score never falls when the gap shrinks. Indicators that are not needed are left out where unknown.
    """
    parts = []
    for (land, terrain), mine in facts.groupby(["land", "terrain"], sort=False):
        for row in model.applied("parcel", str(land), str(terrain)):
            value = pd.to_numeric(mine[row["fact"]], errors="coerce").to_numpy(float, na_value=np.nan) if row["fact"] in mine else np.full(len(mine), np.nan)
            score, gap = _scored(row, value)
            parts.append(pd.DataFrame({
                "place": mine.index, "patch_id": mine["patch_id"].to_numpy(object), "indicator": row["indicator"], "name_zh": row["name_zh"], "value": value, "target_zh": _target(row),
                "score": score, "gap": gap, "gap_zh": [_gap_words(row, v, g) for v, g in zip(value, gap)], "work": np.where(gap > 0, row["work"], ""),
                "work_zh": np.where(gap > 0, row["work_zh"], ""), "needed": row["needed"] == "1",
            }))  # fmt: skip
    columns = ["patch_id", "indicator", "name_zh", "value", "target_zh", "score", "gap", "gap_zh", "work", "work_zh", "needed"]
    if not parts:
        return pd.DataFrame(columns=columns)
    table = pd.concat(parts, ignore_index=True)
    table = table[table["needed"] | table["score"].notna()]
    return table.sort_values("place", kind="stable")[columns].reset_index(drop=True)


def judge_patches(scores: pd.DataFrame) -> pd.DataFrame:
    """Points and verdict of every patch (图斑达标判定).

    Returns
    -------
    DataFrame, one row a patch
        patch_id, points, full_points, score_share, unknown (needed indicators that are not known), verdict, gaps_zh, works_zh. ``short`` where an indicator scores 0, else
        ``unknown`` where a needed one is not known, else ``partly`` where one scores 1, else ``met``.
    """
    rows = []
    for patch, mine in scores.groupby("patch_id", sort=False):
        known = mine["score"].dropna()
        unknown = int((mine["needed"] & mine["score"].isna()).sum())
        verdict = "short" if (known == 0).any() else "unknown" if unknown or not len(known) else "partly" if (known == 1).any() else "met"
        points, full = int(known.sum()), FULL_SCORE * len(known)
        gaps = mine[mine["gap"] > 0]
        rows.append((patch, points, full, points / full if full else np.nan, unknown, verdict, "; ".join(gaps["gap_zh"]), "、".join(dict.fromkeys(gaps["work_zh"]))))
    return pd.DataFrame(rows, columns=["patch_id", "points", "full_points", "score_share", "unknown", "verdict", "gaps_zh", "works_zh"])


def judge_area(scores: pd.DataFrame, area: pd.Series, whole: Mapping[str, float], model: HighStandardModel, terrain: str) -> pd.DataFrame:
    """Every indicator over the whole area (片区指标得分).

    Parameters
    ----------
    area : Series, index patch_id
        Class area of the farmland. [ha]
    whole : mapping of fact to value
        Facts of the whole area: road_access_share, facility_share, mean_grade.
    terrain : str
        ``plain`` or ``hilly``, of most of the area.

    Returns
    -------
    DataFrame
        scope, indicator, name_zh, value, target_zh, score, full_ha, part_ha, short_ha, unknown_ha, work_zh, confidence. For indicators of parcels value and
        score are means weighted by area over the known parcels; for those of the area the score is 0, 1 or 2.
    """
    rows = []
    weights = scores["patch_id"].map(area).to_numpy(float)
    words = {r["indicator"]: r for r in model.parcel_rows}
    for indicator, mine in scores.groupby("indicator", sort=False):
        size, score = weights[mine.index.to_numpy()], mine["score"].to_numpy(float)
        known = np.isfinite(score)
        mean = [float(np.average(v[known], weights=size[known])) if known.any() and size[known].sum() > 0 else np.nan for v in (mine["value"].to_numpy(float), score)]
        sums = [float(size[score == s].sum()) for s in (2, 1, 0)] + [float(size[~known].sum())]
        targets = "; ".join(dict.fromkeys(mine["target_zh"]))
        row = words[str(indicator)]
        rows.append(("parcel", indicator, row["name_zh"], mean[0], targets, mean[1], *sums, row["work_zh"] if (mine["gap"] > 0).any() else "", row.get("confidence", "")))
    for row in model.applied("area", "", terrain):
        value = whole.get(row["fact"], np.nan)
        if value != value and row["needed"] != "1":
            continue
        score, gap = _scored(row, np.array([value]))
        rows.append(("area", row["indicator"], row["name_zh"], value, _target(row), score[0], *[np.nan] * 4, row["work_zh"] if gap[0] > 0 else "", row.get("confidence", "")))
    names = ["scope", "indicator", "name_zh", "value", "target_zh", "score", "full_ha", "part_ha", "short_ha", "unknown_ha", "work_zh", "confidence"]
    return pd.DataFrame(rows, columns=names)


def work_table(scores: pd.DataFrame, area: pd.Series, model: HighStandardModel) -> pd.DataFrame:
    """Works that close the gaps of parcels, largest area first (补齐措施): work, work_zh, indicators_zh, parcels, area_ha, cost_item."""
    need = scores[scores["gap"] > 0]
    cost = {r["work"]: r["cost_item"] for r in model.parcel_rows}
    rows = []
    for work, mine in need.groupby("work", sort=False):
        patches = mine["patch_id"].unique()
        rows.append((work, mine["work_zh"].iloc[0], "、".join(dict.fromkeys(mine["name_zh"])), len(patches), float(area.reindex(patches).sum()), cost[str(work)]))
    out = pd.DataFrame(rows, columns=["work", "work_zh", "indicators_zh", "parcels", "area_ha", "cost_item"])
    return out.sort_values("area_ha", ascending=False, kind="stable").reset_index(drop=True)


def _limits(row: Mapping[str, str]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of score 2 and of score 1; without limits of score 1 they are those of score 2."""
    what = f"high_standard_indicator {row['indicator']}"
    full = number_of(row, "full_low", what=what, otherwise=-np.inf), number_of(row, "full_high", what=what, otherwise=np.inf)
    part = number_of(row, "part_low", what=what, otherwise=-np.inf), number_of(row, "part_high", what=what, otherwise=np.inf)
    return full, full if not row["part_low"] and not row["part_high"] else part


def _scored(row: Mapping[str, str], value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    full, part = _limits(row)
    inside = [(value >= low - 1e-9) & (value <= high + 1e-9) for low, high in (full, part)]
    gap = np.where(inside[0], 0.0, np.maximum(full[0] - value, value - full[1]))
    score = np.where(inside[0], 2.0, np.where(inside[1], 1.0, 0.0))
    known = np.isfinite(value)
    return np.where(known, score, np.nan), np.where(known, gap, np.nan)


def _target(row: Mapping[str, str]) -> str:
    (low, high), _ = _limits(row)
    if low == -np.inf:
        return f"不大于 {_quantity(high, row['unit'])}"
    return f"不小于 {_quantity(low, row['unit'])}" if high == np.inf else f"{low:g} 至 {_quantity(high, row['unit'])}"


def _gap_words(row: Mapping[str, str], value: float, gap: float) -> str:
    if not gap > 0:
        return ""
    (low, _), _ = _limits(row)
    return f"{row['name_zh']} {_quantity(value, row['unit'])}, {'差' if value < low else '超'} {_quantity(gap, row['unit'])}"


def _quantity(value: float, unit: str) -> str:
    if unit == "ratio":
        return f"{value:.4g} ({value:.0%})"
    return f"{value:.4g} {_UNITS.get(unit, unit)}".strip()


_UNITS = {"degree": "度", "cm": "厘米", "g/kg": "克/千克", "m": "米", "year": "年", "day": "天", "grade": "等"}
