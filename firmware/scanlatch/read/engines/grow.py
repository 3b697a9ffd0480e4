# GROW GM65, GM60, GM805, GM861 and their kin: configures the engine, keeps its trigger armed, brings it back.
import asyncio

from micropython import const

from scanlatch.read.engines import grow_frames
from scanlatch.read.engines.port import POLL_MS, SILENCE_MS, Framer, Port

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

# Registers (manual, part 10).
_MODE = const(0x0000)
_TRIGGER = const(0x0002)
_OUTPUT = const(0x000D)
_BAUD = const(0x002A)
_MODEL = const(0x00E0)
_SOFTWARE = const(0x00E2)

_COMMAND_MODE = const(0xD5)  # LED on success, no mute, aimer and light while reading, mode 01: reads when told

# (register, bits that matter, their value). The mode stands first: from then on the engine reads only when told.
_SETTINGS = (
    (_MODE, 0xFF, _COMMAND_MODE),
    (0x0003, 0x02, 0x02),  # setup codes off: nobody reconfigures a terminal with a printed barcode
    (_OUTPUT, 0x03, 0x00),  # serial
    (0x000E, 0x04, 0x00),  # no beep at a read: the terminal's own tone must be the only one
    (0x0013, 0xFF, 0x85),  # the same code again only after 500 ms
    (0x0060, 0xFF, 0x01),  # data, then CR
    (0x002E, 0x01, 0x01),  # EAN-13, to be told that it is the wrong one
    (0x0033, 0x01, 0x01),  # Code 128
    (0x003F, 0x01, 0x01),  # QR
    (0x0054, 0x01, 0x01),  # Data Matrix
)
_READ_TIME = const(0x0006)  # of one trigger, in 0.1 s; 0 without end
_ENDLESS = const(0)
_FIVE_SECONDS = const(50)


class EngineLost(Exception):
    """The engine does not answer, or not as it was configured. `why` is for a person."""

    def __init__(self, why):
        super().__init__(why)
        self.why = why


class Grow:
    """uart, clock: see `Port`; set_baud(n): reopens the same uart at n baud.

    auto: the driver keeps the trigger armed, as a counter needs it. Otherwise `trigger(True)` arms one read.
    """

    def __init__(self, uart, clock, set_baud, auto=True):
        self._port = Port(uart, clock)
        self._clock = clock
        self._set_baud = set_baud
        self._auto = auto
        self._wanted = auto  # the trigger is to be armed
        self._switched = False  # and the engine does not know yet
        self._replies = grow_frames.Replies(self._put_data)
        self._put = self._replies.put  # a bound method is an allocation, and this one is used at every look
        self._framer = Framer(self._framed, b"\r")
        self._serving = False  # scanned bytes count; while configuring they don't
        self._on_frame = None
        self._read = False  # a frame came since the trigger was last armed
        self._read_ms = 0
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
        self._on_frame = on_frame
        wait = _WAIT_MS
        while True:
            try:
                await self._find()
                version = await self._configure()
                on_state("ready", version)
                wait = _WAIT_MS
                await self._serve()
            except EngineLost as lost:
                self._serving = False
                on_state("lost", lost.why)
                await self._pause(wait)
                wait = min(2 * wait, _WAIT_MOST_MS)

    async def trigger(self, on):
        """Arm or disarm. Takes effect within milliseconds, or as soon as the engine is back."""
        self._wanted = bool(on)
        self._switched = True

    def quiet_ms(self):
        """Milliseconds since the engine sent a byte."""
        return self._port.quiet_ms()

    async def _find(self):
        for baud in (self._baud, _FAST if self._baud == _SLOW else _SLOW):
            self._set_baud(baud)
            self._framer.clear()
            try:
                await self._exchange(grow_frames.read(_OUTPUT), attempts=_PROBES)
            except EngineLost:
                continue
            self._baud = baud
            return
        raise EngineLost("no answer at 9600 or 115200 baud")

    async def _configure(self):
        changed = False
        for address, mask, value in _SETTINGS:
            changed = await self._set(address, mask, value) or changed
            if address == _MODE:
                await self._exchange(grow_frames.write(_TRIGGER, b"\x00"))
        changed = await self._set(_READ_TIME, 0xFF, _ENDLESS if self._auto else _FIVE_SECONDS) or changed
        if changed and self._saves < _SAVES:
            self._saves += 1
            await self._exchange(grow_frames.save())
        await self._speed_up()
        model = await self._exchange(grow_frames.read(_MODEL))
        software = await self._exchange(grow_frames.read(_SOFTWARE))
        if not model or not software:
            return "grow"
        return "grow model %d software %d.%02d" % (model[0], software[0] // 100, software[0] % 100)

    async def _set(self, address, mask, value):
        # Whether the register had to be changed. One that the engine doesn't know is left alone, save the mode.
        now = await self._exchange(grow_frames.read(address))
        if now and now[0] & mask == value:
            return False
        wanted = (now[0] & ~mask & 0xFF) | value if now else value
        done = await self._exchange(grow_frames.write(address, bytes((wanted,))))
        if not done and address == _MODE:
            raise EngineLost("refused command mode")
        return bool(done)

    async def _speed_up(self):
        # Not saved to the engine's flash: after a power cut it is where every probe begins.
        if self._baud == _FAST or self._fast_failures >= _FAST_FAILURES:
            return
        if not await self._exchange(grow_frames.write(_BAUD, _FAST_DIVISOR)):
            return
        self._set_baud(_FAST)  # the acknowledgement still came at the old speed
        try:
            await self._exchange(grow_frames.read(_OUTPUT))
        except EngineLost:
            self._fast_failures += 1
            raise EngineLost("no answer after the change to 115200 baud")
        self._baud = _FAST

    async def _serve(self):
        self._framer.clear()
        self._read = False
        self._switched = self._wanted
        self._beat_ms = self._clock.ms()
        self._serving = True
        while True:
            self._listen()
            now = self._clock.ms()
            if self._switched:
                self._switched = False
                await self._arm(self._wanted)
            elif self._read and not self._auto:
                self._read = self._wanted = False
            elif self._read and self._wanted and now - self._read_ms >= (_SAME_MS if self._same else 0):
                await self._arm(True)
            elif now - self._beat_ms >= _BEAT_MS and not self._framer.open():
                await self._beat()
            else:
                await asyncio.sleep_ms(POLL_MS)

    async def _arm(self, on):
        self._read = False  # a frame that comes from here on asks for the next arming
        await self._exchange(grow_frames.write(_TRIGGER, b"\x01" if on else b"\x00"))
        self._beat_ms = self._clock.ms()

    async def _beat(self):
        # An engine that was reset answers at another speed or not at all; one that was only unplugged for a moment may
        # answer, in its mode, but is not armed.
        mode = await self._exchange(grow_frames.read(_MODE))
        if mode and mode[0] != _COMMAND_MODE:
            raise EngineLost("forgot its settings")
        self._beat_ms = self._clock.ms()
        if self._wanted and self._auto:
            await self._arm(True)

    async def _exchange(self, request, attempts=_ATTEMPTS):
        """The reply's data; b"" where the engine refused. Raises EngineLost."""
        # Every request here asks for one byte; the acknowledgement of a write is one byte too.
        for attempt in range(attempts):
            self._replies.expect(1)
            self._port.write(request)
            if await self._replied():
                reply = self._replies.reply
                if attempt:
                    await self._late_replies()
                return reply
        self._replies.forget()
        raise EngineLost("no answer")

    async def _replied(self):
        until = self._clock.ms() + _REPLY_MS
        while self._replies.reply is None:
            count = self._listen()
            if self._replies.reply is None:
                if self._clock.ms() >= until:
                    return False
                await asyncio.sleep_ms(0 if count else POLL_MS)
        return True

    async def _late_replies(self):
        # The first request was answered late or never: its reply must not be taken for that of the next command.
        until = self._clock.ms() + _REPLY_MS
        while self._replies.due and self._clock.ms() < until:
            self._listen()
            await asyncio.sleep_ms(POLL_MS)
        self._replies.forget()

    async def _pause(self, ms):
        # Goes on reading: unread bytes would stand for a busy line.
        until = self._clock.ms() + ms
        while self._clock.ms() < until:
            self._listen()
            await asyncio.sleep_ms(50)

    def _listen(self):
        count = self._port.listen(self._put)
        if not count and (self._framer.open() or self._replies.holding()) and self._port.quiet_ms() >= SILENCE_MS:
            self._replies.flush()
            self._framer.flush()
        return count

    def _put_data(self, byte):
        if self._serving:
            self._framer.put(byte)

    def _framed(self, identifier, data):
        mark = hash(data)
        self._same = mark == self._mark
        self._mark = mark
        self._read = True
        self._read_ms = self._clock.ms()
        self._on_frame(identifier, data)
