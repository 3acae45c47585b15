"""All real roots of a polynomial, isolated and refined in whole numbers (多项式实根的精确分离).

Nothing here rounds: coefficients are whole numbers, a root is shut in an interval whose ends are fractions of a power
of two, and the count of roots in it is proved by Descartes' rule of signs after a change of variable (the method of
Vincent, Collins and Akritas). Roots of more than one multiplicity are parted from the simple ones first, by the
greatest common divisor with the derivative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from math import gcd

__all__ = ["multiplicity_at", "precise_roots", "sign_at", "trimmed"]

PRIME = (1 << 61) - 1
"""A prime for the quick test that a polynomial has no multiple root."""


def precise_roots(coefficients: Sequence[int], width: Fraction) -> list[tuple[Fraction, bool]]:
    """All distinct roots in the open interval (0, 1), and whether the polynomial changes sign at each (实根及其穿越).

    Parameters
    ----------
    coefficients : sequence of int
        c_0 + c_1 x + … + c_n x^n with c_0 and c_n other than zero.
    width : Fraction
        Each root is known to this share of its distance from 1 and of its own size.

    Returns
    -------
    list of (root, crosses)
        In rising order.
    """
    simple = _square_free(list(coefficients))
    places = sorted(_isolated(simple)) if len(simple) > 1 else []
    found = []
    for low, high in places:
        low, high = _narrowed(simple, low, high, width)
        if low == high:
            found.append((low, multiplicity_at(coefficients, low) % 2 == 1))
        else:
            found.append(((low + high) / 2, sign_at(coefficients, low) != sign_at(coefficients, high)))
    return found


def trimmed(coefficients: Sequence[int]) -> list[int]:
    """Without the zeros at both ends: roots at 0 and false degrees (去除首尾零系数)."""
    found = list(coefficients)
    while found and found[-1] == 0:
        found.pop()
    start = next((k for k, c in enumerate(found) if c), len(found))
    return found[start:]


def multiplicity_at(coefficients: Sequence[int], root: Fraction) -> int:
    """How often a fraction is a root (重数); 0 when it is none."""
    count, rest = 0, [Fraction(c) for c in reversed(coefficients)]
    while len(rest) > 1:
        divided = list(accumulate(rest, lambda total, c: total * root + c))
        if divided[-1]:
            break
        count, rest = count + 1, divided[:-1]
    return count


def sign_at(coefficients: Sequence[int], point: Fraction) -> int:
    """Sign of the polynomial at a fraction, exactly: -1, 0 or 1."""
    top, bottom = point.numerator, point.denominator
    total, scale = 0, 1
    for c in reversed(coefficients):
        total = total * top + c * scale
        scale *= bottom
    return (total > 0) - (total < 0)


def _narrowed(simple: Sequence[int], low: Fraction, high: Fraction, width: Fraction) -> tuple[Fraction, Fraction]:
    """Bisection by exact signs; the ends of the result are no roots, or both are the root."""
    if low == high:
        return low, high
    at_low, at_high = sign_at(simple, low), sign_at(simple, high)
    inside = -at_high or at_low or _sign_right_of(simple, low)
    while not at_low or not at_high or high - low > width * low * (1 - high):
        middle = (low + high) / 2
        sign = sign_at(simple, middle)
        if sign == 0:
            return middle, middle
        if sign == inside:
            low, at_low = middle, sign
        else:
            high, at_high = middle, sign
    return low, high


def _sign_right_of(polynomial: Sequence[int], root: Fraction) -> int:
    """Sign just to the right of a simple root: that of the slope."""
    return sign_at([k * c for k, c in enumerate(polynomial)][1:], root)


def _isolated(polynomial: list[int]) -> Iterator[tuple[Fraction, Fraction]]:
    """Bisection of (0, 1) until each piece holds no root or one; pieces carry the polynomial stretched to (0, 1)."""
    pieces = [(polynomial, 0, 0)]
    while pieces:
        piece, place, depth = pieces.pop()
        count = _changes(_shifted(piece[::-1]))
        if count == 1:
            yield Fraction(place, 1 << depth), Fraction(place + 1, 1 << depth)
        if count <= 1:
            continue
        degree = len(piece) - 1
        left = [c << (degree - k) for k, c in enumerate(piece)]
        right = _shifted(left)
        if right[0] == 0:
            middle = Fraction(2 * place + 1, 1 << (depth + 1))
            yield middle, middle
            right = right[1:]
            left = _divided_by_root_at_one(left)
        pieces += [(_reduced(left), 2 * place, depth + 1), (_reduced(right), 2 * place + 1, depth + 1)]


def _shifted(polynomial: Sequence[int]) -> list[int]:
    """Coefficients of p(x + 1)."""
    found = list(polynomial[::-1])
    size = len(found)
    for k in range(size - 1):
        found[: size - k] = accumulate(found[: size - k])
    return found[::-1]


def _divided_by_root_at_one(polynomial: Sequence[int]) -> list[int]:
    """Quotient of p(x) by (x - 1) where p(1) = 0."""
    return list(accumulate(polynomial[::-1]))[:-1][::-1]


def _changes(polynomial: Sequence[int]) -> int:
    """Changes of sign along the coefficients, zeros left out."""
    signs = [c > 0 for c in polynomial if c]
    return sum(a != b for a, b in zip(signs, signs[1:]))


def _reduced(polynomial: Sequence[int]) -> list[int]:
    """The same roots with smaller whole numbers."""
    shared = gcd(*polynomial)
    return [c // shared for c in polynomial] if shared > 1 else list(polynomial)


def _square_free(polynomial: list[int]) -> list[int]:
    """The polynomial with each multiple root taken once."""
    if len(polynomial) < 3:
        return polynomial
    slope = [k * c for k, c in enumerate(polynomial)][1:]
    if polynomial[-1] % PRIME and slope[-1] % PRIME and len(_common_modulo(polynomial, slope)) == 1:
        return polynomial
    shared = _common(polynomial, slope)
    return _quotient(polynomial, shared) if len(shared) > 1 else polynomial


def _common_modulo(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Greatest common divisor modulo the prime; its degree bounds that over the whole numbers."""
    high, low = [c % PRIME for c in a], [c % PRIME for c in b]
    while low:
        inverse = pow(low[-1], -1, PRIME)
        while len(high) >= len(low):
            factor, gap = high[-1] * inverse % PRIME, len(high) - len(low)
            for k, c in enumerate(low):
                high[gap + k] = (high[gap + k] - factor * c) % PRIME
            while high and high[-1] == 0:
                high.pop()
        high, low = low, high
    return high


def _common(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Greatest common divisor over the whole numbers, primitive (remainders made primitive at each step)."""
    high, low = _reduced(a), _reduced(b)
    while low:
        rest = list(high)
        while len(rest) >= len(low):
            lead, gap = rest[-1], len(rest) - len(low)
            rest = [c * low[-1] for c in rest]
            for k, c in enumerate(low):
                rest[gap + k] -= lead * c
            while rest and rest[-1] == 0:
                rest.pop()
        high, low = low, _reduced(rest) if rest else []
    return high


def _quotient(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """Primitive part of a / b where b divides a over the fractions."""
    rest = list(a)
    found: list[int] = []
    for gap in range(len(a) - len(b), -1, -1):
        found = [c * b[-1] for c in found]
        lead = rest[gap + len(b) - 1]
        rest = [c * b[-1] for c in rest]
        found.append(lead)
        for k, c in enumerate(b):
            rest[gap + k] -= lead * c
    return _reduced(found[::-1])
