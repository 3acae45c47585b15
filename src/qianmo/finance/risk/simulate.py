"""Many scenarios of a project at once, in blocks and threads (蒙特卡洛模拟)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from qianmo.finance.risk.draws import drawn_values
from qianmo.finance.risk.kernel import FIGURES, YEARLY, run_block
from qianmo.finance.risk.model import RiskModel
from qianmo.finance.risk.packed import Packed, packed
from qianmo.schema.errors import SchemaError

__all__ = ["BLOCK", "RiskRun", "YearlyFigures", "evaluate", "evaluate_yearly", "simulate"]

BLOCK = 8192
"""Scenarios of one block."""


@dataclass(frozen=True)
class RiskRun:
    """Figures of scenarios (模拟结果).

    Parameters
    ----------
    figures : dict of array (scenarios,)
        By the names of `kernel.FIGURES`. Money [fen], rates fractions, years counted from the start; nan where a figure
        does not exist (no payback; a rate of return with none or several changes of sign).
    scenarios : int
        Finished; fewer than asked after a stop.
    asked, seed : int
    """

    figures: dict[str, np.ndarray]
    scenarios: int
    asked: int
    seed: int

    @property
    def refused(self) -> int:
        """Scenarios whose project flow changes sign several times, so no single rate of return is shown (拒绝显示 IRR 的情景数)."""
        return int((self.figures["irr_sign_changes"] > 1).sum())


@dataclass(frozen=True)
class YearlyFigures:
    """Yearly rows of scenarios (逐年结果): arrays (years, scenarios) by the names of `kernel.YEARLY`, money [fen]."""

    rows: dict[str, np.ndarray]


def simulate(
    model: RiskModel, scenarios: int, seed: int, *, block: int = BLOCK, threads: int = 1,
    progress: Callable[[int], None] | None = None, stop: Callable[[], bool] | None = None,
) -> RiskRun:  # fmt: skip
    """Run scenarios drawn from the inputs (模拟).

    Parameters
    ----------
    model : RiskModel
    scenarios : int
        How many, 1 or more.
    seed : int
        Same seed, same bits, whatever the block and threads.
    block, threads : int
        Scenarios of a block, blocks at work at once.
    progress : callable, optional
        Told the number of scenarios finished, from the first on without a gap.
    stop : callable, optional
        Asked after every block; True ends with the scenarios finished so far.

    Returns
    -------
    RiskRun
        Scenarios in the order of their numbers.

    Raises
    ------
    SchemaError
        Counts below 1, or a seed outside 0 to 2**64.
    """
    if min(scenarios, block, threads) < 1 or not 0 <= seed < 2**64:
        raise SchemaError(f"{scenarios} scenarios, block {block}, {threads} threads, seed {seed}", expected="1 or more each, a seed from 0 below 2**64")
    arrays, fixed, factor, marginals = packed(model), _signed(model), model.factor, model.marginals
    out = np.empty((len(FIGURES), scenarios))

    def one(begin: int) -> int:
        end = min(begin + block, scenarios)
        _run(arrays, fixed, drawn_values(marginals, factor, seed, begin, end - begin), out[:, begin:end])
        return end

    done = 0
    for done in _in_order(one, range(0, scenarios, block), threads, stop or (lambda: False)):
        if progress is not None:
            progress(done)
    return RiskRun({name: out[k, :done] for k, name in enumerate(FIGURES)}, done, scenarios, seed)


def evaluate(model: RiskModel, values: np.ndarray) -> dict[str, np.ndarray]:
    """Figures at stated inputs (给定取值求指标).

    Parameters
    ----------
    model : RiskModel
    values : array (inputs, n)
        Values of the inputs in the order of `model.names`.

    Returns
    -------
    dict of array (n,)
        By the names of `kernel.FIGURES`.

    Raises
    ------
    SchemaError
        Another number of inputs, or a value missing.
    """
    given = _given(model, values)
    out = np.empty((len(FIGURES), given.shape[1]))
    _run(packed(model), _signed(model), given, out)
    return dict(zip(FIGURES, out, strict=True))


def evaluate_yearly(model: RiskModel, values: np.ndarray) -> YearlyFigures:
    """Yearly rows at stated inputs, as for a fan of coverage (给定取值求逐年结果).

    Parameters
    ----------
    model, values
        As in `evaluate`; (years × n) numbers are kept for each of twelve rows.

    Returns
    -------
    YearlyFigures

    Raises
    ------
    SchemaError
        As in `evaluate`.
    """
    given = _given(model, values)
    return YearlyFigures(_yearly(packed(model), _signed(model), given))


def _signed(model: RiskModel) -> np.ndarray | None:
    """Opening, drawn, capitalised, principal by year of the loan as signed or as sized on the base case; None where each scenario sizes its own."""
    if model.loan is None or (model.loan.signed is None and model.loan.sized_by == "scenario"):
        return None
    arrays = packed(model)
    if arrays.signed is not None:
        return arrays.signed
    rows = _yearly(arrays, None, model.base_values)
    return np.stack([rows[n][:, 0] for n in ("opening", "drawn", "capitalised", "principal")])


def _yearly(arrays: Packed, fixed: np.ndarray | None, values: np.ndarray) -> dict[str, np.ndarray]:
    rows = np.empty((len(YEARLY), arrays.profiles.shape[2], values.shape[1]))
    _run(arrays, fixed, values, np.empty((len(FIGURES), values.shape[1])), rows)
    return dict(zip(YEARLY, rows, strict=True))


def _run(arrays: Packed, fixed: np.ndarray | None, values: np.ndarray, out: np.ndarray, yearly: np.ndarray | None = None) -> None:
    years = arrays.profiles.shape[2]
    discount = (1.0 + arrays.numbers[2]) ** -(np.arange(years) + float(arrays.counts[4]))
    loan = np.zeros((4, years)) if fixed is None else fixed
    given = np.ascontiguousarray(values) if len(values) else np.ones((1, values.shape[1]))
    run_block(
        given, arrays.profiles, arrays.drives, arrays.delay_of, arrays.land, arrays.bands, arrays.terms, *arrays.window, arrays.rate_row, arrays.numbers, arrays.counts,
        loan, fixed is not None, discount, out, np.empty((len(YEARLY), years, 0)) if yearly is None else yearly,
    )  # fmt: skip


def _given(model: RiskModel, values: np.ndarray) -> np.ndarray:
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != len(model.inputs) or not np.isfinite(given).all():
        raise SchemaError(f"values of shape {given.shape}", expected=f"{len(model.inputs)} rows of finite numbers: {', '.join(model.names)}")
    return given


def _in_order(one: Callable[[int], int], begins: range, threads: int, stop: Callable[[], bool]) -> Iterator[int]:
    """End of the last block up to which all blocks are finished, after each one."""
    if threads == 1:
        for begin in begins:
            yield one(begin)
            if stop():
                return
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from _threaded(one, begins, threads, stop, pool)


def _threaded(one: Callable[[int], int], begins: range, threads: int, stop: Callable[[], bool], pool: ThreadPoolExecutor) -> Iterator[int]:
    waiting: list[Future[int]] = []
    todo = iter(begins)
    stopped = False
    while True:
        while not stopped and len(waiting) < 2 * threads:
            begin = next(todo, None)
            if begin is None:
                break
            waiting.append(pool.submit(one, begin))
        if not waiting:
            return
        wait(waiting[:1], return_when=FIRST_COMPLETED)
        yield waiting.pop(0).result()
        stopped = stopped or stop()
