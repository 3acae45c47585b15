"""Carbon and ecosystem classes of land classes, and the factor tables by them (服务地类与系数表)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from qianmo.schema.codes import land_classes
from qianmo.schema.errors import CodeError
from qianmo.schema.local_factors import factor_values

__all__ = ["LEVELS", "factor_column", "looked_up", "service_classes"]

LEVELS = ("low", "default", "high")
"""Ends and middle of a factor table."""

_SURVEY = "SD3"


@cache
def service_classes(scheme: str, kind: str) -> dict[str, str]:
    """Class id by land-class code (地类对应的碳类或生态系统类).

    The survey classes name theirs. Classes of another scheme take that of the survey classes which map to them, where
    all of those agree; the others are left out, which makes them unknown.

    Parameters
    ----------
    scheme : str
    kind : 'carbon_class' or 'esv_class'
    """
    own = {c: str(getattr(k, kind)) for c, k in land_classes(scheme).items() if getattr(k, kind)}
    if scheme != "GBT21010_2017":
        return own
    found: dict[str, set[str]] = defaultdict(set)
    for k in land_classes(_SURVEY).values():
        if k.gbt21010_2017:
            found[k.gbt21010_2017].add(str(getattr(k, kind)))
    return {c: next(iter(ids)) for c, ids in found.items() if len(ids) == 1} | own


def factor_column(table: str, column: str, overrides: Mapping[str, Any] | None = None) -> dict[str, float]:
    """One column of a factor table by its class id, local values first (系数表的一列)."""
    return factor_values(table, column, overrides)


def looked_up(code: np.ndarray, scheme: str, kind: str, factor: dict[str, float]) -> np.ndarray:
    """Factor of every land-class code (查表) (n,), NaN where the class has none.

    Raises
    ------
    CodeError
        A code is not in the scheme.
    """
    ids, known = service_classes(scheme, kind), land_classes(scheme)
    kinds, place = np.unique(np.asarray(code, str), return_inverse=True)
    strange = [k for k in kinds if k not in known]
    if strange:
        rows = np.flatnonzero(np.isin(np.asarray(code, str), strange))[:5].tolist()
        raise CodeError(f"land classes {strange} of rows {rows} are not in scheme {scheme}", cure="check DLBM and the class_scheme")
    values = np.array([factor.get(ids.get(k, ""), np.nan) for k in kinds])
    return values[place]
