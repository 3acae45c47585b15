"""Disjunct cores as FRAGSTATS 4.2 lists them, with those it passes over (核心斑块搜索)."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import label

__all__ = ["searched_cores"]

_AROUND = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1))
"""Order in which neighbours are laid on the pile: the four sides clockwise from above, then the corners clockwise."""


def searched_cores(labels: np.ndarray, core: np.ndarray, *, eight: bool = True) -> np.ndarray:
    """Number of the core of every cell, 0 where no core is listed (程序式核心搜索).

    In each patch the core cells are looked through by rows from the top left. A cell that belongs to no core yet starts one, which is grown with a pile
    (last laid, first taken); the look through then goes on **after the cell taken last**, not after the cell that started it. So a core that lies wholly
    between the two is passed over and neither counted nor summed. No manual says so: the rule was found from the listed values and gives all of them.

    Parameters
    ----------
    labels : ndarray (y, x), int
        Number of the patch from 1; 0 outside.
    core : ndarray (y, x), bool
        Cells whose four neighbours lie in their patch.
    eight : bool
        Eight or four neighbours, as for the patches.

    Returns
    -------
    ndarray (y, x), int
        Numbers from 1, cores of one patch and of different patches apart. A patch with one core always keeps it.
    """
    structure = np.ones((3, 3), bool) if eight else None
    true, _ = label(core, structure=structure)
    row, column = np.nonzero(core)
    width = labels.shape[1] + 2
    flat, patch = (row + 1) * width + column + 1, labels[row, column]
    order = np.argsort(patch, kind="stable")
    steps = tuple(y * width + x for y, x in _AROUND[: 8 if eight else 4])
    found = true.copy()
    for part in np.split(order, np.flatnonzero(np.diff(patch[order])) + 1):
        numbers = true[row[part], column[part]]
        if len(part) and (numbers != numbers[0]).any():
            kept = _listed(flat[part].tolist(), steps)
            found[row[part[~kept]], column[part[~kept]]] = 0
    _, again = np.unique(found, return_inverse=True)
    again = again.reshape(found.shape)
    return again if (found == 0).any() else again + 1


def _listed(cells: list[int], steps: tuple[int, ...]) -> np.ndarray:
    """Which core cells of one patch, in the order of the rows, belong to a core that is listed."""
    place = {cell: k for k, cell in enumerate(cells)}
    taken, k = np.zeros(len(cells), bool), 0
    while k < len(cells):
        if not taken[k]:
            taken[k], pile = True, [cells[k]]
            while pile:
                cell = pile.pop()
                k = place[cell]
                for step in steps:
                    beside = place.get(cell + step)
                    if beside is not None and not taken[beside]:
                        taken[beside] = True
                        pile.append(cell + step)
        k += 1
    return taken
