# Runs days of a terminal, each with one failure, in one interpreter; see nth_day.py.
#
# Usage: nth_run.py BUILT FOLDER count          what a day without trouble reaches: one JSON line
#        nth_run.py BUILT FOLDER cases FILE     the failures in FILE (JSON): one JSON line each
#
# BUILT: where instrumented.py has written the firmware; FOLDER: of work.
import gc
import json
import os
import sys

built, folder = sys.argv[1:3]
sys.path.insert(0, built + "/lib")

import nth  # noqa: E402
import nth_chip  # noqa: E402

nth_chip.put_in_place()

import nth_day  # noqa: E402
from nth_person import names  # noqa: E402


def main():
    nth.paused = 1
    try:
        os.mkdir(folder + "/files")
    except OSError:
        pass
    os.chdir(folder + "/files")
    flash = nth_day.prepared()
    named = names()
    with open(built + "/lib/main.py") as file:
        program = compile(file.read(), "main.py", "exec")
    if sys.argv[3] == "count":
        nth.recording = True
        day = nth_day.Day(nth_day.fresh(flash), program, None, 0, named)
        day.run()
        sites = [[site, nth.counts[site]] for site in range(nth.MOST) if nth.allocates[site]]
        tell(day, sites=sites, io=day.operations, told=day.told, said=day.said)
        return
    with open(sys.argv[4]) as file:
        plans, allocating = json.load(file)
    for site in allocating:
        nth.allocates[site] = 1
    for number, plan in enumerate(plans):
        day = nth_day.Day(nth_day.fresh(flash), program, tuple(plan), number, named)
        print(json.dumps({"begins": plan}))
        day.run()
        tell(day, plan=plan, fired=nth.fired or day.world.failed is not None)
        nth.fired = False
        del day
        gc.collect()


def tell(day, **more):
    more["messages"] = [message.hex() for _, message in sorted(day.bridge.ledger.items())]
    more["problems"], more["boots"], more["reasons"] = day.problems, day.world.boots, day.reasons
    more["ms"] = day.world.now - nth_chip.START_MS
    print("\x1e" + json.dumps(more))


main()
