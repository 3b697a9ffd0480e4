# Runs the indicator on MicroPython and prints what light and tone did, one JSON object for each case.
import asyncio
import gc
import json
import time

from scanlatch.show.indicator import Indicator


class Clock:
    def __init__(self):
        self.start = time.ticks_ms()
        self.ahead = 0

    def ms(self):
        return time.ticks_diff(time.ticks_ms(), self.start) + self.ahead


class Box:
    """Light and tone that write down what they were told."""

    def __init__(self):
        self.clock = Clock()
        self.trace = []
        self.indicator = Indicator(self, self, self.clock)

    def colour(self, red, green, blue):
        self.trace.append([self.clock.ms(), "light", [red, green, blue]])

    def play(self, hz):
        self.trace.append([self.clock.ms(), "tone", hz])

    def stop(self):
        self.trace.append([self.clock.ms(), "tone", 0])


class Mute:
    def colour(self, red, green, blue):
        pass

    def play(self, hz):
        pass

    def stop(self):
        pass


async def at_once(box):
    box.indicator.hold("idle", True)
    await asyncio.sleep_ms(120)
    before = len(box.trace)
    box.indicator.show("read")
    return {"new": box.trace[before:]}


async def one_scan(box):
    box.indicator.hold("idle", True)
    await asyncio.sleep_ms(120)
    for name in ("read", "kept", "accepted"):
        box.indicator.show(name)
        await asyncio.sleep_ms(5)
    await asyncio.sleep_ms(900)
    return {}


async def not_cut_short(box):
    box.indicator.hold("idle", True)
    box.indicator.show("rejected")
    box.indicator.hold("offline", True)
    box.indicator.hold("pending", True)
    await asyncio.sleep_ms(100)
    box.indicator.hold("pending", False)
    await asyncio.sleep_ms(2900)
    return {}


async def next_scan_replaces(box):
    box.indicator.show("rejected")
    await asyncio.sleep_ms(50)
    box.indicator.show("read")
    box.indicator.show("accepted")
    await asyncio.sleep_ms(900)
    return {}


async def bounce_gives_back(box):
    box.indicator.show("rejected")
    await asyncio.sleep_ms(1500)
    for _ in range(3):
        box.indicator.show("bounce")
        await asyncio.sleep_ms(100)
    for _ in range(2):  # faster than its tick
        box.indicator.show("bounce")
        await asyncio.sleep_ms(20)
    await asyncio.sleep_ms(1400)
    return {}


async def bounce_alone(box):
    box.indicator.show("read")
    box.indicator.show("kept")
    await asyncio.sleep_ms(250)
    box.indicator.show("bounce")
    await asyncio.sleep_ms(100)
    return {}


async def highest_stands(box):
    seen = {}
    for name, on in (
        ("idle", True),
        ("offline", True),
        ("pending", True),
        ("attention", True),
        ("engine", True),
        ("fault", True),
        ("fault", False),
        ("engine", False),
        ("attention", False),
        ("pending", False),
        ("offline", False),
        ("idle", False),
    ):
        before = len(box.trace)
        box.indicator.hold(name, on)
        await asyncio.sleep_ms(20)
        seen[name + (" on" if on else " off")] = [t[2] for t in box.trace[before:] if t[1] == "light"]
    return {"seen": seen}


async def told_once_a_minute(box):
    counts = []
    for ahead in (0, 30_000, 31_000):
        box.clock.ahead += ahead
        before = len(box.trace)
        box.indicator.hold("offline", True)
        await asyncio.sleep_ms(500)
        box.indicator.hold("offline", False)
        await asyncio.sleep_ms(20)
        counts.append(len([t for t in box.trace[before:] if t[1] == "tone" and t[2]]))
    return {"counts": counts}


async def pending_sounds_once(box):
    box.indicator.show("pending")
    box.indicator.hold("pending", True)
    await asyncio.sleep_ms(2500)
    return {}


async def does_not_block(box):
    turns = []
    for name in ("identify", "rejected", "full"):
        box.indicator.show(name)
        for _ in range(100):
            start = time.ticks_us()
            await asyncio.sleep_ms(2)
            turns.append(time.ticks_diff(time.ticks_us(), start))
    return {"median_us": sorted(turns)[len(turns) // 2]}


async def unknown_name(box):
    box.indicator.show("nonsense")
    await asyncio.sleep_ms(50)
    box.indicator.hold("nonsense", True)
    await asyncio.sleep_ms(1500)
    return {}


async def allocates_little(_box):
    indicator = Indicator(Mute(), Mute(), Clock())
    for name in ("read", "kept", "accepted"):
        indicator.show(name)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(100):
        indicator.show("read")
        indicator.show("kept")
        indicator.show("accepted")
    used = gc.mem_alloc() - before
    gc.enable()
    return {"bytes_a_scan": used // 100}


CASES = (
    at_once,
    one_scan,
    not_cut_short,
    next_scan_replaces,
    bounce_gives_back,
    bounce_alone,
    highest_stands,
    told_once_a_minute,
    pending_sounds_once,
    does_not_block,
    unknown_name,
    allocates_little,
)


async def play(name, case, results):
    box = Box()
    task = asyncio.create_task(box.indicator.run())
    result = await case(box)
    result["trace"] = box.trace
    results[name] = result
    task.cancel()


async def main():
    results = {}
    quiet = [case for case in CASES if case not in (does_not_block, allocates_little)]
    await asyncio.gather(*[play(case.__name__, case, results) for case in quiet])
    await play("does_not_block", does_not_block, results)
    await play("allocates_little", allocates_little, results)
    print(json.dumps(results))


asyncio.run(main())
