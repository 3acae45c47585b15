"""Which change of a weight turns the order of two projects round (权重敏感性)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from qianmo.schema.library import library_criteria

__all__ = ["Flip", "flips", "smallest_flips", "weight_moved"]


@dataclass(frozen=True)
class Flip:
    """The change of one weight at which two projects are level (翻转点).

    `above` leads `below` now; with `criterion` at `weight_at` they are level, and beyond it `below` leads. The other weights keep their
    proportions. `change` is `weight_at` less the weight now.
    """

    above: str
    below: str
    criterion: str
    weight_at: Fraction
    change: Fraction

    @property
    def zh(self) -> str:
        """The flip in words."""
        word, way = library_criteria()[self.criterion].zh, "升" if self.change > 0 else "降"
        return f"“{word}”权重{way}到 {float(self.weight_at):.4g} (变动 {float(self.change):+.4g}) 时, {self.below} 与 {self.above} 持平, 再变则超过"


def weight_moved(weights: Mapping[str, Fraction], criterion: str, to: Fraction) -> dict[str, Fraction]:
    """Weights with one of them moved and the others in their proportions (调整一项权重).

    Where all others are 0, what is left is dealt out evenly.
    """
    others = {k: w for k, w in weights.items() if k != criterion}
    rest = sum(others.values(), Fraction(0))
    left = 1 - to
    moved = {k: (w / rest if rest else Fraction(1, len(others))) * left for k, w in others.items()}
    return {k: to if k == criterion else moved[k] for k in weights}


def flips(normed: Mapping[str, Mapping[str, Fraction]], order: Sequence[str], weights: Mapping[str, Fraction]) -> list[Flip]:
    r"""For each neighbouring pair of the list, every single weight that can turn them round (逐对翻转点).

    Parameters
    ----------
    normed : mapping
        Project → criterion → value from 0 to 1.
    order : sequence of str
        Projects, the first rank first.
    weights : mapping
        Sum 1.

    Returns
    -------
    list of Flip
        Exact; sorted by the size of the change. Pairs that are level have none.

    Notes
    -----
    The lead is linear in the weight that moves: with :math:`d_k` the lead in criterion k and :math:`e` the lead in the mean of the others,
    :math:`w d_k + (1 - w) e = 0` at :math:`w = e / (e - d_k)`.
    """
    found = []
    for above, below in zip(order, order[1:]):
        for k, now in weights.items():
            others = weight_moved(weights, k, Fraction(0))
            lead = normed[above][k] - normed[below][k]
            rest = sum((w * (normed[above][j] - normed[below][j]) for j, w in others.items()), Fraction(0))
            if now * lead + (1 - now) * rest <= 0 or rest == lead:
                continue
            at = rest / (rest - lead)
            if 0 <= at <= 1 and lead * rest < 0:
                found.append(Flip(above, below, k, at, at - now))
    return sorted(found, key=lambda f: (abs(f.change), order.index(f.above), f.criterion))


def smallest_flips(normed: Mapping[str, Mapping[str, Fraction]], order: Sequence[str], weights: Mapping[str, Fraction]) -> dict[tuple[str, str], Flip | None]:
    """For each neighbouring pair the smallest change of one weight that turns it round; None where no single weight can (最小翻转)."""
    best: dict[tuple[str, str], Flip | None] = dict.fromkeys(zip(order, order[1:]))
    for flip in flips(normed, order, weights):
        if best[flip.above, flip.below] is None:
            best[flip.above, flip.below] = flip
    return best
