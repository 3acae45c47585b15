"""Light and power of many parcels in one pass over the hours (逐地块逐时内核)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

__all__ = ["TOTALS", "yearly_totals"]

TOTALS = ("energy", "plane", "free_plane", "horizon_lost", "row_lost")
"""Columns of what the kernel adds up: energy [kWh per kW], light on the modules, on open ground, and beam lost to hills and to rows [Wh/m2]."""

_INDEX, _GLAZING = 1.526, 4.0 * 0.002
_LOWEST_COS = 0.08715574
"""Least cosine of the zenith in the ring around the sun of Perez: 85 degrees."""


@njit(cache=True)
def _glass(c: float) -> float:
    """Light that passes a flat glass against straight incidence, by the cosine of the angle (De Soto)."""
    if c <= 0.0:
        return 0.0
    inside = math.sqrt(1.0 - (1.0 - c * c) / (_INDEX * _INDEX))
    across = (c - _INDEX * inside) / (c + _INDEX * inside)
    along = (inside - _INDEX * c) / (inside + _INDEX * c)
    straight = (1.0 - _INDEX) / (1.0 + _INDEX)
    through = math.exp(-_GLAZING / inside) * (1.0 - 0.5 * (across * across + along * along))
    return through / (math.exp(-_GLAZING) * (1.0 - straight * straight))


@njit(cache=True)
def _height(horizon: np.ndarray, azimuth: float) -> float:
    k = horizon.shape[0]
    place = azimuth % 360.0 * (k / 360.0)
    low = math.floor(place)
    part = place - low
    low %= k
    return horizon[low] * (1.0 - part) + horizon[(low + 1) % k] * part


@njit(cache=True, parallel=True)
def yearly_totals(hours, month, plant, cell, parcels, horizon, totals, monthly, light):
    """Fill `totals` (n, 5), the energy `monthly` (n, 12) and the light on the modules `light` (n, 12) (逐地块累计).

    Parameters
    ----------
    hours : ndarray (h, 13)
        Sunlit hours: cos zenith, sin zenith, sin and cos azimuth, azimuth, height of the sun [degree], ghi, dni, dhi, F1, F2, air, heat factor of the wind.
    month : ndarray (h,) of int
        0 to 11.
    plant : ndarray (8,)
        Ground cover (0 without row shading), losses, temperature coefficient, albedo, dc/ac, inverter, its reference, strings.
    cell : float
        Temperature difference of cell and back at 1000 W/m2.
    parcels : ndarray (n, 5)
        Tilt, azimuth [degree], share of sky, rise of the ground [degree], share of the sky between rows.
    horizon : ndarray (n, k)
        Heights of the horizon [degree].
    """
    cover, losses, gamma, albedo, ratio, nominal, reference, strings = plant[0], plant[1], plant[2], plant[3], plant[4], plant[5], plant[6], plant[7]
    rating = 1.0 / ratio / nominal
    for p in prange(parcels.shape[0]):
        tilt, turn, rise = math.radians(parcels[p, 0]), math.radians(parcels[p, 1]), math.radians(parcels[p, 3])
        sky, between = parcels[p, 2], parcels[p, 4]
        ct, st, sp, cp, cr, sr = math.cos(tilt), math.sin(tilt), math.sin(turn), math.cos(turn), math.cos(rise), math.sin(rise)
        low_ground = (1.0 - ct) / 2.0
        ground = (0.0 if cover > 0.0 else low_ground) + (1.0 + ct) / 2.0 * (1.0 - sky)
        energy = plane_sum = free_sum = hill_sum = row_sum = 0.0
        for h in range(hours.shape[0]):
            cz, ghi, dni, dhi, f1 = hours[h, 0], hours[h, 6], hours[h, 7], hours[h, 8], hours[h, 9]
            toward = hours[h, 1] * (hours[h, 2] * sp + hours[h, 3] * cp)
            facing = cz * ct + toward * st
            front = max(facing, 0.0)
            beam = dni * front
            even, ring, band = dhi * 0.5 * (1.0 - f1) * (1.0 + ct), dhi * f1 * front / max(cz, _LOWEST_COS), dhi * hours[h, 10] * st
            if even + ring + band <= 0.0:
                even = ring = band = 0.0
            shade = 0.0
            if cover > 0.0 and facing > 0.0:
                shade = min(max(1.0 - (cz * cr - toward * sr) / (cover * facing), 0.0), 1.0)
                if strings > 0.0:
                    shade = min(math.ceil(shade * strings - 1e-9) / strings, 1.0)
            seen = 1.0 if hours[h, 5] > _height(horizon[p], hours[h, 4]) else 0.0
            lit = seen * (1.0 - shade)
            beam_lit = beam * lit
            plane = beam_lit + ring * lit + even * sky * between + band * sky + ghi * albedo * ground
            plane = max(plane, 0.0)
            free_sum += beam + even + ring + band + ghi * albedo * low_ground
            hill_sum += (beam + ring) * (1.0 - seen)
            row_sum += (beam + ring) * seen * shade
            plane_sum += plane
            light[p, month[h]] += plane
            effective = max(plane - beam_lit * (1.0 - _glass(front)), 0.0)
            warm = plane * hours[h, 12] + hours[h, 11] + plane / 1000.0 * cell
            direct = effective / 1000.0 * (1.0 + gamma * (warm - 25.0)) * (1.0 - losses)
            if direct <= 0.0:
                continue
            load = direct / rating
            power = direct * nominal / reference * (-0.0162 * load - 0.0059 / load + 0.9858)
            power = min(max(power, 0.0), nominal * rating)
            energy += power
            monthly[p, month[h]] += power
        totals[p, 0], totals[p, 1], totals[p, 2], totals[p, 3], totals[p, 4] = energy, plane_sum, free_sum, hill_sum, row_sum
