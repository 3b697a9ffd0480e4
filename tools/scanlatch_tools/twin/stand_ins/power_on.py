# What the chip does at power on: runs boot.py, then main.py, as files of its file system.
import os
import sys

import micropython
from twin_trace import FOLDER, end, line


class _Micropython:
    """The module `micropython` with what the ESP32's has and a computer's lacks."""

    def __getattr__(self, name):
        return getattr(micropython, name)

    def alloc_emergency_exception_buf(self, size):
        pass


def _run(name):
    path = FOLDER + "/lib/" + name
    try:
        with open(path) as file:
            code = file.read()
    except OSError:
        return
    exec(compile(code, name, "exec"), {"__name__": "__main__", "__file__": name})


if not hasattr(micropython, "alloc_emergency_exception_buf"):
    sys.modules["micropython"] = _Micropython()
line("start", cause=int(os.getenv("SCANLATCH_TWIN_CAUSE") or 1))
try:
    _run("boot.py")
    _run("main.py")
except SystemExit:
    line("reset", cause="soft")  # on the chip, sys.exit() is a soft reset
    end("ALRM")
except BaseException as error:
    sys.print_exception(error, sys.stderr)
    line("fallen", error=repr(error))
    sys.exit(1)
line("ended")
