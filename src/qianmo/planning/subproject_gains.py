"""What each sub-project of a plan frees, restores and founds (子项目预计成效)."""

from __future__ import annotations

import pandas as pd

from qianmo.schema.codes import land_class
from qianmo.schema.measures import measure

__all__ = ["subproject_gains"]


def subproject_gains(parcels: pd.DataFrame, *, scheme: str) -> pd.DataFrame:
    """Construction land freed and ecological area of each sub-project (腾退建设用地、生态修复面积).

    Parameters
    ----------
    parcels : DataFrame, table ``plan_parcel``
        Columns subproject_id, class_code, target_class, measure, class_area_m2.
    scheme : str
        Classification of the class codes.

    Returns
    -------
    DataFrame, index subproject_id
        parcels (number), freed_construction_m2: class area of parcels that are construction land before and none after;
        ecological_m2: class area of parcels whose measure belongs to ecological restoration (生态保护修复). [m2, whole square centimetres]

    Raises
    ------
    CodeError
        A class or a measure is not known.
    """
    done = parcels[parcels["subproject_id"].fillna("") != ""]
    builds = {c: land_class(c, scheme=scheme).is_construction for c in {*done["class_code"], *done["target_class"]}}
    restores = {m: measure(m).project_class == "生态保护修复" for m in set(done["measure"])}
    area = (done["class_area_m2"] * 100).round()
    frees = done["class_code"].map(builds).astype(bool) & ~done["target_class"].map(builds).astype(bool)
    parts = pd.DataFrame({
        "subproject_id": done["subproject_id"], "parcels": 1, "freed_construction_m2": area.where(frees, 0.0), "ecological_m2": area.where(done["measure"].map(restores).astype(bool), 0.0),
    })  # fmt: skip
    sums = parts.groupby("subproject_id").sum()
    return sums.assign(freed_construction_m2=sums["freed_construction_m2"] / 100, ecological_m2=sums["ecological_m2"] / 100)
