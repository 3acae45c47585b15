"""Rain, storms and soils of real stations against the figures beside the data."""

import gzip
import io

import pandas as pd
import pytest

from qianmo.survey.erosion.rain_events import storm_years
from qianmo.survey.erosion.rainfall import daily_erosivity, yearly_erosivity

YEARLY_R = {
    "P01_001_2018": 304.983, "P01_003_2020": 458.152, "P01_010_2012": 1483.513, "P01_010_2016": 853.986, "P05_038_2018": 734.216, "P05_039_2017": 570.883,
    "P08_018_2012": 1351.079, "P09_032_2020": 2017.686, "P11_007_2008": 999.434, "P11_024_2012": 2226.903,
}  # fmt: skip


def test_storm_erosivity_is_energy_times_intensity_and_sums_to_the_listed_years(shared_data):
    path = shared_data / "rain-erosivity-events" / "events.csv.gz"
    if not path.is_file():
        pytest.skip("shared/data/rain-erosivity-events is not here")
    events = pd.read_csv(io.BytesIO(gzip.decompress(path.read_bytes())))
    found = storm_years(events.rename(columns={"event_energy": "energy_mj_ha", "max_30min_intensity": "i30_mm_h"}))
    tags = [f"{station}_{year}" for station, year in zip(found["station"], found["year"], strict=True)]
    assert dict(zip(tags, found["erosivity"], strict=True)) == pytest.approx(YEARLY_R, abs=1e-3) and found["storms"].sum() == 1010
    assert found["erosivity"].sum() == pytest.approx(events["erosivity"].sum(), rel=1e-12)


def test_daily_rain_of_youwuzhen_gives_its_years_and_a_plausible_r(shared_data):
    path = shared_data / "youwuzhen-watershed" / "climate" / "pcp_daily.csv"
    if not path.is_file():
        pytest.skip("shared/data/youwuzhen-watershed is not here")
    table = pd.read_csv(path, comment="#")
    rain = pd.Series(table.iloc[:, 1].to_numpy(float), index=pd.DatetimeIndex(table.iloc[:, 0]).normalize())
    sums = rain.groupby(rain.index.year).sum()
    assert sums.round(1).to_dict() == {2012: 2168.0, 2013: 1433.0, 2014: 1253.5, 2015: 1416.5, 2016: 2467.6, 2017: 1519.2}
    zhang, census = (yearly_erosivity(daily_erosivity(rain, method=m)) for m in ("zhang_daily", "census"))
    assert 3000 < zhang < 15000 and 3000 < census < 15000 and 0.5 < zhang / census < 2.0
    wet, dry = daily_erosivity(rain).sum(axis=1).loc[[2016, 2014]]
    assert wet > dry
