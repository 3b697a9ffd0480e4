# Flash of the twin where power is to be cut inside an operation, or was, and left bits undecided.
import os

from torn import Nor
from twin_trace import FOLDER, line, load


class Flash(Nor):
    """Flash of which power will be cut, or was: what happens to it goes to the trace."""

    note = staticmethod(line)

    def info(self):
        return load("twin_esp32", "Partition").info(self)

    def broke(self, *what):
        load("twin_esp32", "Partition").broke(self, *what)


def flash(sectors, path, planned):
    """Cut power as SCANLATCH_TWIN_CUT=n:kind says, or cut.json {"nth": n, "kind": kind}, which is used up so."""
    made = Flash(sectors, path)
    told = os.getenv("SCANLATCH_TWIN_CUT")
    if told:
        nth, kind = told.split(":")
    elif planned:
        os.remove(FOLDER + "/cut.json")
        nth, kind = planned["nth"], planned["kind"]
    else:
        return made
    end = load("twin_start", "end")  # kept: no heap may be asked for when power goes

    def power_is_gone(at, data):
        line("cut", op="erase" if data is None else "program", block=at // 4096)
        end("USR1")

    made.on_cut = power_is_gone
    made.cut(int(nth), kind)
    return made
