"""The acceptance form: planned, measured, cut and accepted quantities (验收表与核减)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from qianmo.governance.blank import is_blank
from qianmo.governance.library.typed import FAULT_COLUMNS, fault_row
from qianmo.schema.acceptance import acceptance_checks, acceptance_fields, cut_reasons
from qianmo.schema.tables import table_spec

__all__ = ["RESULTS", "accepted_lines", "blank_form", "check_form", "quota_of", "refusals_of_result"]

RESULTS = {"pass": "通过", "mend": "限期整改", "fail": "不通过"}
"""Results of an acceptance (验收结论)."""

_WORDS = ("code", "text")
_NEW, _BEFORE_CUT = "YS_GM_XZGDMJ", "YS_GM_HJQXZGDMJ"


def blank_form(project: str, planned: Mapping[str, float], *, prices: Mapping[str, float] | None = None) -> pd.DataFrame:
    """A form with the planned quantities and contract prices, the rest blank (空白验收表).

    Parameters
    ----------
    project : str
    planned : mapping
        Field → planned quantity in the unit of the field.
    prices : mapping, optional
        Field → contract price of one unit. [yuan]

    Returns
    -------
    DataFrame, table ``acceptance_line``
        One row a field with a number, in the order of the form.

    Raises
    ------
    SchemaError
        Unknown field.
    """
    fields = acceptance_fields()
    for name in (*planned, *(prices or {})):
        fields.field(name)
    rows = [{"project_id": project, "field": f.id, "planned": planned.get(f.id), "price_yuan": (prices or {}).get(f.id)} for f in fields.fields.values() if f.unit not in _WORDS]
    frame = pd.DataFrame(rows, columns=list(table_spec("acceptance_line").column_names))
    return frame.astype({c.name: "float64" if c.type == "real" else object for c in table_spec("acceptance_line").columns})


def accepted_lines(frame: pd.DataFrame) -> pd.DataFrame:
    """The form with the accepted quantity, measured less cut, exact in the decimals written (核定数)."""
    out = frame.copy()
    out["accepted"] = [None if is_blank(m) else float(_decimal(m) - _decimal(c)) for m, c in zip(frame["measured"], frame["cut"])]
    return out.astype({"accepted": "float64"})


def check_form(frame: pd.DataFrame) -> pd.DataFrame:
    """Every fault of a form (验收表检查).

    Parameters
    ----------
    frame : DataFrame, table ``acceptance_line``

    Returns
    -------
    DataFrame, columns `typed.FAULT_COLUMNS`
        Negative numbers, cuts without reason or larger than what was measured, parts that do not add up before or after the cut,
        new farmland before the cut that is not what was measured.
    """
    rows = [*_line_faults(frame), *_sum_faults(frame)]
    return pd.DataFrame(rows, columns=list(FAULT_COLUMNS))


def quota_of(frame: pd.DataFrame) -> dict[str, float]:
    """Farmland quota that the acceptance gives, from accepted quantities only (可入库指标).

    Returns
    -------
    dict
        new_farmland_m2, paddy_m2, irrigated_m2, usable_m2 (for the balance) and capacity_kg; 0 where nothing is accepted.
    """
    accepted = dict(zip(frame["field"], accepted_lines(frame)["accepted"]))

    def of(name: str, times: int) -> float:
        value = accepted.get(name)
        return 0.0 if is_blank(value) else float(_decimal(value) * times)

    return {
        "new_farmland_m2": of(_NEW, 10_000), "paddy_m2": of("YS_GM_STMJ", 10_000), "irrigated_m2": of("YS_GM_SJDMJ", 10_000),
        "usable_m2": of("YS_GM_XZGD_KYYZBPH", 10_000), "capacity_kg": of("YS_CX_XZLSCN", 1),
    }  # fmt: skip


def refusals_of_result(frame: pd.DataFrame, result: str) -> tuple[str, ...]:
    """Why a result may not be given to this form; none when it may (验收结论核对).

    `pass` needs a form without faults and a measured quantity for everything that was planned.
    """
    if result not in RESULTS:
        return (f"没有结论 {result!r}, 应为: " + "、".join(RESULTS.values()),)
    if result != "pass":
        return ()
    told = [str(z) for z in check_form(frame)["zh"]]
    names = acceptance_fields().fields
    open_fields = [names[f].zh for f, p, m in zip(frame["field"], frame["planned"], frame["measured"]) if not is_blank(p) and float(p) > 0 and is_blank(m)]
    return (*told, *((f"尚未实测: {'、'.join(open_fields)}",) if open_fields else ()))


def _line_faults(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    fields, reasons = acceptance_fields().fields, cut_reasons()
    seen: set[tuple[str, str]] = set()
    for n, r in enumerate(frame.to_dict("records"), start=1):
        key = str(r["field"])

        def told(column: str, zh: str, en: str, *, cure: str = "", r: Mapping[str, Any] = r, n: int = n, key: str = key) -> tuple[Any, ...]:
            name = fields[key].zh if key in fields else key
            return fault_row("acceptance_line", n, key, column, str(r.get(column)), f"{name}: {zh}", en, cure=cure)

        if key not in fields:
            yield told("field", "没有此指标", "no such field")
            continue
        if (str(r["project_id"]), key) in seen:
            yield told("field", "指标重复", "the field occurs twice")
        seen.add((str(r["project_id"]), key))
        for column in ("planned", "measured", "cut", "price_yuan"):
            if not is_blank(r[column]) and float(r[column]) < 0:
                yield told(column, "不能为负数", "not negative")
        cut = Decimal(0) if is_blank(r["cut"]) else _decimal(r["cut"])
        if cut > 0 and is_blank(r["measured"]):
            yield told("cut", "没有实测数, 不能核减", "nothing measured to cut from")
        elif cut > 0 and cut > _decimal(r["measured"]):
            yield told("cut", "大于实测数", "more than was measured")
        if cut > 0 and (str(r["reason_code"]) not in reasons or is_blank(r["reason"])):
            yield told("reason", "核减必须写明原因与说明", "a cut needs a reason code and words", cure="原因: " + "、".join(z for z, _ in reasons.values()))


def _sum_faults(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    lines = accepted_lines(frame)
    for project, mine in lines.groupby("project_id", sort=False):
        for stage, zh in (("measured", "核减前"), ("accepted", "核减后")):
            got = {f: _decimal(v) for f, v in zip(mine["field"], mine[stage]) if not is_blank(v)}
            for c in acceptance_checks():
                if c.total not in got or not all(p in got for p in c.parts):
                    continue
                whole, parts = got[c.total], sum((got[p] for p in c.parts), Decimal(0))
                if whole != parts if c.relation == "==" else whole < parts:
                    yield fault_row("acceptance_line", 0, c.total, stage, f"{whole} / {parts}", f"{project} {zh}: {c.zh}, 现为 {whole} 与 {parts}", c.en, cure="改正实测数或核减数")
        before = {f: v for f, v in zip(mine["field"], mine["measured"]) if not is_blank(v)}
        if _BEFORE_CUT in before and _NEW in before and _decimal(before[_BEFORE_CUT]) != _decimal(before[_NEW]):
            words = f"{project}: 核减前新增耕地 {before[_BEFORE_CUT]:g}, 新增耕地实测 {before[_NEW]:g}"
            yield fault_row("acceptance_line", 0, _BEFORE_CUT, "measured", f"{before[_BEFORE_CUT]:g}", words, "new farmland before the cut is not what was measured")


def _decimal(value: Any) -> Decimal:
    return Decimal(0) if is_blank(value) else Decimal(repr(float(value)))

