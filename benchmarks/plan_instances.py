"""Invented allocations in one file each, so that every peer reads the same numbers."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from qianmo.planning.allocation import Allocation, Borders, Budget, Dominance, NoNetLoss, RegionSystem, Service, Window
from qianmo.planning.make_county import CountyRecipe, make_county

__all__ = ["SEED", "county_file", "read_allocation", "windows_only", "write_allocation"]

SEED = 20260102
_RECIPE = 2


def county_file(n: int, cache: Path, *, rows: str = "all", uses: int = 6) -> Path:
    """The file of an invented county; `rows` is 'all', 'stated' (windows, budget, dominance), 'few' or 'windows'."""
    path = cache / f"county-{n}-{uses}-{rows}-{SEED}-{_RECIPE}.npz"
    if not path.exists():
        recipe = CountyRecipe(uses=uses, rows="few" if rows == "few" else "all", **_size(n))
        question = make_county(n, rng=np.random.default_rng(SEED), recipe=recipe)
        if rows == "stated":
            question = replace(question, no_net_losses=(), services=())
        write_allocation(windows_only(question) if rows == "windows" else question, path)
    return path


def windows_only(question: Allocation) -> Allocation:
    """The question without budget, dominance, balance and service."""
    return replace(question, budgets=(), dominances=(), no_net_losses=(), services=())


def write_allocation(question: Allocation, path: Path) -> None:
    """All arrays of a question and, as JSON, its rows; plain numbers, no pickles."""
    q = question
    arrays: dict[str, np.ndarray] = {"area_dm2": q.area_dm2, "current": q.current, "cost": q.cost}
    arrays |= {k: v for k, v in (("lock", q.lock), ("forbidden", q.forbidden)) if v is not None}
    if q.borders is not None:
        arrays |= {"border_i": q.borders.i, "border_j": q.borders.j, "border_m": q.borders.length_m}
    parts = [(s, "code") for s in q.regions] + [(b, "works_fen") for b in q.budgets]
    parts += [(d, "grade") for d in q.dominances] + [(s, "amount") for s in q.services]
    arrays |= {f"{name}/{part.id}": getattr(part, name) for part, name in parts}
    words = {
        "uses": q.uses, "reasons": q.reasons, "points_per_m": q.points_per_m, "points_per_cost": q.points_per_cost,
        "regions": [[s.id, s.zh, s.names] for s in q.regions],
        "windows": [asdict(w) for w in q.windows],
        "budgets": [[b.id, b.most_fen, b.rule_id] for b in q.budgets],
        "dominances": [[d.id, d.system, d.uses, d.grades, d.rule_id] for d in q.dominances],
        "no_net_losses": [asdict(b) for b in q.no_net_losses],
        "services": [[s.id, s.zh, s.floor, s.rule_id] for s in q.services],
    }  # fmt: skip
    text = np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), np.uint8)
    half = path.with_suffix(".half.npz")
    np.savez(half, words=text, **arrays)  # type: ignore[arg-type]
    half.replace(path)


def read_allocation(path: Path) -> Allocation:
    """The question in a file."""
    with np.load(path, allow_pickle=False) as file:
        a = {name: file[name] for name in file.files}
    w = json.loads(a["words"].tobytes().decode())
    return Allocation(
        uses=tuple(w["uses"]), area_dm2=a["area_dm2"], current=a["current"], cost=a["cost"], lock=a.get("lock"),
        forbidden=a.get("forbidden"), reasons=tuple((r, i) for r, i in w["reasons"]),
        borders=Borders(a["border_i"], a["border_j"], a["border_m"]) if "border_i" in a else None,
        points_per_m=w["points_per_m"], points_per_cost=w["points_per_cost"],
        regions=tuple(RegionSystem(i, zh, tuple(names), a[f"code/{i}"]) for i, zh, names in w["regions"]),
        windows=tuple(Window(**x) for x in w["windows"]),
        budgets=tuple(Budget(i, a[f"works_fen/{i}"], most, rule) for i, most, rule in w["budgets"]),
        dominances=tuple(Dominance(i, s, tuple(u), a[f"grade/{i}"], tuple(g), rule) for i, s, u, g, rule in w["dominances"]),
        no_net_losses=tuple(NoNetLoss(x["id"], x["system"], tuple(x["uses"]), tuple(x["takers"]), x["rule_id"]) for x in w["no_net_losses"]),
        services=tuple(Service(i, zh, a[f"amount/{i}"], floor, rule) for i, zh, floor, rule in w["services"]),
    )  # fmt: skip


def _size(n: int) -> dict[str, int]:
    """Forty townships and two hundred villages for a county of half a million, fewer for small ones."""
    towns = int(np.clip(n // 2500, 2, 40))
    return {"townships": towns, "villages": towns * 5}
