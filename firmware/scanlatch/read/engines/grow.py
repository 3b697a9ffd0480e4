# GROW GM65, GM60, GM805, GM861 and their kin: keeps the engine's trigger armed and brings the engine back.
import asyncio

from micropython import const

import scanlatch
from scanlatch.read.engines.port import POLL_MS, SILENCE_MS, Port

# What a request does (manual, parts 8 and 9). 0x05 erases the engine's firmware: nothing here may make such a frame.
READ = const(0x07)  # as many registers as its one byte of data says
WRITE = const(0x08)
SAVE = const(0x09)  # copies all registers to the engine's flash; its data is 00

SLOW = const(9600)  # baud as delivered, and after a reset
FAST = const(115200)

_REPLY_SIZE = const(7)  # to a request for one register, or to a write: 02 00, status, 01, value, CRC
_STATUSES = b"\x00\x01\x03"  # done; bad CRC, unknown: from Newland's engines of this family, GROW's keep silent

_REPLY_MS = const(500)
_ATTEMPTS = const(4)  # of a command: the first and 3 retries
_BEAT_MS = const(3000)  # an idle engine is asked this often whether it is there, in its mode, and armed
_SAME_MS = const(300)  # the box still lies under the beam: read it again this much later
_WAIT_MS = const(500)  # before an engine that was lost is looked for again, then doubled
_WAIT_MOST_MS = const(8000)
_NEVER = const(-1)  # so many replies are never due

# Registers (manual, part 10), and what the mode's reads where nobody changed it.
_MODE = const(0x0000)
_TRIGGER = const(0x0002)
_COMMAND_MODE = const(0xD5)


class EngineLost(Exception):
    """The engine does not answer, or not as it was configured; its argument says to a person why."""


class Grow(Port):
    """uart, clock: see `Port`; set_baud(n): reopens the same uart at n baud.

    auto: the driver keeps the trigger armed, as a counter needs it. Otherwise `trigger(True)` arms one read.
    """

    def __init__(self, uart, clock, set_baud, auto=True):
        super().__init__(uart, clock, b"\r")
        self.set_baud = set_baud
        self.auto = auto
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
        # What `grow_setup` knows of this engine from one time to the next.
        self.baud = SLOW
        self.saves = 0
        self.fast_failures = 0

    async def run(self, on_frame, on_state):
        """Configure, read, recover, for ever.

        on_frame(AIM identifier or "", data): the moment a frame is complete; on_state("ready", version) and
        on_state("lost", why).
        """
        wait = _WAIT_MS
        while True:
            try:
                on_state("ready", await self._set_up())
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

    async def ask(self, kind, address, data=b"\x01", attempts=_ATTEMPTS):
        """The reply's byte of data; b"" where the engine refused. Raises EngineLost."""
        replies = self._replies
        for attempt in range(attempts):
            replies.due += 1
            self._uart.write(request(kind, address, data))
            if await self._until(_REPLY_MS, attempt):
                reply = replies.reply
                # A request before was answered late or never: its reply must not be taken for that of the next.
                await self._until(_REPLY_MS, 0)
                replies.forget()
                return reply
        replies.forget()
        raise EngineLost("no answer")

    async def _set_up(self):
        try:
            from scanlatch.read.engines import grow_setup  # heap is short: it stays only while it is needed

            try:
                return await grow_setup.set_up(self)
            finally:
                scanlatch.forget(grow_setup)
        except (MemoryError, OSError) as error:
            raise EngineLost(str(error))

    async def _serve(self):
        self.count = 0
        self._read_ms = None
        self._switched = self._wanted
        self._beat_ms = self._clock.ms()
        while True:
            self._listen()
            now = self._clock.ms()
            if self._switched:
                self._switched = False
                await self._arm(self._wanted)
            elif self._read_ms is not None and not self.auto:
                self._read_ms = None
                self._wanted = False
            elif self._read_ms is not None and self._wanted and now - self._read_ms >= (_SAME_MS if self._same else 0):
                await self._arm(True)
            elif now - self._beat_ms >= _BEAT_MS and not self.count:
                # An engine that was reset answers at another speed or not at all; one that was only unplugged for a
                # moment may answer, in its mode, but is not armed.
                mode = await self.ask(READ, _MODE)
                if mode and mode[0] != _COMMAND_MODE:
                    raise EngineLost("forgot its settings")
                self._beat_ms = self._clock.ms()
                if self._wanted and self.auto:
                    await self._arm(True)
            else:
                await asyncio.sleep_ms(POLL_MS)

    async def _arm(self, on):
        self._read_ms = None  # a frame that comes from here on asks for the next arming
        await self.ask(WRITE, _TRIGGER, b"\x01" if on else b"\x00")
        self._beat_ms = self._clock.ms()

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

    def _listen(self):
        count = self.listen(self._take)
        if not count and (self.count or self._replies.held) and self.quiet_ms() >= SILENCE_MS:
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


class Replies:
    """Tells the replies that are due from what was scanned, in one stream of bytes.

    A barcode may hold the bytes of a reply; so only as many replies are taken out as were asked for, and only whole
    ones whose CRC holds. Everything else goes on to `put_data`, byte by byte, in its order.
    """

    def __init__(self, put_data):
        self._put_data = put_data
        self.held = b""  # what may become a reply
        self.due = 0  # add to it for each request
        self.reply = b""  # the last one: its byte of data, or b"" where the engine refused the request

    def put(self, byte):
        if not self.due or (byte != 0x02 and not self.held):
            self._put_data(byte)
            return
        held = self.held + bytes((byte,))
        while held and not _begins_reply(held):
            self._put_data(held[0])
            held = held[1:]
        if len(held) == _REPLY_SIZE:
            self.reply = b"" if held[2] else held[4:5]
            self.due -= 1
            held = b""
        self.held = held

    def forget(self):
        """No reply is due any more."""
        self.due = 0
        self.flush()

    def flush(self):
        """What was held back is no reply."""
        held, self.held = self.held, b""
        for byte in held:
            self._put_data(byte)


def request(kind, address, data):
    """Bytes that tell the engine to do `kind` with the registers from `address` on. data: bytes, at most 245 (GM65)."""
    body = bytes((kind, len(data), address >> 8, address & 0xFF)) + data
    return b"\x7e\x00" + body + _crc16(body).to_bytes(2, "big")


def _begins_reply(held):
    count = len(held)
    if count > 2 and held[2] not in _STATUSES:
        return False
    if held[:2] != b"\x02\x00"[:count] or (count > 3 and held[3] != 1):
        return False
    return count < _REPLY_SIZE or _crc16(held[2:-2]) == held[-2] << 8 | held[-1]


def _crc16(data):
    # CRC-16/XMODEM, without a table: requests are short and few.
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc
