"""What speaks for and against a way to read coordinates (坐标读法的证据)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from qianmo.onemap.projections import Reading, lonlat_of
from qianmo.onemap.shifted import offset_from_control
from qianmo.schema.shipped import shipped_rows

__all__ = ["Box", "Hypothesis", "admin_box", "judged", "shipped_admin_boxes"]

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax."""

_ZONE_MARGIN_DEG = {3.0: 2.0, 6.0: 1.0}
_BOX_MARGIN_DEG = 0.05
_KNOWN_MARGIN_DEG = 0.5
_MIN_SHARE = 0.5


@dataclass(frozen=True)
class Hypothesis:
    """One reading, with or without swapped axes, and what speaks for and against it."""

    reading: Reading
    swap: bool
    box: Box
    score: float = 0.0
    placed: bool | None = None
    in_china: bool = True
    datum_fits: bool | None = None
    zone_fits: bool = True
    in_zone: bool = True
    suffix: str = ""
    offset_clear: bool = True
    reasons: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        return f"{self.reading.value}{';swap' if self.swap else ''}{self.suffix}"

    @property
    def stands(self) -> bool:
        """Nothing contradicts it."""
        allowed = self.placed is not False and self.datum_fits is not False
        return allowed and self.in_china and self.zone_fits and self.offset_clear


@cache
def shipped_admin_boxes() -> Mapping[str, Box]:
    """Boxes that ship: counties of Zhejiang and Fujian, all provinces (随包行政区范围)."""
    rows = (*shipped_rows("codes", "province_boxes"), *shipped_rows("codes", "county_boxes"))
    return {r["code"]: (float(r["xmin"]), float(r["ymin"]), float(r["xmax"]), float(r["ymax"])) for r in rows}


def admin_box(code: str, boxes: Mapping[str, Box]) -> tuple[str, Box] | None:
    """Longest beginning of the code that has a box, and the box; None when there is none (行政区范围)."""
    parts = (code[:n] for n in range(len(code), 1, -1))
    return next(((p, boxes[p]) for p in parts if p in boxes), None)


def judged(
    h: Hypothesis, said: Reading | None, datum: str | None, place: tuple[str, Box] | None, known: Mapping[str, Box],
    control: tuple[np.ndarray, np.ndarray] | None,
) -> Hypothesis:  # fmt: skip
    """Hypothesis with every piece of evidence weighed."""
    h = replace(h, score=0.3, reasons=(_magnitude(h),))
    for step in (_zone, _declared, _datum, _county, _known, _control):
        h = step(h, said=said, datum=datum, place=place, known=known, control=control)
    if h.placed is None and h.reading is not said:
        inside = any(_share(h.box, b, 0.3) >= _MIN_SHARE for c, b in shipped_admin_boxes().items() if len(c) == 2)
        outside = () if inside else ("lies outside every province (不在任何省级范围内)",)
        h = replace(h, in_china=inside, reasons=h.reasons + outside)
    return replace(h, score=round(max(0.0, min(1.0, h.score * (1.0 if h.stands else 0.3))), 4))


def _magnitude(h: Hypothesis) -> str:
    if h.reading.kind == "geographic":
        text = "numbers are degrees (经纬度)"
    elif h.reading.prefix:
        text = f"easting starts with zone number {h.reading.prefix} (带号 {h.reading.prefix})"
    else:
        text = "numbers are metres without a zone number (米制、无带号)"
    return text + ("; northing comes first: axes swapped (坐标轴北在前)" if h.swap else "")


def _zone(h: Hypothesis, **_: object) -> Hypothesis:
    if h.reading.kind != "transverse":
        return h
    away = abs((h.box[0] + h.box[2]) / 2.0 - h.reading.meridian)
    half = h.reading.width / 2.0
    fits, inside = away <= half + _ZONE_MARGIN_DEG[h.reading.width], away <= half
    text = f"{away:.2f} degrees from the central meridian {h.reading.meridian:g}, half a zone is {half:g} (距中央经线)"
    return replace(h, zone_fits=fits, in_zone=inside, score=h.score + 0.1 * inside, reasons=(*h.reasons, text))


def _declared(h: Hypothesis, *, said: Reading | None, **_: object) -> Hypothesis:
    if said is None or h.reading is not said:
        return h
    return replace(h, score=h.score + 0.2, reasons=(*h.reasons, f"declared as {said.name} (文件声明)"))


def _datum(h: Hypothesis, *, datum: str | None, said: Reading | None, **_: object) -> Hypothesis:
    if datum:
        fits = h.reading.datum == datum or (h.reading is said and not h.reading.datum)
        text = f"datum {datum} was given (已指定基准)" if fits else f"datum {h.reading.datum} is not the given {datum} (基准不符)"
        return replace(h, datum_fits=fits, score=h.score + 0.1 * fits, reasons=(*h.reasons, text))
    if said is not None and said.datum:
        return replace(h, score=h.score + 0.05 * (h.reading.datum == said.datum))
    return replace(h, reasons=(*h.reasons, "coordinates cannot tell the datum (坐标本身无法区分基准)"))


def _county(h: Hypothesis, *, place: tuple[str, Box] | None, **_: object) -> Hypothesis:
    if place is None:
        return h
    code, box = place
    fits = _share(h.box, box, _BOX_MARGIN_DEG if len(code) > 2 else 0.3) >= _MIN_SHARE
    text = f"{'lies in' if fits else 'lies outside'} the box of {code} (行政区 {code} {'相符' if fits else '不符'})"
    return replace(h, placed=fits, score=h.score + (0.25 if len(code) > 2 else 0.1) * fits, reasons=(*h.reasons, text))


def _known(h: Hypothesis, *, known: Mapping[str, Box], **_: object) -> Hypothesis:
    if not known:
        return h
    near = [name for name, box in known.items() if _share(h.box, box, _KNOWN_MARGIN_DEG) > 0.0]
    text = (
        f"near the known {', '.join(near)} (与已有图层相邻)" if near else f"far from the known {', '.join(known)} (远离已有图层)"
    )
    return replace(h, placed=bool(near) and h.placed is not False, score=h.score + 0.1 * bool(near), reasons=(*h.reasons, text))


def _control(h: Hypothesis, *, control: tuple[np.ndarray, np.ndarray] | None, **_: object) -> Hypothesis:
    if control is None:
        return h
    raw = np.asarray(control[0], dtype=float)
    lonlat = lonlat_of(h.reading, raw[:, ::-1] if h.swap else raw)
    suffix, verdict, text = offset_from_control(lonlat, np.asarray(control[1], dtype=float))
    placed = h.placed is not False if verdict != "elsewhere" else False
    bonus = 0.15 if verdict in ("same", "gcj02") else 0.0
    clear = verdict != "offset"
    return replace(h, placed=placed, suffix=suffix, offset_clear=clear, score=h.score + bonus, reasons=(*h.reasons, text))


def _share(a: Box, b: Box, margin: float) -> float:
    """Share of the smaller box that lies in the other one, widened by a margin; a point or a line counts as a thin box."""
    thin = 1e-9
    wide = (b[0] - margin, b[1] - margin, b[2] + margin, b[3] + margin)
    width = min(a[2] + thin, wide[2]) - max(a[0], wide[0])
    height = min(a[3] + thin, wide[3]) - max(a[1], wide[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((a[2] - a[0] + thin) * (a[3] - a[1] + thin), (wide[2] - wide[0]) * (wide[3] - wide[1]))
    return width * height / smaller
