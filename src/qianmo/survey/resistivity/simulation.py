"""Forward answers and sensitivities of the ground through the kept library (电法正演, SimPEG)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from qianmo.schema.errors import MissingDataError

__all__ = ["Forward", "electrical_forward", "is_here", "transient_forward"]

Forward = tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]
"""Model of log resistivity to data, and to the matrix of derivatives (data, model)."""


def is_here() -> bool:
    """True when SimPEG can be imported (是否装有 SimPEG)."""
    try:
        import_module("simpeg")
    except ImportError:
        return False
    return True


def _simpeg(part: str) -> Any:
    try:
        return import_module(part)
    except ImportError as fault:
        raise MissingDataError(f"电法与瞬变电磁反演需要 SimPEG, 此处不可用 ({fault.name})", expected="simpeg >= 0.25", cure="pip install 'qianmo[geophysics]'") from None


def electrical_forward(electrodes_m: np.ndarray, arrays: np.ndarray, *, edges_x_m: np.ndarray, edges_z_m: np.ndarray) -> Forward:
    """Log apparent resistivity of four-electrode arrays over a section of cells, flat ground (电阻率法正演).

    Parameters
    ----------
    electrodes_m : ndarray (e,)
        Distance along the line.
    arrays : ndarray (k, 4), int
        Electrodes A, B, M, N of each reading.
    edges_x_m, edges_z_m : ndarray (nx + 1,), (nz + 1,)
        Edges of the cells; z is height, rising, the last edge 0 the ground. The cells should reach far past the line.

    Returns
    -------
    (forward, jacobian)
        Of a model of nx·nz log resistivities, x fastest, from the deepest row up. Readings of a uniform ground are put right by the answer of
        the same cells to a uniform ground, so that the edges of the cells do not bias them.

    Raises
    ------
    MissingDataError
        SimPEG is not installed.
    """
    dc = _simpeg("simpeg.electromagnetics.static.resistivity")
    maps, mesh = _simpeg("simpeg.maps"), _simpeg("discretize").TensorMesh([np.diff(edges_x_m), np.diff(edges_z_m)], origin=[edges_x_m[0], edges_z_m[0]])
    pairs, group = np.unique(arrays[:, :2], axis=0, return_inverse=True)
    place = lambda k: np.column_stack([electrodes_m[k], np.zeros(len(k))])  # noqa: E731
    sources, order = [], []
    for s, (a, b) in enumerate(pairs):
        rows = np.flatnonzero(group.ravel() == s)
        order.append(rows)
        receiver = dc.receivers.Dipole(place(arrays[rows, 2]), place(arrays[rows, 3]), data_type="apparent_resistivity")
        sources.append(dc.sources.Dipole([receiver], place(np.array([a]))[0], place(np.array([b]))[0]))
    survey = dc.Survey(sources)
    survey.set_geometric_factor(space_type="half-space")
    with _calm():
        simulation = dc.Simulation2DNodal(mesh, survey=survey, rhoMap=maps.ExpMap(mesh), storeJ=True, solver=_simpeg("pymatsolver").SolverLU)
    back = np.argsort(np.concatenate(order))
    with _calm():
        uniform = simulation.dpred(np.zeros(mesh.n_cells))

    def forward(model: np.ndarray) -> np.ndarray:
        with _calm():
            return np.log(np.maximum(simulation.dpred(model) / uniform, 1e-6))[back]

    def jacobian(model: np.ndarray) -> np.ndarray:
        with _calm():
            fields = simulation.fields(model)
            seen = simulation.dpred(model, f=fields)
            return (np.asarray(simulation.getJ(model, f=fields)) / seen[:, None])[back]

    return forward, jacobian


def transient_forward(times_s: np.ndarray, *, thickness_m: np.ndarray, loop_radius_m: float) -> Forward:
    """Log of −dB/dt per ampere at the centre of a circular loop over layers after the current is cut (中心回线瞬变电磁正演).

    Parameters
    ----------
    times_s : ndarray (t,)
        After a step to zero [s].
    thickness_m : ndarray (n − 1,)
        Of all layers but the last.
    loop_radius_m : float
        A square loop of side a acts nearly as a circle of radius a/√π.

    Raises
    ------
    MissingDataError
        SimPEG is not installed.
    """
    tdem, maps = _simpeg("simpeg.electromagnetics.time_domain"), _simpeg("simpeg.maps")
    receiver = tdem.receivers.PointMagneticFluxTimeDerivative(np.zeros((1, 3)), times_s, orientation="z")
    source = tdem.sources.CircularLoop([receiver], location=np.zeros(3), waveform=tdem.sources.StepOffWaveform(off_time=0.0), radius=loop_radius_m, current=1.0)
    layers = len(thickness_m) + 1
    simulation = tdem.Simulation1DLayered(survey=tdem.Survey([source]), thicknesses=thickness_m, sigmaMap=maps.ExpMap(nP=layers))

    def forward(model: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(np.abs(simulation.dpred(-model)), 1e-300))

    def jacobian(model: np.ndarray) -> np.ndarray:
        base = simulation.dpred(-model)
        columns = [simulation.Jvec(-model, -unit) for unit in np.eye(layers)]
        return np.column_stack(columns) / base[:, None]

    return forward, jacobian


@contextmanager
def _calm() -> Iterator[None]:
    """The library advises to take faster solvers, which are no wheels: nothing for the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
