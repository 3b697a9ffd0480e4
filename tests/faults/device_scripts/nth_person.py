# The person at a terminal of nth_day: what the light says, what is scanned and pressed, and how a day goes.
from nth_chip import PowerOff
from scanlatch import load

TOKEN = "ABC123"
CODES = b"8101235"
REFUSED = ("busy", "error", "full", "fault_refused", "torn", "unknown_symbol", "wrong_symbol", "foreign_control")
ENDS = (
    "kept",
    "badge",
    "session_open",
    "credential",
    "credential_offline",
    "idle_return",
    "idle_sale",
    "done",
) + REFUSED


def names():
    """(colour, hertz) of a first beep -> pattern."""
    patterns = load("show.patterns")
    colours = {}
    for at in range(0, len(patterns.COLOURS), 4):
        colours[patterns.COLOURS[at]] = tuple(patterns.COLOURS[at + 1 : at + 4])
    found = {}
    for table in (patterns.EVENTS, patterns.RARE, patterns.STANDING):
        for row in table.split(b"\n"):
            if row:
                name, pattern = row.split(b" ")[:2]
                pattern += b"."
                at = 1
                while 0x30 <= pattern[at] <= 0x39:
                    at += 1
                if pattern[at] >= 0x61:
                    found.setdefault((colours[pattern[0]], patterns.TONES[pattern[at] - 0x61]), name.decode())
    return found


class Person:
    """said: every pattern that the light began, by its name; kept: the boxes that it called kept."""

    def __init__(self, world, bridge, named):
        self.world, self.bridge, self._named = world, bridge, named
        self.kept, self.said = [], []
        self._next = self._seen = 0
        self._life = None

    def person(self):
        world = self.world
        while self._seen < len(world.shown):
            _, colour, hz = world.shown[self._seen]
            self._seen += 1
            self.said.append(self._named.get((colour, hz), "?"))
        if next(self._life, self) is self:
            raise PowerOff

    def until(self, true, ms):
        end = self.world.now + ms
        while not true():
            if self.world.now >= end:
                return False
            yield
        return True

    def wait(self, ms):
        yield from self.until(lambda: False, ms)

    def scan(self, data, wanted=ENDS, ms=3000):
        """The first of `wanted` that the light says, or "dark"."""
        mark = len(self.said)
        self.world.line += data + b"\r"
        found = lambda: next((one for one in self.said[mark:] if one in wanted), None)  # noqa: E731
        yield from self.until(found, ms)
        return found() or "dark"

    def box(self):
        """A box that nobody scanned yet: what the light says of it, "accepted" where the answer comes at once."""
        self._next += 1
        code = CODES + b"%013d" % self._next
        mark = len(self.said)
        said = yield from self.scan(code)
        if said == "kept":
            self.kept.append(code)
            if (yield from self.until(lambda: "accepted" in self.said[mark:], 1500)):
                return "accepted"
        return said

    def press(self, ms):
        self.world.pressed = True
        yield from self.wait(ms)
        self.world.pressed = False
        yield from self.wait(100)

    def online(self, ms):
        return (yield from self.until(lambda: self.bridge.online, ms))

    def day(self):
        """What happens on a day without trouble is what `told` says."""
        bridge, world = self.bridge, self.world
        told = self.told = []
        yield from self.online(20_000)
        yield from self.wait(200)
        for _ in range(2):
            told.append((yield from self.box()))
        yield from self.wait(1500)
        for data in (
            b"6901234567892",
            b"]d2010690123456789221SN%d" % 7,
            b"SL/%s/RETURN" % TOKEN,
            b"SL/%s/SALE" % TOKEN,
        ):
            told.append((yield from self.scan(data)))
            yield from self.wait(400)
        told.append((yield from self.scan(b"SL/%s/BADGE/W-1" % TOKEN)))
        for name, arguments in (("health", {}), ("identify", {}), ("acknowledge", {}), ("resend", {"from": 1})):
            bridge.command(name, arguments)
        yield from self.until(lambda: len(bridge.replies) >= 4, 4000)
        told.append((yield from self.scan(b"424" + b"7" * 25)))
        yield from self.wait(300)
        bridge.command("session", {"id": "s-1", "kind": "sale", "until": bridge.now() + 60_000})
        told.append((yield from self.box()))
        yield from self.wait(300)
        told.append((yield from self.scan(b"SL/%s/CANCEL" % TOKEN)))
        yield from self.wait(600)
        told.append((yield from self.scan(b"SL/%s/END" % TOKEN)))
        yield from self.wait(600)
        world.net = False
        for _ in range(2):
            told.append((yield from self.box()))
        world.net = True
        yield from self.online(20_000)
        yield from self.press(120)
        yield from self.press(1700)
        told.append((yield from self.box()))
        told.append(len(bridge.replies))
