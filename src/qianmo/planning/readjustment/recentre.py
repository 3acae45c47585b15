"""Sites of owners that gather each holding near its anchor (重心迭代)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qianmo.planning.readjustment.balance import balanced_prices, soft_shares
from qianmo.planning.readjustment.sites import nearest_by_price

__all__ = ["Ground", "Sites", "begin_sites", "improve_sites", "square_radius"]

_MOST_PULL, _ROOM = 0.9, 0.03
_WIDTH = 16
_STEPS = 6
_BALANCED = 0.05
_COOL, _HEAT, _SHARPEST = 0.85, 1.5, 0.04
_NARROWEST = 0.02


@dataclass(frozen=True, eq=False)
class Ground:
    """What the iteration needs to know of the land, one entry a pool or an owner (迭代数据).

    Parameters
    ----------
    points, value, area : tuple of arrays, one a pool
        Centroids [m], values [fen], areas [dm2] of the parcels that may move.
    wanted : (pools, k) int64
        Required values. [fen]
    anchor : (k, 2)
        [m]
    kept_mass, kept_moment, kept_far : (k,), (k, 2), (k,)
        Area that stays [dm2], its moment [dm2 m], and area times distance to the anchor [dm2 m].
    allowed : (k,)
        Largest mean distance to the anchor that leaves the owner no worse. [m]
    """

    points: tuple[np.ndarray, ...]
    value: tuple[np.ndarray, ...]
    area: tuple[np.ndarray, ...]
    wanted: np.ndarray
    anchor: np.ndarray
    kept_mass: np.ndarray
    kept_moment: np.ndarray
    kept_far: np.ndarray
    allowed: np.ndarray


@dataclass(frozen=True, eq=False)
class Sites:
    """Where holdings gather (聚集中心): sites (k, 2) [m], prices (pools, k) [m2], pull to the anchor (k,) from 0 to 1.

    `softness` is the share of the square of a mean radius at which parcels are shared between owners while sites move.
    """

    site: np.ndarray
    price: np.ndarray
    pull: np.ndarray
    softness: float = 1.0


def begin_sites(ground: Ground, main: np.ndarray) -> Sites:
    """Every owner at a parcel of its own, no prices yet; owners at one place stand apart by a hair (初始中心).

    Parameters
    ----------
    main : (k, 2)
        A parcel of each owner: land spread as the owners' land is needs little balancing. [m]
    """
    k = len(main)
    turn = np.arange(k) * 2.399963229728653
    apart = 0.5 * np.column_stack([np.cos(turn), np.sin(turn)])
    return Sites(main + apart, np.zeros((len(ground.points), k)), np.zeros(k))


def improve_sites(ground: Ground, sites: Sites, *, rounds: int, stop: Callable[[], bool]) -> Sites:
    """Alternate balanced prices and centres of gravity (交替求解).

    The site is drawn to the anchor where the owner's mean distance would exceed what is allowed, and let go slowly where there
    is room; so owners who have room make way for those who have none. Softness falls while holdings stay balanced and rises
    when they do not.

    Parameters
    ----------
    rounds : int
    stop : callable
        Asked once a round.
    """
    scale = square_radius(ground)
    here = sites
    for _ in range(rounds):
        if stop():
            break
        here, imbalance = _round(ground, here, here.softness * scale)
        softness = here.softness * (_COOL if imbalance < _BALANCED else _HEAT)
        here = replace(here, softness=min(max(softness, _SHARPEST), 1.0))
    return here


def _round(ground: Ground, sites: Sites, softness: float) -> tuple[Sites, float]:
    k = len(ground.anchor)
    mass, moment, far = (a.astype(float) for a in (ground.kept_mass, ground.kept_moment, ground.kept_far))
    price, worst = sites.price.copy(), 0.0
    for p, points in enumerate(ground.points):
        owners = np.flatnonzero(ground.wanted[p] > 0)
        if not len(owners):
            continue
        value, wanted, site = ground.value[p].astype(float), ground.wanted[p, owners].astype(float), sites.site[owners]
        start = price[p, owners]
        found, imbalance, near, cost = _balance(points, value, wanted, site, start, softness)
        if imbalance > _BALANCED:
            found, imbalance, near, cost = _anew(points, value, wanted, site, softness, square_radius(ground))
        price[p, owners], worst = found, max(worst, imbalance)
        share = soft_shares(cost, near, found, softness=softness) * ground.area[p][:, None]
        who = owners[near]
        to_anchor = np.hypot(points[:, None, 0] - ground.anchor[who, 0], points[:, None, 1] - ground.anchor[who, 1])
        mass += np.bincount(who.ravel(), share.ravel(), k)
        far += np.bincount(who.ravel(), (share * to_anchor).ravel(), k)
        for axis in (0, 1):
            moment[:, axis] += np.bincount(who.ravel(), (share * points[:, None, axis]).ravel(), k)
    centre = moment / np.maximum(mass, 1e-9)[:, None]
    excess = far / np.maximum(mass, 1e-9) / np.maximum(ground.allowed, 1e-9) - 1.0
    change = np.where(excess > -_ROOM, np.clip(0.3 * (excess + _ROOM), 0.005, 0.05), -0.02)
    pull = np.clip(sites.pull + change, 0.0, _MOST_PULL)
    return Sites(centre + pull[:, None] * (ground.anchor - centre), price, pull, sites.softness), worst


def _anew(points: np.ndarray, value: np.ndarray, wanted: np.ndarray, site: np.ndarray, softness: float, most: float) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Balance from no prices and much softness down to `softness`: slower, and works after any move of the sites."""
    price, level = np.zeros(len(site)), max(most, softness)
    while True:
        made = _balance(points, value, wanted, site, price, level)
        if level <= softness:
            return made
        price, level = made[0], max(level * 0.5, softness)


def _balance(
    points: np.ndarray, value: np.ndarray, wanted: np.ndarray, site: np.ndarray, start: np.ndarray, softness: float
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    near = nearest_by_price(points, site, start, count=_WIDTH)
    step = points[:, None, :] - site[near]
    cost = step[..., 0] ** 2 + step[..., 1] ** 2
    price, imbalance = balanced_prices(cost, near, value, wanted, start, softness=softness, steps=_STEPS)
    return price, imbalance, near, cost


def square_radius(ground: Ground) -> float:
    """Square of the radius of a mean holding. [m2]"""
    area_m2 = sum(float(a.sum()) for a in ground.area) / 100.0
    owners = max(int((ground.wanted > 0).any(axis=0).sum()), 1)
    return max(area_m2 / owners / np.pi, _NARROWEST)
