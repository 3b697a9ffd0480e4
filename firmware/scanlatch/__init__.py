# The scan terminal: read a code, prove it, keep it, send it, show the answer.
import sys

VERSION = "0.1.0"


def forget(module):
    """Give back the heap of a module that is needed rarely: the next `import` of it reads its file again.

    What was taken out of it and is still held keeps all of it alive.
    """
    name = module.__name__
    package, _, last = name.rpartition(".")
    del sys.modules[name]
    delattr(sys.modules[package], last)
