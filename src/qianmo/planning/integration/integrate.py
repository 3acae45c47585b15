"""From a title table to a settled, checked and certified integration; rounds of negotiation; prices of consent (产权整合)."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.integration.candidates import Candidate, agreed_shares, candidates
from qianmo.planning.integration.settings import IntegrationSettings
from qianmo.planning.integration.settle import Settlement, settle
from qianmo.planning.integration.solve import solve
from qianmo.planning.integration.titles import Titles, read_titles, without_consent
from qianmo.planning.integration.verify import recomputed_objective_fen, verify_integration
from qianmo.schema.errors import InfeasibleError

__all__ = ["IntegrationResult", "consent_prices", "integrate", "integrate_titles", "recertified"]


@dataclass(frozen=True, eq=False)
class IntegrationResult:
    """Tables and certificate of an integration (产权整合结果)."""

    settlement: Settlement
    certificate: dict[str, Any]
    candidates: list[Candidate]


def integrate(frame: gpd.GeoDataFrame, *, settings: IntegrationSettings, require_block: bool = True) -> IntegrationResult:
    """Assemble scattered titles into contiguous blocks (零散产权整合).

    Parameters
    ----------
    frame : GeoDataFrame, table ``title``
    settings : IntegrationSettings
    require_block : bool
        Raise where the best plan is to keep everything.

    Returns
    -------
    IntegrationResult

    Raises
    ------
    SchemaError, TopologyError, MissingDataError, CrsError
        The title table is wrong; rows are named.
    InfeasibleError
        No block can be assembled; the rules that forbid each are counted and named.
    """
    titles = read_titles(frame, settings=settings)
    return integrate_titles(frame, titles, candidates(titles, settings=settings), settings=settings, require_block=require_block)


def integrate_titles(
    frame: gpd.GeoDataFrame, titles: Titles, blocks: list[Candidate], *, settings: IntegrationSettings, require_block: bool = True
) -> IntegrationResult:
    """The same from titles already read and candidates already listed; `frame` is what the titles were read from (产权整合)."""
    answer = solve(titles, blocks, settings=settings)
    if require_block and not len(answer.plots):
        raise _why_none(titles, blocks, settings)
    made = settle(answer, titles, blocks, settings=settings, crs=frame.crs)
    return _certified(frame, titles, made, blocks, settings, bound_fen=round(answer.bound), status=answer.status)


def recertified(
    frame: gpd.GeoDataFrame, titles: Titles, made: Settlement, old: IntegrationResult, *, settings: IntegrationSettings
) -> IntegrationResult:
    """A plan checked and certified again because consents were given meanwhile; bound and status stay (重新出证)."""
    bound, status = int(old.certificate["solver_bound_claimed_fen"]), str(old.certificate["status"])
    return _certified(frame, titles, made, old.candidates, settings, bound_fen=bound, status=status)


def consent_prices(frame: gpd.GeoDataFrame, result: IntegrationResult, titles: Titles, *, settings: IntegrationSettings) -> pd.DataFrame:
    """What the plan loses without each consent: the objective with it less the objective solved again without (同意的价值).

    Parameters
    ----------
    frame : GeoDataFrame, table ``title``
    result : IntegrationResult
    titles : Titles
        As used for `result`.
    settings : IntegrationSettings

    Returns
    -------
    DataFrame, table ``consent_price``
        One row a title that the plan changes, dearest first; a price is at least 0 but for the gap of the solver and rounding.
    """
    rows = []
    best = int(result.certificate["objective_fen"])
    for k in [titles.name.index(n) for n in result.settlement.outcome.loc[result.settlement.outcome["mode"] != "keep", "title_id"]]:
        less = without_consent(titles, k)
        again = integrate_titles(frame, less, result.candidates, settings=settings, require_block=False)
        without = int(again.certificate["objective_fen"])
        rows.append((titles.name[k], titles.holder[k], best, without, best - without))
    columns = ["title_id", "holder_id", "objective_with_fen", "objective_without_fen", "price_fen"]
    return pd.DataFrame(rows, columns=columns).sort_values("price_fen", ascending=False, kind="stable", ignore_index=True)


def _as_said(frame: gpd.GeoDataFrame, titles: Titles) -> gpd.GeoDataFrame:
    """The title table with consents, modes and gains as they stand now: what the checks are made against."""
    gain = titles.need_fen / titles.value_fen - 1
    asked = pd.to_numeric(frame["gain_min"], errors="coerce").fillna(0.0).to_numpy(dtype=float) if "gain_min" in frame.columns else np.zeros(len(frame))
    keeps = np.abs(np.maximum(asked, 0.0) - gain) < 1e-7
    modes = [";".join(sorted(a)) if a else "-" for a in titles.accepts]
    return frame.assign(consent=list(titles.consent), accepts=modes, gain_min=np.where(keeps, asked, np.floor(gain * 1e9) / 1e9))


def _certified(
    frame: gpd.GeoDataFrame, titles: Titles, made: Settlement, blocks: list[Candidate], s: IntegrationSettings, *, bound_fen: int, status: str
) -> IntegrationResult:
    said = _as_said(frame, titles)
    record = _certificate(said, made, titles, blocks, s, bound_fen, status)
    record["checks"] = verify_integration(said, made.blocks, made.outcome, made.ledger, asdict(s), record)
    return IntegrationResult(made, record, blocks)


def _certificate(
    frame: gpd.GeoDataFrame, made: Settlement, titles: Titles, blocks: list[Candidate], s: IntegrationSettings, bound_fen: int, status: str
) -> dict[str, Any]:
    objective = recomputed_objective_fen(frame, made.blocks, made.outcome, asdict(s))
    bound = max(bound_fen, objective)
    changed = made.outcome[made.outcome["mode"] != "keep"]
    fund = made.ledger[made.ledger["account"] == "fund"].groupby("year")["amount_fen"].sum().sort_index().cumsum()
    over = changed["value_after_fen"].to_numpy(dtype=float) - titles.need_fen[[titles.name.index(n) for n in changed["title_id"]]]
    free = [b.usable_m2 * 100 - b.sold_dm2 - int(changed.loc[changed["block_id"] == b.block_id, "land_dm2"].sum()) for b in made.blocks.itertuples()]
    slack = [
        ("value_after_fen", "权利人所得超出应得的最小值", float(over.min(initial=np.inf)) if len(over) else 0.0),
        ("fund_fen", "基金最低累计余额", float(fund.min()) if len(fund) else 0.0),
        ("pool_dm2", "合作股权池土地", float(sum(free))),
        ("consent_heads", "同意人数比例余量", float((made.blocks["consent_heads"] - s.consent_heads_min).min()) if len(made.blocks) else 0.0),
        ("consent_area", "同意面积比例余量", float((made.blocks["consent_area"] - s.consent_area_min).min()) if len(made.blocks) else 0.0),
    ]
    return {
        "kind": "integration", "objective_fen": objective, "solver_bound_claimed_fen": int(bound), "gap_rel": (bound - objective) / max(abs(bound), 1),
        "net_gain_fen": _net_gain(made, objective), "status": status, "solver": "HiGHS in scipy.optimize.milp",
        "candidates": len(blocks), "bound_holds_for": "the candidate blocks listed, not for blocks that were not grown",
        "least_gain": float(changed["gain"].min()) if len(changed) else 0.0, "share_rule": s.share_rule,
        "slacks": [{"id": i, "zh": zh, "slack": v} for i, zh, v in slack], "settings": asdict(s),
        "titles_sha256": _sha256(frame), "outcome_sha256": _sha256(made.outcome), "ledger_sha256": _sha256(made.ledger),
    }  # fmt: skip


def _net_gain(made: Settlement, objective: int) -> int:
    """Objective with cash counted as a transfer and the value before of all that changes taken off."""
    changed = made.outcome[made.outcome["mode"] != "keep"]
    return int(objective + changed["cash_fen"].clip(lower=0).sum() - changed["value_before_fen"].sum())


def _why_none(titles: Titles, blocks: list[Candidate], s: IntegrationSettings) -> InfeasibleError:
    """Which rule stands in the way of how many candidates, each looked at alone and then with one rule dropped."""
    refused = sum(any(not titles.accepts[k] for k in b.members) for b in blocks)
    shares = [agreed_shares(titles, b.members) for b in blocks]
    few = sum(h < s.consent_heads_min - 1e-9 or a < s.consent_area_min - 1e-9 for h, a in shares)
    mixed = sum(len({bool(titles.is_state[k]) for k in b.members}) > 1 for b in blocks) if s.legal_mixed == "forbid" else 0
    rules = [(refused, f"产权人不同意 ({refused}/{len(blocks)} 个候选地块)"), (few, f"integrate_consent_*_min 同意比例门槛 ({few}/{len(blocks)})"),
             (mixed, f"国有与集体混合 ({mixed}/{len(blocks)})")]  # fmt: skip
    conflict = [text for count, text in rules if count]
    rich = replace(s, budget_yuan=tuple(1e12 for _ in s.budget_yuan))
    if len(solve(titles, blocks, settings=rich).plots):
        conflict.append(f"资金: 预算 {sum(s.budget_yuan) / 1e4:.2f} 万元不足以补偿、治理与工程")
    else:
        conflict.append("integrate_price_yuan_m2, integrate_gain_min: 连片土地的价值不抵现金、治理与交易费用")
    return InfeasibleError(
        "no block can be assembled", conflict=conflict, cure="继续协商争取同意, 增加资金, 调低治理与面积门槛, 或核对地价与评估值"
    )


def _sha256(frame: pd.DataFrame) -> str:
    digest = hashlib.sha256()
    for name in sorted(map(str, frame.columns)):
        digest.update(name.encode() + b"\0")
        if isinstance(frame, gpd.GeoDataFrame) and name == frame.geometry.name:
            for raw in shapely.to_wkb(frame.geometry.to_numpy()):
                digest.update(raw)
        else:
            digest.update("\0".join(map(repr, frame[name].tolist())).encode())
    return digest.hexdigest()
