"""Asset clearance and appraisal before equity in kind (清产核资与评估)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

__all__ = ["FAULT_WORDS", "Asset", "AssetFault", "appraised_by_party", "clearance_faults"]

FAULT_WORDS = MappingProxyType({
    "duplicate": "资产编号重复", "value": "评估值须大于零", "band": "评估浮动幅度须在 0 至 1 之间 (不含 1)", "title": "没有权属凭证",
    "encumbered": "资产有抵押、查封或纠纷", "scope": "资产未列入协议范围", "not_cleared": "未完成清查核实",
})  # fmt: skip
"""What a fault of the clearance list says (清查问题)."""


@dataclass(frozen=True)
class Asset:
    """One line of the clearance list (资产清单行).

    Parameters
    ----------
    asset_id, name, kind, party : str
        Kind is land, house, cash, equipment, technology and so on; party brings the asset in.
    appraised_fen : int
        Appraised value. [fen]
    band : Fraction
        The true value lies within appraised × (1 ± band), 0 ≤ band < 1.
    title : str
        Certificate or contract that shows the right; cash needs none.
    encumbered, cleared, in_scope : bool
        Mortgaged or in dispute; counted on the spot; listed in the agreement.
    """

    asset_id: str
    name: str
    kind: str
    party: str
    appraised_fen: int
    band: Fraction = Fraction(0)
    title: str = ""
    encumbered: bool = False
    cleared: bool = True
    in_scope: bool = True

    @property
    def low_fen(self) -> Fraction:
        """Lower end of the appraisal band. [fen]"""
        return self.appraised_fen * (1 - self.band)

    @property
    def high_fen(self) -> Fraction:
        """Upper end of the appraisal band. [fen]"""
        return self.appraised_fen * (1 + self.band)


@dataclass(frozen=True)
class AssetFault:
    """One fault of the clearance list (清查问题); `binds` faults forbid a contribution."""

    asset_id: str
    fault: str
    binds: bool


def clearance_faults(assets: Sequence[Asset]) -> tuple[AssetFault, ...]:
    """Everything that is wrong with a clearance list, in its order (清查检查).

    Assets outside the agreement are listed and not counted; missing titles and encumbrances bind.
    """
    often = Counter(a.asset_id for a in assets)
    return tuple(AssetFault(a.asset_id, fault, fault not in ("scope",)) for a in assets for fault in _faults(a, often[a.asset_id]))


def appraised_by_party(assets: Sequence[Asset]) -> dict[str, int]:
    """Appraised value brought in by each party, assets outside the agreement left out. [fen]"""
    found: dict[str, int] = {}
    for a in assets:
        found[a.party] = found.get(a.party, 0) + (a.appraised_fen if a.in_scope else 0)
    return found


def _faults(asset: Asset, times: int) -> list[str]:
    wrong = {
        "duplicate": times > 1, "value": asset.appraised_fen <= 0, "band": not 0 <= asset.band < 1,
        "title": not asset.title and asset.kind != "cash", "encumbered": asset.encumbered, "scope": not asset.in_scope,
        "not_cleared": not asset.cleared,
    }  # fmt: skip
    return [name for name, found in wrong.items() if found]
