"""Erosion of a project: whole years of rain, K by soil type, areas by grade and zone, all by hand."""

import numpy as np
import pandas as pd
import pytest

from qianmo.schema.errors import SchemaError
from qianmo.survey.erosion.areas import grade_areas, patch_losses
from qianmo.survey.erosion.rainfall import whole_years
from qianmo.survey.erosion.soil import SI_FACTOR, china_corrected, epic_erodibility, erodibility_by_type


def test_the_longest_run_of_whole_years_is_taken():
    days = pd.date_range("2010-01-01", "2016-12-31")
    rain = pd.Series(1.0, index=days).drop([pd.Timestamp("2012-05-01"), pd.Timestamp("2016-02-29")])
    assert sorted(set(whole_years(rain).index.year)) == [2013, 2014, 2015]
    assert whole_years(rain[rain.index.month > 1]).empty


def test_gravel_is_taken_out_before_k_and_a_floor_holds():
    types = pd.DataFrame({"soil_code": ["1", "2", "3"], "topsoil_sand_share": [0.24, 0.30, np.nan], "topsoil_silt_share": [0.40, 0.50, 0.4],
                          "topsoil_clay_share": [0.16, 0.20, 0.2], "topsoil_rock_share": [0.20, np.nan, 0.0], "topsoil_organic_share": 0.02})  # fmt: skip
    found = erodibility_by_type(types)
    fine = china_corrected(epic_erodibility(np.array([30.0]), np.array([50.0]), np.array([20.0]), np.array([2 / 1.724])) * SI_FACTOR)[0]
    assert found["1"] == pytest.approx(fine) and found["2"] == pytest.approx(fine) and np.isnan(found["3"])
    assert erodibility_by_type(types, least=0.05)["1"] == 0.05
    with pytest.raises(SchemaError, match="砂粉黏粒合计"):
        erodibility_by_type(types.assign(topsoil_silt_share=0.9))


def test_areas_and_losses_add_up():
    zone, loss = np.array(["甲", "甲", "乙", "乙"], object), np.array([1.0, 30.0, np.nan, 2.0])
    table = grade_areas(zone, np.array([1, 3, 0, 1]), loss, cell_m2=900.0)
    whole = table[table["zone"] == "全区"].set_index("grade_zh")
    assert whole["cells"].to_dict() == {"未知": 1, "微度": 2, "中度": 1} and whole.loc["微度", "loss_t_yr"] == pytest.approx(3 * 0.09)
    assert table.groupby("zone")["share"].sum().to_dict() == pytest.approx({"甲": 1.0, "乙": 1.0, "全区": 1.0})
    own = patch_losses(np.array([0, 0, 1, 2]), loss, np.array([0.5, 0.1, 0.2, np.nan]), count=4, cell_m2=900.0)
    assert own["modulus_t_km2"].tolist()[0] == 1550.0 and np.isnan(own["modulus_t_km2"].tolist()[1]) and own["cells"].tolist() == [2, 0, 1, 0]
    assert own["sediment_t_yr"].tolist() == pytest.approx([3.5 * 0.09, 0.0, 0.0, 0.0])
