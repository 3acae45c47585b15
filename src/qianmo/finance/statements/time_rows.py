"""The timeline: years and the flags of construction and operation (时间轴与阶段标志)."""

from __future__ import annotations

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.expression import Before, Here, at_least, at_most, equals
from qianmo.finance.sheet.row import Row
from qianmo.finance.statements.making import booked, given

__all__ = ["time_rows"]

_PART = "时间"


def time_rows(project: Project) -> list[Row]:
    """Year number, calendar year and flags (年序、公历年与标志).

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of Row
        ``time.year`` from 1; ``time.construction``, ``time.handover`` (last year of construction), ``time.operation``,
        ``time.first_operation`` and ``time.last`` are 1 or 0.
    """
    year, built, at = Here("time.year"), Here("project.construction_years"), project.sources
    return [
        given("project.base_year", "第 1 年的公历年", "年", project.base_year, at["base_year"]),
        given("project.years", "计算期", "年", project.years, at["years"]),
        given("project.construction_years", "建设期(按年进位)", "年", project.construction_years, at["construction_months"]),
        booked("time.year", "年序", _PART, Before("time.year") + 1, unit="年"),
        booked("time.calendar", "公历年", _PART, Here("project.base_year") + year - 1, unit="年"),
        booked("time.construction", "建设期标志", _PART, at_most(year, built), unit="标志"),
        booked("time.handover", "建成年标志", _PART, equals(year, built), unit="标志"),
        booked("time.operation", "运营期标志", _PART, at_least(year, built + 1), unit="标志"),
        booked("time.first_operation", "运营首年标志", _PART, equals(year, built + 1), unit="标志"),
        booked("time.last", "末年标志", _PART, equals(year, Here("project.years")), unit="标志"),
    ]
