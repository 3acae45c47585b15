"""From parts and settings to the problem that is solved (建立规划问题)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from qianmo.planning.aims import Aim, aims, weighted_pairs, weighted_values
from qianmo.planning.joining import lonely_merges
from qianmo.planning.limits.register import build_limits
from qianmo.planning.locks import lock_limits, locked_options
from qianmo.planning.parts import Parts, without_options
from qianmo.planning.problem import Limit, PlanProblem
from qianmo.planning.settings import PlanSettings

__all__ = ["NO_NEIGHBOUR", "Formulation", "formulate"]

NO_NEIGHBOUR = "no_neighbour"
"""Mark of a merge option that has no neighbouring field of its class and village to merge with."""


@dataclass(frozen=True)
class Formulation:
    """A problem with the parts and aims it came from (规划问题及来源)."""

    parts: Parts
    aims: tuple[Aim, ...]
    problem: PlanProblem


def formulate(parts: Parts, settings: PlanSettings, *, locks: Mapping[str, str] | None = None) -> Formulation:
    """The problem of one planning area (建立规划问题).

    Options that a zero limit forbids one by one (redline, protected farmland, slope) leave first,
    named with the rule, so that the potentials of the aims count only what may be done. Locks (patch id → measure, or 'keep') come after
    that, so that the scores of plans with and without them compare.
    """
    parts = without_options(parts, forbidden(parts, build_limits(parts, settings)))
    parts = without_options(parts, {int(o): NO_NEIGHBOUR for o in lonely_merges(parts, settings)})
    found = aims(parts, settings)
    if locks:
        parts = without_options(parts, locked_options(parts, locks))
        found = tuple(replace(a, potential=free.potential) for a, free in zip(aims(parts, settings), found))
    problem = PlanProblem(
        n=parts.n,
        patch=parts.patch,
        measure=parts.measure,
        target_class=parts.target_class,
        value=weighted_values(found, parts.m),
        cost=parts.cost,
        effects=parts.effects,
        base=parts.base,
        pairs=weighted_pairs(found),
        limits=(*build_limits(parts, settings), *lock_limits(parts, locks or {})),
    )
    return Formulation(parts, found, problem)


def forbidden(parts: Parts, limits: tuple[Limit, ...]) -> dict[int, str]:
    """Options that alone break a limit which leaves no room, with the ids of the rules (单独即违规的选项)."""
    out: dict[int, list[str]] = {}
    for x in limits:
        if x.relation == "<=" and x.bound == x.constant and np.all(x.coefficient > 0):
            for o in x.option:
                out.setdefault(int(o), []).append(x.rule_id)
    return {o: ";".join(dict.fromkeys(r)) for o, r in out.items()}
