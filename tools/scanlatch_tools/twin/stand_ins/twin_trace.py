# What the twin does, one JSON line an output, in trace.jsonl of the twin's folder.
import json
import os

import utime  # the interpreter's own, not the stand-in

IS_TWIN = bool(os.getenv("SCANLATCH_TWIN"))  # False: a test runs device code by itself, and nothing is kept
FOLDER = os.getenv("SCANLATCH_TWIN") or "/no-twin"
_STARTED = utime.ticks_ms()
_file = open(FOLDER + "/trace.jsonl", "ab") if IS_TWIN else None


def line(what, **fields):
    """Append a line: `t` ms since the process began, `at` ms UTC. Unbuffered, so it outlives a kill."""
    if _file is None:
        return
    fields["what"] = what
    fields["t"] = utime.ticks_diff(utime.ticks_ms(), _STARTED)
    fields["at"] = utime.time_ns() // 1_000_000
    _file.write(json.dumps(fields) + "\n")


def end(signal):
    """This process ends here, at once, as if the chip had been reset: nothing is unwound. Never returns.

    signal: name; the launcher knows from it what to do next.
    """
    os.system("kill -%s $PPID" % signal)
    while True:
        utime.sleep(1)
