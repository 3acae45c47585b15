"""Make ``pv_pysam.json``: what PVWatts v5 and v8 of PySAM say of one plant in four climates. Run by hand where PySAM is installed.

python tests/published/make_pv_pysam.py SHAOGUAN.epw TMY_45_8.csv GREENSBORO_TMY3.csv SAND_POINT_TMY3.csv > tests/published/pv_pysam.json
"""

from __future__ import annotations

import csv
import json
import sys
from importlib.metadata import version

import PySAM.Pvwattsv5 as V5
import PySAM.Pvwattsv8 as V8

SYSTEM = {"system_capacity": 50_000.0, "module_type": 0, "dc_ac_ratio": 1.2, "inv_eff": 96.0, "losses": 14.0, "array_type": 0, "azimuth": 180.0, "gcr": 0.4}
TILTS = {"shaoguan": 20.0, "pvgis_45_8": 30.0, "greensboro": 30.0, "sand_point": 45.0}


def pvgis(path: str) -> dict:
    """Solar resource record of a PVGIS year: instants 0.1761 h after the stamp, in UTC."""
    with open(path) as file:
        rows = [r for r in csv.reader(file) if len(r) == 10 and r[0][:2] == "20"]
    columns = list(zip(*rows))
    stamp = columns[0]
    number = [[max(float(v), 0.0) for v in column] for column in columns[1:]]
    return {
        "lat": 45.0, "lon": 8.0, "tz": 0.0, "elev": 250.0, "year": [2018] * len(stamp), "month": [int(s[4:6]) for s in stamp], "day": [int(s[6:8]) for s in stamp],
        "hour": [int(s[9:11]) for s in stamp], "minute": [0.1761 * 60.0] * len(stamp), "gh": number[2], "dn": number[3], "df": number[4],
        "tdry": [float(v) for v in columns[1]], "wspd": number[6],
    }  # fmt: skip


def run(module, weather, tilt: float, **more: float) -> dict:
    """Yearly and monthly figures of one model."""
    model = module.new()
    given = {**SYSTEM, "tilt": tilt, **more}
    if isinstance(weather, dict):
        model.SolarResource.solar_resource_data = weather
    else:
        model.SolarResource.solar_resource_file = weather
    if module is V8:
        model.SolarResource.use_wf_albedo = 0
        model.SolarResource.albedo_default = 0.2
    for name, value in given.items():
        setattr(model.SystemDesign, name, value)
    model.value("adjust_constant", 0.0)
    model.execute(0)
    out = model.Outputs
    return {
        "ac_kwh": sum(out.ac) / 1000.0, "poa_kwh_m2": sum(out.poa) / 1000.0, "monthly_ac_kwh": list(out.monthly_energy if module is V8 else out.ac_monthly),
        "ghi_kwh_m2": sum(out.gh) / 1000.0 if hasattr(out, "gh") else None, "dni_kwh_m2": sum(out.dn) / 1000.0, "dhi_kwh_m2": sum(out.df) / 1000.0,
    }  # fmt: skip


def main(paths: list[str]) -> None:
    """All climates."""
    found = {"tool": f"nrel-pysam {version('nrel-pysam')}", "system": SYSTEM, "climates": {}}
    for name, path in zip(TILTS, paths):
        weather = pvgis(path) if name == "pvgis_45_8" else path
        tilt = TILTS[name]
        found["climates"][name] = {
            "tilt_deg": tilt,
            "v5": run(V5, weather, tilt), "v8": run(V8, weather, tilt, gcr=0.01), "v8_self_shaded": run(V8, weather, tilt),
        }  # fmt: skip
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
