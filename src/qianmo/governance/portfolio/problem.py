"""What a portfolio may choose from: projects, money by fund and year, floors, order (项目组合问题)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qianmo.governance.circle import circle_of
from qianmo.schema.errors import SchemaError

__all__ = ["Candidate", "Floor", "Need", "Portfolio", "Precedence", "Problem", "Supply", "check_problem", "finish_year", "open_years", "value_of"]


@dataclass(frozen=True)
class Need:
    """Money that falls due `stage` years after the start, from any one or more of `funds` (用款).

    `stage` counts from 0; `fen` is at least 1; `funds` holds at least one fund.
    """

    stage: int
    funds: frozenset[str]
    fen: int


@dataclass(frozen=True)
class Candidate:
    """One project that may start (候选项目).

    `starts` maps each year it may start in to the whole-number value of starting then; a `must` project starts in one of them.
    `years` is how long the works take, at least 1.
    """

    id: str
    name: str
    region: str
    starts: Mapping[int, int]
    needs: tuple[Need, ...]
    years: int
    must: bool = False

    @property
    def cost_fen(self) -> int:
        """Whole cost. [fen]"""
        return sum(n.fen for n in self.needs)


@dataclass(frozen=True)
class Supply:
    """Money of one fund that arrives in `year` and may be spent until the end of `until` (资金到位)."""

    fund: str
    year: int
    until: int
    fen: int


@dataclass(frozen=True)
class Floor:
    """The least that is paid for projects of a region from year `first` to `last` (区域保底)."""

    region: str
    first: int
    last: int
    least_fen: int


@dataclass(frozen=True)
class Precedence:
    """`after` may start only in a year after `before` is finished, so it needs `before` (先后关系)."""

    before: str
    after: str


@dataclass(frozen=True)
class Problem:
    """A portfolio problem (项目组合问题): years from `first_year` to `last_year`, both included."""

    first_year: int
    last_year: int
    candidates: tuple[Candidate, ...]
    supplies: tuple[Supply, ...]
    floors: tuple[Floor, ...] = ()
    precedences: tuple[Precedence, ...] = ()


@dataclass(frozen=True)
class Portfolio:
    """What was chosen (项目组合).

    `starts` maps project to its start year; `payments` are (project, fund, year, fen); `bound` is a value that no portfolio exceeds;
    `prices` are the multipliers by which `replay.price_bound` proves a bound without any solver.
    """

    starts: Mapping[str, int]
    payments: tuple[tuple[str, str, int, int], ...]
    value: int
    bound: float
    prices: Prices
    seconds: float
    method: str

    @property
    def gap(self) -> float:
        """Share of the value by which the best portfolio can at most be better, from 0. [1]"""
        return max(0.0, self.bound - self.value) / max(1.0, abs(self.value))


@dataclass(frozen=True)
class Prices:
    """Multipliers of the linear relaxation, none negative (影子价格).

    `supply` per supply [value/fen], `floor` per floor [value/fen], `order` per (precedence number, start year of `after`) [value].
    """

    supply: tuple[float, ...]
    floor: tuple[float, ...]
    order: Mapping[tuple[int, int], float]


def finish_year(candidate: Candidate, start: int) -> int:
    """Last year of the works that begin in `start` (完工年度)."""
    return start + candidate.years - 1


def open_years(candidate: Candidate, first: int, last: int) -> range:
    """Years in which a project could start so that it is built and paid by `last`, whatever its window says (可能的开工年)."""
    span = max([candidate.years, *(n.stage + 1 for n in candidate.needs)])
    return range(first, last - span + 2)


def value_of(problem: Problem, starts: Mapping[str, int]) -> int:
    """Value of a choice of start years (组合价值)."""
    return sum(c.starts[starts[c.id]] for c in problem.candidates if c.id in starts)


def check_problem(problem: Problem) -> None:
    """Refuse a problem that contradicts itself (检查组合问题).

    Raises
    ------
    SchemaError
        Years out of order, ids that occur twice or are unknown, needs without fund, negative money, circular order.
    """
    ids = [c.id for c in problem.candidates]
    _refuse(problem.last_year < problem.first_year, f"年份 {problem.first_year}—{problem.last_year}", "起始年不晚于结束年")
    twice = sorted({i for i in ids if ids.count(i) > 1}) if len(set(ids)) < len(ids) else []
    _refuse(bool(twice), f"项目编号重复: {'、'.join(twice[:5])}", "编号不重复")
    for c in problem.candidates:
        wrong = [n for n in c.needs if n.fen < 1 or n.stage < 0 or not n.funds]
        _refuse(bool(wrong) or c.years < 1, f"项目 {c.id} 的用款或工期不成立", "金额大于 0, 用款年序不小于 0, 至少一个资金来源, 工期不小于 1")
        outside = [y for y in c.starts if not problem.first_year <= y <= problem.last_year]
        _refuse(bool(outside), f"项目 {c.id} 的开工年 {outside}", f"{problem.first_year}—{problem.last_year}")
    wrong_supply = sorted({s.fund for s in problem.supplies if s.fen < 0 or s.until < s.year or not problem.first_year <= s.year <= problem.last_year})
    _refuse(bool(wrong_supply), f"资金 {'、'.join(wrong_supply)}", "金额不为负, 截止年不早于到位年, 到位年在规划年份内")
    strange = sorted({i for p in problem.precedences for i in (p.before, p.after)} - set(ids))
    _refuse(bool(strange), f"先后关系中的项目 {'、'.join(strange[:5])} 不在库中", "库内项目编号")
    circle = circle_of((p.before, p.after) for p in problem.precedences)
    _refuse(bool(circle), f"先后关系成环: {' → '.join(circle)}", "没有环的先后关系")


def _refuse(wrong: bool, found: str, expected: str) -> None:
    if wrong:
        raise SchemaError(found, expected=expected, cure="改正项目库或资金表后重新计算")
