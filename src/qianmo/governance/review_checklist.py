"""Checklists of the departments, filled in by the verdicts of the rules (审查要点预填)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qianmo.schema.errors import SchemaError
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, PASS
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import require_columns, table_spec

__all__ = ["checklist", "checklist_rows", "suggestions"]

_WORDS = {PASS: "通过", FAIL: "不通过", CONFIRM: "规则文本待核实", NO_DATA: "缺数据"}


def checklist_rows(departments: Sequence[str] | None = None) -> tuple[dict[str, str], ...]:
    """Points of ``codes/review_checklist.csv``, of all departments or of some (审查要点表)."""
    return tuple(r for r in shipped_rows("codes", "review_checklist") if departments is None or r["department"] in departments)


def checklist(
    verdicts: pd.DataFrame, *, findings: pd.DataFrame | None = None, layer_versions: Mapping[str, str] | None = None,
    points: Sequence[Mapping[str, str]] | None = None, rule_layers: Mapping[str, Sequence[str]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every point with what the rules suggest, and every rule behind it (预填审查表).

    A hard rule that fails suggests reject, a soft one condition; evidence that is weak (the text of the rule is not confirmed) asks to
    confirm the text; missing data, a check that is only partly automatic, and points without rules are left to the officer.

    Parameters
    ----------
    verdicts : DataFrame, table ``verdict``
        One row a rule.
    findings : DataFrame, columns rule_id, patch_id, optional
        Parcels that a rule concerns; rows may repeat.
    layer_versions : mapping, optional
        Version of each layer of the package.
    points : sequence of rows of ``review_checklist``, optional
        All shipped points by default.
    rule_layers : mapping, optional
        Layers that each rule looks at, for the map chip.

    Returns
    -------
    (DataFrame, DataFrame)
        Tables ``review_point`` and ``review_link``, in the order of the points.

    Raises
    ------
    SchemaError
        Columns are missing, or a rule has two verdicts.
    """
    require_columns("verdict", list(verdicts.columns))
    if verdicts["rule_id"].duplicated().any():
        raise SchemaError(f"verdicts twice: {', '.join(verdicts.loc[verdicts['rule_id'].duplicated(), 'rule_id'])}", expected="one verdict a rule")
    rows = pd.DataFrame(list(checklist_rows() if points is None else points))
    pairs = rows[["item_id", "department", "rule_links"]].assign(rule_id=rows["rule_links"].str.split(";")).explode("rule_id")
    pairs = pairs[pairs["rule_id"].fillna("") != ""]
    wanted = ["rule_id", "verdict", "text_zh", "numbers", "severity", "source", "confidence", "missing"]
    told = verdicts.reindex(columns=wanted)
    links = pairs.merge(told, on="rule_id", how="left", sort=False)
    links["verdict"] = links["verdict"].fillna(NO_DATA)
    links["numbers"] = links["numbers"].where(links["verdict"] != NO_DATA, "缺:" + links["missing"].fillna("该规则没有判定"))
    links = links.fillna(dict.fromkeys(("text_zh", "numbers", "source", "severity"), "") | {"confidence": "low"})
    links = links.join(_parcels(findings), on="rule_id").fillna({"parcels": 0, "patch_ids": ""})
    links["parcels"] = links["parcels"].astype(int)
    versions = layer_versions or {}
    chips = {rule: ";".join(f"{n}@{versions[n]}" for n in names if n in versions) for rule, names in (rule_layers or {}).items()}
    links["layers"] = [chips.get(r, "") for r in links["rule_id"]]
    return _points(rows, links, findings), links[list(table_spec("review_link").column_names)].reset_index(drop=True)


def suggestions(points: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """What the review needs of the points: department, whether mandatory, what is suggested (预填要点)."""
    return {r.item_id: {"department": r.department, "mandatory": bool(r.mandatory), "suggested": r.suggested, "zh": r.item_zh} for r in points.itertuples()}


def _parcels(findings: pd.DataFrame | None) -> pd.DataFrame:
    if findings is None or findings.empty:
        return pd.DataFrame({"parcels": pd.Series(dtype=int), "patch_ids": pd.Series(dtype=str)})
    unique = findings[["rule_id", "patch_id"]].astype(str).drop_duplicates().sort_values(["rule_id", "patch_id"])
    grouped = unique.groupby("rule_id", sort=False)["patch_id"]
    return pd.DataFrame({"parcels": grouped.size(), "patch_ids": grouped.agg(";".join)})


def _points(rows: pd.DataFrame, links: pd.DataFrame, findings: pd.DataFrame | None) -> pd.DataFrame:
    verdict, binding = links["verdict"], links["severity"] != "info"
    weak = (verdict == CONFIRM) | ((verdict == PASS) & (links["confidence"] == "low"))
    flags = pd.DataFrame(
        {
            "item_id": links["item_id"], "linked": True, "reject": (verdict == FAIL) & (links["severity"] == "hard"), "confirm": weak & binding,
            "condition": (verdict == FAIL) & (links["severity"] == "soft"), "unclear": (verdict == NO_DATA) & binding,
        }
    ).groupby("item_id", sort=False).any()  # fmt: skip
    flags = flags.reindex(rows["item_id"]).fillna(False).astype(bool).reset_index(drop=True)
    is_automatic = (rows["auto_check"] == "yes").reset_index(drop=True)
    choices = [flags["reject"], flags["confirm"], flags["condition"], ~flags["linked"] | flags["unclear"] | ~is_automatic]
    said = links["rule_id"] + links["verdict"].map(_WORDS).fillna("") + np.where(links["numbers"] != "", "(" + links["numbers"] + ")", "")
    why = said.groupby(links["item_id"], sort=False).agg(";".join).reindex(rows["item_id"]).fillna("没有可自动核查的规则").to_numpy()
    counts = _counts(links, findings).reindex(rows["item_id"]).fillna(0).astype(int).to_numpy()
    made = rows.assign(
        mandatory=rows["mandatory"].astype(str) == "1", rules=rows["rule_links"], why=why, parcels=counts,
        suggested=np.select(choices, ["reject", "confirm", "condition", "manual"], "pass"),
    )  # fmt: skip
    return made[list(table_spec("review_point").column_names)]


def _counts(links: pd.DataFrame, findings: pd.DataFrame | None) -> pd.Series:
    """Parcels of a point, each once however many rules name it."""
    if findings is None or findings.empty:
        return pd.Series(dtype=int)
    pairs = links[["item_id", "rule_id"]].merge(findings[["rule_id", "patch_id"]].astype(str).drop_duplicates(), on="rule_id")
    return pairs.groupby("item_id")["patch_id"].nunique()
