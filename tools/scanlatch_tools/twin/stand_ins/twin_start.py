# How a process of the twin begins, and how it ends.
import os
import sys

import micropython
import utime
from twin_trace import FOLDER, line


def boot():
    """Run boot.py."""
    line("start", cause=int(os.getenv("SCANLATCH_TWIN_CAUSE") or 1))
    code, names = program("boot")
    if not hasattr(micropython, "alloc_emergency_exception_buf"):
        sys.modules["micropython"] = sys.modules["power_on"]
    exec(code, names)


def program(name):
    """(code, names) of a file that the chip runs by itself; nothing where it is missing."""
    name += ".py"
    try:
        with open(FOLDER + "/lib/" + name) as file:
            code = file.read()
    except OSError:
        code = ""
    return compile(code, name, "exec"), {"__name__": "__main__", "__file__": name}


def over(error):
    """The program has ended, by this exception or, None, by itself."""
    if isinstance(error, SystemExit):
        restart("soft", "ALRM")  # on the chip, sys.exit() is a soft reset
    if error is None:
        line("ended")
        return
    sys.print_exception(error, sys.stderr)
    line("fallen", error=repr(error))
    sys.exit(1)


def restart(cause, signal):
    line("reset", cause=cause)
    end(signal)


def alone():
    restart("launcher gone", "KILL")


def end(signal):
    """This process ends here, at once, as if the chip had been reset: nothing is unwound. Never returns.

    signal: name; the launcher knows from it what to do next.
    """
    os.system("kill -%s $PPID" % signal)
    while True:
        utime.sleep(1)
