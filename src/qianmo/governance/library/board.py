"""The library as pages show it: board by state, summary by class, bars over years (看板、汇总、横道)."""

from __future__ import annotations

import pandas as pd

from qianmo.schema.library import project_classes
from qianmo.schema.workflows import workflow

__all__ = ["bars", "board", "class_summary"]


def board(projects: pd.DataFrame) -> dict[str, dict[str, list[str]]]:
    """Projects by page and state (看板).

    Parameters
    ----------
    projects : DataFrame, table ``library_project``

    Returns
    -------
    dict
        Page (储备, 实施, 验收, 其他) → state → project ids in the order of the table; every state of the workflow is there.
    """
    pages: dict[str, dict[str, list[str]]] = {}
    for state in workflow("project_library").states.values():
        ids = [str(p) for p in projects.loc[projects["state"] == state.id, "project_id"]]
        pages.setdefault(state.tab, {})[state.id] = ids
    return pages


def class_summary(projects: pd.DataFrame) -> pd.DataFrame:
    """Count, investment, area, new farmland of each of the seven classes and of all (分类汇总).

    Returns
    -------
    DataFrame
        project_class, projects, investment_yuan, area_m2, new_farmland_m2; the last row is 合计.
    """
    rows = []
    for name in (*project_classes(), "合计"):
        mine = projects if name == "合计" else projects[projects["project_class"] == name]
        fen = int((mine["investment_yuan"].fillna(0.0) * 100).round().sum())
        rows.append((name, len(mine), fen / 100, float(mine["area_m2"].sum()), float(mine["new_farmland_m2"].sum())))
    return pd.DataFrame(rows, columns=["project_class", "projects", "investment_yuan", "area_m2", "new_farmland_m2"])


def bars(projects: pd.DataFrame) -> pd.DataFrame:
    """Projects that have a start year, in the order they start (横道图数据).

    Returns
    -------
    DataFrame
        project_id, name, project_class, state, start_year, end_year.
    """
    shown = projects[projects["start_year"].notna()].copy()
    shown["end_year"] = shown["end_year"].fillna(shown["start_year"])
    columns = ["project_id", "name", "project_class", "state", "start_year", "end_year"]
    return shown.sort_values(["start_year", "end_year", "project_id"])[columns].reset_index(drop=True)
