"""The table of risks, made from verdicts, faults and invented inputs, never from imagination (风险表)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from qianmo.reports.typography import word
from qianmo.schema.rules import CONFIRM, FAIL, NO_DATA, rules
from qianmo.schema.tables import table_names, table_spec

__all__ = ["RISK_COLUMNS", "risk_rows"]

RISK_COLUMNS = ("number", "kind", "what", "level", "answer", "origin")
_HIGH, _MIDDLE, _LOW = "高", "中", "低"
_ORDER = {_HIGH: 0, _MIDDLE: 1, _LOW: 2}
_MOST_MISSING = 2


def risk_rows(
    verdicts: pd.DataFrame | None, faults: pd.DataFrame | None, lineage: pd.DataFrame | None, certificate: dict[str, Any]
) -> pd.DataFrame:
    """One row a risk, the worst first (风险识别).

    Parameters
    ----------
    verdicts : DataFrame, table ``verdict``, optional
        A fail and a text to be confirmed give a row each; rules without data give a row for each field of policy.
    faults : DataFrame, columns rule, severity, what, count, optional
        Errors and warnings of the data check.
    lineage : DataFrame, columns dataset, synthetic, optional
        Invented data sets give one row.
    certificate : dict
        Rules under ``waived`` give one row.

    Returns
    -------
    DataFrame, columns `RISK_COLUMNS`, all text
    """
    rows = [*_waived(certificate), *_invented(lineage)]
    if verdicts is not None:
        rows += [_judged(r) for r in verdicts.to_dict("records") if r["verdict"] in (FAIL, CONFIRM)]
        rows += _unanswered(verdicts[verdicts["verdict"] == NO_DATA])
    if faults is not None:
        rows += [_faulty(r) for r in faults.to_dict("records") if r["severity"] in ("error", "warning")]
    rows.sort(key=lambda r: _ORDER[r["level"]])
    return pd.DataFrame([{"number": str(n), **r} for n, r in enumerate(rows, start=1)], columns=list(RISK_COLUMNS))


def _judged(row: dict[str, Any]) -> dict[str, str]:
    failed = row["verdict"] == FAIL
    hard = row["severity"] == "hard"
    level = (_HIGH if hard else _MIDDLE) if failed else (_MIDDLE if hard else _LOW)
    margin = f"（{row['margin']}）" if isinstance(row["margin"], str) and row["margin"] else ""
    answer = "调整方案或退出相关图斑，重新判定；整改到位前不报批" if failed else "核对规则原文和本地实施细则后重新判定"
    return _risk("合规风险", f"{row['text_zh']}：{word('verdict', row['verdict'])}{margin}", level, answer, f"规则{row['rule_id']}")


def _unanswered(rows: pd.DataFrame) -> list[dict[str, str]]:
    known = rules()
    domains = pd.Series([known[r].domain if r in known else "其他" for r in rows["rule_id"]], index=rows.index, dtype=object)
    made = []
    for domain, part in rows.groupby(domains, sort=False):
        missing = list(dict.fromkeys(str(m) for m in part["missing"] if isinstance(m, str) and m))
        more = "等" if len(missing) > _MOST_MISSING else ""
        need = "；".join(missing[:_MOST_MISSING]) + more if missing else "有关资料"
        level = _MIDDLE if (part["severity"] == "hard").any() else _LOW
        what = f"{domain}类规则{len(part)}条因缺少数据尚不能判定"
        made.append(_risk("资料风险", what, level, f"补充资料后重新判定：{need}", "规则" + "、".join(part["rule_id"])))
    return made


def _faulty(row: dict[str, Any]) -> dict[str, str]:
    level = _HIGH if row["severity"] == "error" else _MIDDLE
    what = f"数据质检发现“{word('fault', str(row['what']))}”{int(row['count'])}处"
    return _risk("数据风险", what, level, "按质检问题清单逐条核实、修正后重新计算", f"质检规则{row['rule']}")


def _invented(lineage: pd.DataFrame | None) -> list[dict[str, str]]:
    if lineage is None or not lineage["synthetic"].astype(bool).any():
        return []
    names = "、".join(lineage.loc[lineage["synthetic"].astype(bool), "dataset"].map(_dataset))
    answer = "以经审查入库的正式成果替换后重新编制；替换前本方案仅供演示，不作为审批依据"
    return [_risk("数据风险", f"下列数据为合成数据：{names}", _HIGH, answer, "数据来源表")]


def _waived(certificate: dict[str, Any]) -> list[dict[str, str]]:
    waived = [str(w) for w in certificate.get("waived") or []]
    if not waived:
        return []
    what = "编制时按用户要求未作为约束的规则：" + "、".join(waived)
    return [_risk("合规风险", what, _HIGH, "报批前取得批准文件，或恢复约束后重新编制", "最优性证书")]


def _risk(kind: str, what: str, level: str, answer: str, origin: str) -> dict[str, str]:
    return {"kind": kind, "what": what, "level": level, "answer": answer, "origin": origin}


def _dataset(name: str) -> str:
    return table_spec(name).zh if name in table_names() else name
