"""Clouds: the rule on known spectra, the packaged model where it is installed, a clear word where it is not."""

import sys

import numpy as np
import pytest
import rasterio
from scipy.ndimage import gaussian_filter

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.survey.change.clouds import cloud_mask_by_model, cloud_mask_by_rule

BANDS = ("blue", "green", "red", "nir", "swir16", "swir22")
CLOUD, CROP, WATER, SOIL, SNOW, ROOF = (
    (0.62, 0.60, 0.60, 0.64, 0.50, 0.38), (0.04, 0.07, 0.05, 0.40, 0.20, 0.10), (0.06, 0.07, 0.05, 0.03, 0.02, 0.01), (0.12, 0.15, 0.20, 0.26, 0.36, 0.30),
    (0.90, 0.90, 0.88, 0.80, 0.08, 0.05), (0.55, 0.55, 0.55, 0.56, 0.50, 0.45),
)  # fmt: skip


def _image(*spectra):
    return np.array(spectra).T[:, :, None]


def test_the_rule_takes_cloud_and_leaves_crop_water_soil_and_snow():
    told = cloud_mask_by_rule(_image(CLOUD, CROP, WATER, SOIL, SNOW), BANDS)
    assert told.cloud[:, 0].tolist() == [True, False, False, False, False] and told.shadow is None
    assert (told.clear == ~told.cloud).all()


def test_the_rule_takes_a_white_roof_too_as_its_page_says():
    assert cloud_mask_by_rule(_image(ROOF), BANDS).cloud.all()


def test_bands_that_are_missing_and_numbers_that_are_no_reflectance_are_refused():
    with pytest.raises(SchemaError, match="缺 swir16, swir22"):
        cloud_mask_by_rule(_image(CLOUD)[:4], BANDS[:4])
    with pytest.raises(SchemaError, match="反射率"):
        cloud_mask_by_rule(_image(CLOUD) * 10_000, BANDS)


def test_without_the_extra_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ukis_csmask.mask", None)
    with pytest.raises(MissingDataError, match=r"qianmo\[cloud\]"):
        cloud_mask_by_model(_image(CLOUD), BANDS)


@pytest.mark.slow
def test_the_model_leaves_a_clear_scene_clear_and_finds_bright_uneven_clouds(shared_data):
    """Landsat of Taizhou brought roughly to reflectance, without and with drawn clouds."""
    pytest.importorskip("ukis_csmask", reason="the extra qianmo[cloud] is not installed")
    values = rasterio.open(shared_data / "change-taizhou-landsat" / "landsat_etm_2000.tif").read() / 255.0
    scene = values * np.array([0.38, 0.42, 0.38, 0.5, 0.4, 0.35])[:, None, None]
    assert cloud_mask_by_model(scene, BANDS).cloud.mean() < 0.01
    rng = np.random.default_rng(1)
    field = gaussian_filter(rng.normal(size=scene.shape[1:]), 14)
    opaque = np.clip((field / field.std() - 1.0) * 1.5, 0, 1)
    billows = sum(gaussian_filter(rng.normal(size=scene.shape[1:]), k) * k for k in (1, 2, 4, 8))
    bright = np.array((0.72, 0.70, 0.70, 0.74, 0.55, 0.42))[:, None, None] * (1 + 0.2 * billows / billows.std())
    told = cloud_mask_by_model(scene * (1 - opaque) + bright * opaque, BANDS)
    assert told.cloud[opaque > 0.5].mean() > 0.95 and told.cloud[opaque < 0.02].mean() < 0.01
    small = cloud_mask_by_model(scene[:4, :90, :120], BANDS[:4])
    assert small.cloud.shape == (90, 120)
