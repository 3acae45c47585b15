"""Anomalies of several methods brought together to zones of goaf with depth and confidence (多方法异常综合)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
import shapely.ops
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qianmo.schema.errors import SchemaError

__all__ = ["Evidence", "Zone", "combined", "swath"]


@dataclass(frozen=True)
class Evidence:
    """One anomaly in plan (单一方法异常).

    Attributes
    ----------
    method : str
        gpr, ert, tem or insar.
    line : str
        Line or layer it comes from.
    kind : str
        void, low (water), high (air or rubble), sinking.
    polygon : Polygon
        Where it lies [m].
    depth_m, sigma_m : float
        Depth below ground with standard error; nan where the method knows none.
    confidence : float
        0 to 1: that the anomaly is there.
    """

    method: str
    line: str
    kind: str
    polygon: shapely.Polygon
    depth_m: float
    sigma_m: float
    confidence: float


@dataclass(frozen=True)
class Zone:
    """Anomalies that lie together (综合异常区): members by index, methods, depth with error, confidence 0 to 1."""

    polygon: shapely.Geometry
    members: tuple[int, ...]
    methods: tuple[str, ...]
    depth_m: float
    sigma_m: float
    confidence: float


def swath(path: shapely.LineString, from_m: float, to_m: float, *, half_width_m: float) -> shapely.Polygon:
    """Ground for which a stretch of a line speaks: the stretch, broadened to both sides (测线代表范围).

    Raises
    ------
    SchemaError
        The stretch lies outside the line or is empty, or the width is not above 0.
    """
    if not (0 <= from_m < to_m <= path.length + 1e-6 and half_width_m > 0):
        raise SchemaError(f"测线段 {from_m:g} 至 {to_m:g} m, 测线长 {path.length:.1f} m, 半宽 {half_width_m:g} m", expected="测线以内, 半宽大于 0", cure="核对测线起止坐标与里程")
    return shapely.buffer(shapely.ops.substring(path, from_m, to_m), half_width_m, cap_style="flat")


def combined(evidence: Sequence[Evidence], *, reliability: Mapping[str, float], apart_m: float, depth_sigmas: float) -> list[Zone]:
    r"""Zones of evidence that lies together in plan and agrees in depth, the surest first (综合解释).

    Two anomalies belong together where they are nearer than `apart_m` and their depths differ by no more than `depth_sigmas`
    standard errors of the difference; an anomaly without depth (a sinking bowl) speaks for all that lie there, joins none of them, and the ground of it that
    nobody probed is a zone of its own. A zone covers the ground of its anomalies with depth.
    Confidence is :math:`1 - \prod_m (1 - r_m c_m)` over the methods m of the zone, with the best confidence of each: several lines of one method do not
    count as several methods. Depth is the mean weighted by the errors; its error grows where the depths scatter.

    Parameters
    ----------
    reliability : mapping of method to float
        How far a sure anomaly of a method speaks for a goaf, 0 to 1.

    Raises
    ------
    SchemaError
        Depth or error not above 0, a confidence outside 0 to 1, or a method without reliability.
    """
    for k, e in enumerate(evidence):
        deep = np.isnan(e.depth_m) or (e.depth_m > 0 and e.sigma_m > 0)
        if not deep or not 0 <= e.confidence <= 1 or e.method not in reliability:
            raise SchemaError(f"异常 {k + 1} ({e.method}, {e.line}): 深度 {e.depth_m:g} ± {e.sigma_m:g} m, 置信度 {e.confidence:g}",
                              expected=f"深度在地面以下 (正数), 置信度 0 至 1, 方法 {', '.join(reliability)}", cure="核对深度符号与单位")  # fmt: skip
    shapes = np.array([e.polygon for e in evidence], dtype=object)
    known = np.array([not np.isnan(e.depth_m) for e in evidence], dtype=bool)
    pairs = [(a, b) for a, b in _near(shapes, apart_m) if known[a] and known[b] and _agree(evidence[a], evidence[b], depth_sigmas)]
    groups = [set(g) for g in _groups(len(evidence), pairs) if known[g[0]]]
    probed = {m for g in groups for m in g}
    rest: dict[int, shapely.Geometry] = {}
    for k in np.flatnonzero(~known).tolist():
        for g in groups:
            if any(shapes[k].distance(shapes[m]) <= apart_m for m in g & probed):
                g.add(k)
        left = shapely.difference(shapes[k], shapely.union_all(shapes[sorted(probed)])) if probed else shapes[k]
        if left.area > 0:
            rest[k] = left
    zones = [_zone(evidence, sorted(g), reliability) for g in groups]
    zones += [replace(_zone(evidence, [k], reliability), polygon=left) for k, left in rest.items()]
    return sorted(zones, key=lambda z: -z.confidence)


def _near(shapes: np.ndarray, apart: float) -> list[tuple[int, int]]:
    if not len(shapes):
        return []
    a, b = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=apart)
    return [(int(i), int(j)) for i, j in zip(a, b) if i < j]


def _agree(a: Evidence, b: Evidence, sigmas: float) -> bool:
    return abs(a.depth_m - b.depth_m) <= sigmas * float(np.hypot(a.sigma_m, b.sigma_m))


def _groups(n: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    a, b = zip(*pairs) if pairs else ((), ())
    _, label = connected_components(coo_array((np.ones(len(a)), (np.array(a, dtype=int), np.array(b, dtype=int))), shape=(n, n)), directed=False)
    return [np.flatnonzero(label == k).tolist() for k in range(label.max() + 1 if n else 0)]


def _zone(evidence: Sequence[Evidence], members: list[int], reliability: Mapping[str, float]) -> Zone:
    here = [evidence[k] for k in members]
    methods = tuple(dict.fromkeys(sorted(e.method for e in here)))
    doubt = float(np.prod([1.0 - reliability[m] * max(e.confidence for e in here if e.method == m) for m in methods]))
    deep = [e for e in here if not np.isnan(e.depth_m)]
    depth = sigma = float("nan")
    if deep:
        d, s = np.array([e.depth_m for e in deep]), np.array([e.sigma_m for e in deep])
        weight = 1.0 / s**2
        depth = float((d * weight).sum() / weight.sum())
        scatter = float((((d - depth) / s) ** 2).sum() / max(len(d) - 1, 1))
        sigma = float(np.sqrt(max(scatter, 1.0) / weight.sum()))
    return Zone(shapely.union_all([e.polygon for e in (deep or here)]), tuple(members), methods, depth, sigma, 1.0 - doubt)
