# Light and tone: one pattern at a time, the latest scan's before every standing condition.
import asyncio

from micropython import const

from scanlatch.show.patterns import COLOURS, EVENTS, STANDING, TONES

_TICK_MS = const(10)  # how late a step may end; it begins at once
_STEP_UNIT_MS = const(10)
_TELL_AGAIN_MS = const(60_000)  # a condition that comes and goes sounds at most this often
_NEVER = const(-60_000)
_DARK = const(0x2E)  # "."

# What plays now; a higher one is never cut short by a lower.
_NOTHING = const(0)
_LOOP = const(1)  # of a standing condition
_ONSET = const(2)  # of a standing condition
_EVENT = const(3)


class Indicator:
    """light: `colour(r, g, b)`; tone: `play(hz)`, `stop()`; clock: `ms()`."""

    def __init__(self, light, tone, clock):
        self._light = light
        self._tone = tone
        self._clock = clock
        self._held = 0  # a bit for each standing condition
        self._untold = 0  # of those, the ones whose onset was not played yet
        self._told_ms = [_NEVER] * len(STANDING)
        self._standing = -1  # the condition that plays, where one does
        self._plays = _NOTHING
        self._pattern = b""
        self._at = 0  # of the next step
        self._step_at = 0  # of the step that is on
        self._until = 0
        self._interrupted = None  # (pattern, position) of the event that "read" cut short
        self._colour = None
        self._sounds = False

    def show(self, name):
        """Play a pattern once, from now: its first light is on when this returns. It replaces the scan before.

        "bounce" gives back to the event that the "read" just before it had cut short. A standing condition's name plays
        its onset. An unknown name is a fault of this firmware, and shows as "error".
        """
        interrupted, self._interrupted = self._interrupted, None
        if name == "read":
            if self._plays == _EVENT:
                self._interrupted = interrupted or (self._pattern, self._step_at)
        elif name == "bounce" and interrupted is not None:
            self._play(_EVENT, interrupted[0], interrupted[1])
            return
        pattern = EVENTS.get(name)
        if pattern is None:
            index = _index(name)
            if index >= 0:
                self._tell(index)
                pattern = STANDING[index][1]
            else:
                pattern = EVENTS["error"]
        self._play(_EVENT, pattern, 0)

    def hold(self, name, on):
        """Begin or end a standing condition. The highest one shows whenever no event does.

        Its onset plays where it begins, once it is the highest, and not again within a minute. An unknown name counts
        as "fault".
        """
        index = max(_index(name), 0)
        bit = 1 << index
        if bool(self._held & bit) == bool(on):
            return
        self._held ^= bit
        if on and self._clock.ms() - self._told_ms[index] >= _TELL_AGAIN_MS:
            self._untold |= bit
        else:
            self._untold &= ~bit
        if self._plays < _ONSET or (self._plays == _ONSET and (index < self._standing or not on)):
            self._fall_back()

    async def run(self):
        """Play for ever."""
        if self._plays == _NOTHING:
            self._fall_back()
        while True:
            if self._plays != _NOTHING and self._clock.ms() >= self._until:
                self._advance()
            await asyncio.sleep_ms(_TICK_MS)

    def _advance(self):
        if self._at < len(self._pattern):
            self._begin_step()
        elif self._plays == _LOOP:
            self._at = 0
            self._begin_step()
        else:
            self._interrupted = None
            self._fall_back()

    def _fall_back(self):
        index = self._highest()
        if index < 0:
            self._plays = _NOTHING
            self._standing = -1
            self._set(_DARK, 0)
            return
        if self._untold >> index & 1:
            self._tell(index)
            self._play(_ONSET, STANDING[index][1], 0)
        elif self._plays != _LOOP or self._standing != index:
            self._play(_LOOP, STANDING[index][2], 0)
        self._standing = index

    def _highest(self):
        for index in range(len(STANDING)):
            if self._held >> index & 1:
                return index
        return -1

    def _tell(self, index):
        self._told_ms[index] = self._clock.ms()
        self._untold &= ~(1 << index)

    def _play(self, plays, pattern, at):
        self._plays = plays
        self._standing = -1
        self._pattern = pattern
        self._at = at
        self._begin_step()

    def _begin_step(self):
        pattern, at = self._pattern, self._at
        self._step_at = at
        colour = pattern[at]
        at += 1
        units = 0
        while at < len(pattern) and 0x30 <= pattern[at] <= 0x39:
            units = units * 10 + pattern[at] - 0x30
            at += 1
        hz = 0
        if at < len(pattern) and pattern[at] in TONES:
            hz = TONES[pattern[at]]
            at += 1
        self._at = at
        self._until = self._clock.ms() + units * _STEP_UNIT_MS
        self._set(colour, hz)

    def _set(self, colour, hz):
        if colour != self._colour:
            self._colour = colour
            self._light.colour(*COLOURS[colour])
        if hz:
            self._sounds = True
            self._tone.play(hz)
        elif self._sounds:
            self._sounds = False
            self._tone.stop()


def _index(name):
    for index in range(len(STANDING)):
        if STANDING[index][0] == name:
            return index
    return -1
