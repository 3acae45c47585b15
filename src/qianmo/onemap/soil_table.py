"""Names and topsoil of the codes of a soil map (土种对照表)."""

from __future__ import annotations

import pandas as pd

from qianmo.onemap.plain_table import columns_of, numbers, rows_text
from qianmo.schema.errors import SchemaError

__all__ = ["soil_types"]

_PERCENT = tuple((f"topsoil_{part}_share", f"topsoil_{part}_percent") for part in ("organic", "clay", "silt", "sand", "rock"))


def soil_types(frame: pd.DataFrame, *, origin: str, names: dict[str, str] | None = None) -> pd.DataFrame:
    """Soil types by the values of the map (土种规整): table ``soil_type``.

    Cells that hold one value a layer, joined by dashes (``2.31-0.84-0.84``), give that of the first layer.

    Parameters
    ----------
    frame : DataFrame of text cells
    origin : str
        File, for the messages.
    names : mapping, optional
        Names shown in place of those of the source.

    Raises
    ------
    SchemaError
        No code or name column, a blank or repeated code, a share outside 0 to 100 %. The rows are named.
    """
    frame = frame.reset_index(drop=True)
    found = columns_of(list(map(str, frame.columns)), "soil_type")
    lacking = [zh for c, zh in (("soil_code", "土种代号"), ("soil_name", "土种名称")) if c not in found]
    if lacking:
        raise SchemaError(f"{origin}: 土种表缺少 {'、'.join(lacking)} 列", expected="土种代号 (SEQN)、土种名称 (SNAM)", cure="补上这些列")
    code = frame[found["soil_code"]]
    bad = [int(k) for k in frame.index[(code.isna() | code.duplicated(keep=False) | frame[found["soil_name"]].isna()).to_numpy(bool)]]
    if bad:
        raise SchemaError(f"{origin}: {rows_text(bad)}的土种代号为空、重复或没有名称", expected="每个代号一行, 有名称", cure="改正土种表")
    told = {str(k): v for k, v in (names or {}).items()}
    out = pd.DataFrame({"soil_code": code.astype(str), "soil_name": [told.get(str(c), str(n)) for c, n in zip(code, frame[found["soil_name"]])]})
    out["depth_mm"] = _read(frame, found, "depth_mm", origin)
    for share, percent in _PERCENT:
        out[share] = _read(frame, found, share, origin) if share in found else _read(frame, found, percent, origin) / 100
        odd = [int(k) for k in out.index[((out[share] < 0) | (out[share] > 1)).to_numpy(bool)]]
        if odd:
            raise SchemaError(f"{origin}: {rows_text(odd)}的含量不在 0 至 100% 之间", expected="重量百分比", cure="核对单位")
    return out


def _read(frame: pd.DataFrame, found: dict[str, str], column: str, origin: str) -> pd.Series:
    if column not in found:
        return pd.Series(float("nan"), index=frame.index)
    return numbers(frame[found[column]], f"{origin} 列 {found[column]}", first=True)
