# One day of a terminal: a person scans, presses, switches; then, once, something fails; then the person looks whether
# all goes on. What is not as it must be is in `problems`.
import json
import sys

import nth
import nth_chip
import nth_parts
from nth_bridge import Bridge, Broken
from nth_chip import PowerOff, Reset, World
from nth_person import CODES, TOKEN, Person
from scanlatch import load
from scanlatch.keep.journal import Journal
from scanlatch.prove import hashes

SITE, DEVICE, ID = "clinic-7", "d-nth-01", b"scanlog1"
KEY = bytes(range(1, 33))
STORED = {
    "sign_key": KEY,
    "tls_key": KEY,
    "mac_key": bytes(range(32)),
    "cred_key": bytes(range(16)),
    "bridge": b"\x04" + bytes(64),
    "journal": ID,
}
SETTINGS = {
    "v": 1,
    "site": SITE,
    "device": DEVICE,
    "operation": "sale",
    "broker": {"host": "broker", "port": 8883, "name": "broker", "not_before": 1_790_000_000_000},
    "rules": {"token": TOKEN},
    "board": {
        "name": "nth",
        "mhz": 240,
        "engine": {"kind": "line", "baud": 9600, "id": 1},
        "uart": {"tx": 17, "rx": 16, "rxbuf": 4096},
        "network": {"kind": "wifi"},
        "light": {"kind": "neopixel", "pin": 27, "count": 1},
        "buzzer": {"kind": "passive", "pin": 26},
        "button": {"pin": 0, "active_low": True, "pull": True},
    },
}
MOST_BOOTS = 6
PROBES = 40


class Day(Person):
    """A terminal that starts, is used, fails and starts again.

    main: main.py, compiled; plan: (site, nth, how) of a MemoryError, (kind, nth) of an OSError, or None; named: see
    nth_person. reasons: why it started again; operations: of each kind, how many the day has had.
    """

    def __init__(self, flash, main, plan, number, named):
        world = World(flash, STORED)
        world.dice = 77 + number
        keys = hashes.sha256(STORED["bridge"])[:8], STORED["mac_key"]
        bridge = world.bridge = Bridge("scanlatch/v1/%s/%s/" % (SITE, DEVICE), DEVICE.encode(), keys)
        super().__init__(world, bridge, named)
        self.main, self.plan = main, plan
        self.problems, self.reasons = [], []
        self.operations = {}

    def life(self):
        yield from self.day()
        nth.never()
        self.operations = dict(self.world.counts)
        self.world.armed = (None, 0)
        yield from self.look("behind the fault")
        raise PowerOff

    def look(self, when):
        """Does it go on? A box is taken and answered, what else it does it does too, and the light comes to rest."""
        world, bridge = self.world, self.bridge
        for _ in range(PROBES):
            if (yield from self.box()) == "accepted":
                break
            yield from self.wait(1500)
        else:
            self.problems.append(when + ": takes no box and answers")
            return
        known = len(bridge.replies)
        bridge.command("acknowledge", {})
        bridge.command("health", {})
        healths = bridge.healths
        if not (yield from self.until(lambda: len(bridge.replies) >= known + 2 and bridge.healths > healths, 90_000)):
            self.problems.append(when + ": carries out no command")
        if not (yield from self.until(lambda: len(bridge.waiting) == 0, 60_000)):
            self.problems.append(when + ": %d messages without a PUBACK" % len(bridge.waiting))
        mark = len(self.said)
        yield from self.press(1700)
        if "identify" not in self.said[mark:]:
            self.problems.append(when + ": the button is dead")
        yield from self.rest(when)

    def rest(self, when):
        """The light is stuck where it shows for ever what is over: an event, or a tone."""
        world = self.world
        wanted = {(0, 0, 0), (0, 255, 0), (0, 24, 0)}  # "ready: sale", see show/patterns.py

        def idle():
            mark = world.now - 4000
            late = [colour for at, colour in world.colours if at >= mark]
            return not world.tone and len(late) >= 2 and set(late) <= wanted and world.shown[-1][0] < mark

        if not (yield from self.until(idle, 70_000)):
            late = [(at - world.now, colour) for at, colour in world.colours[-4:]]
            self.problems.append(when + ": the light is stuck: %s, tone %s" % (late, world.tone))

    # What the chip does

    def boot(self):
        """One run of main.py, to its end."""
        import asyncio

        world = self.world
        for name in list(sys.modules):
            if name.split(".")[0] == "scanlatch":
                del sys.modules[name]
        asyncio.new_event_loop()
        nth.paused = 0
        try:
            exec(self.main, {"__name__": "__main__"})
            why = "program over"
        except (Reset, PowerOff) as end:
            if isinstance(end, PowerOff):
                return False
            why = str(end)
        except Broken as error:
            self.problems.append(str(error))
            return False
        except BaseException as error:  # the console waits for a person now, or for the watchdog
            why = "fell: " + repr(error)
        finally:
            nth.paused = 1
            nth.base()
        self.reasons.append(why)
        if why not in ("watchdog", "by itself"):
            if world.fed is None:
                self.problems.append("dead without a watchdog: " + why)
                return False
            try:
                world.advance(world.limit + 1000)
            except Reset:
                self.reasons.append("watchdog")
            except PowerOff:
                return False
        if world.boots >= MOST_BOOTS:
            self.problems.append("starts again and again: %s" % self.reasons)
            return False
        world.power_on()
        return True

    def run(self):
        world = self.world
        nth_chip.plug(world)
        for life, when in ((self.life(), "day"), (self.after(), "after")):
            self._life = life
            world.person = self.person
            if when == "day" and self.plan and isinstance(self.plan[0], int):
                nth.fail(*self.plan)
            elif when == "day" and self.plan:
                world.armed = self.plan
            while self.boot():
                pass
            if self.problems:
                return
            world.cause = 1
            world.power_on()
        self.books()

    def after(self):
        """The next morning."""
        if not (yield from self.online(60_000)):
            self.problems.append("after a boot: no link")
        yield from self.look("after a boot")
        yield from self.until(lambda: not self._unsent(), 60_000)
        raise PowerOff

    def _unsent(self):
        there = {body[10] for body in self.bridge.contents.values()}
        return [code for code in self.kept if code not in there]

    def books(self):
        ledger, contents = self.bridge.ledger, self.bridge.contents
        if self._unsent():
            self.problems.append("lost: %s" % self._unsent())
        prev = bytes(32)
        codes = []
        for seq in range(1, len(ledger) + 1):
            if seq not in ledger:
                self.problems.append("record %d is missing" % seq)
                break
            if contents[seq][3] != prev:
                self.problems.append("record %d names the wrong one before it" % seq)
            prev = hashes.sha256(ledger[seq])
            if contents[seq][10][:7] == CODES:
                codes.append(contents[seq][10])
        if len(set(codes)) != len(codes):
            self.problems.append("a box is there twice")
        if [code for code in codes if code in self.kept] != self.kept:
            self.problems.append("out of order")
        if self.world.flash.violations:
            self.problems.append("flash rules broken: %s" % self.world.flash.violations)
        journal = Journal(self.world.flash, ID)
        journal.recover()
        if journal.newest != len(ledger) or journal.newest_digest != prev or journal.fault:
            self.problems.append("the journal says %d, the bridge %d" % (journal.newest, len(ledger)))


def prepared():
    """Flash and files as enrolment leaves them."""
    flash = nth_parts.Flash(nth_chip.SECTORS)
    nth_chip.plug(World(flash, STORED))
    Journal.format(flash, ID)
    files = load("keep.files")
    files.write_file("settings.json", json.dumps(SETTINGS).encode())
    for name in ("ca.der", "device.der"):
        files.write_file(name, b"certificate")
    return flash


def fresh(flash):
    made = nth_parts.Flash(nth_chip.SECTORS)
    made.cells.bytes[:], made.touched.bytes[:] = flash.cells.bytes, flash.touched.bytes
    return made
