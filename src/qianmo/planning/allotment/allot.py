"""From owners and blocks to lots: deduction, assignment, order, exact cuts, certificate (地块重新分配)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qianmo.planning.allotment.assign import Assignment, assign, candidate_pairs
from qianmo.planning.allotment.assignment_problem import AssignmentProblem
from qianmo.planning.allotment.audit import audit
from qianmo.planning.allotment.blocks import ReadyBlock, least_lot, ready_blocks, surfaces
from qianmo.planning.allotment.books import block_table, owner_ledger
from qianmo.planning.allotment.checks import check_blocks, check_lines, check_owners, check_zones, wishes_of
from qianmo.planning.allotment.fill import filled, transport
from qianmo.planning.allotment.ordering import order_along
from qianmo.planning.allotment.partition import partition
from qianmo.planning.allotment.proof import allotment_certificate
from qianmo.planning.allotment.ruled import ruled_partition
from qianmo.planning.allotment.settings import AllotmentSettings
from qianmo.planning.allotment.shares import largest_remainder
from qianmo.schema.errors import InfeasibleError

__all__ = ["RESERVE", "AllotmentResult", "allot"]

RESERVE = "RESERVE"
"""Owner id of what is left after a declared deduction: land reserved for the village (村集体预留)."""


@dataclass(frozen=True, eq=False)
class AllotmentResult:
    """Lots, blocks and books of a re-allotment (分地结果)."""

    lots: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    tracks: gpd.GeoDataFrame
    ledger: pd.DataFrame
    certificate: dict[str, Any]


def allot(
    blocks: gpd.GeoDataFrame, owners: pd.DataFrame, lines: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, *, settings: AllotmentSettings
) -> AllotmentResult:
    """Give every owner lots of exact value in the new blocks (地块重新分配).

    Parameters
    ----------
    blocks : GeoDataFrame, table ``allotment_block``
    owners : DataFrame, table ``allotment_owner``
    lines : GeoDataFrame, table ``allotment_line``
        Roads give frontage; ditches only bound blocks.
    zones : GeoDataFrame, table ``value_zone``
        Cover every block once. All layers in one metric CRS. [m]
    settings : AllotmentSettings

    Returns
    -------
    AllotmentResult
        Sums hold to the fen. ``certificate`` carries the bound the solver claims, the room left in each limit, hashes of
        the inputs and the checks of `audit`.

    Raises
    ------
    SchemaError, TopologyError, MissingDataError, CrsError
        An input is wrong; rows are named.
    InfeasibleError
        The limits cannot hold together; they are named.
    """
    check_blocks(blocks)
    check_lines(lines)
    check_zones(zones)
    check_owners(owners, [str(b) for b in blocks["block_id"]])
    roads, _ = surfaces(lines)
    ready, tracks = ready_blocks(blocks, roads, zones, settings)
    all_roads = shapely.union_all([roads, *tracks])
    worth = np.array([round(b.profile.total) for b in ready], dtype=np.int64)
    names, owed, entitled = _owed(owners, int(worth.sum()), settings)
    problem = _fillable(owners, names, owed, ready, worth, settings)
    done = assign(problem, gap_rel=settings.gap_rel, time_limit_s=settings.time_limit_s)
    lots = _lots(done, problem, owners, ready, settings, blocks.crs)
    table = block_table(ready, worth, blocks.crs)
    ledger = owner_ledger(owners, names, entitled, owed, lots, dict(zip(table["block_id"], table["parent_id"])))
    limits = {"width_min_m": settings.lot_width_min_m, "area_min_m2": settings.lot_area_min_m2, "reach_m": settings.frontage_reach_m}
    limits |= {f"lots_max:{n}": float(m) for n, m in zip(names, problem.lots_max)}
    checks = audit(lots, table, zones, all_roads, ledger, limits=limits)
    record = allotment_certificate(done, problem, lots, ledger, settings, inputs={"blocks": blocks, "owners": owners, "lines": lines, "zones": zones},
                                   checks=checks)  # fmt: skip
    laid = gpd.GeoDataFrame({"line_kind": ["track"] * len(tracks)}, geometry=tracks, crs=blocks.crs)
    return AllotmentResult(lots, table, laid, ledger, record)


def _owed(owners: pd.DataFrame, total: int, settings: AllotmentSettings) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Ids, what each is owed after deduction, what each was entitled to, in fen; the reserve comes last where there is one."""
    names = owners["owner_id"].astype(str).tolist()
    entitled = np.array([round(float(v) * 100) for v in owners["entitlement_yuan"]], dtype=np.int64)
    whole = int(entitled.sum())
    most = settings.deduction_share_max
    if settings.deduction_share is None:
        if total < whole * (1 - most) - 1:
            raise InfeasibleError(
                f"blocks worth {total / 100:.2f} yuan for entitlements of {whole / 100:.2f} yuan: a deduction of {1 - total / whole:.2%}",
                conflict=(f"allot_deduction_share_max = {most:g}", "entitlement_yuan", "allotment_block"),
                cure="增加地块、减少道路沟渠占地、调高扣减率上限, 或核对应得价值",
            )  # fmt: skip
        return names, largest_remainder(entitled, total), entitled
    due = round(whole * (1 - settings.deduction_share))
    if due > total:
        raise InfeasibleError(
            f"entitlements of {whole / 100:.2f} yuan less {settings.deduction_share:.2%} are {due / 100:.2f} yuan, the blocks hold {total / 100:.2f} yuan",
            conflict=(f"deduction share = {settings.deduction_share:g}", "entitlement_yuan", "allotment_block"), cure="提高扣减率或增加地块",
        )  # fmt: skip
    if due == total:
        return names, largest_remainder(entitled, due), entitled
    owed = np.append(largest_remainder(entitled, due), total - due)
    return [*names, RESERVE], owed, np.append(entitled, total - due)


def _fillable(
    owners: pd.DataFrame, names: list[str], owed: np.ndarray, ready: list[ReadyBlock], worth: np.ndarray, s: AllotmentSettings
) -> AssignmentProblem:
    """The problem with the candidate blocks asked for; twice as many each time no first assignment is found among them."""
    nearest = s.candidate_blocks
    while True:
        problem = _problem(owners, names, owed, ready, worth, s, nearest)
        if not nearest or nearest >= len(ready):
            return problem
        corner = transport(problem)
        if corner is not None and filled(problem, corner[0]) is not None:
            return problem
        nearest *= 2


def _problem(
    owners: pd.DataFrame, names: list[str], owed: np.ndarray, ready: list[ReadyBlock], worth: np.ndarray, s: AllotmentSettings, nearest: int
) -> AssignmentProblem:
    place = owners[["x_m", "y_m"]].to_numpy(dtype=float)
    centre = np.array([[b.shape.centroid.x, b.shape.centroid.y] for b in ready])
    distance = np.linalg.norm(place[:, None] - centre[None], axis=2)
    wishes = [wishes_of(t) for t in owners["wishes"]] if "wishes" in owners.columns else [[]] * len(owners)
    rank = np.array([[w.index(b.parent) if b.parent in w else len(w) for b in ready] for w in wishes], dtype=float).reshape(len(owners), len(ready))
    wished = np.array([[b.parent in w for b in ready] for w in wishes]).reshape(len(owners), len(ready))
    cost = distance + s.preference_cost_m * rank
    pairs = candidate_pairs(cost, wished, nearest=nearest)
    most = np.full(len(owners), s.lots_per_owner_max, dtype=np.int64)
    if "lots_max" in owners.columns:
        said = pd.to_numeric(owners["lots_max"], errors="coerce").to_numpy(dtype=float)
        most = np.where(np.isfinite(said), said, most).astype(np.int64)
    if len(names) > len(owners):
        cost, pairs = np.vstack([cost, np.zeros(len(ready))]), np.vstack([pairs, np.ones(len(ready), dtype=bool)])
        most = np.append(most, len(ready))
    least = np.array([least_lot(b, s) for b in ready], dtype=np.int64)
    owner, block = np.nonzero(pairs)
    lot_min = least[block]
    if len(names) > len(owners) and owed[-1] < least.min():
        raise InfeasibleError(
            f"the reserve of {owed[-1] / 100:.2f} yuan is less than the least lot of every block", conflict=("deduction share", "allot_lot_width_min_m"),
            cure="不指定扣减率 (按地块总值折算), 或调整扣减率",
        )  # fmt: skip
    return AssignmentProblem(tuple(names), tuple(b.name for b in ready), owed, worth, owner, block, cost[owner, block], lot_min, most, s.lot_cost_m)


def _lots(
    done: Assignment, problem: AssignmentProblem, owners: pd.DataFrame, ready: list[ReadyBlock], s: AllotmentSettings, crs: Any
) -> gpd.GeoDataFrame:
    place = owners[["x_m", "y_m"]].to_numpy(dtype=float)
    titles = owners["owner_name"].astype(str).tolist() if "owner_name" in owners.columns else [""] * len(owners)
    rows, shapes = [], []
    for k, b in enumerate(ready):
        mine = np.flatnonzero(done.block == k)
        who, value = done.owner[mine], done.value[mine]
        here = np.vstack([place, shapely.get_coordinates(b.shape.centroid)])[np.minimum(who, len(place))]
        wanted = shapely.line_locate_point(shapely.LineString(b.ruling.front), shapely.points(here)) if b.ruling else here @ b.axis
        order = order_along(b.profile, value, wanted)
        who, value = who[order], value[order]
        names = tuple(problem.owner_names[o] for o in who)
        said: dict[str, Any] = {"width_min_m": s.lot_width_min_m, "block_id": b.name, "names": names}
        if b.ruling:
            cut = ruled_partition(b.shape, value, b.pieces, b.unit_fen, b.ruling, **said)
        else:
            cut = partition(b.shape, value, b.pieces, b.unit_fen, b.frontage, b.axis, profile=b.profile, **said)
        area = shapely.area(cut.lots)
        for n, (o, v) in enumerate(zip(who, value)):
            title = titles[o] if o < len(titles) else "村集体预留"
            rows.append((f"{b.name}/{n + 1:03d}", b.name, problem.owner_names[o], title, n + 1, int(v), float(area[n]), float(cut.width_m[n]), float(cut.frontage_m[n])))
        shapes += list(cut.lots)
    columns = ["lot_id", "block_id", "owner_id", "owner_name", "place", "value_fen", "area_m2", "width_m", "frontage_m"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=shapes, crs=crs)
