# The scan engine's own buzzer, used like a PWM: a tone becomes a beep; silent where the engine has no command for one.
# pyright: reportAttributeAccessIssue=false
import asyncio

from micropython import const

from scanlatch import load
from scanlatch.read.engines.commanded import EngineLost
from scanlatch.system.log import log

_READ_HZ = const(2640)  # of the pattern "read", and of "kept", which follows it: the beep is the answer's
_KEPT_HZ = const(1760)
_LONG_MS = const(250)  # a tone that is on for longer makes two
_APART_MS = const(120)  # at least, from the beginning of one beep to that of the next
_LATE_MS = const(400)  # behind its tone's beginning a beep would tell of something else
_QUIET_MS = const(20)  # since the engine's last byte
_ACKNOWLEDGED_MS = const(500)
_NEVER = const(-1)


class Buzzer:
    """driver: of the engine that reads now. At most one beep waits; a newer tone's takes its place."""

    driver = None

    def __init__(self, _config):
        self._kind = "auto"  # whose the command is; one that is yet to be found has none
        self._command = None  # and whether it is acknowledged
        self._hz = self._before = 0  # of the tone now, and of the last
        self._sounds = 0
        self._again = False  # the tone has made a beep
        self._start = self._beat_ms = -_APART_MS  # of the tone, of the last beep

    def freq(self, hz):
        self._hz = hz

    def duty_u16(self, duty):
        """A tone begins, or ends where it is 0."""
        self._sounds = duty
        driver = self.driver
        if not driver or not duty:
            return
        before, self._before = self._before, self._hz
        driver.buzzer = None
        if (driver.kind or "line") != self._kind:
            self._learn(driver.kind or "line")
        if self._command and self._hz != _READ_HZ and (self._hz != _KEPT_HZ or before != _READ_HZ):
            self._again = False
            self._start = driver._clock.ms()
            driver.buzzer = self.play

    def _learn(self, kind):
        self._command = None
        try:
            self._command = load("read.engines.beep").COMMANDS.get(kind)
        except (MemoryError, OSError):  # with the next tone
            return
        self._kind = kind
        if not self._command:
            log("buzzer", error="silent: no command for a beep", engine=kind)

    async def play(self, ms):
        """Beep, where it is time, else wait for `ms`. The driver calls it while nothing is to be asked or armed."""
        driver = self.driver
        now = driver._clock.ms()
        since = now - self._start
        again = self._again
        if since > _LATE_MS or (again and not self._sounds):
            driver.buzzer = None
            return
        early = since < _LONG_MS if again else now - self._beat_ms < _APART_MS
        if early or driver.count or driver.quiet_ms() < _QUIET_MS:
            await asyncio.sleep_ms(ms)
            return
        self._beat_ms = now
        self._again = True
        if again:
            driver.buzzer = None
        command, acknowledged = self._command  # pyright: ignore[reportGeneralTypeIssues]
        if not acknowledged:
            driver._uart.write(command)
            return
        try:
            await driver.ask(command, 1)
        except EngineLost:  # its heartbeat will tell; but what comes late must not be taken for the next reply
            await driver.until(_ACKNOWLEDGED_MS, _NEVER)
