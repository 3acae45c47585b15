"""Blocks in years, and what may become of each title (处置选项)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.planning.integration.candidates import Candidate, agreed_shares
from qianmo.planning.integration.settings import IntegrationSettings
from qianmo.planning.integration.titles import Titles

__all__ = ["FEN", "LAND_M2", "ROUNDING_M2", "Option", "Plot", "options_of", "plots_of"]

FEN = 1e6
"""Fen in one unit of money of the programme."""

ROUNDING_M2 = 0.02
"""Land kept back for every holder in a block, so that shares can be rounded up to whole square decimetres and fen."""

LAND_M2 = 100.0
"""Square metres in one unit of land of the programme."""


@dataclass(frozen=True)
class Plot:
    """A candidate block in one year (候选地块与年序): its row among the candidates and its yearly facts."""

    candidate: int
    year: int
    usable_m2: float
    worth: float


@dataclass(frozen=True)
class Option:
    """One thing that may become of one title: its plot and mode, and whether state and collective land meet (处置选项)."""

    title: int
    plot: int
    mode: str
    is_mixed: bool


def plots_of(titles: Titles, blocks: list[Candidate], s: IntegrationSettings) -> list[Plot]:
    """Candidates that no refusal, threshold or kind of land rules out, once for each year (候选地块与年序)."""
    out = []
    for c, b in enumerate(blocks):
        heads, area = agreed_shares(titles, b.members)
        mixed = len({bool(titles.is_state[k]) for k in b.members}) > 1
        refused = any(not titles.accepts[k] for k in b.members)
        if refused or heads < s.consent_heads_min - 1e-9 or area < s.consent_area_min - 1e-9 or (mixed and s.legal_mixed == "forbid"):
            continue
        usable = np.floor(b.area_m2 * (1 - s.public_share) * 100) / 100
        for year in range(1, len(s.budget_yuan) + 1):
            worth = usable * s.price_yuan_m2 * 100 / FEN * (1 + s.discount_rate) ** -(year - 1 + b.delay)
            out.append(Plot(c, year, float(usable), float(worth)))
    return out


def options_of(titles: Titles, blocks: list[Candidate], plots: list[Plot], s: IntegrationSettings) -> list[Option]:
    """Modes that each holder accepts: swap for titles outside a block, the others for those inside (处置选项)."""
    out = []
    for q, plot in enumerate(plots):
        b = blocks[plot.candidate]
        inside = set(b.members)
        for k in range(len(titles)):
            mixed = bool(titles.is_state[k]) != b.is_state
            for mode in sorted(titles.accepts[k]):
                if (mode == "swap") == (k in inside) or (mixed and s.legal_mixed == "forbid"):
                    continue
                out.append(Option(k, q, mode, mixed))
    return out
