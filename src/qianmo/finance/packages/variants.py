"""A project with some lines changed, computed again (变动后的项目)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qianmo.finance.project.records import Line, Project
from qianmo.finance.sheet.row import Source
from qianmo.finance.statements.indicators import Figure, figures_of
from qianmo.finance.statements.settle import settled
from qianmo.schema.errors import SchemaError

__all__ = ["Variant", "variant"]


@dataclass(frozen=True)
class Variant:
    """A changed project with its values and figures (变动方案)."""

    project: Project
    values: Mapping[str, Sequence[float]]
    figures: Mapping[str, Figure]


def variant(project: Project, *, factors: Mapping[str, float] | None = None, later_months: Mapping[str, int] | None = None) -> Variant:
    """The project with lines multiplied or their money coming later (金额变动与推迟).

    Parameters
    ----------
    project : Project
    factors : mapping of line to factor
    later_months : mapping of line to months
        Added to the lag of the line.

    Raises
    ------
    SchemaError
        No such line, or a factor below 0.
    """
    wanted, later = dict(factors or {}), dict(later_months or {})
    known = {ln.id for ln in project.lines}
    strange = sorted((set(wanted) | set(later)) - known)
    if strange or any(f < 0 for f in wanted.values()):
        raise SchemaError(f"科目 {', '.join(strange)}, 倍数 {wanted}", expected=f"{', '.join(sorted(known))}; 倍数不小于 0")
    lines = tuple(_changed(ln, wanted.get(ln.id, 1.0), later.get(ln.id, 0)) for ln in project.lines)
    changed = replace(project, lines=lines)
    _, values = settled(changed)
    return Variant(changed, values, figures_of(changed, values))


def _changed(line: Line, factor: float, months: int) -> Line:
    if not months:
        return replace(line, fen=line.fen * factor)
    lag = line.sources.get("lag_months", Source(text=f"变动方案: 推迟 {months} 个月"))
    return replace(line, fen=line.fen * factor, lag_months=line.lag_months + months, sources={**line.sources, "lag_months": lag})
