"""Sections of ground radar and resistivity with the bodies found (物探剖面图)."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from qianmo.reports.fonts import map_font, visible_text

__all__ = ["radar_chart", "resistivity_chart"]


def radar_chart(image: np.ndarray, position_m: np.ndarray, depth_m: np.ndarray, bodies: Sequence[tuple[float, float, float, float, str]], *, title: str, note: str) -> bytes:
    """Migrated radar section over depth with the bodies and their depth errors (雷达偏移剖面图).

    Parameters
    ----------
    image : ndarray (sample, trace)
    position_m, depth_m : ndarray (trace,), (sample,)
    bodies : sequence of (from_m, to_m, depth_m, sigma_m, label)
    title, note : str

    Returns
    -------
    bytes
        PNG.
    """
    figure, axes = _page()
    most = float(np.percentile(np.abs(image), 99.5)) or 1.0
    step = (position_m[1] - position_m[0]) / 2
    axes.imshow(image, aspect="auto", cmap="gray_r", vmin=-most, vmax=most, extent=(position_m[0] - step, position_m[-1] + step, depth_m[-1], depth_m[0]), interpolation="bilinear")
    for a, b, depth, sigma, label in bodies:
        axes.add_patch(Rectangle((a, depth - sigma), max(b - a, 2 * step), 2 * sigma, fill=False, edgecolor="#c8102e", linewidth=1.4))
        axes.text(max(b, a) + 2 * step, depth, visible_text(label), fontproperties=map_font(9), color="#c8102e", va="center", bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1})
    return _done(figure, axes, title, note)


def resistivity_chart(
    edges_x_m: np.ndarray, edges_depth_m: np.ndarray, resistivity_ohm_m: np.ndarray, seen: np.ndarray, bodies: Sequence[tuple[float, float, float, float, float, str]], *,
    title: str, note: str,
) -> bytes:  # fmt: skip
    """Resistivity section with the boxes and middles of the bodies; pale where the data know little (电阻率断面图).

    Parameters
    ----------
    edges_x_m, edges_depth_m : ndarray
    resistivity_ohm_m, seen : ndarray (nz, nx)
        Resistivity, and where it is judged.
    bodies : sequence of (from_m, to_m, top_m, bottom_m, depth_m, label)
    title, note : str

    Returns
    -------
    bytes
        PNG.
    """
    figure, axes = _page()
    low, high = np.percentile(resistivity_ohm_m[seen], [1, 99])
    drawn = axes.pcolormesh(edges_x_m, edges_depth_m, resistivity_ohm_m, cmap="Spectral_r", norm=LogNorm(low, max(high, 1.01 * low)), alpha=np.where(seen, 1.0, 0.25))
    for a, b, top, bottom, depth, label in bodies:
        axes.add_patch(Rectangle((a, top), b - a, bottom - top, fill=False, edgecolor="#1a1a1a", linewidth=1.6))
        axes.plot([(a + b) / 2], [depth], marker="+", color="#1a1a1a", markersize=10, markeredgewidth=2)
        axes.text((a + b) / 2, top, visible_text(label), fontproperties=map_font(9), ha="center", va="bottom", bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1})
    axes.set_ylim(edges_depth_m[-1], edges_depth_m[0])
    bar = figure.colorbar(drawn, cax=figure.add_axes((0.915, 0.17, 0.015, 0.7)))
    bar.set_label("电阻率（欧姆·米）", fontproperties=map_font(9))
    ticks = np.array([v * 10.0**k for k in range(-2, 7) for v in (1, 2, 5)])
    bar.set_ticks(ticks[(ticks >= low) & (ticks <= high)])
    bar.set_ticklabels([f"{v:g}" for v in ticks[(ticks >= low) & (ticks <= high)]])
    bar.minorticks_off()
    for tick in bar.ax.get_yticklabels():
        tick.set_fontproperties(map_font(8))
    return _done(figure, axes, title, note)


def _page():  # type: ignore[no-untyped-def]
    figure = Figure(figsize=(10.5, 4.8), dpi=150)
    FigureCanvasAgg(figure)
    return figure, figure.add_axes((0.08, 0.17, 0.82, 0.7))


def _done(figure: Figure, axes, title: str, note: str) -> bytes:  # type: ignore[no-untyped-def]
    axes.set_xlabel("里程（米）", fontproperties=map_font(10))
    axes.set_ylabel("深度（米）", fontproperties=map_font(10))
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontproperties(map_font(9))
    figure.text(0.5, 0.92, visible_text(title), ha="center", fontproperties=map_font(14))
    figure.text(0.5, 0.025, visible_text(note), ha="center", fontproperties=map_font(9), color="#333333")
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
