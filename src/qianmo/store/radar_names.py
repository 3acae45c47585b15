"""What the name of a radar file says: dates of the pair and what it holds (干涉文件名)."""

from __future__ import annotations

import re
from datetime import date, datetime

from qianmo.schema.errors import SchemaError

__all__ = ["image_kind", "named_dates"]

_LONG = re.compile(r"(?<!\d)(\d{8})(?:T\d{4,6})?[^0-9]{1,3}(\d{8})(?:T\d{4,6})?(?!\d)")
_SHORT = re.compile(r"(?<!\d)(\d{6})[-_](\d{6})(?!\d)")
_WORD = re.compile(r"[a-z]+")
_COHERENCE = {"cc", "coh", "cor", "corr", "coherence"}
_UNWRAPPED = {"unw", "unwrap", "unwrapped"}
_WRAPPED = {"wrapped", "diff"}
_OTHER = {
    "dem", "amp", "inc", "incidence", "heading", "azimuth", "lv", "theta", "phi", "mask", "conncomp", "browse", "hgt", "los", "vert", "disp", "displacement", "wrapped", "diff", "velocity",
}  # fmt: skip


def named_dates(name: str) -> tuple[date, date] | None:
    """The two dates in a name, YYYYMMDD or YYMMDD, in the order given; None without two (文件名中的日期).

    Raises
    ------
    SchemaError
        Digits that are no date.
    """
    found = _LONG.search(name)
    form = "%Y%m%d"
    if found is None:
        found, form = _SHORT.search(name), "%y%m%d"
    if found is None:
        return None
    try:
        first, second = (datetime.strptime(d, form).date() for d in found.groups())
    except ValueError:
        raise SchemaError(f"{name}: 文件名中的 {found.group(1)}-{found.group(2)} 不是日期", expected="YYYYMMDD-YYYYMMDD", cure="改正文件名") from None
    return first, second


def image_kind(name: str, *, wrapped: bool = False) -> str:
    """'phase', 'coherence' or 'other' by the words of a file name; a name that says nothing is taken for phase (影像类别).

    With `wrapped`, files of wrapped phase are the phase and unwrapped ones are 'other'. Products such as ``…_los_disp.tif`` (displacement), ``…_wrapped_phase.tif`` or ``…_dem.tif`` are 'other'.
    """
    words = set(_WORD.findall(re.sub(r"\d{6,8}T\d{4,6}", " ", name).lower().replace("_", " ")))
    if words & _UNWRAPPED:
        return "other" if wrapped else "phase"
    if wrapped and words & _WRAPPED:
        return "phase"
    if words & _OTHER:
        return "other"
    return "coherence" if words & _COHERENCE else "phase"
