"""A project computed with its debt settled: tax and size of an after-tax loan agree (税后定债)."""

from __future__ import annotations

from dataclasses import replace

from qianmo.finance.project.records import Project
from qianmo.finance.sheet.evaluate import computed
from qianmo.finance.sheet.order import computing_order
from qianmo.finance.sheet.row import Sheet
from qianmo.finance.statements.assemble import assemble

__all__ = ["settled"]

_MOST_ROUNDS = 200


def settled(project: Project, *, exact: bool = True) -> tuple[Sheet, dict[str, list[float]]]:
    """The sheet and its values, with the tax that an after-tax loan was sized by equal to the tax that results (建表并求解).

    Parameters
    ----------
    project : Project
    exact : bool
        As in `computed`.

    Returns
    -------
    Sheet
        The assumed tax stands in it as an input.
    dict
        Values of all rows.

    Notes
    -----
    More tax means less debt, less interest, and again a little more tax: each round keeps the share rate of tax × interest in
    the service of the step before, so the rounds close in fast. Losses, holidays and wear of capitalised interest are
    all in. Where the rounds do not meet to the fen (whole fen may swing by one), the check of the loan tells by how much.
    """
    sheet = assemble(project)
    order = computing_order(sheet)
    values = computed(sheet, exact=exact, order=order)
    names = [f"loan.{loan.id}.tax_assumed" for loan in project.loans if loan.after_tax]
    if not names:
        return sheet, values
    for _ in range(_MOST_ROUNDS):
        tax = values["tax.due"]
        if max(abs(a - b) for a, b in zip(values[names[0]], tax, strict=True)) <= (0.0 if exact else 1e-9 * max(1.0, *map(abs, tax))):
            break
        values = computed(sheet, exact=exact, order=order, inputs=dict.fromkeys(names, tax))
    rows = {name: replace(row, values=tuple(values[name])) if name in names else row for name, row in sheet.rows.items()}
    return Sheet(rows, sheet.years), values
