r"""Equity shares from appraised contributions, with the band the appraisal leaves open (作价入股股比).

A share :math:`V_i / \sum_j V_j` rises in every asset of its own party and falls in every asset of the others. Over the box
of appraisal bands it is therefore least where the own assets are low and the others high, and greatest at the opposite
corner: two corners of the :math:`2^m` decide, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from qianmo.finance.distribution.clearance import Asset
from qianmo.finance.distribution.exact import shares_of
from qianmo.schema.errors import SchemaError

__all__ = ["ShareBand", "equity_shares", "share_bands"]


@dataclass(frozen=True)
class ShareBand:
    """Share of one party, with its least and greatest value over the appraisal band (股比区间)."""

    low: Fraction
    share: Fraction
    high: Fraction


def equity_shares(assets: Sequence[Asset]) -> dict[str, Fraction]:
    """Share of each party by appraised value; sums to 1 exactly (股比).

    Raises
    ------
    SchemaError
        No asset of the agreement has a value.
    """
    return {party: band.share for party, band in share_bands(assets).items()}


def share_bands(assets: Sequence[Asset]) -> dict[str, ShareBand]:
    """Share of each party and the exact range that the appraisal bands allow (股比区间).

    Parameters
    ----------
    assets : sequence of Asset, (m,)
        Bands are independent of each other.

    Returns
    -------
    dict of party to ShareBand
        low ≤ share ≤ high; a party without band against parties without band has low = high. With two parties the
        low of one and the high of the other sum to 1.

    Raises
    ------
    SchemaError
        Values are not above 0, or a band is outside 0 ≤ band < 1.

    Examples
    --------
    >>> from qianmo.finance.distribution.clearance import Asset
    >>> found = share_bands([Asset("1", "房屋", "house", "集体", 600, Fraction(1, 10)), Asset("2", "资金", "cash", "企业", 1400)])
    >>> [str(v) for v in (found["集体"].low, found["集体"].share, found["集体"].high)]
    ['27/97', '3/10', '33/103']
    """
    counted = [a for a in assets if a.in_scope]
    wrong = [a.asset_id for a in counted if not (0 <= a.band < 1 and a.appraised_fen >= 0)]
    if wrong:
        raise SchemaError(f"资产 {', '.join(wrong)}", expected="评估值不小于 0, 浮动幅度在 0 至 1 (不含 1)", cure="检查评估值与浮动幅度")
    shares = shares_of(_sums(counted, "appraised_fen"))
    low, high = _sums(counted, "low_fen"), _sums(counted, "high_fen")
    all_low, all_high = sum(low.values(), Fraction(0)), sum(high.values(), Fraction(0))
    return {
        party: ShareBand(low[party] / (low[party] + all_high - high[party]), share, high[party] / (high[party] + all_low - low[party]))
        for party, share in shares.items()
    }


def _sums(assets: Sequence[Asset], name: str) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for a in assets:
        found[a.party] = found.get(a.party, Fraction(0)) + getattr(a, name)
    return found
