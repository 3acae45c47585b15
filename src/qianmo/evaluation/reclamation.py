"""Quality of reclaimed land after TD/T 1036: samples against criteria, yields against the surroundings (土地复垦质量)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qianmo.evaluation.own_tables import Rows, known_tables, number_of, region_of, table_rows
from qianmo.schema.errors import CodeError, RuleError
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, PASS, parameter

__all__ = ["PENDING", "RECLAMATION_TABLES", "ReclamationModel", "judge_parcels", "judge_samples", "reclamation_model", "target_of", "years_to_level"]

RECLAMATION_TABLES = ("reclamation_region", "reclamation_target", "reclamation_criterion")
"""Names of the tables, all in ``schema/parameters``; a county gives its own under the same names."""

PENDING = "pending"
"""Verdict of yields that may still reach the level in time (产量未到期)."""

_ORDER = (FAIL, CONFIRM, NO_DATA, PENDING, PASS)
"""Verdicts, the one that decides first."""


@dataclass(frozen=True)
class ReclamationModel:
    """One of the regions: years until the yield of the surroundings, criteria by target, first figures of the classes of each target (复垦标准).

    `late` is the verdict where the years are over: fail, or needs_confirmation where their text was not confirmed.
    """

    region: str
    region_zh: str
    years: float
    late: str
    criteria: Rows
    targets: Mapping[str, tuple[str, str]]

    def applied(self, target: str, form: str) -> Rows:
        """The criteria of a target on land of a form ('' or ``terrace``), for each indicator the most particular: region before form before all."""
        best: dict[str, tuple[int, Mapping[str, str]]] = {}
        for row in self.criteria:
            if target not in row["target"].split(";") or row["form"] not in ("", form):
                continue
            rank = 2 * (row["region"] != "*") + (row["form"] != "")
            if row["indicator"] not in best or rank > best[row["indicator"]][0]:
                best[row["indicator"]] = rank, row
        return [row for _, row in best.values()]


def reclamation_model(own: Mapping[str, Rows] | None = None, *, region: str | None = None) -> ReclamationModel:
    """The criteria of one region from the shipped tables, with those of the county in their place (组装并检查复垦标准).

    Raises
    ------
    SchemaError
        An unknown table or region, or a table without a needed column.
    RuleError
        A criterion without limits or with the lower above the upper, two for one case, an unknown target, years that are no number above 0.
    """
    told = own or {}
    known_tables(told, RECLAMATION_TABLES)
    tables = {n: table_rows(n, told.get(n)) for n in RECLAMATION_TABLES}
    where = region_of(tables["reclamation_region"], region, what="reclamation_region")
    years = number_of(where, "years_to_level", what=f"reclamation_region {where['region']}")
    if years <= 0:
        raise RuleError(f"reclamation_region {where['region']}: years_to_level 为 {years:g}", expected="大于 0")
    targets = {r["class_prefix"]: (r["target"], r["target_zh"]) for r in tables["reclamation_target"]}
    regions = {r["region"] for r in tables["reclamation_region"]}
    seen: set[tuple[str, ...]] = set()
    for row in tables["reclamation_criterion"]:
        what = f"reclamation_criterion {row['target']} {row['indicator']}"
        low, high = number_of(row, "lower", what=what, otherwise=-np.inf), number_of(row, "upper", what=what, otherwise=np.inf)
        if low > high or (low == -np.inf and high == np.inf):
            raise RuleError(f"{what}: lower {row['lower']!r}, upper {row['upper']!r}", expected="至少一个, 且 lower 不大于 upper")
        strange = [r for r in row["region"].split(";") if r != "*" and r not in regions] + [t for t in row["target"].split(";") if t not in {k for k, _ in targets.values()}]
        if strange:
            raise RuleError(f"{what}: {', '.join(strange)}", expected=f"分区 {', '.join(sorted(regions))} 或 *; 方向 {', '.join(sorted({k for k, _ in targets.values()}))}")
        cases = {(r, t, row["form"], row["indicator"]) for r in row["region"].split(";") for t in row["target"].split(";")}
        if cases & seen:
            raise RuleError(f"{what}: 同一分区、方向与地形有两行", expected="各一行")
        seen |= cases
    criteria = [r for r in tables["reclamation_criterion"] if r["region"] == "*" or where["region"] in r["region"].split(";")]
    late = FAIL if (where.get("confidence") or "high") == "high" else CONFIRM
    return ReclamationModel(where["region"], where["name_zh"], years, late, criteria, targets)


def target_of(code: Sequence[str], model: ReclamationModel) -> list[tuple[str, str]]:
    """Target and its name for each class code, by the longest first figures that fit (复垦方向).

    Raises
    ------
    CodeError
        A class without a target; the codes are named.
    """
    prefixes = sorted(model.targets, key=len, reverse=True)
    found = [next((model.targets[p] for p in prefixes if str(c).startswith(p)), None) for c in code]
    lost = sorted({str(c) for c, f in zip(code, found) if f is None})
    if lost:
        raise CodeError(f"地类 {', '.join(lost)} 没有复垦方向", expected=", ".join(f"{p} {zh}" for p, (_, zh) in model.targets.items()), cure="样点表用 target_class 写明复垦后地类, 或在 reclamation_target 中加一行")
    return [f for f in found if f is not None]


def judge_samples(samples: pd.DataFrame, model: ReclamationModel) -> pd.DataFrame:
    """Every criterion of every sample (样点判定).

    Parameters
    ----------
    samples : DataFrame
        sample, patch_id, target, target_zh, form ('' or ``terrace``) and a column a `fact`; blank is not measured.

    Returns
    -------
    DataFrame, one row a sample and a criterion
        sample, patch_id, target, target_zh, indicator, name_zh, value, unit, limit_zh, verdict, reason_zh, confidence. A value on a limit passes. A
        criterion whose text was not confirmed (confidence not high) gives ``needs_confirmation`` instead of a bare fail. A criterion of the county
        without a confidence counts as confirmed.
    """
    rows = []
    for s in samples.to_dict("records"):
        for c in model.applied(s["target"], s["form"]):
            low, high = (number_of(c, k, what=c["indicator"], otherwise=o) for k, o in (("lower", -np.inf), ("upper", np.inf)))
            told = s.get(c["fact"])
            value = float("nan") if told is None or told == "" else float(told)
            limit = _limit(low, high, c["unit"])
            confidence = c.get("confidence") or "high"
            if value != value:
                verdict, reason = NO_DATA, f"{c['name_zh']}未检测"
            elif low <= value <= high:
                verdict, reason = PASS, ""
            else:
                verdict = FAIL if confidence == "high" else CONFIRM
                reason = f"{c['name_zh']} {_quantity(value, c['unit'])}, 要求{limit}"
            rows.append((s["sample"], s["patch_id"], s["target"], s["target_zh"], c["indicator"], c["name_zh"], value, c["unit"], limit, verdict, reason, confidence))
    names = ["sample", "patch_id", "target", "target_zh", "indicator", "name_zh", "value", "unit", "limit_zh", "verdict", "reason_zh", "confidence"]
    return pd.DataFrame(rows, columns=names)


def years_to_level(year: np.ndarray, share: np.ndarray) -> tuple[float, bool]:
    """Years after reclamation until the yield is that of the surroundings, and whether it was measured (达到周边产量的年数).

    Parameters
    ----------
    year, share : (n,)
        Harvests in years after reclamation, and yield over that of the surroundings.

    Returns
    -------
    (years, measured)
        The first harvest from which the level was held, measured; else the first whole year at which the straight line through the shares (least squares)
        reaches 1, later than the last harvest, not measured; infinite where the shares do not rise or there is one harvest.

    >>> years_to_level(np.array([1.0, 2, 3]), np.array([0.7, 0.9, 1.1]))
    (3.0, True)
    >>> years_to_level(np.array([1.0, 2]), np.array([0.6, 0.7]))
    (5.0, False)
    """
    means = pd.Series(np.asarray(share, float)).groupby(np.asarray(year, float)).mean()
    t, y = means.index.to_numpy(float), means.to_numpy(float)
    below = np.flatnonzero(y < 1.0 - 1e-9)
    if not len(below):
        return float(t[0]), True
    if below[-1] < len(t) - 1:
        return float(t[below[-1] + 1]), True
    spread = t - t.mean()
    slope = float(spread @ (y - y.mean()) / (spread @ spread)) if len(t) > 1 else 0.0
    if slope <= 1e-12:
        return float("inf"), False
    reached = t.mean() + (1.0 - y.mean()) / slope
    return float(max(np.ceil(reached - 1e-9), np.floor(t[-1]) + 1.0)), False


def judge_parcels(
    samples: pd.DataFrame, results: pd.DataFrame, yields: pd.DataFrame, model: ReclamationModel, overrides: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Verdict of every sampled parcel, with what fails or is missing (地块判定).

    Parameters
    ----------
    samples, results : DataFrame
        As given to, and from :func:`judge_samples`.
    yields : DataFrame
        patch_id, years_after, yield_kg_mu, surrounding_kg_mu; may be empty.

    Returns
    -------
    DataFrame, one row a parcel of `samples` or `yields`
        patch_id, samples, passed, yield_share, years_to_level, yield_zh, verdict, reason_zh. For each criterion ``reclamation_pass_share`` of the samples that
        were measured must pass. A parcel without samples, or with a criterion nobody measured, is ``no_data`` unless something fails; one whose yields may still reach
        the level in time is ``pending``. Parcels whose yields were not measured are judged by their samples.
    """
    least = parameter("reclamation_pass_share", overrides)
    rows = []
    for patch in dict.fromkeys([*samples["patch_id"], *yields["patch_id"]]):
        mine, grown = results[results["patch_id"] == patch], yields[yields["patch_id"] == patch]
        found, reasons = _by_criterion(mine, least)
        share, years, words, verdict = _by_yield(grown, model)
        if not len(mine):
            found, reasons = [NO_DATA], ["该复垦方向没有标准" if (samples["patch_id"] == patch).any() else "没有样点检测值"]
        found += [verdict] if verdict else []
        reasons += [words] if verdict not in ("", PASS) else []
        bad = mine[mine["verdict"].isin([FAIL, CONFIRM])]["sample"].nunique()
        count = samples[samples["patch_id"] == patch]["sample"].nunique()
        rows.append((patch, count, (count - bad) if len(mine) else 0, share, years if np.isfinite(years) else np.nan, words, next(v for v in _ORDER if v in found), "; ".join(reasons)))
    return pd.DataFrame(rows, columns=["patch_id", "samples", "passed", "yield_share", "years_to_level", "yield_zh", "verdict", "reason_zh"])


def _by_criterion(mine: pd.DataFrame, least: float) -> tuple[list[str], list[str]]:
    found, reasons = [], []
    for _, part in mine.groupby("indicator", sort=False):
        first, measured = part.iloc[0], part[part["verdict"] != NO_DATA]
        bad = measured[measured["verdict"] != PASS]
        if not len(measured):
            found.append(NO_DATA)
            reasons.append(f"{first['name_zh']}未检测")
        elif 1.0 - len(bad) / len(measured) < least - 1e-9:
            found.append(FAIL if FAIL in set(bad["verdict"]) else CONFIRM)
            named = "、".join(bad["sample"].astype(str).head(3))
            reasons.append(f"{first['name_zh']} {len(bad)}/{len(measured)} 个样点不达标 ({named}), 如 {_quantity(bad['value'].iloc[0], first['unit'])}, 要求{first['limit_zh']}")
        else:
            found.append(PASS)
    return found, reasons


def _by_yield(grown: pd.DataFrame, model: ReclamationModel) -> tuple[float, float, str, str]:
    """Last share, years to the level, words, verdict; blanks where no yield was measured."""
    if not len(grown):
        return float("nan"), float("nan"), "未测产", ""
    year = grown["years_after"].to_numpy(float)
    share = (grown["yield_kg_mu"] / grown["surrounding_kg_mu"]).to_numpy(float)
    years, measured = years_to_level(year, share)
    last = float(share[year == year.max()].mean())
    limit = f"要求 {model.years:g} 年内"
    if measured:
        verdict = PASS if years <= model.years else model.late
        return last, years, f"第 {years:g} 年达到周边产量, {limit}", verdict
    if year.max() >= model.years:
        return last, years, f"第 {year.max():g} 年产量为周边的 {last:.0%}, {limit}达到", model.late
    trend = f"按趋势第 {years:g} 年达到" if np.isfinite(years) else "尚无上升趋势" if len(np.unique(year)) > 1 else "只有一年产量"
    return last, years, f"第 {year.max():g} 年产量为周边的 {last:.0%}, {trend}, {limit}", PENDING


def _limit(low: float, high: float, unit: str) -> str:
    if low == -np.inf:
        return f"不大于 {_quantity(high, unit)}"
    return f"不小于 {_quantity(low, unit)}" if high == np.inf else f"{low:g} 至 {_quantity(high, unit)}"


def _quantity(value: float, unit: str) -> str:
    if unit == "ratio":
        return f"{value:.4g} ({value:.1%})"
    return f"{value:.4g} {_UNITS.get(unit, unit)}".strip()


_UNITS = {"degree": "度", "cm": "厘米", "g/kg": "克/千克", "g/cm3": "克/立方厘米"}
