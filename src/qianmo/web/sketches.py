"""Small maps of outlines as numbers for an SVG (红线示意图)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["outline_sketch"]

_WIDE, _STRETCH, _MOST = 420.0, 1.15, 4000
"""Width [pixels]; a degree of latitude against one of longitude about 28 degrees north; most corners that are drawn."""


def outline_sketch(geometries: Sequence[Mapping[str, Any]], known: Iterable[Sequence[float]] = ()) -> dict[str, Any] | None:
    """Outlines by number over the boxes of the layers of a project, as paths of an SVG; None where there is none (红线示意)."""
    rings = [(k, ring) for k, g in enumerate(geometries, 1) for ring in _rings(g)]
    if not rings:
        return None
    xs, ys = [p[0] for _, r in rings for p in r], [p[1] for _, r in rings for p in r]
    pad = max(0.12 * max(max(xs) - min(xs), max(ys) - min(ys)), 1e-5)
    x0, y1 = min(xs) - pad, max(ys) + pad
    wide, high = max(xs) + pad - x0, y1 - min(ys) + pad
    scale = min(_WIDE / wide, _WIDE / (high * _STRETCH))

    def point(p: Sequence[float]) -> str:
        return f"{(p[0] - x0) * scale:.1f},{(y1 - p[1]) * scale * _STRETCH:.1f}"

    step = max(1, sum(len(r) for _, r in rings) // _MOST)
    paths: dict[int, str] = {}
    for k, ring in rings:
        kept = ring[::step] if len(ring) > 2 * step * 3 else ring
        paths[k] = paths.get(k, "") + "M" + "L".join(point(p) for p in kept) + "Z"
    boxes = [f"M{point((b[0], b[1]))}L{point((b[2], b[1]))}L{point((b[2], b[3]))}L{point((b[0], b[3]))}Z" for b in known]
    first = {k: point(next(r for n, r in rings if n == k)[0]).split(",") for k in paths}
    return {"width": f"{wide * scale:.0f}", "height": f"{high * scale * _STRETCH:.0f}", "known": boxes,
            "paths": [{"number": k, "d": d, "x": first[k][0], "y": first[k][1]} for k, d in paths.items()]}  # fmt: skip


def _rings(geometry: Mapping[str, Any]) -> list[list[Sequence[float]]]:
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]] if geometry["type"] == "Polygon" else []
    return [list(ring) for part in parts for ring in part]
