"""Pattern indices of patches, classes and the landscape, defined as in FRAGSTATS 4.2 (景观指数)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qianmo.evaluation.landscape.cells import Patches

__all__ = ["class_metrics", "landscape_metrics", "patch_metrics"]

_SPREAD = ("AREA", "GYRATE", "SHAPE", "FRAC", "PARA", "CIRCLE", "CONTIG", "CORE", "CAI", "ENN")


def patch_metrics(p: Patches) -> pd.DataFrame:
    """Indices of every patch (斑块级指数): AREA [ha], PERIM [m], GYRATE [m], PARA [m/ha], SHAPE, FRAC, CIRCLE, CONTIG, CORE [ha], NCORE, CAI [%], ENN [m].

    The perimeter counts the edge of the map; a core cell has all four neighbours in its patch.
    """
    area_m2, perimeter = p.cells * p.cell_m**2, p.edges * p.cell_m
    with np.errstate(divide="ignore", invalid="ignore"):
        fractal = np.where(p.cells * p.cell_m**2 == 1.0, 1.0, 2.0 * np.log(0.25 * perimeter) / np.log(area_m2))
    return pd.DataFrame(
        {
            "class": p.class_code, "AREA": area_m2 / 1e4, "PERIM": perimeter, "GYRATE": np.where(p.cells == 1, p.cell_m / 2, p.gyrate_m), "PARA": perimeter / (area_m2 / 1e4),
            "SHAPE": p.edges / _least_edges(p.cells), "FRAC": fractal, "CIRCLE": p.circle, "CONTIG": p.contiguity, "CORE": p.core_cells * p.cell_m**2 / 1e4,
            "NCORE": p.cores, "CAI": 100.0 * p.core_cells / p.cells, "ENN": p.nearest_m,
        }
    )  # fmt: skip


def class_metrics(p: Patches) -> pd.DataFrame:
    """Indices of every class (类型级指数), index class; nan where an index is not defined."""
    table = patch_metrics(p)
    codes, adjacency, frame = _adjacencies(p)
    total = int(p.valid.sum())
    rows = {}
    for k, code in enumerate(codes):
        mine = p.class_code == code
        part, cells = table[mine], int(p.cells[mine].sum())
        like, sides = int(adjacency[k, k]), int(adjacency[k].sum())  # like adjacencies counted from both cells
        unlike, border = sides - like, int(frame[k])
        edges = unlike + border
        row = {"CA": part["AREA"].sum(), "PLAND": 100.0 * cells / total, **_common(p, part, mine, total), "TE": unlike * p.cell_m}
        row["ED"] = row["TE"] / (total * p.cell_m**2 / 1e4)
        row["LSI"] = edges / _least_edges(cells)
        row["CPLAND"] = 100.0 * p.core_cells[mine].sum() / total
        row["CLUMPY"] = _clumpiness(like, sides + border, cells, total)
        row["PLADJ"] = 100.0 * like / (sides + border)
        row["IJI"] = _interspersion(np.delete(adjacency[k], k), len(codes) - 1)
        row["COHESION"] = _cohesion(p.edges[mine], p.cells[mine], total)
        row |= _mesh(p.cells[mine], total, p.cell_m)
        row["AI"] = 100.0 * (like / 2) / _most_like(cells) if _most_like(cells) else np.nan
        row["NLSI"] = _normal_shape(edges, cells, total, p)
        rows[code] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def landscape_metrics(p: Patches) -> dict[str, float]:
    """Indices of the whole landscape (景观级指数); nan where an index is not defined."""
    table = patch_metrics(p)
    codes, adjacency, frame = _adjacencies(p)
    total = int(p.valid.sum())
    cells = np.array([p.cells[p.class_code == c].sum() for c in codes])
    unlike = (adjacency.sum() - np.trace(adjacency)) / 2
    whole = np.ones(len(table), bool)
    found = {"TA": total * p.cell_m**2 / 1e4, **_common(p, table, whole, total), "TE": unlike * p.cell_m}
    found["ED"] = found["TE"] / found["TA"]
    found["LSI"] = (unlike + frame.sum()) / _least_edges(total)
    found["CONTAG"] = _contagion(adjacency, cells / total)
    found["PLADJ"] = 100.0 * np.trace(adjacency) / (adjacency.sum() + frame.sum())
    upper = adjacency[np.triu_indices(len(codes), 1)]
    found["IJI"] = _interspersion(upper, len(codes) * (len(codes) - 1) // 2) if len(codes) > 2 else np.nan
    found["COHESION"] = _cohesion(p.edges, p.cells, total)
    found |= _mesh(p.cells, total, p.cell_m)
    found |= _diversity(cells / total, found["TA"])
    found["AI"] = float(sum(100.0 * (adjacency[k, k] / 2) / _most_like(c) * c / total for k, c in enumerate(cells) if _most_like(c)))
    return {k: float(v) for k, v in found.items()}


def _common(p: Patches, part: pd.DataFrame, mine: np.ndarray, total: int) -> dict[str, float]:
    hundred = total * p.cell_m**2 / 1e6
    row: dict[str, float] = {"NP": len(part), "PD": len(part) / hundred, "LPI": 100.0 * p.cells[mine].max() / total}
    for name in _SPREAD:
        row |= _spread(name, part[name].to_numpy(float))
    row["PAFRAC"] = _perimeter_area(part["PERIM"].to_numpy(float), part["AREA"].to_numpy(float) * 1e4)
    cores = p.core_parts[np.isin(p.core_class, np.unique(p.class_code[mine]))] * p.cell_m**2 / 1e4
    row |= {"TCA": part["CORE"].sum(), "NDCA": int(part["NCORE"].sum()), "DCAD": part["NCORE"].sum() / hundred}
    return row | _spread("DCORE", cores)


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    """Mean, standard deviation of the population and coefficient of variation [%]."""
    v = values[np.isfinite(values)]
    if not len(v):
        return {f"{name}_{s}": float("nan") for s in ("MN", "SD", "CV")}
    mean, deviation = float(v.mean()), float(v.std())
    return {f"{name}_MN": mean, f"{name}_SD": deviation, f"{name}_CV": 100.0 * deviation / mean if mean else float("nan")}


def _perimeter_area(perimeter: np.ndarray, area: np.ndarray) -> float:
    """Perimeter-area fractal dimension; nan below ten patches or where all are alike."""
    if len(area) < 10:
        return float("nan")
    x, y = np.log(perimeter), np.log(area)
    spread = len(x) * (x**2).sum() - x.sum() ** 2
    slope = (len(x) * (x * y).sum() - x.sum() * y.sum()) / spread if spread > 0 else np.nan
    return float(2.0 / slope)


def _adjacencies(p: Patches) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes, sides between cells of classes counted from both cells (m, m), and sides on the frame or on cells that do not count (m,)."""
    codes, index = np.unique(p.codes[p.valid], return_inverse=True)
    grid = np.full(p.codes.shape, -1)
    grid[p.valid] = index
    framed = np.pad(grid, 1, constant_values=-1)
    m = len(codes)
    table, frame = np.zeros((m, m), np.int64), np.zeros(m, np.int64)
    for a, b in ((framed[:, :-1], framed[:, 1:]), (framed[:-1], framed[1:])):
        both = (a >= 0) & (b >= 0)
        pairs = np.bincount(a[both] * m + b[both], minlength=m * m).reshape(m, m)
        table += pairs + pairs.T
        for one, other in ((a, b), (b, a)):
            frame += np.bincount(one[(one >= 0) & (other < 0)], minlength=m)
    return codes, table, frame


def _least_edges(cells: ArrayLike) -> np.ndarray:
    """Fewest sides that so many cells can have."""
    a = np.asarray(cells)
    n = np.floor(np.sqrt(a)).astype(np.int64)
    m = a - n * n
    return np.where(m == 0, 4 * n, np.where(m <= n, 4 * n + 2, 4 * n + 4))


def _most_like(cells: int) -> int:
    """Most like adjacencies that so many cells can have, each counted once."""
    n = int(np.floor(np.sqrt(cells)))
    m = cells - n * n
    return 2 * n * (n - 1) + (0 if m == 0 else 2 * m - 1 if m <= n else 2 * m - 2)


def _clumpiness(like: int, sides: int, cells: int, total: int) -> float:
    share = cells / total
    least = float(_least_edges(cells))
    if share == 1 or sides == least:
        return float("nan")
    g = like / (sides - least)
    return (g - share) / share if g < share and share < 0.5 else (g - share) / (1.0 - share)


def _interspersion(edges: np.ndarray, kinds: int) -> float:
    if kinds < 2 or edges.sum() == 0:
        return float("nan")
    share = edges[edges > 0] / edges.sum()
    return float(-100.0 * (share * np.log(share)).sum() / np.log(kinds))


def _cohesion(edges: np.ndarray, cells: np.ndarray, total: int) -> float:
    return float(100.0 * (1.0 - edges.sum() / (edges * np.sqrt(cells)).sum()) / (1.0 - 1.0 / np.sqrt(total)))


def _mesh(cells: np.ndarray, total: int, cell_m: float) -> dict[str, float]:
    squares = float((cells.astype(float) ** 2).sum())
    return {"DIVISION": 1.0 - squares / total**2, "MESH": squares / total * cell_m**2 / 1e4, "SPLIT": total**2 / squares}


def _normal_shape(edges: int, cells: int, total: int, p: Patches) -> float:
    least = float(_least_edges(cells))
    around = 2 * sum(p.codes.shape)
    most = 4.0 * cells if cells <= total / 2 else around + 4.0 * (total - cells)
    return (edges - least) / (most - least) if most > least else float("nan")


def _contagion(adjacency: np.ndarray, share: np.ndarray) -> float:
    if len(share) < 2:
        return float("nan")
    part = share[:, None] * adjacency / adjacency.sum(axis=1, keepdims=True)
    part = part[part > 0]
    return float(100.0 * (1.0 + (part * np.log(part)).sum() / (2.0 * np.log(len(share)))))


def _diversity(share: np.ndarray, area_ha: float) -> dict[str, float]:
    m, square = len(share), float((share**2).sum())
    shannon = float(-(share * np.log(share)).sum())
    even = (lambda v, top: v / top) if m > 1 else (lambda v, top: float("nan"))
    return {
        "PR": m, "PRD": m / area_ha * 100.0, "SHDI": shannon, "SIDI": 1.0 - square, "MSIDI": -np.log(square), "SHEI": even(shannon, np.log(m)),
        "SIEI": even(1.0 - square, 1.0 - 1.0 / m), "MSIEI": even(-np.log(square), np.log(m)),
    }  # fmt: skip
