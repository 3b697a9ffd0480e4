# The scan terminal: read a code, prove it, keep it, send it, show the answer.
import gc
import sys

from micropython import const

VERSION = "0.1.0"

_EIO = const(5)


def load(name, keep=False):
    """The module `name` of this package, needed rarely: its heap is free again once nobody holds what came out of it.

    keep: it is needed always, once it is.

    Raises MemoryError; OSError where its file is missing or was not made for this interpreter.
    """
    name = "scanlatch." + name
    gc.collect()  # else what is loaded lies scattered between what is not collected yet
    try:
        module = __import__(name, None, None, ("",))
    except (
        ImportError,
        ValueError,
    ):  # as ImportError nobody would expect it; ValueError is TLS's word for a certificate
        raise OSError(_EIO, name)
    if not keep:
        forget(module)
    return module


def forget(module):
    """Give back the heap of a module that is needed rarely: the next `import` of it reads its file again.

    What was taken out of it and is still held keeps all of it alive.
    """
    name = module.__name__
    package, _, last = name.rpartition(".")
    if name in sys.modules:
        # A dictionary holds what is deleted until its place is used again: so something else is put there first.
        sys.modules[name] = None  # pyright: ignore[reportArgumentType]
        del sys.modules[name]
        package = sys.modules[package]
        setattr(package, last, None)
        delattr(package, last)
