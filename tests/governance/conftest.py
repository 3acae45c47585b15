"""A small library of invented projects."""

import pandas as pd
import pytest

from qianmo.governance.library.typed import typed_table
from qianmo.schema.tables import table_spec

PROJECTS = [
    ("P-1", "公共服务与基础设施建设", "生活污水治理", "东片", 5, 1.0, "2025-03-01", 1_200_000.0),
    ("P-2", "公共服务与基础设施建设", "乡村道路拓宽", "西片", 3, 0.5, "2025-02-01", 2_400_000.0),
    ("P-3", "农用地整理", "高标准农田", "东片", 3, 0.5, "2025-04-01", 3_000_000.01),
    ("P-4", "乡村风貌提升和历史文化保护", "老街修缮", "西片", 1, 1.0, "2025-05-01", 600_000.0),
]


def typed(name, rows, columns):
    frame, faults = typed_table(name, pd.DataFrame(rows, columns=columns))
    assert faults.empty, faults
    return frame


@pytest.fixture
def tables():
    rows = [(*p, "APPROVED_RESERVE", "东村" if p[3] == "东片" else "西村", "镇政府", 2) for p in PROJECTS]
    heads = ["project_id", "project_class", "name", "region", "urgency", "fund_readiness", "proposed", "investment_yuan", "state", "villages", "responsible_body", "works_years"]
    funds = [("PROV", "省级补助", "province", "农用地整理;公共服务与基础设施建设", 1), ("TOWN", "镇级自筹", "town", "", 0)]
    years = [(f, y, a, 0, 0) for f, a in (("PROV", 2_000_000), ("TOWN", 700_000)) for y in (2026, 2027, 2028)]
    return {
        "library_project": typed("library_project", rows, heads),
        "library_payment": typed("library_payment", [("P-4", 1, "TOWN", 400_000), ("P-4", 2, "TOWN", 200_000)], ["project_id", "stage_year", "fund_ids", "amount_yuan"]),
        "library_fund": typed("library_fund", funds, ["fund_id", "name", "kind", "classes", "carry_years"]),
        "library_fund_year": typed("library_fund_year", years, ["fund_id", "year", "amount_yuan", "committed_yuan", "paid_yuan"]),
        "library_order": typed("library_order", [("P-1", "P-2", "先埋管后铺路")], ["before_id", "after_id", "reason"]),
        "library_floor": typed("library_floor", [("西片", 2026, 2028, 500_000)], list(table_spec("library_floor").column_names)),
    }
