"""The finished plan, recomputed from the map after it and set beside the linear estimate (生态服务精确复算)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from qianmo.evaluation.grade_area import grade_after
from qianmo.evaluation.habitat import threat_share
from qianmo.evaluation.land import ERODIBILITY, EROSIVITY, Land, land_of, slope_length
from qianmo.evaluation.service_classes import service_classes
from qianmo.evaluation.services import QUANTITIES
from qianmo.schema.codes import land_classes
from qianmo.schema.errors import SchemaError
from qianmo.schema.measures import KEEP
from qianmo.schema.shipped import shipped_rows
from qianmo.schema.tables import table_spec

__all__ = ["land_after", "service_check"]


def service_check(
    patches: pd.DataFrame,
    after: pd.DataFrame,
    effects: pd.DataFrame,
    borders: pd.DataFrame,
    *,
    scheme: str,
    overrides: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Linear estimate, exact change and their difference for every service (线性化误差表).

    Parameters
    ----------
    patches : DataFrame, table ``landuse_patch``, n rows
    after : DataFrame
        The same patches after the plan: class_code, class_area_m2, measure, field_group; of the plan, in any order.
    effects : DataFrame, table ``service_effect``
        Coefficients the plan was made with; only their sum over the chosen options is read.
    borders : DataFrame (i, j, length_m)
        Shared borders of rows of `patches`. [m]

    Returns
    -------
    DataFrame, table ``service_check``, one row a quantity
        Totals over the patches that are known before and after; NaN where none is, or none but such as do not count.
        `low` and `high` enclose the exact change: the factor of each class is set to either end of its range in turn, and
        the differences are added as independent errors (root of the sum of squares); NaN where factors have no range.

    Raises
    ------
    SchemaError
        The two maps do not hold the same patches, or the plan holds an option without coefficients.
    """
    planned = after.set_index("patch_id")
    if len(planned) != len(patches) or set(planned.index) != set(patches["patch_id"]):
        raise SchemaError("the map after the plan does not hold the same patch_id", cure="re-evaluate the plan of this map")
    planned = planned.loc[patches["patch_id"]]
    code = patches["class_code"].to_numpy(object)
    before = land_of(patches, scheme=scheme, threat=threat_share(code, borders, scheme=scheme), overrides=overrides)
    done = land_after(before, planned, borders)
    linear = _linear(patches, planned, effects)
    rows = [_row(r, before, done, linear, patches) for r in shipped_rows("codes", "services")]
    return pd.DataFrame(rows)[list(table_spec("service_check").column_names)]


def land_after(before: Land, planned: pd.DataFrame, borders: pd.DataFrame) -> Land:
    """Land of the map after the plan, with what the merging of fields changes (规划后土地状态).

    A merged field has one slope (mean by area), one length of slope (of its whole area), one grade (mean by area over its
    members, to the nearest whole grade as a register holds it) and one outline; its members take these figures. Threats
    are those of the neighbours after the plan.
    """
    target, works = planned["class_code"].to_numpy(object), planned["measure"].to_numpy(object)
    classes = land_classes(before.scheme)
    field = planned.reset_index().groupby([c for c in ("field_group", "class_code", "village_code") if c in planned], sort=False, dropna=False)
    group = field.ngroup().to_numpy() if "field_group" in planned else np.arange(len(planned))
    many = (np.bincount(group) > 1)[group]
    whole = np.bincount(group, before.area)

    def mean(value: np.ndarray) -> np.ndarray:
        return np.where(many, (np.bincount(group, value * before.area) / np.where(whole > 0, whole, np.nan))[group], value)

    grade = mean(grade_after(before, target, works))
    farm = np.array([classes[t].is_farmland for t in target], bool)
    return replace(
        before,
        code=target,
        class_area=planned["class_area_m2"].to_numpy(float),
        slope=mean(before.slope),
        length=np.where(many, slope_length(whole, before.overrides)[group], before.length),
        grade=np.where(many, np.rint(grade), grade),
        terraced=(before.terraced & farm) | (works == "terrace"),
        threat=threat_share(target, borders, scheme=before.scheme, group=group),
    )


def _linear(patches: pd.DataFrame, planned: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Coefficients of the chosen options, a row a patch; 0 where nothing is done."""
    key = ["patch_id", "measure", "target_class"]
    chosen = pd.DataFrame(
        {"patch_id": patches["patch_id"].to_numpy(object), "measure": planned["measure"].to_numpy(object),
         "target_class": planned["class_code"].to_numpy(object)}
    )  # fmt: skip
    found = chosen.merge(effects[[*key, *QUANTITIES]], on=key, how="left", indicator=True, validate="one_to_one")
    works = (chosen["measure"] != KEEP).to_numpy()
    lost = works & (found["_merge"] == "left_only").to_numpy()
    if lost.any():
        raise SchemaError(f"no coefficients for the options of patches {', '.join(chosen['patch_id'][lost].astype(str)[:5])}", cure="qianmo evaluate")
    table = found[list(QUANTITIES)].copy()
    table.loc[~works] = 0.0
    return table


def _row(told: dict[str, str], before: Land, done: Land, linear: pd.DataFrame, patches: pd.DataFrame) -> dict[str, Any]:
    name = told["quantity"]
    formula, estimate = QUANTITIES[name], linear[name].to_numpy(float)
    old, new = formula(before, "default"), formula(done, "default")
    known = np.isfinite(old) & np.isfinite(new) & np.isfinite(estimate)
    total = float(before.area.sum())
    share = float(before.area[known].sum()) / total if total else 0.0
    out: dict[str, Any] = dict.fromkeys(("before", "after", "linear", "exact", "error", "error_rel", "low", "high"), np.nan)
    counts = known.all() or bool((old[known] != 0).any() or (new[known] != 0).any())
    if known.any() and counts:
        exact, line = float((new - old)[known].sum()), float(estimate[known].sum())
        down, up = _spread(formula, before, done, known)
        out |= {"before": float(old[known].sum()), "after": float(new[known].sum()), "linear": line, "exact": exact,
                "error": line - exact, "error_rel": _relative(line - exact, exact), "low": exact - down, "high": exact + up}  # fmt: skip
    return {"quantity": name, "zh": told["zh"], "unit": told["unit_zh"], **out, "known_share": share,
            "confidence": told["confidence"], "note": _note(told, known, patches)}  # fmt: skip


def _spread(formula: Callable[[Land, str], np.ndarray], before: Land, done: Land, known: np.ndarray) -> tuple[float, float]:
    """How far the exact change may lie below and above, from the ranges of the factors of the classes."""
    kinds = service_classes(before.scheme, "carbon_class")
    change = {}
    for end in ("low", "high"):
        by_class: dict[str, float] = defaultdict(float)
        for land, sign in ((done, 1.0), (before, -1.0)):
            moved = sign * (formula(land, end) - formula(land, "default"))
            for code in np.unique(land.code[known].astype(str)):
                by_class[kinds.get(code, code)] += float(moved[known & (land.code == code)].sum())
        change[end] = by_class
    pairs = [(change["low"][k], change["high"][k]) for k in change["low"]]
    down = math.sqrt(sum(min(*p, 0.0) ** 2 for p in pairs))
    up = math.sqrt(sum(max(*p, 0.0) ** 2 for p in pairs))
    return (down, up) if down or up else (np.nan, np.nan)


def _relative(error: float, exact: float) -> float:
    if error == 0:
        return 0.0
    return error / abs(exact) if exact else np.nan


def _note(told: dict[str, str], known: np.ndarray, patches: pd.DataFrame) -> str:
    words = [told["exact_zh"]]
    if not known.all():
        words.append(f"{int((~known).sum())} 个图斑缺数据，未计入")
    if told["quantity"] == "soil_loss_t_yr" and not {EROSIVITY, ERODIBILITY} <= set(patches.columns):
        words.append("R、K 因子取参数值")
    return "，".join(words)
