"""What a whole-area allocation is asked with: parcels, regions, borders, rows (配置问题的各部分)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "FREE", "Allocation", "Borders", "Budget", "Dominance", "NoNetLoss", "RegionSystem", "Service", "Window", "allowed_uses",
    "everywhere",
]  # fmt: skip

FREE = -1
"""Entry of `lock` for a parcel that is not locked."""


@dataclass(frozen=True)
class Borders:
    """Parcels that touch and how long their border is: `i`, `j` (b,) int, `length_m` (b,) float (邻接)."""

    i: np.ndarray
    j: np.ndarray
    length_m: np.ndarray


@dataclass(frozen=True)
class RegionSystem:
    """One division of the area, such as villages; systems overlap each other (分区体系).

    `code` (n,) int is the place of each parcel's region in `names`, -1 outside all of them.
    """

    id: str
    zh: str
    names: tuple[str, ...]
    code: np.ndarray


@dataclass(frozen=True)
class Window:
    """Least and greatest area of a use in a region; None where there is no such side (面积上下限) [dm2]."""

    system: str
    region: str
    use: str
    least_dm2: int | None
    most_dm2: int | None
    rule_id: str = ""


@dataclass(frozen=True)
class Budget:
    """Cost of all works at most `most_fen`; `works_fen` (n, K) int, what leaving the current use as it is costs is taken off (预算)."""

    id: str
    works_fen: np.ndarray
    most_fen: int
    rule_id: str = ""


@dataclass(frozen=True)
class Dominance:
    """In each region, for each grade: the area of the uses in that grade or better is not lower than today (等级不降).

    `grade` (n,) int, 1 the best; `grades` are the thresholds, each a row a region. First-order dominance, stronger than an average.
    """

    id: str
    system: str
    uses: tuple[str, ...]
    grade: np.ndarray
    grades: tuple[int, ...]
    rule_id: str = ""


@dataclass(frozen=True)
class NoNetLoss:
    """In each region: area of `uses` given to `takers` is at most the area that other uses give to `uses` (占补平衡)."""

    id: str
    system: str
    uses: tuple[str, ...]
    takers: tuple[str, ...]
    rule_id: str = ""


@dataclass(frozen=True)
class Service:
    """The sum of a linear service over parcels stays at least a floor: `amount` (n, K) float (服务下限) [any unit]."""

    id: str
    zh: str
    amount: np.ndarray
    floor: float
    rule_id: str = ""


@dataclass(frozen=True)
class Allocation:
    """The question of a whole area: which of K uses each of n parcels gets (全域用地配置问题).

    Parameters
    ----------
    uses : tuple of K text
        Names of the uses, without repeats.
    area_dm2 : (n,) int
        Area of each parcel, exact. [dm2]
    current : (n,) int
        Position of the current use in `uses`.
    cost : (n, K) float
        Cost of each use on each parcel, in any one unit: conversion, lost suitability, lost service.
    lock : (n,) int, optional
        Position of the only use a parcel may have, `FREE` (-1) elsewhere.
    forbidden : (n, K) uint8, optional
        0 where the use is allowed, else 1 + position in `reasons`.
    reasons : tuple of (reason code, rule id)
    borders : Borders, optional
    points_per_m : float
        Score for a metre of border between equal uses. [points/m]
    points_per_cost : float
        Score of one unit of `cost` saved. [points]
    regions : tuple of RegionSystem
    windows, budgets, dominances, no_net_losses, services : tuples of rows
    contiguous : tuple of text
        Systems whose regions must each be in one piece, or the question is refused.
    """

    uses: tuple[str, ...]
    area_dm2: np.ndarray
    current: np.ndarray
    cost: np.ndarray
    lock: np.ndarray | None = None
    forbidden: np.ndarray | None = None
    reasons: tuple[tuple[str, str], ...] = ()
    borders: Borders | None = None
    points_per_m: float = 0.0
    points_per_cost: float = 1.0
    regions: tuple[RegionSystem, ...] = ()
    windows: tuple[Window, ...] = ()
    budgets: tuple[Budget, ...] = ()
    dominances: tuple[Dominance, ...] = ()
    no_net_losses: tuple[NoNetLoss, ...] = ()
    services: tuple[Service, ...] = ()
    contiguous: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Parcels."""
        return len(self.area_dm2)


def everywhere(n: int, *, id: str = "county", zh: str = "全域", name: str = "全域") -> RegionSystem:
    """The system with one region that holds all n parcels (全域)."""
    return RegionSystem(id, zh, (name,), np.zeros(n, np.int16))


def allowed_uses(question: Allocation) -> np.ndarray:
    """Uses that neither a rule nor a lock refuses, (n, K) bool (允许用途)."""
    shape = (question.n, len(question.uses))
    allowed = np.ones(shape, bool) if question.forbidden is None else np.asarray(question.forbidden) == 0
    if question.lock is not None:
        locked = np.flatnonzero(np.asarray(question.lock) != FREE)
        only = np.arange(shape[1])[None, :] == question.lock[locked, None]
        allowed[locked] &= only
    return allowed
