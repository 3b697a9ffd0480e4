# The beep of an engine that has a command for one: its bytes, and when it may be sent. Loaded where a board sounds it.
import asyncio

from micropython import const

from scanlatch.read.engines.commanded import NEVER, EngineLost

# Command, and whether the engine acknowledges it. No other family has one that is known.
COMMANDS = {
    "honeywell": (b"\x16\x07\r", False),
    "ssi": (b"\x05\xe6\x04\x00\x00\xff\x11", True),  # sound 00; what the others are is not known
}

_READ_HZ = const(2640)  # of the pattern "read", and of "kept", which follows it: the beep is the answer's
_KEPT_HZ = const(1760)
_FIRST, _SECOND = const(2), const(1)  # beeps that a tone has left
_LONG_MS = const(250)  # a tone that is on for longer makes two
_APART_MS = const(120)  # at least, from the beginning of one beep to that of the next
_LATE_MS = const(400)  # behind its tone's beginning a beep would tell of something else
_QUIET_MS = const(20)  # since the engine's last byte
_POLL_MS = const(4)
_ACKNOWLEDGE_MS = const(500)


class Beeper:
    """Makes beeps, which have one length and pitch, of tones. At most one waits; a newer tone takes its place."""

    def __init__(self):
        self._hz = 0  # of the last tone
        self._on = False
        self._left = 0
        self._begun_ms = 0
        self._beeped_ms = -_APART_MS

    def tone(self, engine, hz):
        """A tone begins, or ends where hz is 0. engine: a `Commanded` of one of the kinds above."""
        self._on = bool(hz)
        if not hz:
            return
        before, self._hz = self._hz, hz
        engine.buzzer = None
        if hz == _READ_HZ or (hz == _KEPT_HZ and before == _READ_HZ):
            return
        self._left = _FIRST
        self._begun_ms = engine._clock.ms()
        engine.buzzer = self.sound

    async def sound(self, engine):
        """Beep, where it is time. The engine's driver calls it where nothing is to be read, asked or armed."""
        now = engine._clock.ms()
        since = now - self._begun_ms
        if since > _LATE_MS or (self._left == _SECOND and not self._on):
            engine.buzzer = None
            return
        early = since < _LONG_MS if self._left == _SECOND else now - self._beeped_ms < _APART_MS
        if early or engine.quiet_ms() < _QUIET_MS:
            await asyncio.sleep_ms(_POLL_MS)
            return
        self._beeped_ms = now
        self._left -= 1
        if not self._left:
            engine.buzzer = None
        command, acknowledged = COMMANDS[engine.kind]
        if not acknowledged:
            engine._uart.write(command)
            return
        try:
            await engine.ask(command, 1)
        except EngineLost:  # its heartbeat will tell; but what comes late must not be taken for the next reply
            await engine.until(_ACKNOWLEDGE_MS, NEVER)
