"""GCJ-02 and BD-09 shifts of web maps, both ways (火星坐标与百度坐标)."""

from __future__ import annotations

import numpy as np

__all__ = ["bd09_to_gcj02", "gcj02_to_bd09", "gcj02_to_wgs84", "wgs84_to_gcj02"]

_A, _E2 = 6378245.0, 0.00669342162296594323
_BD = np.pi * 3000.0 / 180.0


def wgs84_to_gcj02(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """WGS 84 to GCJ-02 inside China; elsewhere unchanged (WGS84 转火星坐标). [degree]

    Parameters
    ----------
    lon, lat : ndarray or float
        WGS 84 or CGCS2000. [degree]

    Returns
    -------
    (lon, lat)
        Moved by 20 to 1000 m, about 500 m on the whole.

    Notes
    -----
    The shift has no published standard; this is the form every public implementation uses.
    """
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    d_lon, d_lat = _offset(lon, lat)
    inside = (lon > 72.004) & (lon < 137.8347) & (lat > 0.8293) & (lat < 55.8271)
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def gcj02_to_wgs84(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """GCJ-02 to WGS 84 by fixed point; the round trip closes to 1e-10 degree (火星坐标转 WGS84). [degree]"""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    x, y = lon.copy(), lat.copy()
    for _ in range(8):
        gx, gy = wgs84_to_gcj02(x, y)
        x, y = x + (lon - gx), y + (lat - gy)
    return x, y


def gcj02_to_bd09(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """GCJ-02 to BD-09 (火星坐标转百度坐标). [degree]"""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _BD)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _BD)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd09_to_gcj02(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """BD-09 to GCJ-02 by fixed point; the round trip closes to 1e-10 degree (百度坐标转火星坐标). [degree]"""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    x, y = lon - 0.0065, lat - 0.006
    for _ in range(8):
        bx, by = gcj02_to_bd09(x, y)
        x, y = x + (lon - bx), y + (lat - by)
    return x, y


def _offset(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north = north + (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north = north + (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east = east + (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east = east + (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    w = 1.0 - _E2 * np.sin(phi) ** 2
    return east * 180.0 / (_A / np.sqrt(w) * np.cos(phi) * np.pi), north * 180.0 / (_A * (1 - _E2) / (w * np.sqrt(w)) * np.pi)
