"""The mixed-integer programme of an integration: which blocks, and what becomes of each title (整合模型).

Money is in 10,000 yuan and land in 100 m2 inside the programme, so that numbers stay near 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from qianmo.planning.integration.candidates import Candidate
from qianmo.planning.integration.options import FEN, LAND_M2, ROUNDING_M2, Option, Plot, options_of, plots_of
from qianmo.planning.integration.settings import IntegrationSettings
from qianmo.planning.integration.titles import Titles

__all__ = ["Model", "build"]


@dataclass(frozen=True, eq=False)
class Model:
    """Arrays of the programme; columns are: plots, titles kept, options, then land, equity, cash out, cash in of options, land sold."""

    plots: tuple[Plot, ...]
    options: tuple[Option, ...]
    value: np.ndarray
    matrix: csr_array
    low: np.ndarray
    high: np.ndarray
    upper: np.ndarray
    whole: np.ndarray
    years: int

    @property
    def column(self) -> dict[str, int]:
        """First column of each kind of variable."""
        p, o, t = len(self.plots), len(self.options), len(self.value) - 2 * len(self.plots) - 5 * len(self.options)
        return {"plot": 0, "keep": p, "option": p + t, "land": p + t + o, "equity": p + t + 2 * o, "out": p + t + 3 * o, "in": p + t + 4 * o,
                "sold": p + t + 5 * o}  # fmt: skip


@dataclass
class _Rows:
    """Rows of the programme being gathered."""

    row: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    entry: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, terms: list[tuple[int, float]], low: float, high: float) -> None:
        """One row: low <= sum of entry times column <= high."""
        for column, entry in terms:
            self.row.append(len(self.low))
            self.column.append(column)
            self.entry.append(entry)
        self.low.append(low)
        self.high.append(high)


def build(titles: Titles, blocks: list[Candidate], s: IntegrationSettings) -> Model:
    """The programme of one integration (建立整合模型).

    Parameters
    ----------
    titles : Titles
    blocks : list of Candidate
    s : IntegrationSettings

    Returns
    -------
    Model
        Blocks that a refusal or the consent thresholds rule out have no columns.
    """
    plots = plots_of(titles, blocks, s)
    options = options_of(titles, blocks, plots, s)
    p, t, o = len(plots), len(titles), len(options)
    at = {"plot": 0, "keep": p, "option": p + t, "land": p + t + o, "equity": p + t + 2 * o, "out": p + t + 3 * o, "in": p + t + 4 * o, "sold": p + t + 5 * o}
    width = 2 * p + t + 5 * o
    rows = _Rows()
    _choices(rows, at, titles, blocks, plots, options)
    _land(rows, at, titles, plots, options, s)
    _money(rows, at, titles, options, s)
    years = len(s.budget_yuan)
    _funds(rows, at, titles, blocks, plots, options, s)
    value = np.zeros(width)
    value[:p] = [-(q.worth - (_cleaning(titles, blocks[q.candidate]) + _works_fen(blocks[q.candidate], s)) / FEN) for q in plots]
    value[at["option"] : at["land"]] = [_fee(x, titles, s) + s.value_before_weight * titles.value_fen[x.title] / FEN for x in options]
    value[at["out"] : at["in"]] = 1.0
    upper = np.concatenate([np.ones(p + t + o), _limits(titles, plots, options, s), [q.usable_m2 / LAND_M2 for q in plots]])
    whole = np.concatenate([np.ones(p + t + o), np.zeros(width - p - t - o)])
    matrix = csr_array((rows.entry, (rows.row, rows.column)), shape=(len(rows.low), width))
    return Model(tuple(plots), tuple(options), value, matrix, np.array(rows.low), np.array(rows.high), upper, whole, years)


def _choices(rows: _Rows, at: dict[str, int], titles: Titles, blocks: list[Candidate], plots: list[Plot], options: list[Option]) -> None:
    """One outcome a title; a title inside a block that is assembled is not kept; nothing goes to a block that is not."""
    mine: list[list[int]] = [[] for _ in range(len(titles))]
    for n, x in enumerate(options):
        mine[x.title].append(n)
    around: list[list[int]] = [[] for _ in range(len(titles))]
    for q, plot in enumerate(plots):
        for k in blocks[plot.candidate].members:
            around[k].append(q)
    for k in range(len(titles)):
        rows.add([(at["keep"] + k, 1.0), *((at["option"] + n, 1.0) for n in mine[k])], 1.0, 1.0)
        rows.add([(at["keep"] + k, 1.0), *((q, 1.0) for q in around[k])], -np.inf, 1.0)
        by_plot: dict[int, list[int]] = {}
        for n in mine[k]:
            by_plot.setdefault(options[n].plot, []).append(n)
        for q, group in by_plot.items():
            rows.add([*((at["option"] + n, 1.0) for n in group), (q, -1.0)], -np.inf, 0.0)
        for year in sorted({plots[q].year for q in around[k]}):
            late = [n for n in mine[k] if options[n].mode == "swap" and plots[options[n].plot].year > year]
            if late:
                early = [(q, 1.0) for q in around[k] if plots[q].year <= year]
                rows.add([*((at["option"] + n, 1.0) for n in late), *early], -np.inf, 1.0)


def _land(rows: _Rows, at: dict[str, int], titles: Titles, plots: list[Plot], options: list[Option], s: IntegrationSettings) -> None:
    """Land and pool of each block are enough; nobody gets a lot too small or too small for the floor area."""
    price = s.price_yuan_m2 * 100 * LAND_M2 / FEN
    used: list[list[tuple[int, float]]] = [[(at["sold"] + q, price), (q, -price * plot.usable_m2 / LAND_M2)] for q, plot in enumerate(plots)]
    for n, x in enumerate(options):
        y, land, equity = at["option"] + n, at["land"] + n, at["equity"] + n
        if x.mode in ("merge", "swap"):
            least = max(s.lot_area_min_m2, titles.floor_m2[x.title] / s.plot_ratio_max) / LAND_M2
            used[x.plot] += [(land, price), (y, price * ROUNDING_M2 / LAND_M2)]
            rows.add([(land, 1.0), (y, -least)], 0.0, np.inf)
            rows.add([(land, 1.0), (y, -plots[x.plot].usable_m2 / LAND_M2)], -np.inf, 0.0)
        elif x.mode == "cooperate":
            used[x.plot] += [(equity, 1.0), (y, price * ROUNDING_M2 / LAND_M2)]
            rows.add([(equity, 1.0), (y, -price * plots[x.plot].usable_m2 / LAND_M2)], -np.inf, 0.0)
    for terms in used:
        rows.add(terms, -np.inf, 0.0)


def _money(rows: _Rows, at: dict[str, int], titles: Titles, options: list[Option], s: IntegrationSettings) -> None:
    """Nobody ends below what is due; land or equity makes up its least share; cash stays within its limits."""
    price = s.price_yuan_m2 * 100 * LAND_M2 / FEN
    for n, x in enumerate(options):
        y, need, before = at["option"] + n, titles.need_fen[x.title] / FEN, titles.value_fen[x.title] / FEN
        kind = [(at["land"] + n, price), (at["equity"] + n, 1.0)]
        rows.add([*kind, (at["out"] + n, 1.0), (at["in"] + n, -1.0), (y, -need)], 0.0, np.inf)
        rows.add([(at["out"] + n, 1.0), (y, -need)], -np.inf, 0.0)
        if x.mode != "transfer":
            rows.add([(at["in"] + n, 1.0), (y, -s.pay_in_share_max * before)], -np.inf, 0.0)
            rows.add([*kind, (y, -s.in_kind_share_min * before)], 0.0, np.inf)


def _funds(
    rows: _Rows, at: dict[str, int], titles: Titles, blocks: list[Candidate], plots: list[Plot], options: list[Option], s: IntegrationSettings
) -> None:
    """The fund is never overdrawn: budgets, pay-ins and land sales up to each year cover what was paid; a margin for rounding."""
    price = s.price_yuan_m2 * 100 * LAND_M2 / FEN
    margin = (len(titles) * (s.price_yuan_m2 + 2) + len(blocks) * s.price_yuan_m2) / FEN
    sale_year = [q.year + 1 + blocks[q.candidate].delay for q in plots]
    last = max([len(s.budget_yuan), *sale_year])
    for year in range(1, last + 1):
        have = sum(s.budget_yuan[:year]) * 100 / FEN
        terms: list[tuple[int, float]] = []
        for q, plot in enumerate(plots):
            b = blocks[plot.candidate]
            if plot.year <= year:
                terms.append((q, -(_cleaning(titles, b) + _works_fen(b, s)) / FEN))
            if sale_year[q] <= year:
                terms.append((at["sold"] + q, price))
        for n, x in enumerate(options):
            if plots[x.plot].year <= year:
                terms += [(at["out"] + n, -1.0), (at["in"] + n, 1.0), (at["option"] + n, -_fee(x, titles, s))]
        if terms:
            rows.add(terms, min(margin, have) - have, np.inf)


def _limits(titles: Titles, plots: list[Plot], options: list[Option], s: IntegrationSettings) -> np.ndarray:
    """Upper limits of land, equity, cash out, cash in of each option, one kind after the other."""
    price = s.price_yuan_m2 * 100 * LAND_M2 / FEN
    room = np.array([plots[x.plot].usable_m2 / LAND_M2 for x in options])
    land = np.where([x.mode in ("merge", "swap") for x in options], room, 0.0)
    equity = np.where([x.mode == "cooperate" for x in options], room * price, 0.0)
    out = np.array([titles.need_fen[x.title] / FEN for x in options])
    into = np.array([0.0 if x.mode == "transfer" else s.pay_in_share_max * titles.value_fen[x.title] / FEN for x in options])
    return np.concatenate([land, equity, out, into]) if options else np.zeros(0)


def _fee(x: Option, titles: Titles, s: IntegrationSettings) -> float:
    return (s.transaction_yuan + (s.route_yuan if x.is_mixed else 0.0)) * 100 / FEN


def _works_fen(block: Candidate, s: IntegrationSettings) -> float:
    return (s.works_yuan_m2 * block.area_m2 + s.block_yuan) * 100


def _cleaning(titles: Titles, block: Candidate) -> float:
    return float(titles.remediation_fen[list(block.members)].sum())
