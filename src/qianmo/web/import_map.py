"""The small map of the import: candidates of the place against the county, as numbers for an SVG (坐标系示意图)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["detail", "overview"]

Box = Sequence[float]

_CHINA = (72.0, 16.0, 137.0, 55.0)
_WIDE = 320.0
_LEAST = 9.0
_SAME_DEG = 0.02


def overview(place: Mapping[str, Any], provinces: Mapping[str, Box]) -> dict[str, Any]:
    """All candidates over the country; one a few pixels wide at least (全国示意)."""
    return _drawn(_CHINA, place, [("province", b) for b in provinces.values()], least=_LEAST)


def detail(place: Mapping[str, Any], known: Mapping[str, Box]) -> dict[str, Any] | None:
    """The county, the layers already there and the candidates near them; None where there is neither (县域示意)."""
    county = (place.get("county") or {}).get("box")
    first = next((c["box"] for c in place["candidates"] if c["box"]), None)
    frames = [county] if county else [*known.values()][:1] or ([first] if first else [])
    if not frames:
        return None
    near = [*frames, *(c["box"] for c in place["candidates"] if c["box"] and _meets(c["box"], frames[0]))]
    view = _padded((min(b[0] for b in near), min(b[1] for b in near), max(b[2] for b in near), max(b[3] for b in near)))
    back = [("county", county)] if county else []
    return _drawn(view, place, [*back, *(("known", b) for b in known.values())], least=4.0)


def _drawn(view: Box, place: Mapping[str, Any], back: Sequence[tuple[str, Box]], *, least: float) -> dict[str, Any]:
    scale = _WIDE / (view[2] - view[0])
    stretch = 1.25  # a degree of latitude is longer than one of longitude between 30 and 40 degrees north
    height = (view[3] - view[1]) * scale * stretch
    height, squeeze = (height, 1.0) if height <= _WIDE else (_WIDE, _WIDE / height)

    def rect(box: Box, smallest: float) -> dict[str, str]:
        x, y = (box[0] - view[0]) * scale, (view[3] - box[3]) * scale * stretch * squeeze
        wide, high = (box[2] - box[0]) * scale, (box[3] - box[1]) * scale * stretch * squeeze
        grow_x, grow_y = max(0.0, smallest - wide) / 2, max(0.0, smallest - high) / 2
        placed = {"x": x - grow_x, "y": y - grow_y, "width": wide + 2 * grow_x, "height": high + 2 * grow_y, "label_x": x + wide + grow_x + 3, "label_y": y + high / 2 + 4}
        return {k: f"{v:.1f}" for k, v in placed.items()}

    shown = [rect(b, 0.0) | {"kind": kind} for kind, b in back if _meets(b, view)]
    marks = [rect(c["box"], least) | {"kind": "candidate", "label": label, "chosen": chosen} for c, label, chosen in _grouped(place) if _meets(c["box"], view)]
    return {"width": f"{_WIDE + 26:.0f}", "height": f"{height:.0f}", "back": shown, "marks": marks}


def _grouped(place: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str, bool]]:
    """Candidates at one place under one label."""
    groups: list[tuple[Mapping[str, Any], list[int], bool]] = []
    for number, c in enumerate(place["candidates"], start=1):
        if not c["box"]:
            continue
        chosen = c["value"] == place["chosen"]
        for k, (first, numbers, is_chosen) in enumerate(groups):
            if max(abs(a - b) for a, b in zip(first["box"], c["box"], strict=True)) < _SAME_DEG:
                groups[k] = (first, [*numbers, number], is_chosen or chosen)
                break
        else:
            groups.append((c, [number], chosen))
    return [(c, ",".join(map(str, numbers)), chosen) for c, numbers, chosen in groups]


def _meets(a: Box, b: Box) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def _padded(box: Box) -> tuple[float, float, float, float]:
    pad = max(0.15 * max(box[2] - box[0], box[3] - box[1]), 0.002)
    return box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad
