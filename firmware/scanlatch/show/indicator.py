# Light and tone: one pattern at a time, the latest scan's before every standing condition.
import asyncio

from micropython import const

from scanlatch import load

patterns = load("show.patterns")
COLOURS, TONES, EVENTS, STANDING = patterns.COLOURS, patterns.TONES, patterns.EVENTS, patterns.STANDING
del patterns  # its tables are all that is needed, and not even all of them

_TICK_MS = const(10)  # how late a step may end; it begins at once
_STEP_UNIT_MS = const(10)
_TELL_AGAIN_MS = const(60_000)  # a condition that comes and goes sounds at most this often
_DARK = const(0x2E)  # "."

# What plays now; a higher one is never cut short by a lower.
_NOTHING = const(0)
_LOOP = const(1)  # of a standing condition
_ONSET = const(2)  # of a standing condition
_EVENT = const(3)


class Indicator:
    """light: `colour(r, g, b)`; tone: `play(hz)`, `stop()`; clock: `ms()`.

    A standing condition is known by the place of its pattern: the lower, the higher it stands.
    """

    def __init__(self, light, tone, clock):
        self._light = light
        self._tone = tone
        self._clock = clock
        self._held = []  # standing conditions
        self._told_ms = {}  # when their onsets were played last; one that is to be played is missing
        self._standing = -1  # the condition that plays, where one does
        self._plays = _NOTHING
        self._rows = EVENTS  # where the pattern stands that plays
        self._start = 0  # of the pattern
        self._at = 0  # of the next step
        self._step_at = 0  # of the step that is on
        self._until = 0
        self._interrupted = None  # (rows, step, ms that it had left) of the event that "bounce" cut short
        self._colour = None
        self._sounds = False

    def show(self, name):
        """Play a pattern once, from now: its first light is on when this returns. It replaces the scan before.

        "bounce" alone lets the event go on that it cuts short: a box lies there with its answer. A standing condition's
        name plays its onset. An unknown name is a fault of this firmware, and shows as "error".
        """
        rows, at = EVENTS, _find(EVENTS, name)
        if name != "bounce":
            self._interrupted = None
        elif self._plays == _EVENT and not (self._rows is EVENTS and self._start == at):
            self._interrupted = self._rows, self._step_at, self._until - self._clock.ms()
        if not at:
            rows, at = STANDING, _find(STANDING, name)
            if at:
                self._told_ms[at] = self._clock.ms()
        if not at:
            try:
                rows = load("show.patterns").RARE
                at = _find(rows, name)
            except (MemoryError, OSError):
                pass
        if not at:
            rows, at = EVENTS, _find(EVENTS, "error")
        self._play(_EVENT, rows, at)

    def hold(self, name, on):
        """Begin or end a standing condition. The highest one shows whenever no event does.

        Its onset plays where it begins, once it is the highest, and not again within a minute. An unknown name counts
        as "fault".
        """
        row = _find(STANDING, name) or _find(STANDING, "fault")
        if (row in self._held) == bool(on):
            return
        if on:
            self._held.append(row)
            if self._clock.ms() - self._told_ms.get(row, -_TELL_AGAIN_MS) >= _TELL_AGAIN_MS:
                self._told_ms.pop(row, None)
        else:
            self._held.remove(row)
        if self._plays < _ONSET or (self._plays == _ONSET and (row < self._standing or not on)):
            self._fall_back()

    async def run(self):
        """Play for ever."""
        if self._plays == _NOTHING:
            self._fall_back()
        while True:
            if self._plays != _NOTHING and self._clock.ms() >= self._until:
                if self._rows[self._at] > 0x20:
                    self._begin_step()
                elif self._plays == _LOOP:
                    self._at = self._start
                    self._begin_step()
                elif self._interrupted is not None:
                    rows, at, left = self._interrupted
                    self._interrupted = None
                    self._play(_EVENT, rows, at)
                    self._until = self._clock.ms() + left
                else:
                    self._fall_back()
            await asyncio.sleep_ms(_TICK_MS)

    def _fall_back(self):
        if not self._held:
            self._plays = _NOTHING
            self._standing = -1
            self._set(_DARK, 0)
            return
        row = min(self._held)
        if row not in self._told_ms:
            self._told_ms[row] = self._clock.ms()
            self._play(_ONSET, STANDING, row)
        elif self._plays != _LOOP or self._standing != row:
            self._play(_LOOP, STANDING, STANDING.find(b" ", row) + 1)
        self._standing = row

    def _play(self, plays, rows, at):
        self._plays = plays
        self._standing = -1
        self._rows = rows
        self._start = self._at = at
        self._begin_step()

    def _begin_step(self):
        rows, at = self._rows, self._at
        self._step_at = at
        colour = rows[at]
        at += 1
        units = 0
        while 0x30 <= rows[at] <= 0x39:
            units = units * 10 + rows[at] - 0x30
            at += 1
        hz = 0
        if rows[at] >= 0x61:
            hz = TONES[rows[at] - 0x61]
            at += 1
        self._at = at
        self._until = self._clock.ms() + units * _STEP_UNIT_MS
        self._set(colour, hz)

    def _set(self, colour, hz):
        if colour != self._colour:
            self._colour = colour
            at = 0
            while COLOURS[at] != colour:
                at += 4
            self._light.colour(COLOURS[at + 1], COLOURS[at + 2], COLOURS[at + 3])
        if hz:
            self._sounds = True
            self._tone.play(hz)
        elif self._sounds:
            self._sounds = False
            self._tone.stop()


def _find(rows, name):
    # Where the pattern begins that is shown once; 0 where there is none of that name.
    key = b"\n" + name.encode() + b" "
    at = rows.find(key)
    return at + len(key) if at >= 0 else 0
