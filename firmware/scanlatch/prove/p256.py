"""The curve P-256 (SP 800-186 3.2.1.3), as far as a signature with a pair needs it.

What runs beside the scanning goes in steps, so that it never holds the loop for long.
Not constant in time: see the threat model.
"""

from micropython import const

import scanlatch
from scanlatch.prove import p256_table
from scanlatch.prove.p256_table import TABLE

scanlatch.forget(p256_table)  # the bytes are all that is needed
del p256_table

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_TEETH = const(6)
_HALF = const(31)  # all teeth but the highest: the table holds the points where that one is added
_COLUMNS = const(43)  # bits between two teeth: 6 x 43 covers 256
_COLUMN_COST = const(19)  # field multiplications: 8 to double, 11 to add
UNBOUNDED = const(10_000)  # field multiplications, more than a whole point costs


class Comb:
    """Fixed-base comb of signed digits: the point k * G for 0 < k < N, in steps (Hedabou, Pinel, Beneteau 2004)."""

    def __init__(self, k):
        if not 0 < k < N:
            raise ValueError("scalar out of range")
        self._even = 1 - (k & 1)  # then it is the opposite of the point of N - k, which is odd
        # An odd number is the sum of all powers of two below 2^258, some of them taken off: bit i tells 2^i is added.
        self._signs = ((k, N - k)[self._even] >> 1) + (1 << _TEETH * _COLUMNS - 1)
        self._column = _COLUMNS
        self._point = ()
        self.x = self.y = None

    def step(self, budget):
        """Work for about `budget` field multiplications. True once `x` and `y` are there, the affine coordinates.

        The last step costs as much as `inverse`.
        """
        point = self._point
        if not self._column:
            x, y, z = point  # pyright: ignore
            z = inverse(z, P)
            zz = z * z % P
            y = y * (zz * z % P) % P
            self.x, self.y = x * zz % P, (y, P - y)[self._even]
            return True
        while self._column and budget >= _COLUMN_COST:
            budget -= _COLUMN_COST
            self._column -= 1
            index = 0
            for tooth in range(_TEETH):
                index |= (self._signs >> (tooth * _COLUMNS + self._column) & 1) << tooth
            plus = index >> _TEETH - 1
            at = (index ^ _HALF * (1 - plus)) % (_HALF + 1) * 64
            x = int.from_bytes(TABLE[at : at + 32], "big")
            y = int.from_bytes(TABLE[at + 32 : at + 64], "big")
            y = (P - y, y)[plus]
            # No special case of the sum: what is doubled and what is added are never equal nor opposite. As numbers the
            # one is even and the other odd, so they would be N apart, or more; so large they are in the last column
            # alone, and there the few scalars in question have other digits (the tests try them all).
            point = add_affine(*double(*point), x, y) if point else (x, y, 1)
        self._point = point
        return False


def inverse(a, modulus):
    """1 / a modulo a prime, by Euclid: about 150 divisions, each somewhat cheaper than a multiplication."""
    b, x, y = modulus, 1, 0
    while a > 1:
        quotient, rest = divmod(b, a)
        a, b, x, y = rest, a, y - quotient * x, x
    return x % modulus


def scalar(d):
    """The private key `d`, 32 bytes, as an integer. Raises ValueError where it is none."""
    number = int.from_bytes(d, "big")
    if len(d) != 32 or not 0 < number < N:
        raise ValueError("not a private key")
    return number


def signature(r, s):
    """r || s, 64 bytes, with the lower of the two s that verify."""
    return r.to_bytes(32, "big") + (s if s <= N // 2 else N - s).to_bytes(32, "big")


# Jacobian coordinates: x = X / Z^2, y = Y / Z^3, a = -3 (Explicit-Formulas Database).


def double(x, y, z):
    """Twice a point: dbl-2001-b, 3 multiplications and 5 squarings."""
    delta = z * z % P
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = 2 * y * z % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, z3


def add_affine(x1, y1, z1, x2, y2):
    """A point and an affine one, neither equal nor opposite: 8 multiplications and 3 squarings.

    Cohen, Miyaji, Ono 1998.
    """
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    r = (y2 * (z1 * zz % P) - y1) % P
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P
