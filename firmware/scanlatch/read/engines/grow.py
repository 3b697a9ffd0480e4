# GROW GM65, GM60, GM805, GM861 and their kin: configures the engine, keeps its trigger armed, brings it back.
import asyncio

from micropython import const

from scanlatch.read.engines.grow_frames import READ, SAVE, WRITE, Replies, request
from scanlatch.read.engines.port import POLL_MS, SILENCE_MS, Port

_REPLY_MS = const(500)
_ATTEMPTS = const(4)  # of a command: the first and 3 retries
_PROBES = const(2)  # of the first command at a baud that may be the wrong one
_BEAT_MS = const(3000)  # an idle engine is asked this often whether it is there, in its mode, and armed
_SAME_MS = const(300)  # the box still lies under the beam: read it again this much later
_WAIT_MS = const(500)  # before an engine that was lost is looked for again, then doubled
_WAIT_MOST_MS = const(8000)
_SAVES = const(3)  # writes to the engine's flash in one boot: an engine that forgets must not wear it out
_FAST_FAILURES = const(2)  # after that the line is taken for too bad for 115200

_SLOW = const(9600)  # as delivered, and after a reset
_FAST = const(115200)
_FAST_DIVISOR = b"\x1a\x00"  # 3,000,000 / baud, low byte first

_NEVER = const(-1)  # so many replies are never due

# Registers (manual, part 10).
_MODE = const(0x0000)
_TRIGGER = const(0x0002)
_OUTPUT = const(0x000D)
_BAUD = const(0x002A)
_MODEL = const(0x00E0)
_SOFTWARE = const(0x00E2)

_COMMAND_MODE = const(0xD5)  # LED on success, no mute, aimer and light while reading, mode 01: reads when told

# Register, bits that matter, their value. The mode stands first: from then on the engine reads only when told.
_SETTINGS = (
    b"\x00\xff\xd5"
    b"\x03\x02\x02"  # setup codes off: nobody reconfigures a terminal with a printed barcode
    b"\x0d\x03\x00"  # serial
    b"\x0e\x04\x00"  # no beep at a read: the terminal's own tone must be the only one
    b"\x13\xff\x85"  # the same code again only after 500 ms
    b"\x60\xff\x01"  # data, then CR
    b"\x2e\x01\x01"  # EAN-13, to be told that it is the wrong one
    b"\x33\x01\x01"  # Code 128
    b"\x3f\x01\x01"  # QR
    b"\x54\x01\x01"  # Data Matrix
)
_READ_TIME = const(0x0006)  # of one trigger, in 0.1 s; 0 without end
_ENDLESS = const(0)
_FIVE_SECONDS = const(50)


class EngineLost(Exception):
    """The engine does not answer, or not as it was configured; its argument says to a person why."""


class Grow(Port):
    """uart, clock: see `Port`; set_baud(n): reopens the same uart at n baud.

    auto: the driver keeps the trigger armed, as a counter needs it. Otherwise `trigger(True)` arms one read.
    """

    def __init__(self, uart, clock, set_baud, auto=True):
        super().__init__(uart, clock, b"\r")
        self._set_baud = set_baud
        self._auto = auto
        self._wanted = auto  # the trigger is to be armed
        self._switched = False  # and the engine does not know yet
        self._replies = Replies(self.put)
        self._take = self._replies.put  # a bound method is an allocation, and this one is used at every look
        self._on_frame = self._framed
        self._tell = None  # whom a frame is told, while frames count; while configuring they don't
        self._read_ms = None  # when a frame came since the trigger was last armed
        self._mark = 0  # hash of the last frame; the frame itself may be a person's
        self._same = False
        self._beat_ms = 0
        self._baud = _SLOW
        self._saves = 0
        self._fast_failures = 0

    async def run(self, on_frame, on_state):
        """Configure, read, recover, for ever.

        on_frame(AIM identifier or "", data): the moment a frame is complete; on_state("ready", version) and
        on_state("lost", why).
        """
        wait = _WAIT_MS
        while True:
            try:
                await self._find()
                version = await self._configure()
                on_state("ready", version)
                wait = _WAIT_MS
                self._tell = on_frame
                await self._serve()
            except EngineLost as lost:
                self._tell = None
                on_state("lost", lost.args[0])
                await self._until(wait, _NEVER)
                wait = min(2 * wait, _WAIT_MOST_MS)

    async def trigger(self, on):
        """Arm or disarm. Takes effect within milliseconds, or as soon as the engine is back."""
        self._wanted = bool(on)
        self._switched = True

    async def _find(self):
        for baud in (self._baud, _FAST if self._baud == _SLOW else _SLOW):
            self._set_baud(baud)
            self._count = 0
            try:
                await self._ask(READ, _OUTPUT, attempts=_PROBES)
            except EngineLost:
                continue
            self._baud = baud
            return
        raise EngineLost("no answer at 9600 or 115200 baud")

    async def _configure(self):
        changed = False
        for at in range(0, len(_SETTINGS), 3):
            changed = await self._set(_SETTINGS[at], _SETTINGS[at + 1], _SETTINGS[at + 2]) or changed
            if at == 0:
                await self._ask(WRITE, _TRIGGER, b"\x00")
        changed = await self._set(_READ_TIME, 0xFF, _ENDLESS if self._auto else _FIVE_SECONDS) or changed
        if changed and self._saves < _SAVES:
            self._saves += 1
            await self._ask(SAVE, 0, b"\x00")
        if self._baud != _FAST and self._fast_failures < _FAST_FAILURES:
            await self._speed_up()
        model = await self._ask(READ, _MODEL)
        software = await self._ask(READ, _SOFTWARE)
        if not model or not software:
            return "grow"
        return "grow model %d software %d.%02d" % (model[0], software[0] // 100, software[0] % 100)

    async def _set(self, address, mask, value):
        # Whether the register had to be changed. One that the engine doesn't know is left alone, save the mode.
        now = await self._ask(READ, address)
        if now and now[0] & mask == value:
            return False
        wanted = (now[0] & ~mask & 0xFF) | value if now else value
        done = await self._ask(WRITE, address, bytes((wanted,)))
        if not done and address == _MODE:
            raise EngineLost("refused command mode")
        return bool(done)

    async def _speed_up(self):
        # Not saved to the engine's flash: after a power cut it is where every probe begins.
        if not await self._ask(WRITE, _BAUD, _FAST_DIVISOR):
            return
        self._set_baud(_FAST)  # the acknowledgement still came at the old speed
        try:
            await self._ask(READ, _OUTPUT)
        except EngineLost:
            self._fast_failures += 1
            raise EngineLost("no answer after the change to 115200 baud")
        self._baud = _FAST

    async def _serve(self):
        self._count = 0
        self._read_ms = None
        self._switched = self._wanted
        self._beat_ms = self._clock.ms()
        while True:
            self._listen()
            now = self._clock.ms()
            if self._switched:
                self._switched = False
                await self._arm(self._wanted)
            elif self._read_ms is not None and not self._auto:
                self._read_ms = None
                self._wanted = False
            elif self._read_ms is not None and self._wanted and now - self._read_ms >= (_SAME_MS if self._same else 0):
                await self._arm(True)
            elif now - self._beat_ms >= _BEAT_MS and not self._count:
                await self._beat()
            else:
                await asyncio.sleep_ms(POLL_MS)

    async def _arm(self, on):
        self._read_ms = None  # a frame that comes from here on asks for the next arming
        await self._ask(WRITE, _TRIGGER, b"\x01" if on else b"\x00")
        self._beat_ms = self._clock.ms()

    async def _beat(self):
        # An engine that was reset answers at another speed or not at all; one that was only unplugged for a moment may
        # answer, in its mode, but is not armed.
        mode = await self._ask(READ, _MODE)
        if mode and mode[0] != _COMMAND_MODE:
            raise EngineLost("forgot its settings")
        self._beat_ms = self._clock.ms()
        if self._wanted and self._auto:
            await self._arm(True)

    async def _ask(self, kind, address, data=b"\x01", attempts=_ATTEMPTS):
        # The reply's byte of data; b"" where the engine refused. Raises EngineLost.
        replies = self._replies
        for attempt in range(attempts):
            replies.due += 1
            self._uart.write(request(kind, address, data))
            if await self._until(_REPLY_MS, attempt):
                reply = replies.reply
                # A request before was answered late or never: its reply must not be taken for that of the next.
                await self._until(_REPLY_MS, 0)
                self._forget()
                return reply
        self._forget()
        raise EngineLost("no answer")

    async def _until(self, ms, due):
        # Listens until only so many replies are due. False where they still are after `ms`.
        until = self._clock.ms() + ms
        while True:
            count = self._listen()
            if self._replies.due <= due:
                return True
            if self._clock.ms() >= until:
                return False
            await asyncio.sleep_ms(0 if count else POLL_MS)

    def _forget(self):
        self._replies.due = 0
        self._replies.flush()

    def _listen(self):
        count = self.listen(self._take)
        if not count and (self._count or self._replies.held) and self.quiet_ms() >= SILENCE_MS:
            self._replies.flush()
            self.flush()
        return count

    def _framed(self, identifier, data):
        if self._tell is None:
            return
        mark = hash(data)
        self._same = mark == self._mark
        self._mark = mark
        self._read_ms = self._clock.ms()
        self._tell(identifier, data)
