"""Damage by a face put under a real cadastral area: every graded hectare lies on the parcels of the register, every grade is that of its worst place."""

import affine
import geopandas as gpd
import numpy as np
import pytest
import shapely

from qianmo.jobs.survey.subside_damage import building_damage, damaged_patches, land_damage
from qianmo.survey.subsidence.damage import graded
from qianmo.survey.subsidence.face import Face
from qianmo.survey.subsidence.parameters import SubsidenceParameters
from qianmo.survey.subsidence.predict import predict, principal

CODES = {"arable land": "0103", "permanent grassland": "0401", "forest": "0301", "garden": "0201"}


@pytest.fixture(scope="module")
def saladin(shared_data):
    path = shared_data / "cadastre-cz-saladin" / "parcels.gpkg"
    if not path.is_file():
        pytest.skip("shared/data/cadastre-cz-saladin is not here")
    return gpd.read_file(path)


def _measures(faces):
    def measures(xy):
        m = predict(xy, faces)
        big = lambda t: np.where(np.abs(principal(t)[0]) >= np.abs(principal(t)[1]), *principal(t))  # noqa: E731
        return m.subsidence_mm, np.hypot(*m.tilt_mm_m.T), big(m.curvature_e3_m), np.hypot(*m.horizontal_mm.T), big(m.strain_mm_m)

    return measures


def test_land_and_buildings_of_a_real_register_are_graded_by_their_worst_place(saladin):
    west, south, east, north = saladin.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    faces = [Face(shapely.box(x - 250, y - 120, x + 250, y + 120), 220.0, 4.0, SubsidenceParameters(0.8, 2.0))]
    cell = 5.0
    xs, ys = np.arange(west, east, cell) + cell / 2, np.arange(north, south, -cell) - cell / 2
    found = _measures(faces)(np.column_stack([v.ravel() for v in np.meshgrid(xs, ys)]))
    maps = {n: v.reshape(len(ys), len(xs)) for n, v in zip(("subsidence", "tilt", "curvature", "horizontal_movement", "strain"), found)}
    land = saladin.assign(patch_id=saladin["parcel_id"], class_code=saladin["land_type_en"].map(CODES).fillna("1001"))
    place = affine.Affine(cell, 0, west, 0, -cell, north)
    made = damaged_patches(land, "SD3", maps, place)
    total = land_damage(land, "SD3", maps, place)
    assert len(made) > 30 and set(made["class_code"]) <= set(CODES.values()) and made["damaged_ha"].sum() == pytest.approx(total["area_ha"].sum(), rel=2e-3)
    register = saladin.set_index("parcel_id")["area_register_m2"]
    assert (made["damaged_ha"].to_numpy() <= 1.12 * register[made["patch_id"]].to_numpy() / 1e4 + 0.01).all()
    # another route for single parcels: many random points inside, each judged by the table
    rng = np.random.default_rng(0)
    for k in made["damaged_ha"].nlargest(4).index:
        shape = made.geometry[k]
        points = shapely.points(rng.uniform(shape.bounds[:2], shape.bounds[2:], (3000, 2)))
        at = shapely.get_coordinates(points[shapely.contains(shape, points)])
        w, tilt, _, _, strain = _measures(faces)(at)
        rank, _ = graded("land_subsidence_damage", made["use"][k], {"W": w / 1000, "i": tilt, "epsilon": strain})
        assert abs(int(made["grade"][k]) - 1 - rank[w >= 10].max()) <= (0 if np.ptp(rank) == 0 else 1)
        assert made["subsidence_mm"][k] == pytest.approx(w.max(), rel=0.03)
    yards = saladin[saladin["land_type_en"] == "built-up area and yard"].assign(building_id=lambda f: f["parcel_id"])
    houses = building_damage(yards, _measures(faces))
    assert len(houses) == 10 and houses["subsidence_mm"].max() > 0 and set(houses["grade"]) <= {"I", "II", "III", "IV"}
    for _, row in houses.iterrows():
        rank, _ = graded("building_brick_concrete", "砖混结构建筑物(长度<=20 m)", {"i": np.array([row["tilt_mm_m"]]), "K": np.array([row["curvature_e3_m"]]), "epsilon": np.array([row["strain_mm_m"]])})
        assert ["I", "II", "III", "IV"][rank[0]] == row["grade"]
