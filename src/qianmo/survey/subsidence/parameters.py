"""Parameters of the probability-integral method (概率积分法参数)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qianmo.schema.errors import SchemaError

__all__ = ["SubsidenceParameters", "influence_radius_m", "propagation_angle_deg", "stable_after_days"]


@dataclass(frozen=True)
class SubsidenceParameters:
    """What the rock above a seam does (预计参数).

    Attributes
    ----------
    q : float
        Subsidence coefficient (下沉系数), 0 to 1.2; usual 0.5–1.0.
    tan_beta : float
        Tangent of the main influence angle (主要影响角正切), above 0; usual 1.5–2.5.
    b : float
        Coefficient of horizontal movement (水平移动系数), 0 to 1; usual 0.2–0.4.
    propagation : float
        k of the propagation angle θ0 = 90° − k·α (开采影响传播角系数), 0 to 1; default 0.68.
    offset_down_m, offset_up_m, offset_left_m, offset_right_m : float
        Inflection offsets s1 (down-dip), s2 (up-dip), s3, s4 (strike ends) [m] (拐点偏移距), positive inward.

    Raises
    ------
    SchemaError
        A value lies outside its physical range or is no number.
    """

    q: float
    tan_beta: float
    b: float = 0.3
    propagation: float = 0.68
    offset_down_m: float = 0.0
    offset_up_m: float = 0.0
    offset_left_m: float = 0.0
    offset_right_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no rock does."""
        _within("q (下沉系数)", self.q, 0.0, 1.2, cure="按本矿观测站或规程取 0.5-1.0")
        _within("tan_beta (主要影响角正切)", self.tan_beta, 1e-6, 10.0, cure="按本矿观测站或规程取 1.5-2.5")
        _within("b (水平移动系数)", self.b, 0.0, 1.0, cure="按本矿观测站或规程取 0.2-0.4")
        _within("propagation (传播角系数 k)", self.propagation, 0.0, 1.0, cure="一般取 0.5-0.8")
        for name in ("offset_down_m", "offset_up_m", "offset_left_m", "offset_right_m"):
            _within(name, getattr(self, name), -1e4, 1e4, cure="单位为米")


def influence_radius_m(depth_m: float, tan_beta: float) -> float:
    """Main influence radius r = H / tanβ [m] (主要影响半径)."""
    return depth_m / tan_beta


def propagation_angle_deg(dip_deg: float, propagation: float) -> float:
    """Angle at which mining influence rises, θ0 = 90° − k·α [deg] (开采影响传播角)."""
    return 90.0 - propagation * dip_deg


def stable_after_days(depth_m: float) -> float:
    """Days until the ground is still (地表移动延续时间 T): 2.5·H up to 400 m, 1000·exp(1 − 400/H) deeper.

    Raises
    ------
    SchemaError
        The depth is not above 0.
    """
    if not depth_m > 0:
        raise SchemaError(f"采深 {depth_m} m", expected="大于 0", cure="采深以米为单位, 取平均采深")
    return 2.5 * depth_m if depth_m <= 400.0 else 1000.0 * float(np.exp(1.0 - 400.0 / depth_m))


def _within(name: str, value: float, low: float, high: float, *, cure: str) -> None:
    if not (np.isfinite(value) and low <= value <= high):
        raise SchemaError(f"{name} = {value}", expected=f"{low:g} 至 {high:g} 之间的数", cure=cure)
