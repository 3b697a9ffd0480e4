# Wires one board on stand-ins that are as strict as its chip, uses all of it, and prints what it found.
import asyncio
import json
import os
import sys

from scanlatch.system import wiring
from scanlatch.system.clock import Clock

FOLDER = os.getenv("SCANLATCH_TWIN")
FAR = 49  # more pins than any chip has


def press(pin, level):
    with open(FOLDER + "/pins", "w") as file:
        file.write("x" * pin + str(level) + "x" * (FAR - pin))


def main():
    with open(FOLDER + "/board.json") as file:
        config = json.load(file)
    found = {}
    box = wiring.board(config, "clinic", "secret")
    box.light.colour(255, 100, 0)
    box.light.colour(0, 0, 0)
    made = wiring.engine(config["engine"], box, Clock())
    found["baud"] = made.baud, made.first
    for _ in range(2):
        box.play(2000)
        box.stop()
    found["loaded"] = [name for name in sys.modules if "buzzer" in name or "beep" in name]
    found["beeps"] = getattr(made, "buzzer", None) is not None
    box.set_baud(115200)
    button = config.get("button")
    found["pressed"] = []
    up = button["active_low"] if button else True
    for level in (up, not up, up):
        press(button["pin"] if button else 0, int(level))
        found["pressed"].append(box.pressed())
    found["up"] = asyncio.run(box.link.up(5000))
    print(json.dumps(found))


main()
