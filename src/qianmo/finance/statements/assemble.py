"""From the records of a project to the sheet of all rows (由项目建立算式表)."""

from __future__ import annotations

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.row import Sheet
from qianmo.finance.statements.asset_rows import asset_rows
from qianmo.finance.statements.balance_rows import balance_rows
from qianmo.finance.statements.cash_rows import cash_rows
from qianmo.finance.statements.flow_rows import flow_rows
from qianmo.finance.statements.line_rows import line_rows, sum_rows
from qianmo.finance.statements.loan_rows import loan_rows
from qianmo.finance.statements.part_rows import party_rows, sub_project_rows
from qianmo.finance.statements.profit_rows import profit_rows
from qianmo.finance.statements.tax_rows import vat_rows
from qianmo.finance.statements.time_rows import time_rows

__all__ = ["assemble"]


def assemble(project: Project) -> Sheet:
    """All rows of a project in the order of a reader: inputs where they are used, one formula a row (建表).

    Parameters
    ----------
    project : Project

    Returns
    -------
    Sheet
        Ready for `computed`; the same project gives the same sheet.

    Raises
    ------
    SchemaError
        A row refers to no row: a fault of this package.
    """
    parts = (time_rows, line_rows, sum_rows, vat_rows, asset_rows, loan_rows, profit_rows, cash_rows, balance_rows, flow_rows, sub_project_rows, party_rows)
    return Sheet.of((row for part in parts for row in part(project)), project.years)
