# Which slot runs, and how the other one does on trial: file `slot`, in which boot.py counts. Loaded for each look.
import sys

from scanlatch import load
from scanlatch.system.log import log

_FILE = "slot"
NONE = "-"
RUNS, TRIAL, STARTS, COUNTER, MORE = range(5)  # places in what `read` gives
ENGINE = "e"  # MORE of a trial: the scan engine was ready before, and has to be again
_UNSTORED = "n"  # MORE behind a trial: the counter is still to go into the store


def running():
    """ "a" or "b"; None where this terminal has no slots: it was provisioned before there were any."""
    return sys.path[0] if sys.path[0] in ("a", "b") else None


def other():
    """The slot that an update goes into."""
    return "a" if running() == "b" else "b"


def read():
    """[slot that runs, slot on trial or NONE, its starts, counter of that update, more], all text."""
    try:
        raw = stored().read_file(_FILE)
        told = raw.decode().split() if raw else []
    except OSError:  # damaged: boot.py passed over it, too
        told = []
    return told if len(told) == 5 else [running(), NONE, "0", "0", NONE]


def write(told):
    """Raises OSError; then the file is as it was."""
    stored().write_file(_FILE, " ".join(told).encode())


def stored():
    """Module keep.files, and nothing of it stays on the heap."""
    return load("keep.files")


def highest(terminal):
    """The highest counter of an update that ran here. Raises OSError."""
    told = read()  # before the store is there: one behind the other
    return max(terminal.nvs.get_int("update") or 0, int(told[COUNTER]) if told[TRIAL] == NONE else 0)


def look(terminal):
    """What is to be told of an update: None, "on trial", or "taken back" (by boot.py, after three starts).

    Asked for while the link stands, so the broker was reached: it is confirmed where the terminal is well besides. No
    older one is taken from then on. Raises OSError.
    """
    told = read()
    if told[TRIAL] == NONE:
        if told[MORE] == _UNSTORED:
            _store(terminal, told)
        return None
    if told[TRIAL] != running():
        return "taken back" if told[STARTS] != "0" else None
    if terminal.scanner.fault or (told[MORE] == ENGINE and not terminal.told["engine"]):
        return "on trial"
    told = [told[TRIAL], NONE, "0", told[COUNTER], _UNSTORED]
    write(told)
    log("update", state="confirmed", counter=told[COUNTER])
    from machine import Timer

    Timer(0).deinit()  # boot.py's, which would restart it
    _store(terminal, told)
    return None


def _store(terminal, told):
    # Last: until then the file says it.
    terminal.nvs.set_int("update", int(told[COUNTER]))
    told[MORE] = NONE
    write(told)
