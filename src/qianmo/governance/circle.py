"""Do projects wait for each other in a circle (先后关系成环)."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["circle_of"]


def circle_of(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """One circle of projects that wait for each other (先后关系中的环).

    Parameters
    ----------
    pairs : iterable of (before, after)
        `after` waits for `before`.

    Returns
    -------
    list of str
        The projects of a circle, the first once more at its end; empty where there is none.
    """
    waits: dict[str, list[str]] = {}
    for before, after in pairs:
        waits.setdefault(after, []).append(before)
    done: set[str] = set()
    for begin in waits:
        path: list[str] = []
        stack = [(begin, iter(waits.get(begin, ())))] if begin not in done else []
        if stack:
            path.append(begin)
        while stack:
            here, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                done.add(here)
                stack.pop()
                path.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            elif following not in done:
                path.append(following)
                stack.append((following, iter(waits.get(following, ()))))
    return []
