"""Calls of the device's `prove` on any interpreter: one expression a line in, one literal a line out."""

import sys

from scanlatch.prove import cbor, cose, hashes, head, keys, p256, record, rfc6979, signer, verify

_state = {}


def sign1(kid, payload, aad, d):
    """COSE_Sign1 with the key `d` and no pool."""
    return cose.sign1(kid, payload, aad, lambda message: rfc6979.sign(d, hashes.sha256(message)))


def new_signer(d, boot, seed):
    """A signer whose random bytes are a hash chain from `seed`, or always the same where it is None."""
    chain = [hashes.sha256(seed or b"")]

    def urandom(size):
        if seed is not None:
            chain[0] = hashes.sha256(chain[0])
        return chain[0][:size]

    _state["signer"] = signer.Signer(d, boot, urandom)


def fill():
    """Slices it took to fill the pool."""
    slices = 1
    while _state["signer"].prepare():
        slices += 1
    return slices


def ready():
    """Pairs in the pool."""
    return _state["signer"].ready


def sign(message):
    """Signature by the signer made last."""
    return _state["signer"].sign(message)


def sign_many(first, count, pool):
    """Signatures over the numbers from `first` on; the pool is filled whenever it is empty, or never."""
    signatures = []
    for number in range(first, first + count):
        if pool and not ready():
            fill()
        signatures.append(sign(number.to_bytes(4, "big")))
    return signatures


def sign_without_memory(message):
    """Sign while memory ends right after the pair was taken. r of the pair that was lost."""
    lost = []

    def no_memory(r, _s):
        lost.append(r.to_bytes(32, "big"))
        raise MemoryError

    whole, p256.signature = p256.signature, no_memory
    try:
        sign(message)
    except MemoryError:
        pass
    finally:
        p256.signature = whole
    return lost[0]


def fill_with_faults(every):
    """Fill the pool while each so-manieth doubling fails. How many slices failed."""
    count = [0, 0]

    def doubling(x, y, z):
        count[0] += 1
        if count[0] % every == 0:
            raise MemoryError
        return whole(x, y, z)

    whole, p256.double = p256.double, doubling
    while ready() < signer.LIMIT:
        try:
            _state["signer"].prepare()
        except MemoryError:
            count[1] += 1
    p256.double = whole
    return count[1]


def wiped():
    """Whether nothing is left in the pool of pairs that are gone."""
    maker = _state["signer"]
    size = len(maker._pool) // signer.LIMIT
    return not any(maker._pool[maker.ready * size :])


def comb_x(k):
    """x of k * G by the stepwise comb, one column at a time."""
    comb = p256.Comb(k)
    while not comb.step(20):
        pass
    return comb.x


def verified(point, digest, signature):
    """Whether a signature is good, and in how many slices that was found out."""
    slices = 0
    for good in verify.steps(point, digest, signature):
        slices += 1
    return good, slices


def encrypt0(kid, nonce, payload, aad, key):
    """COSE_Encrypt0, where the interpreter has AES."""
    from scanlatch.prove.encrypt0 import encrypt0 as made

    return made(kid, nonce, payload, aad, key)


def seal(key, nonce, aad, plaintext):
    """AES-CCM, where the interpreter has AES."""
    from scanlatch.prove import aesccm

    return aesccm.seal(key, nonce, aad, plaintext)


_MODULES = {
    "cbor": cbor,
    "cose": cose,
    "hashes": hashes,
    "head": head,
    "keys": keys,
    "record": record,
    "rfc6979": rfc6979,
}


def answer(line):
    """("ok", result) or ("refused", type, text) of one call written as a tuple: name, arguments."""
    name, *arguments = eval(line)  # noqa: S307, our own tests write the line
    module, _, function = name.rpartition(".")
    called = getattr(_MODULES[module], function) if module else globals()[function]
    try:
        return repr(("ok", _literal(called(*arguments))))
    except ValueError as error:
        return repr(("refused", type(error).__name__, str(error)))


def serve():
    """Answer standard input until it ends."""
    for line in sys.stdin:
        print(answer(line))


def _literal(value):
    if isinstance(value, cbor.Tag):
        return ("Tag", value.tag, _literal(value.value))
    if isinstance(value, list):
        return [_literal(item) for item in value]
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    return value
