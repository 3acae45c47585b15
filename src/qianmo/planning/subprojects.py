"""Sub-projects: works of one measure in one village (子项目)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from qianmo.planning.costs import split_exactly
from qianmo.planning.parts import Parts
from qianmo.schema.measures import measure, measures
from qianmo.schema.tables import table_spec

__all__ = ["PROJECT_CLASSES", "subprojects"]

PROJECT_CLASSES = (
    "农用地整理", "建设用地整理", "生态保护修复", "乡村风貌提升和历史文化保护", "公共服务与基础设施建设", "产业导入", "其他",
)  # fmt: skip
"""The seven classes of sub-projects, in the order of the list (子项目类别)."""


def subprojects(
    parts: Parts, choice: np.ndarray, costs: pd.DataFrame, *, village_names: Mapping[str, str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Group the chosen works by village and measure (编制子项目).

    Parameters
    ----------
    parts, choice
        The plan.
    costs : DataFrame, table ``cost_by_measure``
        Totals that the sub-projects of a measure sum to, to the cent.
    village_names : mapping
        Name of each village code; the code stands in where there is none.

    Returns
    -------
    table : DataFrame, table ``subproject``
        Years still empty. Ordered by class, measure and village; ids ``ZXM-001`` follow that order.
    of_patch : (n,) text
        Sub-project of each patch, '' where nothing is done.
    """
    done = np.flatnonzero(choice >= 0)
    taken = choice[done]
    works = pd.DataFrame(
        {
            "row": done, "village_code": parts.village[done], "measure": parts.measure[taken], "works": parts.cost[taken],
            "area": np.rint(parts.class_area[done] * 100).astype(np.int64),
            "new": np.rint(parts.effects["new_farmland_m2"][taken] * 100).astype(np.int64),
        }
    )  # fmt: skip
    rank = {m: (PROJECT_CLASSES.index(x.project_class), k) for k, (m, x) in enumerate(measures().items()) if x.project_class}
    keys = sorted({(rank[m], v, m) for v, m in zip(works["village_code"], works["measure"])})
    groups = [works[(works["village_code"] == v) & (works["measure"] == m)] for _, v, m in keys]
    money = _money(costs, [m for _, _, m in keys], [float(g["works"].sum()) for g in groups])
    of_patch, rows = np.full(parts.n, "", object), []
    for number, ((_, village, m), group, cents) in enumerate(zip(keys, groups, money), start=1):
        name = village_names.get(village, village)
        code = f"ZXM-{number:03d}"
        of_patch[group["row"]] = code
        rows.append(
            {
                "subproject_id": code, "project_class": measure(m).project_class, "name": f"{name}{measure(m).zh}项目",
                "village_code": village, "village_name": name, "measure": m, "patches": len(group),
                "area_m2": group["area"].sum() / 100, "new_farmland_m2": group["new"].sum() / 100, "cost_yuan": cents / 100,
                "start_year": None, "end_year": None,
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(table_spec("subproject").column_names)), of_patch


def _money(costs: pd.DataFrame, of_measure: list[str], works: list[float]) -> list[int]:
    total = {m: int(np.rint(t * 100)) for m, t in zip(costs["measure"], costs["total_yuan"])}
    out = [0] * len(works)
    for m, cents in total.items():
        mine = [k for k, x in enumerate(of_measure) if x == m]
        for k, part in zip(mine, split_exactly(cents, np.array([works[k] for k in mine]))):
            out[k] = int(part)
    return out
