# What seldom happens to the twin's flash: power that is cut inside an operation, and rules that the firmware breaks.
import json
import os

from twin_trace import FOLDER, end, line


def plan(flash):
    """Cut power as SCANLATCH_TWIN_CUT=n:kind says, or cut.json {"nth": n, "kind": kind}, which is used up so."""
    planned = os.getenv("SCANLATCH_TWIN_CUT")
    if planned:
        nth, kind = planned.split(":")
    else:
        with open(FOLDER + "/cut.json") as file:
            found = json.load(file)
        os.remove(FOLDER + "/cut.json")
        nth, kind = found["nth"], found["kind"]
    flash.cut(int(nth), kind)
    flash.torn.on_cut = _power_is_gone


def _power_is_gone(at, data):
    line("cut", op="erase" if data is None else "program", block=at // 4096)
    end("USR1")


def note(broken):
    """Write down the violations in the list `broken`, and empty it."""
    with open(FOLDER + "/violations.jsonl", "a") as file:
        while broken:
            what, block, offset, size = broken.pop(0)
            line("nor_violation", rule=what, block=block, offset=offset, size=size)
            file.write(json.dumps({"rule": what, "block": block, "offset": offset, "size": size}) + "\n")
