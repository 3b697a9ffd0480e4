"""Runs worlds: `python -m tests.simulation --first 0 --count 300`; SCANLATCH_SEED=n tells one event by event."""

import argparse
import gc
import os
import sys
import time
from collections import Counter

from tests.simulation.stage import Stage
from tests.simulation.watch import Broken
from tests.simulation.world import World


def main() -> int:
    """Exit status 1 where a promise was broken: its seed is printed, and gives the same world again."""
    parser = argparse.ArgumentParser(description="Run worlds in virtual time, each from its seed.")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin none after so long")
    parser.add_argument("--stop", action="store_true", help="end at the first that is broken")
    parser.add_argument("--digests", action="store_true", help="print each world's digest of all its events")
    given = parser.parse_args()
    named = os.environ.get("SCANLATCH_SEED")
    if named:
        given.first, given.count = int(named), 1
    until = time.monotonic() + given.seconds
    failed = ran = 0
    seen: Counter[str] = Counter()
    with Stage() as stage:
        gc.freeze()  # what is loaded stays to the end: no search for garbage goes through it with each world
        for seed in range(given.first, given.first + given.count):
            if time.monotonic() > until or (failed and given.stop):
                break
            ran += 1
            world = World(stage, seed)
            trouble = _trouble(world)
            seen.update(world.watch.counted)
            if named:
                print("\n".join(world.events))
            if named or given.digests:
                print(f"{seed} {world.digest}")
            if trouble:
                failed += 1
                print(f"BROKEN {trouble}\nagain: SCANLATCH_SEED={seed} python -m tests.simulation", flush=True)
    print("seen:", ", ".join(f"{what} {count}" for what, count in sorted(seen.items())))
    print(f"{ran} worlds, {failed} broken", flush=True)
    return 1 if failed else 0


def _trouble(world: World) -> str | None:
    try:
        world.run()
    except Broken as broken:
        return str(broken)
    except Exception as error:  # noqa: BLE001  # whatever it is, the seed has to be told
        import traceback

        return f"seed {world.seed}: {error!r}\n{traceback.format_exc()}"
    return None


if __name__ == "__main__":
    sys.exit(main())
