"""Results of the other rooms prepared as rows of printed tables (成果表数据整理)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from qianmo.reports.risks import risk_rows
from qianmo.reports.table_nature import rain_month_rows, rain_station_rows, rain_year_rows, soil_rows
from qianmo.reports.table_standard import STANDARD_ROWS
from qianmo.reports.table_survey import SURVEY_ROWS
from qianmo.reports.typography import cell_text, percent_text, word
from qianmo.schema.codes import class_schemes, land_classes
from qianmo.schema.errors import SchemaError
from qianmo.schema.measures import KEEP, measures
from qianmo.schema.rules import rules
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_names, table_spec

__all__ = ["PREPARED", "Results", "certificate_of", "is_not_involved", "result_frame", "sorted_verdicts", "totals_of", "verdict_word"]

Results = Mapping[str, Any]
"""Result tables by name, and the certificate as a dict."""

NOT_INVOLVED = "不涉及"
"""How the numbers of a verdict begin where the case of the rule does not occur."""

_SIZES = ("m2", "ha", "mu", "yuan", "元")

_VERDICT_ORDER = ("fail", "needs_confirmation", "pass", "no_data")


def result_frame(results: Results, key: str) -> pd.DataFrame | None:
    """One result table, or None where it is missing or has no rows.

    Raises
    ------
    SchemaError
        The result is not a table.
    """
    found = results.get(key)
    if found is None:
        return None
    if not isinstance(found, pd.DataFrame):
        raise SchemaError(f"result {key} is a {type(found).__name__}", expected="a DataFrame")
    return found if len(found) else None


def certificate_of(results: Results) -> dict[str, Any]:
    """The certificate of the plan, empty where there is none."""
    return dict(results.get("certificate") or {})


def totals_of(results: Results, key: str) -> dict[str, float]:
    """Whole-area figures that are no sums: the last row of ``fragmentation``."""
    frame = result_frame(results, key) if key == "fragmentation" else None
    whole = None if frame is None else frame[frame["village_code"] == ""]
    if whole is None or whole.empty:
        return {}
    names = {"patch_density": "patch_density_per_km2", "mesh_ha": "effective_mesh_ha", "shape": "area_weighted_shape", "simpson": "simpson"}
    return {new: float(whole.iloc[-1][old]) for new, old in names.items()}


def sorted_verdicts(results: Results) -> pd.DataFrame | None:
    """Verdicts, those against the plan first; the order of the rules otherwise."""
    frame = result_frame(results, "verdicts")
    if frame is None:
        return None
    strange = sorted(set(frame["verdict"]) - set(_VERDICT_ORDER))
    if strange:
        raise SchemaError(f"verdicts {strange}", expected=", ".join(_VERDICT_ORDER))
    return frame.iloc[np.argsort([_VERDICT_ORDER.index(v) for v in frame["verdict"]], kind="stable")]


def is_not_involved(numbers: Any) -> bool:
    """True for a verdict whose case does not occur in the project (不涉及)."""
    return isinstance(numbers, str) and numbers.startswith(NOT_INVOLVED)


def verdict_word(verdict: str, numbers: Any) -> str:
    """Verdict in Chinese; a pass because the case does not occur says so (判定用语)."""
    return word("verdict", verdict) + (f"（{NOT_INVOLVED}）" if is_not_involved(numbers) else "")


def _land_structure(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "land_structure")
    return None if frame is None else frame.sort_values("class_code")


def _villages_only(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "fragmentation")
    return None if frame is None else frame[frame["village_code"] != ""]


def _quality(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "quality")
    return None if frame is None else frame.assign(basis=[word("quality_basis", b) for b in frame["basis"]])


def _conflicts(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "conflicts")
    if frame is None:
        return None
    found = frame[frame["pairs"] > 0]
    return found.assign(layer_a=_layers(found["layer_a"]), layer_b=_layers(found["layer_b"]))


def _idle_kinds(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "idle_land")
    if frame is None:
        return None
    sums = frame.groupby("kind", as_index=False).agg(patches=("patch_id", "size"), area_m2=("area_m2", "sum"))
    return sums.assign(kind=[word("idle", k) for k in sums["kind"]], area_m2=sums["area_m2"].round(2))


def _indicators(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "indicators")
    if frame is None:
        return None
    order = frame.sort_values("group", key=lambda g: g.map({"jingshan": 0}).fillna(1), kind="stable")
    units = [word("unit", str(u)) or "百分比" for u in order["unit"]]
    shapes = [{"百分比": "0.00%", "个": "integer"}.get(u, "0.00") for u in units]
    return order.assign(group=[word("indicator_group", g) for g in order["group"]], unit=units, row_format=shapes)


def _flow(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "flow_matrix")
    if frame is None:
        return None
    moved = frame[frame["from_class"] != frame["to_class"]]
    parts = {
        "before_m2": frame.groupby("from_class")["area_m2"].sum(), "in_m2": moved.groupby("to_class")["area_m2"].sum(),
        "out_m2": moved.groupby("from_class")["area_m2"].sum(), "after_m2": frame.groupby("to_class")["area_m2"].sum(),
    }  # fmt: skip
    wide = pd.DataFrame(parts).fillna(0.0).round(2).rename_axis("class_code").sort_index().reset_index()
    return wide.assign(class_name=_class_names(wide["class_code"]))


def _flow_matrix(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "flow_matrix")
    if frame is None:
        return None
    moved = frame[(frame["from_class"] != frame["to_class"])].sort_values(["from_class", "to_class"])
    return moved.assign(from_class=_coded(moved["from_class"]), to_class=_coded(moved["to_class"]))


def _tenure(results: Results) -> pd.DataFrame | None:
    plan = result_frame(results, "plan_parcel")
    if plan is None:
        return None
    works = plan[plan["measure"] != KEEP]
    named = works.assign(village_name=_village_names(works["village_code"], results))
    sums = named.groupby("village_name", as_index=False).agg(patches=("patch_id", "size"), area_m2=("class_area_m2", "sum"))
    return sums.assign(area_m2=sums["area_m2"].round(2), state="待权属调查")


def _swap_balance(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "swap_balance")
    if frame is None:
        return None
    shown = frame[(frame["before_m2"] != 0) | (frame["in_m2"] != 0)]
    return shown.assign(township=["合计" if c == "*" else str(c) or "未注明" for c in shown["township_code"]])


def _swap_moved(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "swap_parcel")
    if frame is None:
        return None
    moved = frame[frame["decision"].isin(["leave", "enter"])].sort_values("decision", ascending=False, kind="stable")
    return moved.assign(
        decision=["调出" if d == "leave" else "调入" for d in moved["decision"]], village_name=_village_names(moved["village_code"], results),
        class_code=_coded(moved["class_code"]), grade=["" if pd.isna(g) else f"{int(g)}" for g in moved["quality_grade"]],
        to_confirm=[f"{t.count(';') + 1}项" if t else "" for t in moved["to_confirm"].fillna("").astype(str)],
    )  # fmt: skip


def _plan_parcel(results: Results) -> pd.DataFrame | None:
    plan = result_frame(results, "plan_parcel")
    if plan is None:
        return None
    works = plan[plan["measure"] != KEEP]
    names = {m.id: m.zh for m in measures().values()}
    return works.assign(
        measure=[names.get(m, m) for m in works["measure"]], class_code=_coded(works["class_code"]), target_class=_coded(works["target_class"])
    )


def _kept_parcel(results: Results) -> pd.DataFrame | None:
    plan = result_frame(results, "plan_parcel")
    if plan is None:
        return None
    kept = plan[plan["measure"] == KEEP].head(_MOST_KEPT)
    return kept.assign(class_code=_coded(kept["class_code"]))


def _verdicts(results: Results) -> pd.DataFrame | None:
    frame = sorted_verdicts(results)
    if frame is None:
        return None
    return pd.DataFrame(
        {
            "rule_id": frame["rule_id"], "text_zh": frame["text_zh"], "verdict": [verdict_word(v, n) for v, n in zip(frame["verdict"], frame["numbers"])],
            "value": ["" if is_not_involved(n) else _measured(v, u) for v, u, n in zip(frame["value"], frame["unit"], frame["numbers"])],
            "threshold": [_wanted(*row) for row in zip(frame["rule_id"], frame["comparator"], frame["threshold"], frame["unit"])],
            "margin": frame["margin"], "detail": [_detail(n, m) for n, m in zip(frame["numbers"], frame["missing"])],
            "severity": [word("severity", s) for s in frame["severity"]], "confidence": [word("confidence", c) for c in frame["confidence"]],
        }
    )  # fmt: skip


def _risks(results: Results) -> pd.DataFrame | None:
    verdicts, faults, lineage = (result_frame(results, k) for k in ("verdicts", "faults_summary", "lineage"))
    return risk_rows(verdicts, faults, lineage, certificate_of(results))


def _rule_sources(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "verdicts")
    if frame is None:
        return None
    return frame.assign(confidence=[word("confidence", c) for c in frame["confidence"]], source=[_source_words(str(s)) for s in frame["source"]])


def _source_words(text: str) -> str:
    """The record of where a rule comes from, its standing phrases in Chinese."""
    for row in shipped_rows("codes", "report_words"):
        if row["group"] == "source":
            text = text.replace(row["code"], row["zh"])
    return text


def _carbon_class(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "carbon_class")
    return None if frame is None else frame.assign(confidence=[word("confidence", c) if c else "" for c in frame["confidence"]])


def _service_check(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "service_check")
    return None if frame is None else frame.assign(confidence=[word("confidence", c) for c in frame["confidence"]])


def _limits(results: Results) -> pd.DataFrame | None:
    rows = certificate_of(results).get("limits") or []
    if not rows:
        return None
    table = pd.DataFrame(rows).reindex(columns=["id", "zh", "rule_id", "value", "relation", "bound", "unit", "slack", "price"])
    numbers = {c: [_short(x) for x in table[c]] for c in ("value", "bound", "slack", "price")}
    return table.assign(**numbers, relation=[word("comparator", r) for r in table["relation"]], unit=[word("unit", str(u or "")) for u in table["unit"]])


def _checks(results: Results) -> pd.DataFrame | None:
    rows = certificate_of(results).get("checks") or []
    if not rows:
        return None
    table = pd.DataFrame(rows).reindex(columns=["id", "zh", "ok", "found", "expected"])
    named = table["zh"].where(table["zh"].notna(), table["id"])
    return table.assign(
        zh=named, ok=["通过" if ok is True or ok == 1 else "不通过" for ok in table["ok"]], found=[_short(x) for x in table["found"]],
        expected=[_short(x) for x in table["expected"]],
    )  # fmt: skip


def _faults(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "faults_summary")
    if frame is None:
        return None
    order = frame.sort_values("severity", key=lambda s: s.map({"error": 0, "warning": 1}).fillna(2), kind="stable")
    return order.assign(severity=[word("fault_severity", s) for s in order["severity"]], what=[word("fault", w) for w in order["what"]])


def _lineage(results: Results) -> pd.DataFrame | None:
    frame = result_frame(results, "lineage")
    if frame is None:
        return None
    return frame.assign(
        dataset=_layers(frame["dataset"]), sha256=[str(s or "")[:16] for s in frame["sha256"]], synthetic=["是" if s else "否" for s in frame["synthetic"]]
    )


def _survey_classed(results: Results, *, key: str) -> pd.DataFrame | None:
    """Rows of a survey table with the names of the land classes beside their codes."""
    frame = SURVEY_ROWS[key](results) if key in SURVEY_ROWS else result_frame(results, key)
    if frame is None:
        return None
    column = "from_class" if key == "change_class" else "class_code"
    return pd.DataFrame(frame).assign(**{column: _coded(frame[column])})


_MOST_KEPT = 1_000_000
"""Kept patches that a sheet of the workbook can list."""

PREPARED: Mapping[str, Callable[[Results], pd.DataFrame | None]] = MappingProxyType(
    {
        "land_structure": _land_structure, "fragmentation": _villages_only, "quality": _quality, "conflicts": _conflicts,
        "idle_kinds": _idle_kinds, "indicators": _indicators, "flow": _flow, "flow_matrix": _flow_matrix, "tenure": _tenure,
        "plan_parcel": _plan_parcel, "verdicts": _verdicts, "rule_sources": _rule_sources, "risks": _risks, "limits": _limits, "checks": _checks,
        "faults_summary": _faults, "lineage": _lineage, "swap_balance": _swap_balance, "swap_moved": _swap_moved,
        "service_check": _service_check, "carbon_class": _carbon_class, "rain_station": rain_station_rows, "rain_year": rain_year_rows, "rain_month": rain_month_rows,
        "soil_area": soil_rows, "kept_parcel": _kept_parcel, **SURVEY_ROWS, **STANDARD_ROWS,
        **{key: partial(_survey_classed, key=key) for key in ("erosion_patch", "land_damage_patch", "change_signal", "change_series", "change_class")},
    }
)  # fmt: skip
"""Table key → how its rows are made; tables that are not named take the result as it is."""


def _class_names(codes: pd.Series) -> list[str]:
    known = {c: k.zh for scheme in reversed(class_schemes()) for c, k in land_classes(scheme).items()} | {
        c: k.zh for c, k in land_classes("SD3").items()
    }
    return [known.get(str(c), "") for c in codes]


def _coded(codes: pd.Series) -> list[str]:
    return [f"{name}({code})" if name else str(code) for code, name in zip(codes, _class_names(codes))]


def _layers(names: pd.Series) -> list[str]:
    return [table_spec(n).zh if n in table_names() else word("layer", str(n)) for n in names]


def _village_names(codes: pd.Series, results: Results) -> list[str]:
    known: dict[str, str] = {}
    for key in ("structure_by_village", "fragmentation", "subproject"):
        frame = result_frame(results, key)
        if frame is not None:
            known |= dict(zip(frame["village_code"].astype(str), frame["village_name"].astype(str)))
    return [known.get(str(c)) or str(c) or "未注明" for c in codes]


def _measured(value: Any, unit: Any) -> str:
    if _blank(value):
        return ""
    if unit == "ratio":
        return percent_text(float(value))
    return f"{cell_text(value, '0.00') if unit in _SIZES else _short(value)}{word('unit', str(unit or ''))}"


def _wanted(rule_id: Any, comparator: Any, threshold: Any, unit: Any) -> str:
    """The limit in words: of the rule where nothing replaced its text, else relation, number and unit."""
    known = rules().get(str(rule_id))
    named = word("threshold", str(rule_id))
    if known is not None and named != rule_id and str(threshold or "") in ("", known.threshold):
        return named
    if _blank(threshold):
        return ""
    sign = "" if _blank(comparator) else word("comparator", str(comparator))
    return f"{sign}{_bound(str(threshold), str(unit or ''))}"


def _bound(threshold: str, unit: str) -> str:
    if unit == "ratio":
        return re.sub(r"\d+(?:\.\d+)?", lambda m: f"{float(m[0]) * 100:.4g}%", threshold)
    return threshold + word("unit", unit)


def _detail(numbers: Any, missing: Any) -> str:
    parts = [] if _blank(numbers) else [str(numbers)]
    return "；".join(parts if _blank(missing) else [*parts, f"缺少：{missing}"])


def _short(value: Any) -> str:
    if _blank(value):
        return ""
    if isinstance(value, list | tuple):
        return "、".join(_short(v) for v in value[:2]) + (f" 等 {len(value)} 项" if len(value) > 2 else "")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return value[:16] + "…" if len(value) > 24 else value
    number = float(value)
    return f"{number:.2f}".rstrip("0").rstrip(".") if abs(number) >= 100 else f"{number:.6g}"


def _blank(value: Any) -> bool:
    return value is None or value is pd.NA or value != value or value == ""
