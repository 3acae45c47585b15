"""What a stack of interferograms says of itself, whatever its format (干涉堆栈说明)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

__all__ = ["StackHeader"]


@dataclass(frozen=True)
class StackHeader:
    """One grid, many pairs (干涉堆栈说明).

    Attributes
    ----------
    form : str
        GeoTIFF, MintPy, GUNW, ROI_PAC or GAMMA.
    pairs : tuple of (date, date)
        Earlier and later date; the phase is that of the later one less the earlier one, away from the satellite positive.
    rows, columns : int
    transform : tuple of 6 float
        a, b, c, d, e, f: x = a·column + b·row + c, y = d·column + e·row + f, from the corner of a cell.
    crs_wkt : str
    has_coherence : bool
    unit : str
        Unit of the phase as stated; '' where nothing is stated.
    baselines_m : tuple of float, optional
        Perpendicular baseline of each pair [m].
    wavelength_m, incidence_deg, slant_range_m : float, optional
        As stated by the files.
    """

    form: str
    pairs: tuple[tuple[date, date], ...]
    rows: int
    columns: int
    transform: tuple[float, ...]
    crs_wkt: str
    has_coherence: bool
    unit: str = ""
    baselines_m: tuple[float, ...] | None = None
    wavelength_m: float | None = None
    incidence_deg: float | None = None
    slant_range_m: float | None = None
