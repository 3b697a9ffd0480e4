"""How much heap modules and a signature take. WebAssembly build only: it has the ESP32's object sizes."""

import gc
import sys

_KEY = bytes(range(1, 33))
_state = {}


class _InFlash:
    """Stands for a module of the chip that is C, in flash, and takes no heap."""

    def __getattr__(self, name):
        return self

    def __call__(self, *arguments):
        return self


class _Os(_InFlash):
    def urandom(self, size):
        return bytes(size)


for _name in ("cryptolib", "esp32", "machine", "neopixel", "network", "socket", "ssl"):
    sys.modules[_name] = _InFlash()
sys.modules["os"] = _Os()


def nothing():
    """What is in use before anything was loaded."""


def load(name):
    """Import a module."""
    __import__(name)


def new_signer():
    """Make the signer with its pool."""
    from scanlatch.prove.signer import Signer

    _state["signer"] = Signer(_KEY, 1, sys.modules["os"].urandom)


def prepare():
    """One slice of filling the pool. True while there is more to do."""
    return _state["signer"].prepare()


def sign():
    """A signature with a pair."""
    return _state["signer"].sign(bytes(300))


def new_point():
    """Begin the costly part of a signature without a pair."""
    from scanlatch.prove import p256

    _state["point"] = p256.Comb(p256.N - 2)


def step():
    """About twenty field multiplications. True once the point is there."""
    return _state["point"].step(20)


def answer(line):
    """("ok", (result, bytes allocated when it was called, and when it had returned))."""
    name, *arguments = eval(line)  # noqa: S307, our own tests write the line
    before = gc.mem_alloc()
    result = globals()[name](*arguments)
    after = gc.mem_alloc()
    gc.collect()  # takes effect when this top-level call ends
    return repr(("ok", (result, before, after)))
