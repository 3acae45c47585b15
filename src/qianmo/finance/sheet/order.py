"""The order in which rows can be computed: groups that lean on each other across years come together (计算次序)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qianmo.finance.sheet.expression import After, Before, Earlier, Here, Whole, references
from qianmo.finance.sheet.row import Sheet
from qianmo.schema.errors import SchemaError

__all__ = ["computing_order"]


def computing_order(sheet: Sheet) -> list[tuple[str, list[str]]]:
    """Groups of rows in order, each with the direction in which its years are computed (分组与方向).

    Parameters
    ----------
    sheet : Sheet

    Returns
    -------
    list of (str, list of str)
        ``forward`` or ``backward`` and the ids of the group in the order of one year.

    Raises
    ------
    SchemaError
        Rows of one year need each other (a circular formula), or a group looks both back and ahead.
    """
    graph = {row.id: list(dict.fromkeys(sheet.names(row))) for row in sheet.rows.values()}
    return [_directed(sheet, group) for group in _components(graph)]


def _directed(sheet: Sheet, group: Sequence[str]) -> tuple[str, list[str]]:
    inside = set(group)
    same_year: dict[str, list[str]] = {name: [] for name in group}
    back = ahead = False
    for name in group:
        formula = sheet.rows[name].formula
        for part in references(formula) if formula is not None else ():
            if part.row not in inside:  # type: ignore[attr-defined]
                continue
            match part:
                case Here(row):
                    same_year[name].append(row)
                case Before(_):
                    back = True
                case After(_):
                    ahead = True
                case Earlier(row, _):
                    back = True
                case Whole(row):
                    raise SchemaError(f"row {name} sums {row} over all years while {row} needs {name}", expected="no circle")
    if back and ahead:
        raise SchemaError(f"rows {', '.join(group)} look back and ahead at once", expected="one direction")
    return ("backward" if ahead else "forward"), _sorted(same_year)


def _sorted(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Rows of one year, those needed first."""
    done: dict[str, bool] = {}
    order: list[str] = []
    for start in needs:
        stack = [(start, iter(needs[start]))]
        if start in done:
            continue
        done[start] = False
        while stack:
            name, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                done[name] = True
                order.append(name)
            elif step not in done:
                done[step] = False
                stack.append((step, iter(needs[step])))
            elif not done[step]:
                circle = [n for n, _ in stack]
                raise SchemaError(f"a circle within one year: {' → '.join([*circle[circle.index(step):], step])}", expected="no circle")
    return order


def _components(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Groups of nodes that reach each other, needed groups first (Tarjan 1972, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    on_path: set[str] = set()
    path: list[str] = []
    groups: list[list[str]] = []
    for start in graph:
        if start in number:
            continue
        number[start] = low[start] = len(number)
        path.append(start)
        on_path.add(start)
        stack = [(start, iter(graph[start]))]
        while stack:
            name, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[name])
                if low[name] == number[name]:
                    cut = path.index(name)
                    groups.append(path[cut:])
                    on_path.difference_update(path[cut:])
                    del path[cut:]
            elif step not in number:
                number[step] = low[step] = len(number)
                path.append(step)
                on_path.add(step)
                stack.append((step, iter(graph[step])))
            elif step in on_path:
                low[name] = min(low[name], number[step])
    return groups


