"""Counts what the device's signing costs. CPython only: its integers can be made to count."""

import sys

import scanlatch
from scanlatch.prove import hashes, keys, p256, rfc6979, signer, verify

_BIG = 1 << 64  # quotients of Euclid stay below, field elements above
_KEY = bytes(range(1, 33))
_count = {"multiplications": 0, "divisions": 0, "hashes": 0}


class _Counting(int):
    """An integer that counts the multiplications and divisions it takes part in."""

    def __divmod__(self, other):
        _count["divisions"] += 1
        return tuple(_Counting(part) for part in int.__divmod__(self, other))

    def __rdivmod__(self, other):
        _count["divisions"] += 1
        return tuple(_Counting(part) for part in int.__rdivmod__(self, other))

    def __mul__(self, other):
        if abs(self) > _BIG and abs(other) > _BIG:
            _count["multiplications"] += 1
        return _Counting(int.__mul__(self, other))

    __rmul__ = __mul__


def _keep_counting(name):
    plain = getattr(int, name)
    setattr(_Counting, name, lambda self, other: _Counting(plain(self, other)))


for _name in ("__add__", "__radd__", "__sub__", "__rsub__", "__mod__", "__rmod__"):
    _keep_counting(_name)


class _CountingHashes:
    def sha256(self, data=b""):
        _count["hashes"] += 1
        return _plain_hashes.sha256(data)


_plain_hashes = hashes.hashlib
hashes.hashlib = _CountingHashes()
p256.int = rfc6979.int = signer.int = keys.int = verify.int = _Counting
scanlatch.forget = lambda module: None  # what is loaded anew does not count
verify.load = lambda name: keys


def _counted(work):
    _count.update(multiplications=0, divisions=0, hashes=0)
    work()
    return dict(_count)


def _signer():
    chain = [b""]

    def urandom(size):
        chain[0] = _plain_hashes.sha256(chain[0]).digest()
        return chain[0][:size]

    return signer.Signer(_KEY, 1, urandom)


def pooled():
    """Cost of each signature of a full pool."""
    maker = _signer()
    while maker.prepare():
        pass
    return [_counted(lambda: maker.sign(bytes(300))) for _ in range(signer.LIMIT)]


def fallback(count):
    """Cost of each of `count` signatures without a pool."""
    maker = _signer()
    return [_counted(lambda: maker.sign(number.to_bytes(4, "big"))) for number in range(count)]


def dearest_point():
    """Cost of a point for which every column of the comb adds."""
    comb = p256.Comb((1 << 255) - 1)
    return _counted(lambda: comb.step(10_000))


def slices():
    """Cost of each slice that fills a pool."""
    maker = _signer()
    costs = []
    while maker.ready < signer.LIMIT:
        costs.append(_counted(maker.prepare))
    return costs


def verification(point, digest, signature):
    """Cost of each slice of a verification, and what it found."""
    costs, found, slices = [], [], verify.steps(point, digest, signature)
    while not found or found[-1] is None:
        costs.append(_counted(lambda: found.append(next(slices))))
    return costs, found[-1]


def serve():
    """Answer standard input until it ends."""
    for line in sys.stdin:
        name, *arguments = eval(line)  # noqa: S307, our own tests write the line
        print(repr(("ok", globals()[name](*arguments))))
