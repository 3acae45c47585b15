"""Checks of columns, types, identifiers, codes, ranges and text against the table specification (属性检查)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd

from qianmo.onemap.faults import SPEC, fault_rows, gather, id_column, is_blank, layer_fault, no_faults
from qianmo.schema.codes import domain_codes, land_classes
from qianmo.schema.rules import parameter, rule
from qianmo.schema.tables import Column, table_spec

__all__ = [
    "check_codes",
    "check_columns",
    "check_identifiers",
    "check_ranges",
    "check_text",
    "check_types",
    "check_unit_codes",
    "is_unit_code",
]

_PHYSICAL = {"slope_deg": (0.0, 90.0), "quality_grade": (1, 15), "storeys": (0, 200), "elevation_m": (-500.0, 9000.0)}
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]"
_REPLACED = "�|锟斤拷|锟斤|ï¿½|烫烫烫|屯屯屯"
_LATIN_RUN = r"[\x80-ÿ]{3,}"
_CHINESE = r"[一-鿿]"
_FORMULA = r"^\s*(?:[=@]|[+\-](?![\d.]+\s*$)[^\s]*[|!(=])"
_PARCEL_PREFIX = r"^\d{12}[A-Za-z]{2}"


def is_unit_code(code: str) -> bool:
    """True for a well-formed 28-digit real-estate unit code (不动产单元代码), rule V-13.

    Examples
    --------
    >>> is_unit_code("330110001001JC00001F00010001")
    True
    """
    return bool(_unit_pattern().fullmatch(code))


def check_columns(frame: pd.DataFrame, table: str) -> gpd.GeoDataFrame:
    """Required columns that are absent, required values that are null (必填字段)."""
    parts = []
    for column in (c for c in table_spec(table).columns if c.required):
        label = f"{column.name} ({column.zh})"
        if column.name not in frame.columns:
            parts.append(
                layer_fault(
                    frame,
                    table,
                    what="column_missing",
                    found=f"缺少字段 {label}",
                    expected="必填字段",
                    cure="在字段映射中指定来源字段",
                )
            )
            continue
        rows = np.flatnonzero(is_blank(frame[column.name]))
        repairable = column.name == "class_area_m2" and _has_ridge_inputs(frame)[rows]
        parts.append(_blank_faults(frame, table, rows, label, repairable))
    return gather(frame, parts)


def check_types(frame: pd.DataFrame, table: str) -> gpd.GeoDataFrame:
    """Values that are not of the type of their column, and identifiers stored as numbers (字段类型)."""
    parts = []
    for column in _present(frame, table):
        values = frame[column.name]
        if column.type in ("real", "integer"):
            bad = _not_number(values, whole=column.type == "integer")
            want = "整数" if column.type == "integer" else "数值"
            parts.append(_value_faults(frame, table, column, bad, "type", f"应为{want}", "更正为数值或留空"))
        elif column.type == "text" and pd.api.types.is_float_dtype(values) and values.notna().any():
            sample = values.dropna().iloc[0]
            parts.append(
                layer_fault(
                    frame,
                    table,
                    what="code_as_number",
                    found=f"字段 {column.name} 为浮点数, 如 {sample!r}",
                    expected="文本; 长代码存为浮点数会丢失末位",
                    cure="从原始数据按文本重新读取",
                )
            )
    return gather(frame, parts)


def check_identifiers(frame: pd.DataFrame, table: str) -> gpd.GeoDataFrame:
    """Identifiers that more than one row carries; each row lists the others (标识码唯一)."""
    name = id_column(table)
    if name not in frame.columns:
        return no_faults(frame)
    values = frame[name].where(~is_blank(frame[name])).astype(object)
    double = (values.duplicated(keep=False) & values.notna()).to_numpy()
    rows = np.flatnonzero(double)
    groups = pd.Series(rows).groupby(values.to_numpy()[rows]).agg(list)
    lists = [", ".join(map(str, groups[values.iloc[r]][:10])) for r in rows]
    return fault_rows(
        frame,
        table,
        rows,
        what="duplicate_id",
        found=[f"标识码 {values.iloc[r]} 出现在第 {t} 行" for r, t in zip(rows, lists)],
        expected="标识码唯一",
        cure="完全相同的要素由修复去重; 其余请重新编码",
    )


def check_codes(frame: pd.DataFrame, table: str, *, class_scheme: str) -> gpd.GeoDataFrame:
    """Codes that are not in their list, class names that do not belong to the class code (代码表).

    `class_scheme` names the edition of the land classes; '' skips land classes (a layer without them).
    """
    parts = []
    for column in (c for c in _present(frame, table) if c.codes):
        if column.codes == "land_classes" and not class_scheme:
            continue
        listed = _code_list(column.codes, class_scheme)
        values = frame[column.name]
        blank = is_blank(values)
        text = values.astype(str).str.strip()
        bad = np.flatnonzero(~blank & ~text.isin(listed).to_numpy())
        scheme = f" ({class_scheme})" if column.codes == "land_classes" else ""
        want = f"{column.zh}代码表{scheme}: " + ("/".join(listed) if len(listed) <= 12 else f"{len(listed)} 个代码")
        parts.append(_value_faults(frame, table, column, bad, "code_unknown", want, "按代码表更正, 或核对代码表版本"))
    if class_scheme and {"class_code", "class_name"} <= set(frame.columns) & set(table_spec(table).column_names):
        parts.append(_class_names(frame, table, class_scheme))
    return gather(frame, parts)


def check_ranges(frame: pd.DataFrame, table: str, *, overrides: Mapping[str, float] | None = None) -> gpd.GeoDataFrame:
    """Negative areas, shares outside [0, 1), grades and years that cannot be (取值范围)."""
    years = (parameter("data_year_min", overrides), parameter("data_year_max", overrides))
    parts = []
    for column in _present(frame, table):
        if column.type not in ("real", "integer"):
            continue
        numbers = pd.to_numeric(frame[column.name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        low, high, what = _bounds(column, years)
        with np.errstate(invalid="ignore"):
            outside = (numbers < low) | (numbers > high) | ((column.unit == "ratio") & (numbers >= 1))
        want = f"{low:g} 至 {high:g}" if np.isfinite(high) else f"不小于 {low:g}"
        parts.append(
            _value_faults(frame, table, column, np.flatnonzero(outside), what, f"{want} {column.unit}".strip(), "核对原始数据")
        )
        if column.name == "area_m2" and column.required:
            parts.append(_value_faults(frame, table, column, np.flatnonzero(numbers == 0), "zero_area", "大于 0", "核对原始数据"))
    return gather(frame, parts)


def check_text(frame: pd.DataFrame, table: str) -> gpd.GeoDataFrame:
    """Text that was decoded wrongly, carries control characters, blanks at the ends, or reads as a formula (文本)."""
    parts = []
    for name in frame.columns:
        if not _is_text(frame[name]):
            continue
        text = _only_text(frame[name])
        parts.extend(_text_faults(frame, table, str(name), text))
    return gather(frame, parts)


def check_unit_codes(frame: pd.DataFrame, table: str) -> gpd.GeoDataFrame:
    """Parcel identifiers in the Chinese form whose 19 or 28 digits are wrong (宗地代码与不动产单元代码), V-13."""
    if table != "parcel" or "parcel_id" not in frame.columns:
        return no_faults(frame)
    text = frame["parcel_id"].astype(str).str.strip()
    chinese = text.str.contains(_PARCEL_PREFIX, regex=True).to_numpy()
    good = text.map(lambda t: is_unit_code(t) or (len(t) == 19 and is_unit_code(t + "W00000000"))).to_numpy(dtype=bool)
    column = table_spec(table).column("parcel_id")
    return _value_faults(
        frame,
        table,
        column,
        np.flatnonzero(chinese & ~good),
        "unit_code",
        "28 位不动产单元代码或其前 19 位宗地代码",
        "按 6+3+3+2+5+1+8 位核对",
        rule_id="V-13",
    )


@cache
def _unit_pattern() -> re.Pattern[str]:
    return re.compile(rule("V-13").formula.removeprefix("regex").strip())


def _present(frame: pd.DataFrame, table: str) -> list[Column]:
    return [c for c in table_spec(table).columns if c.name in frame.columns]


def _has_ridge_inputs(frame: pd.DataFrame) -> np.ndarray:
    if "area_m2" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    known = pd.to_numeric(frame["area_m2"], errors="coerce").notna().to_numpy()
    for name in ("ridge_area_m2", "ridge_coefficient"):
        if name in frame.columns:
            return known & frame[name].notna().to_numpy()
    return known


def _blank_faults(
    frame: pd.DataFrame, table: str, rows: np.ndarray, label: str, repairable: np.ndarray | bool
) -> gpd.GeoDataFrame:
    if len(rows) and len(rows) == len(frame) and not np.any(repairable):
        return layer_fault(
            frame,
            table,
            what="column_empty",
            found=f"字段 {label} 全部 {len(frame)} 行为空",
            expected="必填",
            cure="在字段映射中指定来源字段",
        )
    return fault_rows(
        frame, table, rows, what="value_missing", found=f"{label} 为空", expected="必填", cure="补填", repairable=repairable
    )


def _not_number(values: pd.Series, *, whole: bool) -> np.ndarray:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = ~is_blank(values) & ~np.isfinite(numbers)
    if whole:
        bad |= np.isfinite(numbers) & (numbers != np.floor(numbers))
    return np.flatnonzero(bad)


def _value_faults(
    frame: pd.DataFrame, table: str, column: Column, rows: np.ndarray, what: str, expected: str, cure: str, *, rule_id: str = SPEC
) -> gpd.GeoDataFrame:
    shown = [f"{column.name} ({column.zh}) = {_short(v)}" for v in frame[column.name].iloc[rows]]
    return fault_rows(frame, table, rows, what=what, rule_id=rule_id, found=shown, expected=expected, cure=cure)


def _short(value: object) -> str:
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))
    return text if len(text) <= 40 else text[:40] + "…"


def _code_list(codes: str, class_scheme: str) -> tuple[str, ...]:
    if codes == "land_classes":
        return tuple(land_classes(class_scheme))
    return tuple(codes.split("|")) if "|" in codes else tuple(domain_codes(codes))


def _class_names(frame: pd.DataFrame, table: str, class_scheme: str) -> gpd.GeoDataFrame:
    right = frame["class_code"].astype(str).str.strip().map({k: c.zh for k, c in land_classes(class_scheme).items()})
    blank = is_blank(frame["class_name"])
    known = right.notna().to_numpy()
    wrong = np.flatnonzero(known & ~blank & (frame["class_name"].astype(str).str.strip() != right).to_numpy())
    empty = np.flatnonzero(known & blank)
    code = frame["class_code"].astype(str)
    return gather(
        frame,
        [
            fault_rows(
                frame,
                table,
                wrong,
                what="class_name",
                severity="warning",
                found=[f"{code.iloc[r]} 名为 {_short(frame['class_name'].iloc[r])}" for r in wrong],
                expected=[f"{right.iloc[r]}" for r in wrong],
                cure="核对地类编码与名称哪个正确",
            ),
            fault_rows(
                frame,
                table,
                empty,
                what="class_name_missing",
                severity="info",
                found="地类名称为空",
                expected=[f"{right.iloc[r]}" for r in empty],
                cure="按编码补填名称",
                repairable=True,
            ),
        ],
    )


def _bounds(column: Column, years: tuple[float, float]) -> tuple[float, float, str]:
    if column.unit == "year":
        return (*years, "year")
    if column.unit == "ratio":
        return 0.0, 1.0, "range"
    if column.name in _PHYSICAL:
        return (*_PHYSICAL[column.name], "range")
    negative_allowed = -np.inf if column.unit not in ("m2", "m") else 0.0
    return negative_allowed, np.inf, "negative_area" if column.unit == "m2" else "range"


def _only_text(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.StringDtype):
        return values.fillna("")
    return values.where(values.map(lambda v: isinstance(v, str)), "").astype(str)


def _is_text(values: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)


def _text_faults(frame: pd.DataFrame, table: str, name: str, text: pd.Series) -> list[gpd.GeoDataFrame]:
    distinct = pd.Series(text.unique())
    kinds: list[tuple[str, str, Callable[[pd.Series], pd.Series], str, str, bool]] = [
        ("mojibake", "error", _looks_garbled, "正确解码的文字", "用正确的编码 (GBK/UTF-8) 重新读取", False),
        ("control_character", "warning", lambda s: s.str.contains(_CONTROL, regex=True), "无控制字符", "由修复删除", True),
        ("blank_ends", "info", lambda s: s != s.str.strip(), "首尾无空格", "由修复去除", True),
        ("formula_text", "info", lambda s: s.str.contains(_FORMULA, regex=True), "普通文字", "导出表格时按文本写出", False),
    ]
    out = []
    for what, severity, test, expected, cure, repairable in kinds:
        bad_values = distinct[test(distinct).to_numpy(dtype=bool)]
        if not len(bad_values):
            continue
        rows = np.flatnonzero(text.isin(bad_values).to_numpy())
        found = [f"{name} = {_short(text.iloc[r])}" for r in rows]
        out.append(
            fault_rows(
                frame, table, rows, what=what, severity=severity, found=found, expected=expected, cure=cure, repairable=repairable
            )
        )
    return out


def _looks_garbled(text: pd.Series) -> pd.Series:
    replaced = text.str.contains(_REPLACED, regex=True)
    latin = text.str.contains(_LATIN_RUN, regex=True) & ~text.str.contains(_CHINESE, regex=True)
    return replaced | latin
