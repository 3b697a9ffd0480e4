"""Signs scans at once, with nonces whose costly part was done while the terminal was idle."""

from micropython import const

import scanlatch
from scanlatch.prove import hashes, p256

LIMIT = const(16)  # pairs kept, in RAM only; a burst of as many scans at full speed, made anew within two seconds

_SLICE = const(200)  # field multiplications at 60-80 us each, and what surrounds them: at most 20 ms
_PAIR = const(96)  # bytes: r, 1 / k, r * d / k
_LABEL = const(b"scanlatch/1/nonce")


class Signer:
    """ES256 with the private key `d` (32 bytes).

    `boot` is this start's number, stored durably before; `urandom(n)` gives n random bytes. A pair is as
    secret as the key: it is taken out and wiped before it is used, and never comes back.
    """

    def __init__(self, d, boot, urandom):
        if not 0 <= boot < 1 << 32:
            raise ValueError("boot out of range")
        self._d = d
        self._key = p256.scalar(d)
        self._boot = boot.to_bytes(4, "big")
        self._urandom = urandom
        self._index = 0
        self._pool = bytearray(LIMIT * _PAIR)
        self._job = None
        self.ready = 0  # pairs in the pool

    def sign(self, message):
        """Signature over SHA-256 of `message`: r || s, 64 bytes, low s. RFC 6979 where the pool is empty.

        Raises MemoryError or OSError where that could not be loaded.
        """
        digest = hashes.sha256(message)
        if self.ready:
            self.ready -= 1  # first of all: whatever fails from here on, the pair is spent
            at = self.ready * _PAIR
            pair = self._pool[at : at + _PAIR]
            self._pool[at : at + _PAIR] = bytes(_PAIR)
            r = int.from_bytes(pair[:32], "big")
            inverse = int.from_bytes(pair[32:64], "big")
            s = (int.from_bytes(digest, "big") * inverse + int.from_bytes(pair[64:], "big")) % p256.N
            if r and s:
                return p256.signature(r, s)
        return scanlatch.load("prove.rfc6979").sign(self._d, digest)  # rare, and heap is short

    def prepare(self):
        """One slice of making pairs, at most 20 ms on the chip. True while there is more to make."""
        if self.ready == LIMIT or self._index >> 32:
            return False
        job, self._job = self._job, None  # a slice that fails takes its nonce with it
        job = job or self._make()
        if not next(job):
            self._job = job
        return self.ready < LIMIT

    def _make(self):
        # Makes one pair and puts it into the pool, a slice at a time. True where it ends.
        n = p256.N
        k = 0
        while not 0 < k < n:
            index = self._index.to_bytes(4, "big")
            self._index += 1
            k = int.from_bytes(hashes.hmac_sha256(self._d, _LABEL, self._boot, index, self._urandom(32)), "big")
        comb = p256.Comb(k)
        while not comb.step(_SLICE):
            yield False
        yield False
        r = comb.x % n
        blind = 1 + int.from_bytes(self._urandom(32), "big") % (n - 1)
        inverse = p256.inverse(k * blind % n, n) * blind % n
        at = self.ready * _PAIR
        for number in (r, inverse, r * self._key % n * inverse % n):
            self._pool[at : at + 32] = number.to_bytes(32, "big")
            at += 32
        self.ready += 1
        yield True
