"""Clouds and their shadows, by a packaged model or by plain rules on the bands (云与云影掩膜)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.schema.errors import MissingDataError, SchemaError
from qianmo.schema.rules import parameter

__all__ = ["CloudMask", "cloud_mask_by_model", "cloud_mask_by_rule"]

_LEAST_SIDE = 256
"""Side of the tiles of the model; smaller images are mirrored to it."""


@dataclass(frozen=True)
class CloudMask:
    """Where clouds and their shadows lie, (y, x) bool (云掩膜). `shadow` is None where the method does not look for any."""

    cloud: np.ndarray
    shadow: np.ndarray | None

    @property
    def clear(self) -> np.ndarray:
        """Neither cloud nor shadow."""
        return ~self.cloud if self.shadow is None else ~(self.cloud | self.shadow)


def cloud_mask_by_model(image: np.ndarray, bands: Sequence[str], *, level: str = "l2a") -> CloudMask:
    """Clouds and shadows by the network of ukis-csmask (云识别模型).

    Parameters
    ----------
    image : ndarray (bands, y, x)
        Reflectance, about 0 to 1, at about 30 m for the best answer; nan = no data.
    bands : sequence of str
        Name of each band; blue, green, red and nir are needed, swir16 and swir22 make the answer better.
    level : {"l1c", "l2a"}
        Reflectance at the top of the atmosphere, or at the surface.

    Returns
    -------
    CloudMask
        Cells without data are neither.

    Raises
    ------
    MissingDataError
        The extra ``cloud`` is not installed.
    SchemaError
        A band is missing, or values are not reflectance.

    References
    ----------
    .. [1] M. Wieland, Y. Li and S. Martinis, Remote Sensing of Environment, vol. 230, 111203, 2019.
    """
    model = _model()
    wanted = _refused(image, bands, ("blue", "green", "red", "nir"))
    if {"swir16", "swir22"} <= set(bands):
        wanted = [*wanted, list(bands).index("swir16"), list(bands).index("swir22")]
    names = [bands[k] for k in wanted]
    if level not in ("l1c", "l2a"):
        raise SchemaError(f"影像级别 {level!r}", expected="l1c 或 l2a")
    stack = np.asarray(image, dtype=np.float32)[wanted]
    known = np.isfinite(stack).all(axis=0)
    rows, columns = known.shape
    margin = [(0, 0), (0, max(0, _LEAST_SIDE - rows)), (0, max(0, _LEAST_SIDE - columns))]
    whole = np.pad(np.nan_to_num(stack), margin, mode="symmetric")
    found = model(np.moveaxis(whole, 0, -1).copy(), names, product_level=level, providers=["CPUExecutionProvider"], intra_op_num_threads=1).csm[:rows, :columns, 0]
    return CloudMask((found == 1) & known, (found == 2) & known)


def cloud_mask_by_rule(image: np.ndarray, bands: Sequence[str]) -> CloudMask:
    """Bright, white, hazy cells by the spectral tests of Fmask's first pass (亮白像元规则); it is no trained model.

    Snow, white roofs, plastic film and bare sand pass the tests too, thin cloud does not, and shadows are not looked for.

    Parameters
    ----------
    image : ndarray (bands, y, x)
        Reflectance; nan = no data.
    bands : sequence of str
        Name of each band; blue, green, red, nir, swir16 and swir22 are needed.

    Raises
    ------
    SchemaError
        A band is missing, or values are not reflectance.

    References
    ----------
    .. [1] Z. Zhu and C. E. Woodcock, Remote Sensing of Environment, vol. 118, pp. 83-94, 2012.
    """
    at = _refused(image, bands, ("blue", "green", "red", "nir", "swir16", "swir22"))
    blue, green, red, nir, near, far = (np.asarray(image[k], dtype=float) for k in at)
    with np.errstate(divide="ignore", invalid="ignore"):
        visible = (blue + green + red) / 3.0
        whiteness = sum(np.abs(b - visible) for b in (blue, green, red)) / visible
        cloud = (far > parameter("cloud_rule_swir_min")) & ((green - near) / (green + near) < parameter("cloud_rule_index_max"))
        cloud &= ((nir - red) / (nir + red) < parameter("cloud_rule_index_max")) & (whiteness < parameter("cloud_rule_whiteness_max"))
        cloud &= (blue - 0.5 * red - parameter("cloud_rule_haze") > 0) & (nir / near > parameter("cloud_rule_rock_min"))
    return CloudMask(cloud, None)


def _model() -> Any:
    try:
        from ukis_csmask.mask import CSmask
    except ImportError:
        raise MissingDataError(
            "没有安装云识别模型 ukis-csmask", expected="附加组件 cloud (模型约 145 MB, onnxruntime 约 80 MB)",
            cure='pip install "qianmo[cloud]"; 或改用 --clouds rule (亮白像元规则, 不是训练模型, 不识别云影)',
        ) from None  # fmt: skip
    return CSmask


def _refused(image: np.ndarray, bands: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Places of the wanted bands; refuses what is missing and what cannot be reflectance."""
    lacking = [b for b in wanted if b not in bands]
    if np.ndim(image) != 3 or len(bands) != len(image) or lacking:
        raise SchemaError(f"波段 {', '.join(bands)}, 影像 {np.shape(image)}; 缺 {', '.join(lacking) or '无'}", expected=f"{', '.join(wanted)}", cure="给出 --bands")
    at = [list(bands).index(b) for b in wanted]
    middle = float(np.nanmedian(np.asarray(image)[at])) if np.isfinite(np.asarray(image)[at]).any() else 0.0
    if not -0.1 <= middle <= 1.5:
        raise SchemaError(f"影像中位数 {middle:g}, 不是反射率", expected="0 至 1 左右", cure="用 --reflectance 给出换算系数, 如哨兵二号 L2A 为 0.0001")
    return at
