"""What a fit of subsidence leaves free, within which bounds, from the words of the command (反演参数选择)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qianmo.schema.errors import SchemaError
from qianmo.survey.subsidence.invert import LIMITS

__all__ = ["FIT_WORDS", "Asked", "asked_of"]

FIT_WORDS = {
    "q": "下沉系数 q", "tan_beta": "主要影响角正切 tanβ", "b": "水平移动系数 b", "offset_down_m": "下山拐点偏移距 s1（米）", "offset_up_m": "上山拐点偏移距 s2（米）",
    "offset_left_m": "左侧拐点偏移距 s3（米）", "offset_right_m": "右侧拐点偏移距 s4（米）", "dip_deg": "煤层倾角（度）", "shift_east_m": "工作面东移（米）", "shift_north_m": "工作面北移（米）",
}  # fmt: skip
"""Parameter → its words in tables and charts (反演参数名称)."""

_SHORT = {"q": "q", "tan_beta": "tan_beta", "b": "b", "s1": "offset_down_m", "s2": "offset_up_m", "s3": "offset_left_m", "s4": "offset_right_m", "dip": "dip_deg",
          "east": "shift_east_m", "north": "shift_north_m"}  # fmt: skip
_GROUPS = {"offsets": ("s1", "s2", "s3", "s4"), "place": ("east", "north")}


@dataclass(frozen=True)
class Asked:
    """What is free beside the rock, the bounds, and what is held at a value (反演范围).

    `more` are names of `LIMITS` in the order asked for; `limits` has every name; `held` stays as it is told and is not fitted.
    """

    more: tuple[str, ...] = ()
    limits: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(LIMITS))
    held: dict[str, float] = field(default_factory=dict)


def asked_of(words: Sequence[str] | None) -> Asked:
    """Read ``s1``, ``offsets``, ``place``, ``s1=-50:100`` (bounds) and ``q=0.7`` (held), several with commas (反演参数).

    Raises
    ------
    SchemaError
        An unknown name, bounds that are no rising pair of numbers or leave the range that is searched at most, a name given twice.
    """
    more: list[str] = []
    limits, held = dict(LIMITS), {}
    for word in [w.strip() for text in words or () for w in str(text).split(",") if w.strip()]:
        name, _, told = word.partition("=")
        shorts = _GROUPS.get(name.strip(), (name.strip(),))
        if any(s not in _SHORT for s in shorts) or (told and len(shorts) > 1):
            raise SchemaError(f"--fit {word}", expected=f"{', '.join((*_SHORT, *_GROUPS))}; 单个参数可带 =下限:上限 或 =固定值", cure="如 --fit offsets --fit s1=-50:100 --fit q=0.7")
        for short in shorts:
            full = _SHORT[short]
            if told and (limits[full] != LIMITS[full] or full in held):
                raise SchemaError(f"--fit {short} 给了两次", expected="一个参数一个范围")
            if ":" in told:
                limits[full] = _bounds(word, told, *LIMITS[full])
            elif told:
                held[full] = _value(word, told, *LIMITS[full])
            if full not in more and full not in held:
                more.append(full)
    return Asked(tuple(n for n in more if n not in held), limits, held)


def _bounds(word: str, told: str, least: float, most: float) -> tuple[float, float]:
    low, high = (_value(word, part, least, most) for part in told.split(":", 1))
    if not low < high:
        raise SchemaError(f"--fit {word}", expected="下限小于上限", cure="固定一个值写作 q=0.7")
    return low, high


def _value(word: str, text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (np.isfinite(value) and least <= value <= most):
        raise SchemaError(f"--fit {word}", expected=f"{least:g} 至 {most:g} 之间的数 (米、度或无量纲)", cure="核对单位与范围")
    return value
